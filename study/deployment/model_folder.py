"""A trial's model as a folder of plain files: what MLflow serves and `python -m study.colorize` reads."""

from __future__ import annotations

import shutil
import sys
from pathlib import Path
from tempfile import TemporaryDirectory

from models.architectures import architecture
from models.checkpoint import load_weights
from models.colorizer import Colorizer
from models.colorizer_config import PLUGIN, ColorizerConfig
from models.hardware import choose_device
from models.vgg import vgg16_describer
from study.comparison.finals import Evidence
from study.comparison.summary import summarise_cell
from study.comparison.warning import champion_warning
from study.errors import StudyError
from study.settings.schema import StudySettings
from study.storage.paths import WEIGHTS, trial_folder
from study.storage.storage import Storage
from study.tracking.record import StudyRecord
from study.tracking.trial_record import TrialRecord
from study.training.origin import Origin


def write_model_folder(
    record: StudyRecord, trial: TrialRecord, settings: StudySettings, storage: Storage, folder: Path
) -> None:
    """Write the best epoch of a complete trial or final as a model folder.

    Args:
        record: The study as MLflow has it.
        trial: The trial.
        settings: The study.
        storage: Where its trials keep their weights.
        folder: Created if it does not exist.

    Raises:
        StudyError: The weights are not in the storage.
        ModelError: VGG16's weights are needed and not on this machine.
    """
    key = f"{trial_folder(trial.key)}/{WEIGHTS}"
    with TemporaryDirectory() as temporary:
        file = storage.get_file(key, Path(temporary))
        if file is None:
            raise StudyError(f"The weights {key} are not in the storage {storage.uri}; restore that folder.")
        generator, metadata = load_weights(file)
    Origin(record.identity, trial.key, trial.params, trial.seed).check(metadata, f"The weights file {key}")
    plugin, plugin_file = _plugin(trial.architecture)
    features = architecture(trial.architecture).features
    vgg16 = settings.model.vgg16 if features else ""
    config = ColorizerConfig(
        trial.architecture,
        settings.model.width,
        settings.model.image_size,
        vgg16=vgg16 and ("random" if vgg16 == "random" else "file"),
        plugin=plugin,
        origin=_origin(record, trial),
        parameters=dict(trial.params),
        target=settings.training.target,
    )
    describer = vgg16_describer(features, vgg16) if features else None
    Colorizer(config, generator, describer, choose_device("cpu")).save(folder)
    if plugin_file is not None:
        shutil.copyfile(plugin_file, folder / PLUGIN)


def _origin(record: StudyRecord, trial: TrialRecord) -> dict[str, object]:
    facts = record.data["datasets"][trial.dataset]
    warning = champion_warning(record, summarise_cell(Evidence(record), trial.dataset, trial.architecture))
    return {
        "study": record.name,
        "dataset": trial.dataset,
        "drawn": facts["drawn"],
        "data_fingerprint": facts["fingerprint"],
        "trial": trial.key,
        "parameters": dict(trial.params),
        "seed": trial.seed,
        f"validation_{record.objective}": trial.best,
        **({"warning": warning} if warning else {}),
        "device_seconds": sum(one.device_seconds for one in record.search(trial.dataset, trial.architecture)),
    }


def _plugin(name: str) -> tuple[str, Path | None]:
    """How a reader of the model finds its architecture, and the file to ship with it."""
    module = sys.modules[architecture(name).build.__module__]
    if module.__name__.startswith("models."):
        return "", None
    if module.__name__.startswith("architecture_plugin_") and module.__file__:
        return PLUGIN, Path(module.__file__)
    return module.__name__, None
