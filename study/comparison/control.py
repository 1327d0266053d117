"""Whether an architecture or the longer training made the difference: finals beside their controls."""

from __future__ import annotations

import math

import numpy as np

from study.comparison.finals import Evidence
from study.comparison.table import objective_text
from study.statistics import mean_interval


def control_sentence(evidence: Evidence, dataset: str) -> str:
    """Each architecture whose finals started from a trained network, against the same starts trained on with L1 alone.

    Returns:
        Empty where no final has a control.
    """
    return " ".join(
        sentence
        for cell in evidence.of(dataset)
        if (sentence := _sentence(evidence, dataset, cell.architecture))
    )


def _sentence(evidence: Evidence, dataset: str, architecture: str) -> str:
    record, cell = evidence.record, evidence.cells[dataset, architecture]
    controls = {(one.replicate, one.controls): one for one in record.controls(dataset, architecture)}
    paired = [
        (scores, record.evaluation(controls[final.replicate, final.number])[cell.objective])
        for final, scores in zip(cell.finals, (one[cell.objective] for one in cell.evaluations), strict=True)
        if (final.replicate, final.number) in controls
    ]
    if not paired or len({len(control) for _, control in paired}) > 1:
        return ""
    found = mean_interval(np.stack([control - scores for scores, control in paired]))
    bounds = f"[{found.low:+.2f}, {found.high:+.2f}] " if math.isfinite(found.low) else ""
    control = float(np.mean([control.mean() for _, control in paired]))
    if found.low > 0:
        reason = f"{architecture} itself made the difference"
    elif found.high < 0:
        reason = f"{architecture} made it worse"
    else:
        reason = "it is not decided whether the architecture or the longer training made the difference"
    return (
        f"The networks that {architecture} started from, trained on for as many epochs with L1 alone, reach a mean "
        f"{objective_text(cell.objective)} of {control:.2f}, {found.value:+.2f} "
        f"{bounds}beside {architecture}: {reason}."
    )
