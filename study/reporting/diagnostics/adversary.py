"""Diagnostics of the conditional GAN's search: gradients lost, non-finite steps, ε, and the generator's start."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
from scipy import stats

from data_utils.wording import counted
from study.reporting.diagnostics.diagnosis import Diagnosis, Measurement
from study.reporting.search_analysis import known_architecture
from study.search.trial_spec import TrialState
from study.statistics import Interval, decide, mean_interval, rank_correlation, wilson
from study.tracking.record import StudyRecord
from study.tracking.trial_record import TrialRecord

GRADIENT = "train/gradient_left"
NONFINITE = "train/nonfinite_steps"
EPSILON = "epsilon"

SATURATED = 0.5
"""Discriminator saturation: in the worst epoch less than this share of the exact gradient is left."""
NONFINITE_SHARE = 0.05
"""Non-finite steps: more than this share of the trials had one, or diverged."""


@dataclass(frozen=True)
class AdversarialTrial:
    """What one trial's discriminator did.

    Attributes:
        gradient: Lowest share of the exact gradient that was left in any epoch, NaN if it never reported.
        broken: Whether it had a non-finite step or diverged.
    """

    trial: TrialRecord
    gradient: float
    broken: bool


def adversarial_diagnoses(record: StudyRecord) -> list[Diagnosis]:
    """Diagnoses of every cell whose trials have a discriminator; none if there is no such cell."""
    cells = {cell: found for cell in record.cells if (found := adversarial_trials(record, *cell))}
    if not cells:
        return []
    return [
        Diagnosis(
            "Discriminator saturation",
            "Not stated; ε was put inside the logarithm against it.",
            "Mean over the search's trials of the lowest share of the exact gradient (without ε and rounding) that an "
            f"epoch left to the player who had less of it; seen below {SATURATED:g}.",
            tuple(_saturation(*cell, trials) for cell, trials in cells.items()),
        ),
        Diagnosis(
            "Saturation against ε",
            "Not stated.",
            "Spearman's ρ between ε and that share over the search's trials; seen if its interval lies above 0 "
            "(larger ε, less saturation).",
            tuple(_against_epsilon(*cell, trials) for cell, trials in cells.items()),
        ),
        Diagnosis(
            "Non-finite steps",
            "Not stated; log 0 was feared.",
            "Share of the search's trials that had a non-finite step or diverged (Wilson's "
            "interval); seen above "
            f"{NONFINITE_SHARE:g}.",
            tuple(_nonfinite(*cell, trials) for cell, trials in cells.items()),
        ),
        Diagnosis(
            "A trained U-Net as generator",
            "The cGAN was good only when its generator started from a trained U-Net.",
            "Lowest validation ΔE₀₀ of the search's trials from scratch minus that of trials "
            "from the U-Net (Welch's "
            "interval over trials); seen above 0. The sampler chose the other "
            "hyperparameters, so it is no experiment.",
            tuple(row for cell in cells if (row := generator_start(*cell, record.search(*cell)))),
        ),
    ]


def adversarial_trials(record: StudyRecord, dataset: str, architecture: str) -> list[AdversarialTrial]:
    """The search trials of a cell that reported how saturated their discriminator was."""
    found = []
    for trial in record.search(dataset, architecture):
        if GRADIENT not in record.metric_names(trial):
            continue
        shares = [value for _, value in record.history(trial, GRADIENT)]
        bad = any(value > 0 for _, value in record.history(trial, NONFINITE))
        diverged = trial.state == TrialState.FAIL and trial.reason.startswith("diverged")
        found.append(AdversarialTrial(trial, min(shares, default=math.nan), bad or diverged))
    return found


def _saturation(dataset: str, architecture: str, trials: list[AdversarialTrial]) -> Measurement:
    values = np.array([one.gradient for one in trials])
    values = values[np.isfinite(values)]
    where = f"{dataset} · {architecture}"
    if not len(values):
        return Measurement(where, "no finite value", "not decided")
    interval = mean_interval(values)
    verdict = decide(interval.low, interval.high, SATURATED, "below")
    return Measurement(
        where, f"{interval:z.2f}", verdict, f"{counted(len(values), 'trial')}; lowest {values.min():.2f}"
    )


def _against_epsilon(dataset: str, architecture: str, trials: list[AdversarialTrial]) -> Measurement:
    numeric = [(one, one.trial.params.get(EPSILON)) for one in trials]
    pairs = [(value, one.gradient) for one, value in numeric if isinstance(value, float)]
    where = f"{dataset} · {architecture}"
    if len(pairs) < 2:
        return Measurement(where, "too few trials", "not decided")
    interval = rank_correlation(*np.array(pairs).T)
    if math.isnan(interval.value):
        return Measurement(
            where, "the share was the same in all trials", "not decided", counted(len(pairs), "trial")
        )
    verdict = decide(interval.low, interval.high, 0.0)
    return Measurement(where, f"ρ {interval:z.2f}", verdict, counted(len(pairs), "trial"))


def _nonfinite(dataset: str, architecture: str, trials: list[AdversarialTrial]) -> Measurement:
    broken = [one for one in trials if one.broken]
    interval = wilson(len(broken), len(trials))
    listed = ", ".join(
        f"{value:.1e}" for one in broken if isinstance(value := one.trial.params.get(EPSILON), float)
    )
    remark = f"{len(broken)} of {counted(len(trials), 'trial')}" + (f", with ε {listed}" if listed else "")
    verdict = decide(interval.low, interval.high, NONFINITE_SHARE)
    return Measurement(f"{dataset} · {architecture}", f"{interval:z.2f}", verdict, remark)


def generator_start(dataset: str, architecture: str, trials: list[TrialRecord]) -> Measurement | None:
    """Trials from scratch against those from a trained generator; None if the cell has no such choice."""
    known = known_architecture(architecture)
    if known is None or known.start_parameter is None:
        return None
    scratch: list[float] = []
    trained: list[float] = []
    for trial in trials:
        start = trial.params.get(known.start_parameter)
        if start is not None and trial.best is not None and math.isfinite(trial.best):
            (trained if start == known.pretrained_by else scratch).append(trial.best)
    if not scratch and not trained:
        return None
    where = f"{dataset} · {architecture}"
    counts = f"{counted(len(scratch), 'trial')} from scratch, {len(trained)} from the U-Net"
    remark = f"{counts}; pruned ones with the best they reached"
    if min(len(scratch), len(trained)) < 2:
        return Measurement(where, "too few trials of one kind", "not decided", remark)
    interval = welch(scratch, trained)
    return Measurement(where, f"{interval:z.2f}", decide(interval.low, interval.high, 0.0), remark)


def welch(a: list[float], b: list[float]) -> Interval:
    """Mean of a minus mean of b, with the 95 % interval of B. L. Welch, Biometrika 34, 1947.

    Args:
        a: At least two values.
        b: At least two values.
    """
    value = float(np.mean(a) - np.mean(b))
    if np.ptp(a) == 0 and np.ptp(b) == 0:
        return Interval(value, math.nan, math.nan, "these configurations", "Welch")
    bounds = stats.ttest_ind(a, b, equal_var=False).confidence_interval(0.95)
    return Interval(value, float(bounds.low), float(bounds.high), "these configurations", "Welch")
