"""What a verdict rests on: test images, replicates and when to stop adding them, and the seed of it all."""

from __future__ import annotations

import secrets
from typing import Literal

from pydantic import Field

from study.settings.sections.section import Section


class SplitSettings(Section):
    """Who is trained on, validated on and tested on."""

    test: Literal["given", "rotate"] = Field(
        "given",
        description="test images: the dataset's own in all replicates, or by cross-validation others in each",
    )


class VerdictSettings(Section):
    """When two architectures count as different, and when it has been asked often enough."""

    margin: float = Field(0.5, ge=0, description="ΔE₀₀; smaller differences do not matter")
    until: Literal["replicates", "decided"] = Field(
        "replicates",
        description="end after `replicates`, or add replicates until every pair of a dataset is decided",
    )
    device_seconds: float | None = Field(
        None,
        gt=0,
        description="add no replicate once the study has used this much device time (`until: decided`)",
    )
    latency_ms: float | None = Field(
        None,
        gt=0,
        description="milliseconds an image, at most, of a champion on the machine that starts the study",
    )
    most_replicates: int = Field(10, ge=1, description="replicates that are never exceeded")


def drawn_seed() -> int:
    """A seed for a study that was given none, so that two studies are two samples."""
    return secrets.randbelow(2**31)


class FinalsSettings(Section):
    """The winners' retraining."""

    configurations: int = Field(1, ge=1, description="best configurations of each cell that are retrained")
    seeds: int = Field(1, ge=0, description="fresh seeds for each of them in a replicate; 0: no finals")
