"""The recipe by which networks learn, as a study is told it and as the networks take it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Literal

from pydantic import BaseModel, ConfigDict, Field

from models.settings import ModelSettings, Recipe

if TYPE_CHECKING:
    from study.settings.schema import StudySettings


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
