"""Whoever may not come in stays out."""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable
from functools import cache
from pathlib import Path
from tempfile import mkdtemp

import numpy as np
from safetensors.numpy import load_file, save_file

from models.architectures import architecture, seeded_build
from models.colorizer import WEIGHTS, Colorizer
from models.colorizer_config import CONFIG, ColorizerConfig
from models.settings import ModelSettings
from study.colorize import main as colorize
from study.export import main as export
from study.export_onnx import main as export_onnx
from tests.support.bad_input.case import Case, Line, Make, flags
from tests.support.image_folders import picture, save
from tests.support.synthetic import CPU

_CONFIG = "tests/models/test_colorizer_config.py"
_RAY = "tests/study/backend/test_local_ray.py"


@cache
def _model() -> Path:
    definition, folder = architecture("unet"), Path(mkdtemp())
    learner = seeded_build(definition, ModelSettings(width=4), definition.textbook, CPU, 0)
    Colorizer(ColorizerConfig("unet", 4, 32), learner.generator_tensors(), None, CPU).save(folder)
    return folder


def model(folder: Path) -> Path:
    """A small model's folder."""
    return Path(shutil.copytree(_model(), folder / "model"))


def coloured(change: Callable[[Path], object]) -> Make:
    """A model folder in which something was changed, and a photograph."""

    def make(folder: Path) -> list[str]:
        change(model(folder))
        save(folder / "photo.png", picture(1, 40, 30))
        return [str(folder / "photo.png"), "--model", str(folder / "model")]

    return make


def _colorize(what: str, change: Callable[[Path], object], names: str, code: int = 1) -> Case:
    def make(folder: Path) -> list[str]:
        return [*coloured(change)(folder), "--output", str(folder / "out")]

    return Case(what, make, names, command=colorize, code=code)


def configured(**values: object) -> Callable[[Path], object]:
    """Changes values of config.json."""

    def change(folder: Path) -> None:
        content = json.loads((folder / CONFIG).read_text()) | values
        (folder / CONFIG).write_text(json.dumps(content))

    return change


def _plugin(folder: Path) -> None:
    (folder / "architecture.py").write_text("raise SystemExit('it ran')\n")
    configured(architecture="theirs", plugin="architecture.py")(folder)


def _weights_of(tensors: dict[str, np.ndarray]) -> str:
    return next(name for name, tensor in tensors.items() if tensor.ndim == 4)  # of a convolution


def _not_finite(folder: Path) -> None:
    tensors = load_file(folder / WEIGHTS)
    first = _weights_of(tensors)
    tensors[first] = np.full_like(tensors[first], np.nan)
    save_file(tensors, folder / WEIGHTS)


def _fewer_weights(folder: Path) -> None:
    tensors = load_file(folder / WEIGHTS)
    tensors.pop(_weights_of(tensors))
    save_file(tensors, folder / WEIGHTS)


def _onnx(folder: Path) -> list[str]:
    _plugin(model(folder))
    return ["--model", str(folder / "model"), "--output", str(folder / "x.onnx")]


LINES = [
    Line(
        "the study's own Ray",
        [
            f"{_RAY}::test_every_socket_is_on_loopback",
            f"{_RAY}::test_no_port_answers_without_the_token",
            f"{_RAY}::test_a_process_without_the_token_stays_out",
            f"{_RAY}::test_files_are_private_and_hold_no_token",
        ],
        [
            f"{_RAY}::test_a_process_with_the_token_comes_in",
            "tests/cluster/test_ray_cluster.py::test_a_driver_without_the_token_is_refused",
        ],
    ),
    Line(
        "a model folder from someone else",
        [
            _colorize("a program in a model's folder", _plugin, "--trust-code"),
            Case("the same, to ONNX", _onnx, "--trust-code", command=export_onnx, code=1),
            _colorize("any module", configured(architecture="theirs", plugin="antigravity"), "--trust-code"),
            _colorize("a program elsewhere", configured(architecture="x", plugin="/tmp/evil.py"), "plugin"),
            _colorize("a width that is a text", configured(width="8"), "width"),
            _colorize("an image size of 0", configured(image_size=0), "image_size"),
            _colorize("weights that are not finite", _not_finite, WEIGHTS),
            f"{_CONFIG}::test_a_plugin_runs_only_when_it_is_trusted",
        ],
        [
            _colorize("no configuration", lambda folder: (folder / CONFIG).unlink(), CONFIG, code=2),
            _colorize("half a configuration", lambda folder: (folder / CONFIG).write_text("{"), CONFIG),
            _colorize("weights that are cut", lambda f: (f / WEIGHTS).write_bytes(b"x" * 40), WEIGHTS),
            _colorize("weights of another network", _fewer_weights, "generator"),
            f"{_CONFIG}::test_a_plugin_elsewhere_is_refused_even_when_trusted",
        ],
    ),
    Line(
        "passwords in addresses",
        [
            Case("in the ledger's address", flags("--ledger", "postgresql://me:secret@db/x"), "PGPASSWORD"),
            Case("in MLflow's address", flags("--tracking.uri", "http://me:secret@host"), "tracking.uri"),
            Case("in the store's address", flags("--storage", "s3://key:secret@bucket"), "storage"),
            Case("in a query", flags("--ledger", "postgresql://db/x?password=secret"), "ledger"),
            Case("a token in a query", flags("--tracking.uri", "http://host/?token=secret"), "tracking.uri"),
            Case("a token as a user", flags("--tracking.uri", "http://secret@host"), "tracking.uri"),
            Case("in Ray's address", flags("--ray-address", "me:secret@head:6379"), "RAY_AUTH_TOKEN"),
            Case(
                "in the address to read from",
                lambda _: ["--name", "mine", "--tracking-uri", "http://me:secret@host"],
                "--tracking-uri",
                command=export,
            ),
        ],
        [
            Case(
                "in RAY_ADDRESS", flags(), "RAY_ADDRESS", environment={"RAY_ADDRESS": "me:secret@head:6379"}
            ),
            Case(
                "an access key in a query",
                flags("--storage", "s3://bucket?secret_access_key=secret"),
                "storage",
            ),
            Case(
                "in the environment's tracker",
                flags(),
                "tracking.uri",
                environment={"STUDY_TRACKING__URI": "http://me:secret@host"},
            ),
            "tests/study/cli/test_command.py::test_no_message_of_any_package_shows_a_secret",
        ],
    ),
    Line(
        "reports without absolute paths",
        ["tests/study/driver/test_run_facts.py::test_folders_of_this_machine_are_named_by_their_last_name"],
        [
            "tests/study/driver/test_run_facts.py::test_whole_paths_are_shown_to_who_asks",
            "tests/study/test_launch.py::test_no_path_of_this_machine_is_in_the_report",
        ],
    ),
]
