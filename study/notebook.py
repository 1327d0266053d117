"""The interface for notebooks: start, resume and read a study from Python."""

from __future__ import annotations

from collections.abc import Mapping
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any

from models.metrics import METRICS, OBJECTIVE
from study.comparison.summary import CellSummary, summarise_study
from study.errors import StudyError, UsageError
from study.settings.schema import StudySettings
from study.settings.study_folder import StudyHome
from study.tracking.record import StudyRecord, open_record

if TYPE_CHECKING:
    import pandas as pd

    from models.colorizer import Colorizer

HOME = "runs"


def run(
    settings: str | Path | Mapping[str, Any] | StudySettings | None = None,
    *,
    name: str | None = None,
    home: str | Path = HOME,
    resume: bool = False,
    ray_address: str | None = None,
    **changes: Any,
) -> Study:
    """Run a study to its end, as `python -m study.launch` does.

    An interruption of the notebook's kernel stops the study; `resume` carries on where it was.

    Args:
        settings: A preset's name, a YAML file, or what stands in one; environment variables `STUDY_…` win over it.
            None is the preset `demo`, or with `resume` the settings that the study was started with.
        name: The study's name and folder.
        home: The folder of all studies.
        resume: Go on with the study of this name.
        ray_address: A running Ray cluster; None takes RAY_ADDRESS, or starts one on this machine.
        changes: Sections of settings that win, such as `budget={"trials": 4}`. `datasets` takes the place of all
            others, unless a study is resumed.

    Returns:
        The study with its results.

    Raises:
        UsageError: If a setting, the data or the cluster cannot be used, or a study of that name exists already;
            nothing was started.
        StudyError: If the study cannot go on, or none of its trials is complete.
        KeyboardInterrupt: If it was interrupted.

    Example:
        >>> photos = study.run("quick", name="photos", datasets={"mine": {"root": "PHOTOS"}})  # doctest: +SKIP
        >>> photos = study.run(name="photos", resume=True, budget={"trials": 40})  # doctest: +SKIP
    """
    from rich.console import Console

    from study.cli.interruption import INTERRUPTED
    from study.driver.launching import new_launch, resumed_launch
    from study.driver.pipeline import run_pipeline

    if name is not None:
        changes["name"] = name
    if resume:
        launch = resumed_launch(settings, changes, home=Path(home), name=name, ray_address=ray_address)
    else:
        datasets = changes.pop("datasets", None)
        launch = new_launch(
            "demo" if settings is None else settings,
            changes,
            home=Path(home),
            datasets=datasets,
            ray_address=ray_address,
        )
    code = run_pipeline(launch, Console(), second_signal_ends=False)
    if code == INTERRUPTED:
        raise KeyboardInterrupt
    if code:
        raise StudyError(f"No trial of the study {launch.settings.name} is complete; study.open shows why.")
    return open(launch.settings.name, home=home)


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
        return f"<Study {self.name}: {len(self.record.cells)} cells, {len(self.trials)} trials{state}>"

    @property
    def name(self) -> str:
        """The study's name."""
        return self.record.name

    @cached_property
    def settings(self) -> StudySettings:
        """The settings that it ran with last."""
        return StudySettings(**self.record.settings)

    @cached_property
    def _summaries(self) -> list[CellSummary]:
        return summarise_study(self.record)

    @property
    def cells(self) -> pd.DataFrame:
        """One row per cell: trials by state, epochs, device-seconds, best configuration, where its model lies."""
        from study.comparison.frames import cells_frame

        return cells_frame(self._summaries)

    @property
    def trials(self) -> pd.DataFrame:
        """One row per search trial: state, hyperparameters, `best` validation objective, costs."""
        from study.comparison.frames import trials_frame

        return trials_frame([trial for trial in self.record.trials if not trial.final])

    @property
    def finals(self) -> pd.DataFrame:
        """One row per final, likewise, and its means on the test split as `test/NAME`."""
        from study.comparison.frames import trials_frame

        finals = [trial for trial in self.record.trials if trial.final]
        measured = [name for name in METRICS if any(name in final.test for final in finals)]
        return trials_frame(finals, measured)

    def learning_curves(self, metric: str = f"validation/{OBJECTIVE}") -> pd.DataFrame:
        """A metric after every report of every trial and final.

        Args:
            metric: Its name in MLflow, such as `validation/psnr` or `train/loss`.

        Returns:
            Columns `dataset`, `architecture`, `final`, `number`, `state`, `epoch` and the metric.
        """
        from study.comparison.frames import curves_frame

        return curves_frame(self.record, metric)

    def evaluations(self) -> pd.DataFrame:
        """Every test image under every complete final.

        Returns:
            Columns `dataset`, `architecture`, `final` (its number), `image` (its file) and the image's quantities:
            those named `kept_…` are of the prediction with the input's luminance, those named `…_true` of the
            truth. Ratios are taken of means, see the summary, and therefore not listed by image.
        """
        from study.comparison.frames import evaluations_frame

        return evaluations_frame(self.record)

    def summary(self) -> pd.DataFrame:
        """The summary table, as `python -m study.export --format csv` prints it.

        Returns:
            One row per cell and trivial prediction; a metric's 95 % interval is in `NAME_low` and `NAME_high`.
        """
        from study.comparison.frames import summary_frame

        return summary_frame(self.record, self._summaries)

    def verdicts(self) -> pd.DataFrame:
        """Every two architectures of a dataset compared by the objective on the test split, as in the report.

        Returns:
            Columns `dataset`, `better`, `worse`, `lower_by` (how much lower the better one's mean is) with its
            95 % interval in `low` and `high`, `p_value`, `p_holm` (corrected for all pairs of the dataset) and
            `decided`.
        """
        from study.reporting.verdicts import verdicts_frame

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
            return load_model(champion_address(self.name, chosen), self.record.uri)
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
