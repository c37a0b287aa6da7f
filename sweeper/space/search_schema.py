"""The format of the search section of a sweep's file."""

from __future__ import annotations

import re
from typing import Annotated, Any, Literal, TypeAlias

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, WithJsonSchema
from pydantic_core import PydanticCustomError

UNITS = {"s": 1.0, "min": 60.0, "h": 3600.0, "d": 86400.0}
Sampler: TypeAlias = Literal["tpe", "gp", "nsga2", "random", "grid", "qmc"]
Pruner: TypeAlias = Literal["median", "hyperband", "successive_halving", "wilcoxon"]
Sense: TypeAlias = Literal["maximise", "minimise"]


def parse_duration(value: Any) -> Any:
    """Return seconds from a number or from text such as ``90 min`` or ``2h``. Raises PydanticCustomError otherwise."""
    found = re.fullmatch(r"\s*(\d+(?:\.\d+)?)\s*(s|min|h|d)?\s*", str(value), re.ASCII)
    if found is None or isinstance(value, bool) or float(found[1]) <= 0:
        raise PydanticCustomError("duration", "expected a time such as 90 min or 2h")
    return float(found[1]) * UNITS[found[2] or "s"]


def parse_sense(value: Any) -> Any:
    """Accept both spellings, ``maximise`` and ``maximize``."""
    return value.replace("imize", "imise") if isinstance(value, str) else value


Duration = Annotated[
    float, BeforeValidator(parse_duration), WithJsonSchema({"anyOf": [{"type": "number"}, {"type": "string"}]})
]
WrittenSense = Annotated[
    Sense, BeforeValidator(parse_sense), WithJsonSchema({"enum": ["maximise", "minimise", "maximize", "minimize"]})
]


class Distribution(BaseModel):
    """The distribution of a name as written: one of four kinds, and an optional condition."""

    model_config = ConfigDict(frozen=True, extra="forbid")
    choice: Annotated[list[Any], Field(min_length=1)] | None = Field(
        None, description="a list of values, such as [1, 2, 4]"
    )
    whole: tuple[int, int] | None = Field(None, alias="int", description="the smallest and the largest whole number")
    uniform: tuple[float, float] | None = Field(None, description="the smallest and the largest number")
    log_uniform: tuple[float, float] | None = Field(
        None, description="the smallest and the largest number, both above 0, drawn uniformly on a log scale"
    )
    step: float | None = Field(
        None, gt=0, description="the distance between values of int or uniform", allow_inf_nan=False
    )
    when: str | None = Field(
        None,
        description="the condition under which it is suggested, such as \"case != 'none'\"; "
        "otherwise the name keeps its value from the rest of the space",
    )


class SearchFile(BaseModel):
    """The search section as written."""

    model_config = ConfigDict(frozen=True, extra="forbid")
    distributions: dict[str, Distribution] = Field(
        min_length=1, description="a distribution per dotted name or case, such as {lr: {log_uniform: [1e-4, 1e-1]}}"
    )
    objectives: dict[str, WrittenSense] = Field(
        min_length=1, description="facts, metrics or costs to maximise or minimise, such as {la: maximise}"
    )
    trials: int = Field(description="the total number of suggestions, each run with all seeds", ge=1, le=100_000)
    sampler: Sampler = Field("tpe", description="one of tpe, gp, nsga2, random, grid or qmc")
    pruner: Pruner | None = Field(
        None, description="early stopping by median, hyperband, successive_halving or wilcoxon (over seeds)"
    )
    timeout: Duration | None = Field(
        None, description="a time such as 90 min or 2h, after which no new suggestion starts; running ones finish"
    )
    enqueue: list[dict[str, Any]] = Field([], description="values by name to try first; names left out are drawn")
    reference: dict[str, Annotated[float, Field(allow_inf_nan=False)]] = Field(
        {}, description="the reference point of the hypervolume by objective; by default the worst value found"
    )
    seed: int = Field(0, description="the seed of the sampler", ge=0, lt=2**31)
