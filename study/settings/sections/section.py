"""What all sections of a study's settings share."""

from __future__ import annotations

from pydantic import BaseModel, ConfigDict


class Section(BaseModel):
    """Refuses unknown keys and checks defaults too."""

    model_config = ConfigDict(extra="forbid", validate_default=True)
