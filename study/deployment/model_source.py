"""Where a ready model comes from: a study's champion, a model folder, or an MLflow model."""

from __future__ import annotations

import argparse
import re
from collections.abc import Sequence
from pathlib import Path
from tempfile import TemporaryDirectory

from models.colorizer import Colorizer
from models.colorizer_config import CONFIG
from study.errors import UsageError
from study.settings.sources import changed_settings
from study.settings.study_folder import StudyHome, existing_home
from study.tracking.mlflow_client import configure_mlflow, mlflow_errors
from study.tracking.moved import follow_folder

_ADDRESS = re.compile(r"^(models|runs|mlflow-artifacts|s3|https?)://?")


def model_from_options(options: argparse.Namespace) -> Colorizer:
    """The model that the options name.

    Raises:
        UsageError: There is none.
    """
    if options.model is None:
        study = existing_home(options.home, options.name)
        datasets = list(changed_settings(study.settings_file, {}).datasets)
        return load_champion(options.name, study, chosen_dataset(options.name, datasets, options.dataset))
    if options.dataset:
        raise UsageError("--dataset chooses among a study's champions; give the study with --name.")
    return load_model(options.model, options.tracking_uri, trust_code=options.trust_code)


def chosen_dataset(name: str, datasets: Sequence[str], dataset: str | None) -> str:
    """Which dataset's champion is meant.

    Args:
        name: The study's.
        datasets: The study's.
        dataset: May be left out where the study has only one.

    Raises:
        UsageError: The study has no such dataset, or several.
    """
    if dataset is None and len(datasets) > 1:
        raise UsageError(
            f"The study {name} has several champions; choose the dataset: {' or '.join(datasets)}."
        )
    if dataset is not None and dataset not in datasets:
        raise UsageError(f"The study {name} has no dataset {dataset}; it has {', '.join(datasets)}.")
    return dataset or datasets[0]


def champion_folder(name: str, study: StudyHome, dataset: str) -> Path:
    """The model folder of a dataset's champion.

    Raises:
        UsageError: There is none yet.
    """
    folder = study.champion(dataset)
    if not (folder / CONFIG).is_file():
        raise UsageError(
            f"The study {name} has no champion of {dataset} yet: let it finish with "
            f"python -m study.launch --name {name} --resume, or fetch what MLflow lacks with study.sync."
        )
    return folder


def load_champion(name: str, study: StudyHome, dataset: str) -> Colorizer:
    """The champion of a dataset, from the study's folder.

    Raises:
        UsageError: There is none yet.
        ModelError: Its files are damaged.
    """
    folder = champion_folder(name, study, dataset)
    return Colorizer.load(folder, trust_code=True)  # the study has loaded its plug-ins from its own settings


def load_model(model: str, tracking_uri: str | None = None, *, trust_code: bool = False) -> Colorizer:
    """A model from a folder or from MLflow.

    Args:
        model: A model folder, or an address such as `models:/photos-scenes@champion`.
        tracking_uri: The MLflow server of the address; MLflow's own `MLFLOW_TRACKING_URI` if None.
        trust_code: Run the program of a plug-in that the model names.

    Raises:
        UsageError: It is neither.
        StudyError: MLflow does not have it.
        ModelError: Its files are damaged, or it names a plug-in that is not trusted.
    """
    if (Path(model) / CONFIG).is_file():
        return Colorizer.load(Path(model), trust_code=trust_code)
    if not _ADDRESS.match(model):
        raise UsageError(
            f"{model} is neither a model folder (it has no {CONFIG}) nor an MLflow address (models:/…)."
        )
    with TemporaryDirectory() as temporary:
        found = sorted(_download(model, tracking_uri, Path(temporary)).rglob(CONFIG))
        if not found:
            raise UsageError(f"{model} is no model of this software: it holds no {CONFIG}.")
        return Colorizer.load(found[0].parent, trust_code=trust_code)


def _download(model: str, tracking_uri: str | None, into: Path) -> Path:
    configure_mlflow()
    import mlflow

    before = mlflow.get_tracking_uri()
    where = tracking_uri or before
    follow_folder(where)
    # MLflow looks `models:/NAME@ALIAS` up under the process-wide address alone, whatever the call is given.
    mlflow.set_tracking_uri(where)
    try:
        with mlflow_errors(f"MLflow at {where} does not give {model}"):
            return Path(mlflow.artifacts.download_artifacts(model, dst_path=str(into)))
    finally:
        mlflow.set_tracking_uri(before)
