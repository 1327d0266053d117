"""What KubeRay's operator accepts as a RayCluster or RayJob (ray.io/v1).

Fields and rules are those of KubeRay 1.6.2: its API reference (docs/reference/api.md at commit
0a9eabde561ab59ab4bbe626072c359da9214484), which is made from the same Go types as its custom resource definitions, and
its operator's validation. The definitions themselves spell Kubernetes' pod template out in every place, in megabytes of
YAML; here it is Kubernetes' own schema, which `kubernetes-validate` holds.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from importlib.resources import files
from typing import Any

_DEFINITIONS = "https://kubernetes.io/api/_definitions.json"
_NAME = re.compile(r"[a-z]([-a-z0-9]*[a-z0-9])?")  # a DNS label after RFC 1035
_LONGEST_NAME = 47  # of a job; clusters and pods get longer names from it
_FIRST_WITH_TOKENS = (2, 52)  # of Ray

_TEXT = {"type": "string"}
_TEXTS = {"type": "object", "additionalProperties": _TEXT}
_SWITCH = {"type": "boolean"}
_COUNT = {"type": "integer", "minimum": 0}


def _object(*required: str, **fields: Any) -> dict[str, Any]:
    return {"type": "object", "properties": fields, "required": list(required), "additionalProperties": False}


def _list(of: Any) -> dict[str, Any]:
    return {"type": "array", "items": of}


def _core(kind: str) -> dict[str, str]:
    return {"$ref": f"{_DEFINITIONS}#/$defs/io.k8s.api.core.v1.{kind}"}


def _one_of(*words: str) -> dict[str, Any]:
    return {"enum": list(words)}


_GROUP = {
    "rayStartParams": _TEXTS,
    "template": _core("PodTemplateSpec"),
    "resources": _TEXTS,
    "labels": _TEXTS,
}
_HEAD = _object(
    "template", **_GROUP, serviceType=_TEXT, headService=_core("Service"), enableIngress=_SWITCH
)  # fmt: skip
_WORKERS = _object(
    "groupName", "template", "minReplicas", "maxReplicas",
    **_GROUP, groupName=_TEXT, replicas=_COUNT, minReplicas=_COUNT, maxReplicas=_COUNT, numOfHosts=_COUNT,
    idleTimeoutSeconds=_COUNT, suspend=_SWITCH, scaleStrategy=_object(workersToDelete=_list(_TEXT)),
)  # fmt: skip
_AUTOSCALER = _object(
    resources=_core("ResourceRequirements"), image=_TEXT, imagePullPolicy=_TEXT, env=_list(_core("EnvVar")),
    envFrom=_list(_core("EnvFromSource")), volumeMounts=_list(_core("VolumeMount")),
    securityContext=_core("SecurityContext"), idleTimeoutSeconds=_COUNT,
    upscalingMode=_one_of("Default", "Aggressive", "Conservative"), version=_one_of("v1", "v2"),
)  # fmt: skip
_CREDENTIAL = _object(value=_TEXT, valueFrom=_core("EnvVarSource"))
_CLUSTER = _object(
    "headGroupSpec",
    headGroupSpec=_HEAD, workerGroupSpecs=_list(_WORKERS), rayVersion=_TEXT, enableInTreeAutoscaling=_SWITCH,
    autoscalerOptions=_AUTOSCALER, headServiceAnnotations=_TEXTS, suspend=_SWITCH, managedBy=_TEXT,
    authOptions=_object(mode=_one_of("disabled", "token"), secretName=_TEXT, enableK8sTokenAuth=_SWITCH),
    upgradeStrategy=_object(type=_one_of("Recreate", "None")),
    gcsFaultToleranceOptions=_object(
        redisUsername=_CREDENTIAL, redisPassword=_CREDENTIAL, redisAddress=_TEXT, externalStorageNamespace=_TEXT
    ),
)  # fmt: skip
_JOB = _object(
    rayClusterSpec=_CLUSTER, clusterSelector=_TEXTS, entrypoint=_TEXT, runtimeEnvYAML=_TEXT, jobId=_TEXT,
    submissionMode=_one_of("K8sJobMode", "HTTPMode", "InteractiveMode", "SidecarMode"), metadata=_TEXTS,
    submitterPodTemplate=_core("PodTemplateSpec"), submitterConfig=_object(backoffLimit=_COUNT),
    entrypointResources=_TEXT, entrypointNumCpus={"type": "number"}, entrypointNumGpus={"type": "number"},
    shutdownAfterJobFinishes=_SWITCH, ttlSecondsAfterFinished=_COUNT, backoffLimit=_COUNT, suspend=_SWITCH,
    activeDeadlineSeconds={"type": "integer", "minimum": 1}, managedBy=_TEXT,
    preRunningDeadlineSeconds={"type": "integer", "minimum": 1}, deletionStrategy={"type": "object"},
)  # fmt: skip
_SPECS = {"RayCluster": _CLUSTER, "RayJob": _JOB}


def complaints(manifest: dict[str, Any]) -> list[str]:
    """What is wrong with a RayCluster or RayJob: sentences that begin with the place."""
    from jsonschema import Draft202012Validator
    from kubernetes_validate import latest_version
    from referencing import Registry, Resource

    folder = files("kubernetes_validate") / "kubernetes-json-schema" / f"v{latest_version()}-local-strict"
    definitions = Resource.from_contents(json.loads((folder / "_definitions.json").read_text()))
    meta = {"$ref": f"{_DEFINITIONS}#/$defs/io.k8s.apimachinery.pkg.apis.meta.v1.ObjectMeta"}
    schema = _object(
        "apiVersion", "kind", "metadata", "spec",
        apiVersion=_one_of("ray.io/v1"), kind=_one_of(*_SPECS), metadata=meta, spec=_SPECS[manifest["kind"]],
    )  # fmt: skip
    validator = Draft202012Validator(schema, registry=Registry().with_resource(_DEFINITIONS, definitions))
    found = [f"{error.json_path[2:]}: {error.message}" for error in validator.iter_errors(manifest)]
    return found or list(_refusals(manifest))


def cluster_of(manifest: dict[str, Any]) -> dict[str, Any]:
    """The specification of the cluster in a RayCluster or RayJob."""
    return manifest["spec"].get("rayClusterSpec", manifest["spec"])


def groups_of(manifest: dict[str, Any]) -> list[dict[str, Any]]:
    """Head and groups of workers."""
    cluster = cluster_of(manifest)
    return [cluster["headGroupSpec"], *cluster.get("workerGroupSpecs", [])]


def _refusals(manifest: dict[str, Any]) -> Iterator[str]:
    """What fits the schema, and the operator refuses all the same."""
    name, spec, cluster = manifest["metadata"]["name"], manifest["spec"], cluster_of(manifest)
    if not _NAME.fullmatch(name) or len(name) > _LONGEST_NAME:
        yield f"metadata.name: {name} is no name for a cluster or a job"
    if spec.get("ttlSecondsAfterFinished") and not spec.get("shutdownAfterJobFinishes"):
        yield "spec.ttlSecondsAfterFinished: needs shutdownAfterJobFinishes"
    version = tuple(map(int, cluster.get("rayVersion", "0").split(".")[:2]))
    if (
        cluster.get("authOptions", {"mode": "disabled"}).get("mode") == "token"
        and version < _FIRST_WITH_TOKENS
    ):
        yield "spec.rayVersion: must be given, and 2.52 or newer, where tokens are asked for"
    for group in groups_of(manifest):
        where = group.get("groupName", "head")
        if group.get("minReplicas", 0) > group.get("maxReplicas", 0):
            yield f"{where}: minReplicas is above maxReplicas"
        if (
            cluster.get("enableInTreeAutoscaling")
            and group["template"]["spec"].get("restartPolicy", "Never") != "Never"
        ):
            yield f"{where}: the autoscaler needs restartPolicy Never"
        if group.get("resources") and {"num-cpus", "num-gpus", "memory"} & set(
            group.get("rayStartParams", {})
        ):
            yield f"{where}: resources are given twice"
