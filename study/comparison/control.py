"""Whether an architecture or the longer training made the difference: finals beside their controls."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from models.metrics import INDEX
from study.comparison.finals import Evidence, Quantities
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
        (final, evaluation, controls[final.replicate, final.number])
        for final, evaluation in zip(cell.finals, cell.evaluations, strict=True)
        if (final.replicate, final.number) in controls
    ]
    if not paired:
        return ""
    finals, evaluations, trained_on = zip(*paired, strict=True)
    images = cell.images
    of_controls = tuple(_of_images(record.evaluation(one), images) for one in trained_on)
    beside = replace(cell, finals=finals, evaluations=evaluations, positions=images).scores()
    scores = replace(cell, finals=trained_on, evaluations=of_controls, positions=images).scores()
    found = mean_interval(scores - beside, categories=evidence.categories(dataset))
    control = mean_interval(scores).value
    if found.low > 0:
        reason = f"{architecture} itself made the difference"
    elif found.high < 0:
        reason = f"{architecture} made it worse"
    else:
        reason = "it is not decided whether the architecture or the longer training made the difference"
    return (
        f"The networks that {architecture} started from, trained on for as many epochs with L1 alone, reach a mean "
        f"{objective_text(cell.objective)} of {control:.2f}, {found:+.2f} "
        f"beside {architecture}: {reason}."
    )


def _of_images(quantities: Quantities, positions: np.ndarray) -> Quantities:
    there = np.isin(quantities[INDEX], positions)
    return {name: values[there] for name, values in quantities.items()}
