"""Timing side by side, and what a result must say of the machine it was measured on."""

from __future__ import annotations

import hashlib
import json
import os
import platform
import subprocess
import time
from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass, field
from functools import cache
from importlib import metadata
from pathlib import Path
from statistics import median
from typing import Any

import torch

_MEASURED = ("data_utils", "models", "study", "benchmarks")
_PACKAGES = ("torch", "torchvision", "numpy", "pillow", "safetensors", "ray", "optuna", "mlflow")


@dataclass(frozen=True)
class Options:
    """How benchmarks are run.

    Attributes:
        device: `cpu` or `cuda`.
        quick: Smaller sizes and fewer repeats.
        pictures: Folder for pictures, of benchmarks that have some.
    """

    device: torch.device
    quick: bool
    pictures: Path | None = None

    @property
    def repeats(self) -> int:
        """How often everything is measured."""
        return 5 if self.quick else 11


@dataclass(frozen=True)
class Spread:
    """Median, lowest and highest of repeated measurements."""

    median: float
    low: float
    high: float

    @classmethod
    def of(cls, values: list[float]) -> Spread:
        """Summarise at least one value."""
        return cls(median(values), min(values), max(values))

    def __str__(self) -> str:
        return f"{self.median:.3g} ({self.low:.3g} … {self.high:.3g})"


@dataclass(frozen=True)
class Goal:
    """What was to be reached, and whether it was; None if this run cannot tell."""

    text: str
    measured: str
    reached: bool | None


@dataclass
class Result:
    """What a benchmark found.

    Attributes:
        rows: The table; every row has the same keys.
        goals: The claims.
        notes: What a reader must know of how it was measured.
    """

    rows: list[dict[str, Any]] = field(default_factory=list)
    goals: list[Goal] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)

    def goal(
        self, text: str, value: float, *, at_most: float | None = None, at_least: float | None = None
    ) -> None:
        """Compare a measured value with a bound."""
        reached = (at_most is None or value <= at_most) and (at_least is None or value >= at_least)
        self.goals.append(Goal(text, f"{value:.3g}", reached))


def synchronise(device: torch.device) -> None:
    """Wait until the device has done what it was given."""
    if device.type == "cuda":
        torch.cuda.synchronize(device)


def seconds_of(work: Callable[[], object], device: torch.device) -> float:
    """Wall time of one call."""
    synchronise(device)
    started = time.perf_counter()
    work()
    synchronise(device)
    return time.perf_counter() - started


def interleaved(
    work: Mapping[str, Callable[[], object]], repeats: int, device: torch.device
) -> dict[str, list[float]]:
    """Seconds of each piece of work, taken in turns, so that a busy machine slows all of them alike.

    Each is called once before for warming up.
    """
    for one in work.values():
        one()
    seconds: dict[str, list[float]] = {name: [] for name in work}
    for _ in range(repeats):
        for name, one in work.items():
            seconds[name].append(seconds_of(one, device))
    return seconds


def ratio(numerator: list[float], denominator: list[float]) -> Spread:
    """Ratios of neighbouring measurements."""
    return Spread.of([a / b for a, b in zip(numerator, denominator, strict=True)])


def document(name: str, options: Options, result: Result, seconds: float) -> dict[str, Any]:
    """A result with all that is needed to judge it, as JSON can hold it."""
    return {
        "benchmark": name,
        "quick": options.quick,
        "goals": [asdict(goal) for goal in result.goals],
        "rows": [{key: _plain(value) for key, value in row.items()} for row in result.rows],
        "notes": result.notes,
        "hardware": hardware(options.device),
        "versions": versions(),
        "commit": commit(),
        "seconds": round(seconds, 1),
    }


def _plain(value: Any) -> Any:
    if isinstance(value, Mapping):
        return {key: _plain(one) for key, one in value.items()}
    return asdict(value) if isinstance(value, Spread) else value


def hardware(device: torch.device) -> dict[str, Any]:
    """Processor, device, and how busy the machine was with other work."""
    found: dict[str, Any] = {
        "processor": _processor(),
        "cores": os.cpu_count(),
        "torch_threads": torch.get_num_threads(),
        "load_average": os.getloadavg()[0],
        "device": "cpu",
    }
    if device.type == "cuda":
        properties = torch.cuda.get_device_properties(device)
        found |= {
            "device": properties.name,
            "device_memory": properties.total_memory,
            "compute_capability": f"{properties.major}.{properties.minor}",
            "cuda": torch.version.cuda,
            "cudnn": torch.backends.cudnn.version(),
            "driver": nvidia_smi("driver_version"),
            "power_limit_watts": nvidia_smi("power.limit"),
        }
    return found


@cache
def nvidia_smi(quantity: str) -> str:
    """What the driver's own command says of the first GPU, without unit; empty where it is missing or silent."""
    command = ["nvidia-smi", f"--query-gpu={quantity}", "--format=csv,noheader,nounits"]
    try:
        found = subprocess.run(command, capture_output=True, text=True, check=True, timeout=20)
    except (OSError, subprocess.SubprocessError):
        return ""
    return found.stdout.splitlines()[0].strip() if found.stdout.strip() else ""


def _processor() -> str:
    cpuinfo = Path("/proc/cpuinfo")
    lines = cpuinfo.read_text().splitlines() if cpuinfo.exists() else []
    named = [line.split(":", 1)[1].strip() for line in lines if line.startswith("model name")]
    return named[0] if named else platform.processor() or platform.machine()


def versions() -> dict[str, str]:
    """Versions of what is installed of the packages that matter."""
    found = {"python": platform.python_version()}
    for package in _PACKAGES:
        try:
            found[package] = metadata.version(package)
        except metadata.PackageNotFoundError:
            continue
    return found


@cache
def commit() -> str:
    """Hash of the commit, `-dirty` where the measured packages were changed since.

    Outside of git, `sources ` and a checksum of the measured packages, by which the commit can be found.
    """
    root = Path(__file__).parents[1]
    described = ["git", "-C", str(root), "rev-parse", "HEAD"]
    changed = ["git", "-C", str(root), "status", "--porcelain", "--untracked-files=no", "--", *_MEASURED]
    try:
        revision = subprocess.run(described, capture_output=True, text=True, check=True).stdout.strip()
        lines = subprocess.run(changed, capture_output=True, text=True, check=True).stdout.splitlines()
    except (OSError, subprocess.CalledProcessError):
        return f"sources {_sources(root)}"
    # Results of benchmarks that ran before this one are no change of what is measured.
    dirty = any("benchmarks/results/" not in line for line in lines)
    return f"{revision}{'-dirty' if dirty else ''}"


def _sources(root: Path) -> str:
    digest = hashlib.sha256()
    for path in sorted(path for package in _MEASURED for path in (root / package).rglob("*.py")):
        digest.update(path.relative_to(root).as_posix().encode() + b"\0" + path.read_bytes())
    return digest.hexdigest()[:16]


def write(found: dict[str, Any], options: Options, folder: Path) -> Path:
    """Keep what `document` gave as a JSON file, named after benchmark and device; whole or not at all."""
    folder.mkdir(parents=True, exist_ok=True)
    device = str(found["hardware"]["device"]).replace(" ", "-")
    target = folder / f"{found['benchmark']}-{device}{'-quick' if options.quick else ''}.json"
    fresh = target.with_suffix(".unfinished")
    fresh.write_text(json.dumps(found, indent=1, ensure_ascii=False) + "\n", encoding="utf-8")
    fresh.replace(target)
    return target
