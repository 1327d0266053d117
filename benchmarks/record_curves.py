"""`python -m benchmarks.record_curves HOME OUT.json`: keep the learning curves of an unpruned study."""

from __future__ import annotations

import argparse
import json
import math
import sys
from pathlib import Path
from typing import Any

import optuna
import yaml
from optuna.trial import FrozenTrial, TrialState


def record(home: Path) -> dict[str, Any]:
    """Parameters and objective by epoch of every ended search trial of the study in a folder.

    The ledger holds a trial's device-seconds as a whole; each epoch is given an equal part. Epochs after a
    divergence are null.
    """
    settings = yaml.safe_load((home / "study.yaml").read_text(encoding="utf-8"))
    name = settings["name"]
    url = settings["ledger"] or f"sqlite:///{home / 'ledger.db'}"
    storage = optuna.storages.RDBStorage(url)
    cells = {}
    for dataset in settings["datasets"]:
        for architecture in settings["architectures"]:
            cell = f"{dataset}/{architecture}"
            study = optuna.load_study(study_name=f"{name}/{cell}", storage=storage)
            trials = study.get_trials(deepcopy=False, states=(TrialState.COMPLETE, TrialState.FAIL))
            epochs = max(trial.last_step or 0 for trial in trials)
            cells[cell] = [_plain(trial, epochs) for trial in trials]
    kept = {section: settings[section] for section in ("model", "budget", "search", "seed")}
    kept["model"]["vgg16"] = Path(kept["model"]["vgg16"]).name
    limits = {
        dataset: {k: v for k, v in one.items() if k != "root"}
        for dataset, one in settings["datasets"].items()
    }
    return {"study": kept | {"datasets": limits}, "cells": cells}


def _plain(trial: FrozenTrial, epochs: int) -> dict[str, Any]:
    values = [trial.intermediate_values.get(epoch, math.nan) for epoch in range(1, epochs + 1)]
    trained = max(1, trial.last_step or 0)
    return {
        "params": {name: _short(value) for name, value in trial.params.items()},
        "objective": [round(value, 3) if math.isfinite(value) else None for value in values],
        "seconds": [round(trial.user_attrs["device_seconds"] / trained, 4)] * epochs,
    }


def _short(value: float | str) -> float | str:
    return float(f"{value:.6g}") if isinstance(value, float) else value


def main() -> int:
    """Entry point."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.record_curves", description=__doc__)
    parser.add_argument("home", type=Path, help="folder of a finished study whose pruner was `none`")
    parser.add_argument("output", type=Path, help="JSON file")
    given = parser.parse_args()
    recorded = record(given.home.absolute())
    if recorded["study"]["search"]["pruner"] != "none":
        parser.error(f"the study in {given.home} was pruned; record one with --search.pruner none")
    lines = json.dumps(recorded, ensure_ascii=False).replace('{"params"', '\n{"params"')
    given.output.write_text(lines + "\n", encoding="utf-8")
    return 0


if __name__ == "__main__":
    sys.exit(main())
