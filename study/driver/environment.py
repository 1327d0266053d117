"""What a study ran on: versions, hardware and commit, for whoever wants to repeat it."""

from __future__ import annotations

import os
import platform
import subprocess
from dataclasses import asdict
from importlib.metadata import version
from pathlib import Path
from typing import Any

import torch

from models.architectures import architecture
from models.hardware import choose_device
from models.usage import measure_usage
from study.settings.schema import StudySettings
from study.settings.sections.recipe import network_settings

_PACKAGES = ("torch", "torchvision", "torchmetrics", "ray", "optuna", "mlflow", "numpy", "pillow")


def environment_tags() -> dict[str, str]:
    """Tags by name: package versions, processor, GPU, commit."""
    tags = {f"version.{name}": version(name) for name in _PACKAGES}
    tags["version.python"] = platform.python_version()
    tags["hardware.cpu"] = f"{os.cpu_count()} × {_processor()}"
    if torch.cuda.is_available():
        tags["hardware.gpu"] = f"{torch.cuda.device_count()} × {torch.cuda.get_device_name()}"
    if commit := git("describe", "--always", "--dirty", "--abbrev=12"):
        tags["commit"] = commit
    return tags


def _processor() -> str:
    information = Path("/proc/cpuinfo")
    if information.exists():
        for line in information.read_text().splitlines():
            if line.startswith("model name"):
                return line.partition(":")[2].strip()
    return platform.processor() or platform.machine()


def git(*arguments: str) -> str:
    """What git says of the software's own repository; empty outside of one, and where there is no git.

    Args:
        arguments: The command's.
    """
    try:
        said = subprocess.run(
            ["git", *arguments], cwd=Path(__file__).parent, capture_output=True, text=True, check=False
        )
    except OSError:  # an image for containers has none
        return ""
    return said.stdout.strip() if said.returncode == 0 else ""


def usage_here(settings: StudySettings) -> dict[str, dict[str, Any]]:
    """What using each architecture costs on this machine, measured before trials take its time."""
    device, size = choose_device(settings.model.device), settings.model.image_size
    shared = network_settings(settings)
    return {
        name: asdict(measure_usage(architecture(name), shared, size, device))
        for name in settings.architectures
    }
