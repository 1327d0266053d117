"""Learning curves for simulated studies: by a formula, or made from those of real trials."""

from __future__ import annotations

import json
import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from models.architectures import Choice, architecture
from models.hyperparameters import Space, active
from models.metrics import OBJECTIVE
from study.search.trial_spec import Parameters, Report, TrialSpec
from study.settings.schema import cell_key

Array = NDArray[np.float64]

_BEST_RATE = 1e-3
BANDWIDTH = 0.08  # least leave-one-out error on the curves in `benchmarks/curves`
_ALMOST_ZERO = 1e-4


def analytic_curve(spec: TrialSpec, epoch: int) -> Report:
    """A power law in the epoch, above a parabola in the logarithm of the learning rate, with a little noise.

    value = 8 + 3·log₁₀²(rate / 10⁻³) + 20·epoch^(−0.7) + 𝒩(0, 0.1); the noise depends on seed and epoch.
    """
    distance = math.log10(float(spec.params["learning_rate"]) / _BEST_RATE)
    noise = np.random.default_rng([spec.seed, epoch]).normal(scale=0.1)
    return {OBJECTIVE: 8 + 3 * distance**2 + 20 * epoch**-0.7 + noise}


@dataclass(frozen=True)
class RecordedTrial:
    """A trial that was actually trained.

    Attributes:
        objective: After each epoch; NaN where it had diverged.
        seconds: Device-seconds of each epoch.
    """

    params: Parameters
    objective: Sequence[float]
    seconds: Sequence[float]


class RecordedCurves:
    """Learning curves of any configuration, made from those recorded in its cell.

    A configuration learns like its neighbourhood, with the luck of one of its neighbours. The logarithm of the
    objective at x is m(x) + y_j − m(x_j): m is the mean of the recorded logarithms y, weighted by a Gaussian kernel
    (Nadaraya 1964, Watson 1964), and j a recorded trial, drawn with the same weights by the trial's seed. So trials
    near x are as noisy as the real ones were, over all their epochs. Options of a choice share nothing.

    Args:
        trials: By cell; each with at least as many epochs as will be requested.
        bandwidth: The kernel's standard deviation, as root mean square over the parameters of differences of
            logarithms relative to the parameter's range. Towards 0, all learn like the nearest recorded trial.
    """

    def __init__(self, trials: Mapping[str, Sequence[RecordedTrial]], bandwidth: float = BANDWIDTH) -> None:
        self.trials = trials
        self._bandwidth = bandwidth
        self._regions: dict[tuple[str, ...], _Region] = {}
        self._latest: tuple[TrialSpec, RecordedTrial] | None = None  # requested epoch by epoch

    @classmethod
    def load(cls, path: Path, bandwidth: float = BANDWIDTH) -> RecordedCurves:
        """Load a file of `benchmarks.record_curves`."""
        cells = json.loads(path.read_text(encoding="utf-8"))["cells"]
        return cls({cell: [_from_json(one) for one in trials] for cell, trials in cells.items()}, bandwidth)

    def epochs(self, cell: str) -> int:
        """Number of epochs recorded for every trial of a cell."""
        return min(len(trial.objective) for trial in self.trials[cell])

    def curve(self, cell: str, params: Parameters, seed: int) -> RecordedTrial:
        """All epochs of a trial with these parameters and this seed."""
        region = self._region(cell, params)
        weights = region.weights(params)
        drawn = np.random.default_rng(seed).choice(len(weights), p=weights)
        objective = np.exp(_mean(weights, region.logarithms) + region.luck[drawn])
        return RecordedTrial(params, objective.tolist(), region.seconds[drawn].tolist())

    def __call__(self, spec: TrialSpec, epoch: int) -> Report:
        """The report of an epoch (from 1), as `study.backend.simulator.Simulation` expects it."""
        if self._latest is None or self._latest[0] != spec:
            self._latest = spec, self.curve(cell_key(spec.dataset, spec.network.name), spec.params, spec.seed)
        trial = self._latest[1]
        return {OBJECTIVE: trial.objective[epoch - 1], "device_seconds": trial.seconds[epoch - 1]}

    def leave_one_out_error(self, cell: str) -> float:
        """Mean error of m(x) at each recorded trial when that trial is left out: |difference of logarithms|."""
        errors = []
        for left_out in self.trials[cell]:
            others = [trial for trial in self.trials[cell] if trial is not left_out]
            region = RecordedCurves({cell: others}, self._bandwidth)._region(cell, left_out.params)
            predicted = _mean(region.weights(left_out.params), region.logarithms)
            errors.append(np.abs(predicted - np.log(left_out.objective)))
        return float(np.nanmean(errors))

    def _region(self, cell: str, params: Parameters) -> _Region:
        """The recorded trials that have the same options; cached."""
        space = architecture(cell.rpartition("/")[2]).search_space
        choices = [name for name, kind in space.items() if isinstance(kind, Choice) and name in params]
        key = (cell, *(str(params[name]) for name in choices))
        if key not in self._regions:
            alike = [
                trial
                for trial in self.trials[cell]
                if all(trial.params[name] == params[name] for name in choices)
            ]
            self._regions[key] = _Region(active(space, params), alike, self._bandwidth)
        return self._regions[key]


class _Region:
    """Recorded trials with the same options.

    Attributes:
        logarithms: Of the objective, trials × epochs.
        luck: Deviation of each trial from the mean at its position, trials × epochs.
        seconds: Trials × epochs.
    """

    def __init__(self, space: Space, trials: Sequence[RecordedTrial], bandwidth: float) -> None:
        self._space = {name: kind for name, kind in space.items() if not isinstance(kind, Choice)}
        self._bandwidth = max(bandwidth, _ALMOST_ZERO)
        self._positions = np.array([self._position(trial.params) for trial in trials])
        self.logarithms = np.log(np.array([trial.objective for trial in trials]))
        means = [_mean(self.weights(trial.params), self.logarithms) for trial in trials]
        self.luck = self.logarithms - np.array(means)
        self.seconds = np.array([trial.seconds for trial in trials])

    def _position(self, params: Parameters) -> Array:
        """Where the numbers among the parameters lie in their ranges, each on its scale."""
        return np.array([kind.position(float(params[name])) for name, kind in self._space.items()])

    def weights(self, params: Parameters) -> Array:
        """The kernel's weight of each trial; they sum to 1 however far away `params` are."""
        squares = np.mean((self._positions - self._position(params)) ** 2, axis=1)
        weights = np.exp((squares.min() - squares) / (2 * self._bandwidth**2))
        return np.asarray(weights / weights.sum())


def _mean(weights: Array, values: Array) -> Array:
    """Weighted mean over trials of values (trials × …), without those that had diverged; NaN where all had."""
    known = np.isfinite(values)
    with np.errstate(invalid="ignore"):
        return np.asarray(weights @ np.where(known, values, 0) / (weights @ known))


def _from_json(trial: Mapping) -> RecordedTrial:
    objective = [math.nan if value is None else value for value in trial["objective"]]
    return RecordedTrial(trial["params"], objective, trial["seconds"])
