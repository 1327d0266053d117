"""What a study leaves out because something that it needs is not there."""

from __future__ import annotations

from study.settings.schema import StudySettings


def without_untrained_encoders(settings: StudySettings) -> tuple[StudySettings, str]:
    """The study without architectures whose encoder is VGG16 itself, where that has random weights.

    Koalarization stays: it has an encoder of its own beside VGG16's vector.

    Returns:
        The study, and a sentence on what was left out; empty if nothing was.
    """
    from models.architectures import architecture

    if settings.model.vgg16 != "random":
        return settings, ""
    left_out = [name for name in settings.architectures if architecture(name).features == "maps"]
    if not left_out:
        return settings, ""
    kept = [name for name in settings.architectures if name not in left_out]
    space = {name: ranges for name, ranges in settings.search.space.items() if name in kept}
    budget = settings.budget.model_copy(
        update={
            "epochs_for": {
                cell: epochs
                for cell, epochs in settings.budget.epochs_for.items()
                if cell.rpartition("/")[2] in kept
            }
        }
    )
    changes = {
        "architectures": kept,
        "budget": budget,
        "search": settings.search.model_copy(update={"space": space}),
    }
    return settings.model_copy(update=changes), (
        f"{' and '.join(left_out)} is left out: its encoder is VGG16, which has random weights here (model.vgg16). "
        "Fetch the pretrained ones with `python -m study.weights`, and leave model.vgg16 as it is."
    )
