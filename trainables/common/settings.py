"""Base of typed settings. Nothing heavy is imported by settings: a config that is built from them can be checked
before torch is loaded."""

from __future__ import annotations

from pydantic import BaseModel, ConfigDict


class Settings(BaseModel):
    """Base of all config models: frozen, and an unknown name is an error."""

    model_config = ConfigDict(frozen=True, extra="forbid")
