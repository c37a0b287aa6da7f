"""The part of the file format that says how a space is searched."""

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
    """Seconds from a number or from ``90 min``, ``2h``. Raises PydanticCustomError."""
    found = re.fullmatch(r"\s*(\d+(?:\.\d+)?)\s*(s|min|h|d)?\s*", str(value), re.ASCII)
    if found is None or isinstance(value, bool) or float(found[1]) <= 0:
        raise PydanticCustomError("duration", "expected a time such as 90 min or 2h")
    return float(found[1]) * UNITS[found[2] or "s"]


def parse_sense(value: Any) -> Any:
    """Both spellings."""
    return value.replace("imize", "imise") if isinstance(value, str) else value


Duration = Annotated[
    float, BeforeValidator(parse_duration), WithJsonSchema({"anyOf": [{"type": "number"}, {"type": "string"}]})
]
WrittenSense = Annotated[
    Sense, BeforeValidator(parse_sense), WithJsonSchema({"enum": ["maximise", "minimise", "maximize", "minimize"]})
]


class Distribution(BaseModel):
    """What a name may be, as it is written: one of four kinds, and when it is asked for."""

    model_config = ConfigDict(frozen=True, extra="forbid")
    choice: Annotated[list[Any], Field(min_length=1)] | None = Field(
        None, description="a list of values, such as [1, 2, 4]"
    )
    whole: tuple[int, int] | None = Field(None, alias="int", description="the least and the largest whole number")
    uniform: tuple[float, float] | None = Field(None, description="the least and the largest number")
    log_uniform: tuple[float, float] | None = Field(
        None, description="the least and the largest number, both above 0, drawn evenly in their logarithm"
    )
    step: float | None = Field(None, gt=0, description="distance of the values of int or uniform", allow_inf_nan=False)
    when: str | None = Field(
        None, description="what it depends on, such as \"case != 'none'\"; elsewhere the name keeps its other value"
    )


class SearchFile(BaseModel):
    """How a space is searched, as it is written."""

    model_config = ConfigDict(frozen=True, extra="forbid")
    distributions: dict[str, Distribution] = Field(
        min_length=1, description="what is searched by dotted name or case, such as {lr: {log_uniform: [1e-4, 1e-1]}}"
    )
    objectives: dict[str, WrittenSense] = Field(
        min_length=1, description="facts, metrics or costs to maximise or minimise, such as {la: maximise}"
    )
    trials: int = Field(description="suggestions in all, each with all seeds", ge=1, le=100_000)
    sampler: Sampler = Field("tpe", description="what suggests: tpe, gp, nsga2, random, grid or qmc")
    pruner: Pruner | None = Field(
        None, description="what stops suggestions early: median, hyperband, successive_halving or wilcoxon (over seeds)"
    )
    timeout: Duration | None = Field(
        None, description="such as 90 min or 2h: after it nothing more is suggested; what was is finished"
    )
    enqueue: list[dict[str, Any]] = Field(
        [], description="values by name that are tried first; what is left out is drawn"
    )
    reference: dict[str, Annotated[float, Field(allow_inf_nan=False)]] = Field(
        {}, description="objectives' values from which the hypervolume is measured; the worst found without it"
    )
    seed: int = Field(0, description="of the sampler", ge=0, lt=2**31)
