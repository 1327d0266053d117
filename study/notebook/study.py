"""A study read from Python: settings, cells, trials, finals, learning curves, test images, verdicts, champions."""

from __future__ import annotations

from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING

from data_utils.wording import counted
from models.metrics import METRICS, OBJECTIVE
from study.comparison.summary import CellSummary, summarise_study
from study.errors import UsageError
from study.settings.schema import StudySettings
from study.settings.sources import stored_settings
from study.settings.study_folder import StudyHome
from study.tracking.record import StudyRecord, open_record

if TYPE_CHECKING:
    import pandas as pd

    from models.colorizer import Colorizer

HOME = "runs"


def open(name: str, *, home: str | Path = HOME, tracking_uri: str | None = None) -> Study:
    """Read a study, finished or not, as it is now.

    Args:
        name: The study's.
        home: The folder of all studies.
        tracking_uri: An MLflow server to read from; the study's folder is not needed then.

    Raises:
        UsageError: If there is no such study; the message names those there are.
        StudyError: If the MLflow server does not answer.
    """
    record = open_record(name, Path(home), tracking_uri)
    return Study(record, None if tracking_uri else StudyHome((Path(home) / name).absolute()))


class Study:
    """A study's settings and results, as they were when it was opened.

    Args:
        record: The study in MLflow.
        folder: Its folder; None if only the tracking server is at hand.
    """

    def __init__(self, record: StudyRecord, folder: StudyHome | None) -> None:
        self.record = record
        self._folder = folder

    def __repr__(self) -> str:
        state = "" if self.record.finished else ", unfinished"
        cells, trials = counted(len(self.record.cells), "cell"), counted(len(self.trials), "trial")
        return f"<Study {self.name}: {cells}, {trials}{state}>"

    @property
    def name(self) -> str:
        """The study's name."""
        return self.record.name

    @cached_property
    def settings(self) -> StudySettings:
        """The settings that it ran with last."""
        return stored_settings(self._folder.settings_file if self._folder else self.record.settings)

    @cached_property
    def _summaries(self) -> list[CellSummary]:
        return summarise_study(self.record)

    @property
    def cells(self) -> pd.DataFrame:
        """One row per cell: trials by state, epochs, device-seconds, best configuration, where its model lies."""
        from study.notebook.frames import cells_frame

        return cells_frame(self._summaries)

    @property
    def trials(self) -> pd.DataFrame:
        """One row per search trial: state, hyperparameters, `best` validation objective, costs."""
        from study.notebook.frames import trials_frame

        return trials_frame([trial for trial in self.record.trials if trial.role == "trial"])

    @property
    def finals(self) -> pd.DataFrame:
        """One row per final, likewise, and its means on the test split as `test/NAME`."""
        from study.notebook.frames import trials_frame

        finals = [trial for trial in self.record.trials if trial.final]
        measured = [name for name in METRICS if any(name in final.test for final in finals)]
        return trials_frame(finals, measured)

    def learning_curves(self, metric: str = f"validation/{OBJECTIVE}") -> pd.DataFrame:
        """A metric after every report of every trial and final.

        Args:
            metric: Its name in MLflow, such as `validation/psnr` or `train/loss`.

        Returns:
            Columns `dataset`, `architecture`, `replicate`, `role` (`trial`, `final` or `control`), `number`, `state`,
            `epoch` and the metric.
        """
        from study.notebook.frames import curves_frame

        return curves_frame(self.record, metric)

    def evaluations(self) -> pd.DataFrame:
        """Every test image under every complete final.

        Returns:
            Columns `dataset`, `architecture`, `replicate`, `final` (its number), `image` (its file) and the
            image's quantities: those named `kept_…` are of the prediction with the input's luminance, those named
            `…_true` of the truth. Ratios are taken of means, see the summary, and therefore not listed by image.
        """
        from study.notebook.frames import evaluations_frame

        return evaluations_frame(self.record)

    def summary(self) -> pd.DataFrame:
        """The summary table, as `python -m study.export --format csv` prints it.

        Returns:
            One row per cell and trivial prediction; a metric's 95 % interval is in `NAME_low` and `NAME_high`.
        """
        from study.notebook.frames import summary_frame

        return summary_frame(self.record, self._summaries)

    def verdicts(self) -> pd.DataFrame:
        """Every two architectures of a dataset compared by the objective on the test split, as in the report.

        Returns:
            Columns `dataset`, `lower`, `higher`, `verdict`, `lower_by` (how much lower the mean of the first is) with
            its 95 % interval in `low` and `high`, `p_value`, `replicates`, `further` and `scope`.
        """
        from study.notebook.verdicts import verdicts_frame

        return verdicts_frame(self.record)

    def colorizer(self, dataset: str | None = None) -> Colorizer:
        """The champion of a dataset, ready to colour photographs.

        Args:
            dataset: May be left out where the study has only one.

        Raises:
            UsageError: There is no such dataset, or it has no champion yet.
            StudyError: MLflow does not give it.
        """
        from study.deployment.mlflow_models import champion_address
        from study.deployment.model_source import chosen_dataset, load_champion, load_model

        chosen = chosen_dataset(self.name, list(self.record.settings["datasets"]), dataset)
        if self._folder is None:
            return load_model(champion_address(self.name, chosen), self.record.uri, trust_code=True)
        return load_champion(self.name, self._folder, chosen)

    def report(self, path: str | Path | None = None) -> Path:
        """Write the comparison report, one HTML file, and log it to MLflow.

        Args:
            path: Where it goes; by default into the study's folder.

        Returns:
            The path.

        Raises:
            UsageError: No path is given and the study's folder is not at hand.
            StudyError: It cannot be written.
        """
        from study.reporting.page import write_report

        if path is not None:
            return write_report(self.record, Path(path))
        if self._folder is None:
            raise UsageError("The study was read from a tracking server; name a file for the report.")
        return write_report(self.record, self._folder.report)
