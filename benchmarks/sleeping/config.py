"""Which trial of which recorded sweep."""

from __future__ import annotations

from pydantic import BaseModel, ConfigDict, Field


class Config(BaseModel):
    """One trial."""

    model_config = ConfigDict(frozen=True, extra="forbid")
    seed: int = Field(description="of nothing: what was measured is repeated", ge=0)
    recorded: str = Field(description="JSON file: stages with their seconds and inputs, targets by trial")
    trial: int = Field(description="which of its trials", ge=0)
