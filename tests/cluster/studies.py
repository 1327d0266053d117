"""A small study on hosts, and what it leaves in ledger and MLflow."""

import time
from pathlib import Path

import optuna
import yaml
from mlflow import MlflowClient
from optuna.trial import FrozenTrial, TrialState

from study.search.attributes import NODES
from study.search.database import open_storage
from study.settings.study_folder import StudyHome, sqlite_url
from study.tracking.names import KEY_TAG

NAME = "three-hosts"
CELLS = ("fruit/koalarization", "fruit/unet")


def settings(trials: int, epochs: int, pruner: str) -> dict:
    """Two cells on drawn fruit, small enough for a busy machine."""
    return {
        "name": NAME,
        "datasets": {"fruit": {"root": "drawn:fruit", "train_limit": 32, "validation_limit": 16}},
        "architectures": ["koalarization", "unet"],
        "model": {"image_size": 16, "width": 2, "vgg16": "random", "device": "cpu"},
        "budget": {"trials": trials, "epochs": epochs},
        "search": {"startup_trials": 1, "warmup_epochs": 1, "pruner": pruner},
        "finals": {"seeds": 1},
        "replicates": 1,
        "tracking": {"pictures_per_trial": 1},
    }


def write_settings(folder: Path, trials: int, epochs: int, pruner: str = "median") -> Path:
    """Returns a file for `python -m study.launch`."""
    file = folder / f"{NAME}.yaml"
    file.write_text(yaml.safe_dump(settings(trials, epochs, pruner)))
    return file


class Results:
    """What a study wrote below `home`, read from outside while it runs or after."""

    def __init__(self, home: Path) -> None:
        self._study = StudyHome(home / NAME)
        self._url = sqlite_url(self._study.root / "ledger.db")

    def trials(self) -> dict[tuple[str, int], FrozenTrial]:
        """Every trial of the ledger by cell (finals: `CELL/finals`) and number."""
        if not self._study.outbox.exists():  # made after the ledger, which two must not make at once
            return {}
        storage = open_storage(self._url)
        studies = optuna.get_all_study_summaries(storage)
        names = [one.study_name for one in studies if one.study_name.startswith(f"{NAME}/")]
        return {
            (name.removeprefix(f"{NAME}/"), trial.number): trial
            for name in names
            for trial in optuna.load_study(study_name=name, storage=storage).get_trials(deepcopy=False)
        }

    def nodes(self) -> set[str]:
        """Addresses of all machines that trials have been on."""
        return {node for trial in self.trials().values() for node in trial.user_attrs.get(NODES, [])}

    def wait_for_trial_on(self, node: str, most_reports: int) -> tuple[str, int]:
        """Returns a trial that runs on a node and has given some reports, but not too many."""
        deadline = time.monotonic() + 500
        while time.monotonic() < deadline:
            for key, trial in self.trials().items():
                here = trial.user_attrs.get(NODES, [])[-1:] == [node]
                running = trial.state is TrialState.RUNNING
                if here and running and 2 <= len(trial.intermediate_values) <= most_reports:
                    return key
            time.sleep(0.3)
        raise TimeoutError(f"no trial is in its first {most_reports} epochs on {node}")

    def points(self) -> dict[str, list[int]]:
        """Steps of the logged objective in MLflow, by run; a run that is there twice fails."""
        client = MlflowClient(sqlite_url(self._study.root / "mlflow.db"))
        experiment = client.get_experiment_by_name(NAME)
        runs = client.search_runs([experiment.experiment_id], max_results=1000)
        keys = [run.data.tags[KEY_TAG] for run in runs]
        assert len(set(keys)) == len(keys), "a trial has two runs in MLflow"
        return {
            run.data.tags[KEY_TAG]: sorted(
                point.step for point in client.get_metric_history(run.info.run_id, "validation/ciede2000")
            )
            for run in runs
        }
