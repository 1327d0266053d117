"""The recipe by which networks learn and the budget of it, as a study is told them and as the networks take them."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field, model_validator

from models.settings import ModelSettings, Recipe

if TYPE_CHECKING:
    from study.settings.schema import StudySettings

DEFAULT_EPOCHS = 100


class TrainingSettings(BaseModel):
    """The recipe by which all networks learn; the defaults are the original training."""

    model_config = ConfigDict(extra="forbid", validate_default=True)

    target: Literal["rgb", "luma_kept"] = Field(
        "rgb", description="what networks predict: RGB, or the chroma alone on the luma given"
    )
    loss: Literal["mse", "l1"] = Field("mse", description="of Koalarization and the U-Net")
    schedule: Literal["constant", "cosine", "onecycle"] = Field(
        "constant", description="of the learning rate over a trial"
    )
    ema: float = Field(
        0, ge=0, lt=1, description="decay of the weights' moving average, which is then used; 0: none"
    )
    weight_decay: float = Field(0, ge=0, description="decoupled (AdamW); 0: Adam")
    augmentation: Literal["flip", "crop"] = Field(
        "flip", description="mirror training images at random; `crop`: random windows of them, too"
    )


class BudgetSettings(BaseModel):
    """How much each cell may spend; equal for all cells."""

    model_config = ConfigDict(extra="forbid", validate_default=True)

    trials: int = Field(20, ge=1, description="trials per cell")
    epochs: int | None = Field(
        None, ge=1, description="epochs of a trial that is not pruned; default 100, unless `images` is given"
    )
    images: int | None = Field(
        None,
        ge=1,
        description="instead of epochs: training images that such a trial sees, each as often as need be",
    )
    epochs_for: dict[str, Annotated[int, Field(ge=1)]] = Field(
        default_factory=dict, description="epochs of single cells, by `dataset/architecture`"
    )
    epochs_per_report: int = Field(1, ge=1, description="epochs between two validations")
    device_seconds: float | None = Field(
        None, gt=0, description="hand out no further trial of a cell that has used this much device time"
    )

    @model_validator(mode="after")
    def _one_measure(self) -> BudgetSettings:
        if self.images is not None and self.epochs is not None:
            raise ValueError("has both epochs and images; give one of them, and null for the other")
        if self.images is None and self.epochs is None:
            self.epochs = DEFAULT_EPOCHS
        return self


def network_settings(settings: StudySettings) -> ModelSettings:
    """What the networks must know of a study's settings."""
    model, training = settings.model, settings.training
    recipe = Recipe(
        loss=training.loss,
        schedule=training.schedule,
        ema=training.ema,
        weight_decay=training.weight_decay,
        batch_size=model.batch_size,
    )
    return ModelSettings(
        width=model.width,
        precision=model.precision,
        gan_loss=model.gan_loss,
        compile=model.compile,
        target=training.target,
        recipe=recipe,
    )
