"""A study read back from the files that `study.export` wrote, for whoever has neither its folder nor its MLflow."""

from __future__ import annotations

from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pandas as pd
import yaml

from models.metrics import INDEX, OBJECTIVE, TRIVIAL
from study.search.trial_spec import TrialState

WORDS = (
    "dataset",
    "architecture",
    "role",
    "replicate",
    "final",
    "collapsed",
    "file",
    "near_duplicate",
    "category",
)
ROLES = {"search": "trial"}


class ExportedStudy:
    """What tables, verdicts and diagnoses ask of `study.tracking.record.StudyRecord`, for a fixed number of replicates.

    Args:
        folder: Holds `study.yaml`, `trials.csv` and `evaluations.csv.xz`, as `study.export` wrote the latter.
    """

    looks: tuple[int, ...] = ()

    def __init__(self, folder: Path) -> None:
        self.settings: dict[str, Any] = yaml.safe_load((folder / "study.yaml").read_text(encoding="utf-8"))
        self.objective = self.settings.get("objective", OBJECTIVE)
        self.replicates = self.settings["replicates"]
        self.rotates = self.settings.get("splits", {}).get("test") == "rotate"
        self._lines = pd.read_csv(folder / "evaluations.csv.xz", low_memory=False).rename(
            columns={"image": INDEX}
        )
        self._groups = dict(list(self._lines.groupby(["dataset", "architecture", "role"])))
        finals = self._lines[self._lines["role"] == "final"]
        self._tested = {
            key: rows.drop_duplicates(INDEX) for key, rows in finals.groupby(["dataset", "replicate"])
        }
        self.trials = [self._trial(line) for line in pd.read_csv(folder / "trials.csv").to_dict("records")]
        self.data = {"datasets": {name: self._facts(name) for name in self.settings["datasets"]}}
        self.trivial = {
            name: {row: self._means(name, row) for row in TRIVIAL if (name, row, "trivial") in self._groups}
            for name in self.settings["datasets"]
        }
        self.cells = [
            (one, other) for one in self.settings["datasets"] for other in self.settings["architectures"]
        ]

    def search(self, dataset: str, architecture: str, replicate: int | None = None) -> list[SimpleNamespace]:
        """The search trials, of all replicates if none is given."""
        found = self._of(dataset, architecture, "trial")
        return [one for one in found if replicate in (None, one.replicate)]

    def finals(self, dataset: str, architecture: str) -> list[SimpleNamespace]:
        """The complete finals."""
        return [one for one in self._of(dataset, architecture, "final") if one.state is TrialState.COMPLETE]

    def controls(self, dataset: str, architecture: str) -> list[SimpleNamespace]:
        """Their complete controls."""
        return [one for one in self._of(dataset, architecture, "control") if one.state is TrialState.COMPLETE]

    def evaluation(self, final: SimpleNamespace) -> dict[str, np.ndarray]:
        """A final's or a control's test quantities, N images each."""
        return quantities(self._rows(final))

    def trivial_evaluation(self, dataset: str, name: str, replicate: int = 1) -> dict[str, np.ndarray]:
        """The same for a trivial prediction of the images of a replicate's test split."""
        rows = self._groups[dataset, name, "trivial"]
        return quantities(rows[rows[INDEX].isin(self._tested[dataset, replicate][INDEX])])

    def test_images(self, dataset: str, replicate: int = 1) -> tuple[list[str], list[int]]:
        """The test images' files and categories, −1 for none."""
        rows = self._tested[dataset, replicate]
        numbers = {name: number for number, name in enumerate(self.data["datasets"][dataset]["categories"])}
        return rows["file"].tolist(), [numbers.get(name, -1) for name in rows["category"]]

    def contestants(self, _dataset: str) -> list[str]:
        """None: pictures of other programs are not exported."""
        return []

    def _of(self, dataset: str, architecture: str, role: str) -> list[SimpleNamespace]:
        wanted = (dataset, architecture, role)
        return [one for one in self.trials if (one.dataset, one.architecture, one.role) == wanted]

    def _trial(self, line: dict[str, Any]) -> SimpleNamespace:
        curve = str(line["validation_by_epoch"]).split()
        numbers = {
            name: None if pd.isna(line[name]) else int(line[name])
            for name in ("generator_from", "controls", "continues")
        }
        one = SimpleNamespace(**line | numbers)
        one.role = ROLES.get(line["stage"], line["stage"])
        one.state = TrialState(line["state"].rpartition(".")[2])
        one.best = None if pd.isna(line["best"]) else float(line["best"])
        one.curve = [float(value) for value in curve if value != "nan"]
        one.collapsed = None
        if one.role != "trial" and one.state is TrialState.COMPLETE:
            rows = self._rows(one)
            one.collapsed = bool(rows["collapsed"].iloc[0]) if len(rows) else None
        return one

    def _rows(self, one: SimpleNamespace) -> pd.DataFrame:
        rows = self._groups.get((one.dataset, one.architecture, one.role), self._lines[:0])
        number = one.controls if one.role == "control" else one.number
        return rows[(rows["replicate"] == one.replicate) & (rows["final"] == number)]

    def _facts(self, dataset: str) -> dict[str, Any]:
        rows = self._lines[(self._lines["dataset"] == dataset) & (self._lines["role"] == "final")]
        leaked = rows.loc[rows["near_duplicate"] == 1, INDEX].unique()
        return {
            "categories": sorted(rows["category"].dropna().unique()),
            "test_leaks": sorted(map(int, leaked)),
        }

    def _means(self, dataset: str, row: str) -> dict[str, float]:
        found = quantities(self._groups[dataset, row, "trivial"])
        return {name: float(np.mean(values)) for name, values in found.items() if values.ndim == 1}


def quantities(rows: pd.DataFrame) -> dict[str, np.ndarray]:
    """Every measured column as an array of N, and the bins of a histogram together as N × bins."""
    found: dict[str, np.ndarray] = {}
    bins: dict[str, list[np.ndarray]] = {}
    for column in rows.columns.difference(WORDS, sort=False):
        name, _, number = column.rpartition("_")
        values = rows[column].to_numpy(np.float32 if column != INDEX else int)  # what the study measured
        if number.isdigit():
            bins.setdefault(name, []).append(values)
        else:
            found[column] = values
    return found | {name: np.stack(columns, axis=1) for name, columns in bins.items()}
