"""What a study may be told: one validated configuration from file, environment and flags."""

from __future__ import annotations

import math
import re
from typing import Annotated, Any, Literal
from urllib.parse import urlsplit

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, field_validator, model_validator

from models.settings import ModelSettings
from study.settings.pruners import PRUNERS
from study.settings.replication import SplitSettings, VerdictSettings, drawn_seed
from study.settings.samplers import SAMPLERS
from study.settings.space import check_sampler, checked_range
from study.settings.word import WordOf


def _without_password(uri: str | None) -> str | None:
    if uri and urlsplit(uri).password:
        raise ValueError(
            "holds a password, and settings are written to disk and logged; take it out of the address and "
            "give it in the environment (PGPASSWORD, MLFLOW_TRACKING_PASSWORD, AWS_SECRET_ACCESS_KEY)"
        )
    return uri


def _interval(every: int | str) -> int | str:
    good = every > 0 if isinstance(every, int) else re.fullmatch(r"[1-9]\d*min", every)
    if not good:
        raise ValueError("give a number of epochs, or of minutes as in 10min")
    return every


Address = Annotated[str, AfterValidator(_without_password)]
Interval = Annotated[int | str, AfterValidator(_interval)]


def cell_key(dataset: str, architecture: str, replicate: int = 1) -> str:
    """The name of a cell everywhere: `dataset/architecture`, from the second replicate on `…/replicate-2`."""
    return f"{dataset}/{architecture}" + (f"/replicate-{replicate}" if replicate > 1 else "")


class _Section(BaseModel):
    model_config = ConfigDict(extra="forbid", validate_default=True)


class DatasetSettings(_Section):
    """One image set."""

    root: str = Field(description="folder of images, or `drawn:scenes` / `drawn:fruit` for the embedded sets")
    train_limit: int | None = Field(None, ge=1, description="train on a random subset of this many images")
    validation_limit: int | None = Field(None, ge=1, description="validate on a random subset")


class ModelSection(_Section):
    """What every network shares; fixed for the whole study."""

    image_size: int = Field(128, ge=8, description="side of the square images, in pixels")
    width: int = Field(64, ge=1, description="channels of the first U-Net level; scales all three networks")
    batch_size: int = Field(16, ge=1, description="images per training step")
    precision: Literal["auto", "float32", "bfloat16"] = Field(
        "auto", description="of the networks; auto is bfloat16 on CUDA"
    )
    device: str = Field("auto", description="auto, cpu or cuda")
    gan_loss: Literal["probability", "logits"] = Field(
        "probability", description="ε inside the logarithm, or none on logits"
    )
    vgg16: str = Field("auto", description="auto (torchvision's cache), a weights file, or `random`")
    compile: bool = Field(False, description="torch.compile the networks")


class BudgetSettings(_Section):
    """How much each cell may spend; equal for all cells."""

    trials: int = Field(20, ge=1, description="trials per cell")
    epochs: int = Field(100, ge=1, description="epochs of a trial that is not pruned")
    epochs_for: dict[str, Annotated[int, Field(ge=1)]] = Field(
        default_factory=dict, description="epochs of single cells, by `dataset/architecture`"
    )
    epochs_per_report: int = Field(1, ge=1, description="epochs between two validations")
    device_seconds: float | None = Field(
        None, gt=0, description="hand out no further trial of a cell that has used this much device time"
    )


class SearchSettings(_Section):
    """How configurations are chosen and weak trials are stopped."""

    sampler: Annotated[str, WordOf(SAMPLERS)] = Field("tpe", description="proposes configurations")
    pruner: Annotated[str, WordOf(PRUNERS)] = Field("halving", description="stops weak trials")
    startup_trials: int = Field(
        4,
        ge=0,
        description="random trials before a sampler that learns; complete trials before a pruner that waits for them",
    )
    warmup_epochs: int | None = Field(
        None,
        ge=0,
        description="epochs before a trial can be pruned, the first rung; default a quarter of its epochs",
    )
    reduction_factor: int = Field(
        2, ge=2, description="`halving`, `hyperband`: one of so many trials passes a rung"
    )
    patience: int = Field(5, ge=1, description="reports without improvement (pruner `patient`)")
    space: dict[str, dict[str, list[int | float | str]]] = Field(
        default_factory=dict,
        description="ranges `[low, high]` or options of single hyperparameters, by architecture",
    )

    def warmup_of(self, epochs: int) -> int:
        """Epochs that a trial of `epochs` epochs trains before it can be pruned."""
        return math.ceil(epochs / 4) if self.warmup_epochs is None else self.warmup_epochs


class FinalsSettings(_Section):
    """The winners' retraining."""

    configurations: int = Field(1, ge=1, description="best configurations of each cell that are retrained")
    seeds: int = Field(1, ge=0, description="fresh seeds for each of them in a replicate; 0: no finals")


class ResourceSettings(_Section):
    """What a trial takes and what the cluster bears."""

    cpus_per_trial: float = Field(1, gt=0, description="CPUs of one trial, also its threads")
    gpus_per_trial: float | None = Field(
        None,
        ge=0,
        description="number, or the fraction of one that a trial may use, memory included; default 1 where there are",
    )
    max_concurrent_trials: int | None = Field(None, ge=1, description="default: as many as there is room for")
    max_failures: int = Field(2, ge=0, description="retries of a trial whose process or node died")
    max_failed_share: float = Field(
        0.5, gt=0, le=1, description="a cell stops when more than this share of its trials failed"
    )
    checkpoint_every: Interval = Field(
        1, description="between two checkpoints of a trial: epochs, or minutes (`10min`)"
    )

    @property
    def checkpoint_minutes(self) -> int | None:
        """Minutes between two checkpoints, if they are not counted in epochs."""
        every = self.checkpoint_every
        return int(every.removesuffix("min")) if isinstance(every, str) else None


class TrackingSettings(_Section):
    """Where people look."""

    uri: Address | None = Field(
        None, description="MLflow server; default an SQLite file in the study's folder"
    )
    pictures_per_trial: int = Field(4, ge=0, description="how often a trial logs its sample images")


class StudySettings(_Section):
    """A whole study. Field by field: `python -m study.launch --help`."""

    name: str = Field(
        "study", pattern=r"^[A-Za-z0-9][A-Za-z0-9._-]*$", description="the study's name and folder"
    )
    seed: int = Field(
        default_factory=drawn_seed,
        ge=0,
        description="of splits, sampling, initial weights and batches; drawn when a study begins",
    )
    replicates: int = Field(3, ge=1, description="independent passes: split, search, winner, final")
    controls: bool = Field(
        True, description="train the start of each pretrained final on with L1 alone, for comparison"
    )
    datasets: dict[Annotated[str, Field(pattern=r"^[A-Za-z0-9._-]+$")], DatasetSettings] = Field(min_length=1)
    architectures: list[str] = Field(
        ["koalarization", "unet", "cgan"], min_length=1, description="what is compared; plug-ins too"
    )
    plugins: list[str] = Field(default_factory=list, description="modules or files that register more")
    model: ModelSection = Field(default_factory=ModelSection)
    budget: BudgetSettings = Field(default_factory=BudgetSettings)
    search: SearchSettings = Field(default_factory=SearchSettings)
    finals: FinalsSettings = Field(default_factory=FinalsSettings)
    splits: SplitSettings = Field(default_factory=SplitSettings)
    verdict: VerdictSettings = Field(default_factory=VerdictSettings)
    resources: ResourceSettings = Field(default_factory=ResourceSettings)
    tracking: TrackingSettings = Field(default_factory=TrackingSettings)
    ledger: Address | None = Field(None, description="database URL; default an SQLite file")
    storage: Address | None = Field(None, description="shared folder or s3://… for checkpoints")
    skip_bad_images: bool = Field(False, description="go on without files that cannot be read")

    @model_validator(mode="before")
    @classmethod
    def _plugins_come_first(cls, values: Any) -> Any:
        from study.settings.plugins import load_plugins  # with torch, which `--help` does without

        load_plugins(values.get("plugins") or [])
        return values

    @field_validator("architectures")
    @classmethod
    def _no_architecture_twice(cls, value: list[str]) -> list[str]:
        if len(set(value)) < len(value):
            raise ValueError("names an architecture twice")
        return value

    @model_validator(mode="after")
    def _parts_fit_together(self) -> StudySettings:
        from models.architectures import architecture

        if self.replicates > self.verdict.most_replicates:
            raise ValueError(
                f"replicates is {self.replicates}, but verdict.most_replicates {self.verdict.most_replicates}; "
                "raise the latter"
            )
        cells = {cell_key(dataset, name) for dataset in self.datasets for name in self.architectures}
        for cell in self.budget.epochs_for:
            if cell not in cells:
                raise ValueError(
                    f"budget.epochs_for names {cell}, which is none of the study's cells: {sorted(cells)}"
                )
        for name in self.architectures:
            stride = architecture(name).stride
            if self.model.image_size % stride:
                raise ValueError(
                    f"model.image_size is {self.model.image_size}, but {name} needs a multiple of {stride}"
                )
        for name, ranges in self.search.space.items():
            if name not in self.architectures:
                raise ValueError(f"search.space names {name}, which is not among the architectures")
            for parameter, values in ranges.items():
                ranges[parameter] = checked_range(name, parameter, values)
        for name in self.architectures:
            ranges = self.search.space.get(name, {})
            check_sampler(self.search.sampler, name, ranges, self.architectures)
        return self

    def epochs_of(self, dataset: str, name: str) -> int:
        """Epochs of one full trial of a cell."""
        return self.budget.epochs_for.get(cell_key(dataset, name), self.budget.epochs)


def network_settings(model: ModelSection) -> ModelSettings:
    """What the networks must know of a study's settings."""
    return ModelSettings(
        width=model.width, precision=model.precision, gan_loss=model.gan_loss, compile=model.compile
    )
