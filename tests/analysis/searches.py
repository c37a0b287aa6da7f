"""Small results of searched spaces as `sweeper` writes them, made without it."""

import json
import random
from collections.abc import Mapping, Sequence
from hashlib import sha256
from pathlib import Path
from statistics import mean
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq

from analysis.results import Results
from tests.analysis.sweeps import write_sweep

Made = Mapping[str, Any]
BOTH = {"aia": "maximise", "ppc": "minimise"}
STATED = {"study": "", "state": "finished", "cause": None, "seconds": 10.0}


def suggestion(params: Made, values: Mapping[str, Sequence[float]], **more: Any) -> Made:
    """One that has finished, with one number per seed of every objective, or in another state."""
    return STATED | {"params": params, "values": values} | more


def pruned(params: Made, **more: Any) -> Made:
    """One that was given up in its first seed."""
    return suggestion(params, {}, state="pruned", cause="pruned after task 2 of 5", **more)


def write_search(
    directory: Path,
    made: Sequence[Made],
    objectives: Mapping[str, str] = BOTH,
    search: Made | None = None,
    **described: Any,
) -> Results:
    """Suggestions as the results of a searched space. Those with equal params share their trials.

    Args:
        directory: below which the space has its own.
        made: the suggestions in their order.
        objectives: senses by name.
        search: what else is told of it, such as its reference.
        described: of the space.
    """
    names = list(made[0]["params"]) if made else ["case"]
    measured = [row | {name: row.get(name) for name in objectives} for each in made for row in _trials(each)]
    rows = {row["target"]: row for row in measured}
    shown = {"name": "pareto", "rows": names, "columns": list(objectives), "design": names, "seeds": ["seed"]}
    results = write_sweep(directory, list(rows.values()) or [_nothing(names, objectives)], **shown | described)
    told = {
        "sampler": "tpe",
        "pruner": "median",
        "objectives": dict(objectives),
        "reference": None,
        "trials": 60,
        "distributions": {name: f"what {name} may be" for name in names},
        "importances": [],
    } | dict(search or {})
    table = pa.Table.from_pylist([_suggestion(place, made, objectives) for place in range(len(made))])
    table = table if made else pa.table({"study": pa.array([], pa.string())})
    metadata = {b"sweeper.search": json.dumps(told)}
    pq.write_table(table.replace_schema_metadata(metadata), results.directory / "suggestions.parquet")
    return results


def _trials(each: Made) -> list[dict[str, Any]]:
    label = _label(each)
    state = {"status": each["state"], "cause": each["cause"], **each["params"]}
    if each["state"] != "finished":
        return [state | {"trial": f"{label} · seed 0", "target": _target(label, 0), "stages": [], "seed": 0}]
    seeds = [dict(zip(each["values"], numbers, strict=True)) for numbers in zip(*each["values"].values(), strict=True)]
    return [
        {
            "trial": f"{label} · seed {seed}",
            **state,
            "seed": seed,
            **numbers,
            "target": _target(label, seed),
            "stages": [_target(label, seed)],
        }
        for seed, numbers in enumerate(seeds)
    ]


def _suggestion(place: int, made: Sequence[Made], objectives: Mapping[str, str]) -> dict[str, Any]:
    each = made[place]
    trials, finished = _trials(each), each["state"] == "finished"
    own = {name: each[name] for name in STATED} | {"seeds": len(trials) if finished else 0}
    own["number"] = sum(other["study"] == each["study"] for other in made[:place])
    values = {f"value.{name}": float(mean(each["values"][name])) if finished else None for name in objectives}
    params = {f"param.{name}": value for name, value in each["params"].items()}
    return own | values | params | {"targets": [trial["target"] for trial in trials]}


def _nothing(names: Sequence[str], objectives: Mapping[str, str]) -> dict[str, Any]:
    """A trial of a suggestion that is lost: a file needs a row to know its columns."""
    return {"status": "missing", "cause": "not run yet", "seed": 0, **dict.fromkeys([*names, *objectives])}


def _label(each: Made) -> str:
    return " · ".join(str(part) for part in [each["study"], *each["params"].values()] if part not in ("", None))


def _target(label: str, seed: int) -> str:
    return sha256(f"{label} {seed}".encode()).hexdigest()


def digits(directory: Path, studies: Sequence[str] = ("",), count: int = 40, **described: Any) -> Results:
    """A search of two objectives over a case, its layers and a learning rate, some of it pruned."""
    draw = random.Random(1)
    made = [_drawn(draw, study, place) for place, study in enumerate(studies) for _ in range(count)]
    shares = {"adapter.layers": 0.61, "adapter.lr": 0.24, "case": 0.15}
    search = {
        "reference": {"aia": 20.0},
        "trials": count,
        "importances": [
            {"study": study, "objective": objective, "name": name, "importance": share if objective == "aia" else 1 / 3}
            for study in studies
            for objective in BOTH
            for name, share in shares.items()
        ],
    }
    return write_search(directory, made, BOTH, search, **described)


def _drawn(draw: random.Random, study: str, place: int) -> Made:
    layers, rate = draw.choice([(4, "45-49"), (11, "35-54"), (30, "0-64")]), 10 ** draw.uniform(-3, -1)
    params = {"case": draw.choice(["none", "cosine"]), "adapter.layers": layers[1], "adapter.lr": round(rate, 6)}
    if draw.random() < 0.25:
        return pruned(params, study=study)
    ppc = layers[0] * draw.choice([832, 1121])
    aia = 45 + 5 * place + layers[0] / 2 + 20 * draw.random() - 200 * abs(rate - 0.02)
    return suggestion(params, {"aia": [aia, aia + 1], "ppc": [ppc, ppc]}, study=study)
