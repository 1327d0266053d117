"""What a study may be told: one validated configuration from file, environment and flags."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Annotated, Any, Literal

from pydantic import AfterValidator, Field, field_validator, model_validator

from study.settings.sections.recipe import DEFAULT_EPOCHS, BudgetSettings, TrainingSettings
from study.settings.sections.replication import FinalsSettings, SplitSettings, VerdictSettings, drawn_seed
from study.settings.sections.running import Address, ResourceSettings, TrackingSettings
from study.settings.sections.search import SearchSettings
from study.settings.sections.section import Section
from study.settings.space import check_sampler, checked_range


def _no_stored_name(name: str) -> str:
    if name in (".", "..") or re.fullmatch(r"\d{6,}", name):
        raise ValueError("cannot name a folder of its own in the storage; add a letter to it")
    return name


_LONGEST_NAME = 100  # of the 255 bytes that a file's name may have, since others are made from it
DatasetName = Annotated[
    str,
    Field(pattern=r"^[A-Za-z0-9._-]+$", max_length=_LONGEST_NAME),
    AfterValidator(_no_stored_name),
]
ContestantName = Annotated[str, Field(pattern=r"^[A-Za-z0-9._-]+$", max_length=_LONGEST_NAME)]


def cell_key(dataset: str, architecture: str, replicate: int = 1) -> str:
    """The name of a cell everywhere: `dataset/architecture`, from the second replicate on `…/replicate-2`."""
    return f"{dataset}/{architecture}" + (f"/replicate-{replicate}" if replicate > 1 else "")


class DatasetSettings(Section):
    """One image set."""

    root: str = Field(
        description="folder of images, or an address that they are fetched from (`s3://BUCKET/FOLDER`, "
        "`webdataset:ADDRESS-{000..127}.tar`, `parquet:ADDRESS.parquet`), or `drawn:scenes` / `drawn:fruit` for the "
        "embedded sets"
    )
    train_limit: int | None = Field(None, ge=1, description="train on a random subset of this many images")
    validation_limit: int | None = Field(None, ge=1, description="validate on a random subset")
    epochs: int | None = Field(
        None, ge=1, description="epochs on this dataset; derived from `budget.images` where that is given"
    )


class ModelSection(Section):
    """What every network shares; fixed for the whole study."""

    image_size: int = Field(128, ge=8, description="side of the square images, in pixels")
    width: int = Field(64, ge=1, description="channels of the first U-Net level; scales all three networks")
    batch_size: int = Field(16, ge=1, description="images per training step")
    precision: Literal["auto", "float32", "bfloat16"] = Field(
        "auto", description="of the networks; auto is bfloat16 on CUDA"
    )
    device: str = Field("auto", description="auto, cpu, cuda or mps")
    gan_loss: Literal["probability", "logits"] = Field(
        "probability", description="ε inside the logarithm, or none on logits"
    )
    vgg16: str = Field("auto", description="auto (torchvision's cache), a weights file, or `random`")
    start_from: str | None = Field(
        None,
        description="model folder or MLflow address (`models:/…`) whose weights trials of its architecture start from",
    )
    compile: bool = Field(False, description="torch.compile the networks")


class StudySettings(Section):
    """A whole study. Field by field: `python -m study.launch --help`."""

    name: str = Field(
        "study",
        pattern=r"^[A-Za-z0-9][A-Za-z0-9._-]*$",
        max_length=_LONGEST_NAME,
        description="the study's name and folder",
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
    datasets: dict[DatasetName, DatasetSettings] = Field(min_length=1)
    architectures: list[str] = Field(
        ["koalarization", "unet", "cgan"], min_length=1, description="what is compared; plug-ins too"
    )
    objective: Literal["ciede2000", "kept_ciede2000"] = Field(
        "ciede2000",
        description="what is minimised and compared: mean ΔE₀₀, or that with the input's luminance "
        "kept, as `study.colorize` keeps it",
    )
    plugins: list[str] = Field(default_factory=list, description="modules or files that register more")
    contestants: dict[ContestantName, str] = Field(
        default_factory=dict,
        description="folders of pictures that other programs made of the test images, by a name for each",
    )
    model: ModelSection = Field(default_factory=ModelSection)
    training: TrainingSettings = Field(default_factory=TrainingSettings)
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

        plugins = values.get("plugins") or []
        if isinstance(plugins, list) and all(isinstance(one, str) for one in plugins):
            load_plugins(plugins)  # anything else is refused as no list of texts
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
        for name in self.contestants:
            if name in self.architectures:
                raise ValueError(f"contestants names {name}, which is an architecture; give it another name")
        cells = {cell_key(dataset, name) for dataset in self.datasets for name in self.architectures}
        for cell in self.budget.epochs_for:
            if cell not in cells:
                raise ValueError(
                    f"budget.epochs_for names {cell}, which is none of the study's cells: {sorted(cells)}"
                )
        if self.model.vgg16 == "random" and all(
            architecture(n).features == "maps" for n in self.architectures
        ):
            raise ValueError(
                f"model.vgg16 is random, but {' and '.join(self.architectures)} needs pretrained weights as its "
                "encoder; fetch them with python -m study.weights, or name other architectures"
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
        """Epochs of one full trial of a cell; where they follow from `budget.images`, see `with_epochs`."""
        common = self.datasets[dataset].epochs or self.budget.epochs or DEFAULT_EPOCHS
        return self.budget.epochs_for.get(cell_key(dataset, name), common)

    def with_epochs(self, train_images: Mapping[str, int]) -> StudySettings:
        """The study with the epochs that follow from `budget.images`; unchanged without it.

        Args:
            train_images: Number of training images by dataset. Datasets that have their epochs keep them.
        """
        if self.budget.images is None:
            return self
        datasets = {
            name: one.model_copy(
                update={"epochs": one.epochs or max(1, round(self.budget.images / train_images[name]))}
            )
            for name, one in self.datasets.items()
        }
        return self.model_copy(update={"datasets": datasets})
