"""The part of a config that all class-incremental runs share: seeds, images and the order of the classes."""

from __future__ import annotations

from typing import Self

from pydantic import Field, model_validator
from pydantic_core import PydanticCustomError

from trainables.common.data.settings import Data
from trainables.common.settings import Settings
from trainables.common.tasks import Tasks


class ContinualConfig(Settings):
    """Base of the configs of class-incremental runs."""

    seed: int = Field(description="seed of every random stream of the run", ge=0)
    class_order_seed: int | None = Field(description="seed of the order of classes; none keeps the data set's", ge=0)
    data: Data
    tasks: Tasks

    @model_validator(mode="after")
    def _tasks_cover_classes(self) -> Self:
        later = self.data.classes - self.tasks.first
        if later < 0 or later % self.tasks.later:
            raise PydanticCustomError(
                "tasks",
                "tasks: {first} classes and then {later} at a time do not add up to the data set's {classes}",
                {
                    "first": self.tasks.first,
                    "later": self.tasks.later,
                    "classes": self.data.classes,
                    "field": "tasks",
                    "fix": "change tasks.first or tasks.later",
                },
            )
        return self
