"""The manifests of deploy/kuberay and the image: what KubeRay accepts, and nothing that runs as root."""

import copy
import re
import shlex

import pytest
import yaml

from study.launch import _parser as launch_parser
from study.settings.flags import nested_flags, split_flags
from study.settings.sources import load_settings, preset_or_file
from tests.cluster.hosts import REPOSITORY
from tests.cluster.kuberay import cluster_of, complaints, groups_of

FOLDER = REPOSITORY / "deploy" / "kuberay"
RAY = ("rayjob.yaml", "raycluster.yaml")


def manifest(name):
    return yaml.safe_load((FOLDER / name).read_text(encoding="utf-8"))


@pytest.fixture(scope="module")
def kubernetes():
    return pytest.importorskip("kubernetes_validate", reason="Kubernetes' schemas are in kubernetes-validate")


@pytest.mark.parametrize("name", RAY)
def test_kuberay_accepts_the_manifest(kubernetes, name):
    assert complaints(manifest(name)) == []


def test_kubernetes_accepts_the_volume(kubernetes):
    kubernetes.validate(manifest("storage.yaml"), kubernetes.latest_version(), strict=True)


def change(content, path, value):
    *parents, last = path.split(".")
    for key in parents:
        content = content[int(key) if key.isdigit() else key]
    content[last] = value


POD = "rayClusterSpec.headGroupSpec.template.spec"


@pytest.mark.parametrize(
    ("path", "value", "found"),
    [
        ("entryPoint", "python", "spec: .*'entryPoint'"),
        ("rayClusterSpec.enableInTreeAutoscaler", True, "spec.rayClusterSpec: .*'enableInTreeAutoscaler'"),
        ("rayClusterSpec.authOptions.mode", "tokens", r"spec.rayClusterSpec.authOptions.mode: "),
        ("rayClusterSpec.headGroupSpec.rayStartParams.num-cpus", 0, "num-cpus"),
        (f"{POD}.containers.0.volumemounts", [], r"containers\[0\]: .*'volumemounts'"),
        (f"{POD}.securityContext.runAsUser", "study", r"securityContext.runAsUser: "),
        ("rayClusterSpec.rayVersion", "2.51.0", "spec.rayVersion: "),
        ("shutdownAfterJobFinishes", False, "spec.ttlSecondsAfterFinished: "),
        ("rayClusterSpec.workerGroupSpecs.0.minReplicas", 9, "gpu: minReplicas"),
        (f"{POD}.restartPolicy", "Always", "head: .*restartPolicy"),
    ],
)
def test_a_slip_is_found(kubernetes, path, value, found):
    changed = copy.deepcopy(manifest("rayjob.yaml"))
    change(changed["spec"], path, value)
    (complaint,) = complaints(changed)
    assert re.search(found, complaint), complaint


@pytest.mark.parametrize("name", RAY)
def test_the_cluster_asks_for_a_token_and_runs_the_locked_ray(name):
    cluster = cluster_of(manifest(name))
    assert cluster["authOptions"] == {"mode": "token"}
    lock = (REPOSITORY / "requirements.lock").read_text(encoding="utf-8")
    assert f"ray=={cluster['rayVersion']}\n" in lock


@pytest.mark.parametrize("name", RAY)
def test_no_container_runs_as_root_or_becomes_it(name):
    content = manifest(name)
    pods = [group["template"]["spec"] for group in groups_of(content)]
    for pod in pods:
        assert pod["securityContext"]["runAsNonRoot"]
        assert pod["securityContext"]["runAsUser"] == image_user()
        assert pod["securityContext"]["seccompProfile"] == {"type": "RuntimeDefault"}
    containers = [container for pod in pods for container in pod["containers"]]
    for container in (*containers, cluster_of(content)["autoscalerOptions"]):
        assert container["securityContext"] == {
            "allowPrivilegeEscalation": False,
            "capabilities": {"drop": ["ALL"]},
        }


def image_user():
    text = (REPOSITORY / "Dockerfile").read_text(encoding="utf-8")
    return int(re.findall(r"^USER (.+)$", text, re.MULTILINE)[-1])


def test_the_image_is_made_of_what_is_there_and_admitted():
    copied = re.findall(r"^COPY (?!--from)(.+) \S+$", (REPOSITORY / "Dockerfile").read_text(), re.MULTILINE)
    names = {name for line in copied for name in line.split() if not name.startswith("--")}
    admitted = set(re.findall(r"^!(.+)$", (REPOSITORY / ".dockerignore").read_text(), re.MULTILINE))
    assert names == admitted
    assert [name for name in names if not (REPOSITORY / name).exists()] == []
    assert image_user() != 0


def test_the_job_starts_a_study_that_there_is():
    program, option, module, *arguments = shlex.split(manifest("rayjob.yaml")["spec"]["entrypoint"])
    assert (program, option, module) == ("python", "-m", "study.launch")
    own, flags = split_flags(arguments, launch_parser()._option_string_actions)
    options = launch_parser().parse_args(own)
    assert options.ray_address == "auto"
    (images,) = options.data
    datasets = {"photos": {"root": str(images)}}
    settings = load_settings(preset_or_file(options.study), nested_flags(flags), datasets)
    assert settings.storage == "/studies/checkpoints"
