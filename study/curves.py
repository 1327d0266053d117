"""Learning curves for simulated studies: a formula, and curves of real trials."""

from __future__ import annotations

import json
import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from models.architectures import Float, architecture
from models.metrics import OBJECTIVE
from study.assignment import Assignment, Report
from study.ledger import Parameters

_BEST_RATE = 1e-3


def analytic_curve(assignment: Assignment, epoch: int) -> Report:
    """A power law in the epoch, above a parabola in the logarithm of the learning rate, with a little noise.

    value = 8 + 3·log₁₀²(rate / 10⁻³) + 20·epoch^(−0.7) + 𝒩(0, 0.1); the noise depends on seed and epoch.
    """
    distance = math.log10(float(assignment.params["learning_rate"]) / _BEST_RATE)
    noise = np.random.default_rng([assignment.seed, epoch]).normal(scale=0.1)
    return {OBJECTIVE: 8 + 3 * distance**2 + 20 * epoch**-0.7 + noise}


@dataclass(frozen=True)
class RecordedTrial:
    """A trial that was really trained.

    Attributes:
        objective: After each epoch; NaN where it had diverged.
        seconds: Device-seconds of each epoch.
    """

    params: Parameters
    objective: Sequence[float]
    seconds: Sequence[float]


class RecordedCurves:
    """Every configuration learns like the nearest one that was recorded in its cell.

    Nearest in the search space: a parameter's distance is that of its logarithms relative to the range, and 1
    between two different options.

    Args:
        trials: By cell; each with at least as many epochs as will be asked for.
    """

    def __init__(self, trials: Mapping[str, Sequence[RecordedTrial]]) -> None:
        self.trials = trials

    @classmethod
    def load(cls, path: Path) -> RecordedCurves:
        """Read what `benchmarks.record_curves` wrote."""
        cells = json.loads(path.read_text(encoding="utf-8"))["cells"]
        return cls({cell: [_from_json(trial) for trial in trials] for cell, trials in cells.items()})

    def epochs(self, cell: str) -> int:
        """Epochs that were recorded of every trial of a cell."""
        return min(len(trial.objective) for trial in self.trials[cell])

    def nearest(self, cell: str, params: Parameters) -> RecordedTrial:
        """The recorded trial whose configuration is nearest."""
        space = architecture(cell.rpartition("/")[2]).search_space
        return min(self.trials[cell], key=lambda trial: _distance(space, trial.params, params))

    def __call__(self, assignment: Assignment, epoch: int) -> Report:
        """The report of an epoch, as `study.simulation.Simulation` asks for it."""
        trial = self.nearest(assignment.cell, assignment.params)
        return {OBJECTIVE: trial.objective[epoch - 1], "device_seconds": trial.seconds[epoch - 1]}


def _from_json(trial: Mapping) -> RecordedTrial:
    objective = [math.nan if value is None else value for value in trial["objective"]]
    return RecordedTrial(trial["params"], objective, trial["seconds"])


def _distance(space: Mapping, recorded: Parameters, wanted: Parameters) -> float:
    return sum(
        _separation(kind, recorded[name], wanted[name]) ** 2 for name, kind in space.items() if name in wanted
    )


def _separation(kind: object, a: float | str, b: float | str) -> float:
    if not isinstance(kind, Float):
        return float(a != b)
    return abs(math.log(float(a) / float(b)) / math.log(kind.high / kind.low))
