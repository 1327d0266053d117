"""What runs, metrics, tags and artifacts are called in MLflow."""

from __future__ import annotations

from models.definition import Architecture
from study.search.cells import Stage
from study.search.trial_spec import COLLAPSED, ENERGY, SYSTEM, Report, TrialState

STATUS = {TrialState.COMPLETE: "FINISHED", TrialState.PRUNED: "KILLED", TrialState.FAIL: "FAILED"}
BEST = "best/"
"""Before the objective's name: the lowest value of a trial."""
EPOCHS = "cost/epochs"
DEVICE_SECONDS = "cost/device_seconds"
JOULES = f"cost/{ENERGY}"
SEARCH_BEST = "search/best_"
"""Before the objective's name: the lowest value of a cell."""
SAMPLES = "validation/grey_prediction_truth"
ONCE = 0
"""Step of what a run has one value of: MLflow's charts compare runs by it as bars, and by any other step as dots."""
EPOCHS_PARAM = "budget.epochs"
FIXED_PARAMS = ("model.", "training.", "search.", "budget.")
"""How the names of a run's parameters begin that are settings of the study, not hyperparameters of the trial."""
ROLES = {Stage.SEARCH: "trial", Stage.FINAL: "final", Stage.CONTROL: "control"}
REPLICATE = "replicate"
CONTROLS = "controls"
LOOKS = "looks"
COLLAPSED_METRIC = f"validation/{COLLAPSED}"
STUDY_RUN = "study"
STATE_TAG = "state"
REASON_TAG = "reason"
KEY_TAG = "study.run"
IDENTITY_TAG = "study.identity"
MODEL_TAG = "study.model"
REPORT = "report.html"
_SECONDS = ("train_seconds", "validation_seconds", "device_seconds")


def runs_page(experiment: str) -> str:
    """The end of the address at which MLflow's pages list an experiment's runs.

    Args:
        experiment: Its number.
    """
    # Without it, who comes for the first time is shown the pages for language models.
    return f"#/experiments/{experiment}/runs?workflowType=machine_learning"


def registered_name(study: str, dataset: str) -> str:
    """The registered model whose versions are a dataset's champions."""
    return f"{study}-{dataset}"


def metric_name(architecture: Architecture, name: str) -> str:
    """What a report's value is called in MLflow: by what it was measured on."""
    if name in _SECONDS:
        return f"time/{name}"
    if name == ENERGY:
        return JOULES
    if name.startswith(SYSTEM):
        return name  # MLflow's pages look for it there
    training = architecture.is_loss(name) or name == "nonfinite_steps"
    return f"train/{name}" if training else f"validation/{name}"


def without_parts(report: Report) -> Report:
    """A report without the parts of its ratios and without the values of the truth, which never change."""
    return {
        name: value
        for name, value in report.items()
        if not name.endswith("_true") and f"{name}_ratio" not in report
    }
