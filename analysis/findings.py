"""Describe the results of a search in sentences."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Iterator

from analysis.search import Search, Study, distinct

NOTHING = "no suggestion has finished yet"
DIGITS = 5
"""Significant digits of an amount, at least."""
STATES = ("pruned", "failed", "running")


def findings(search: Search) -> Iterator[str]:
    """Yield sentences on the chosen suggestions, the hypervolume with its reference, and importances, by study."""
    for study in search.studies:
        yield _of(study.label, f"{_chosen(search, study)}; {asked(search, study)}")
    if told := volumes(search):
        yield told
    for study in search.studies:
        for objective in search.objectives:
            if shares := importances(search, study, objective):
                told = ", ".join(f"{name} {share:.2f}" for name, share in shares.items())
                yield _of(study.label, f"importance for {objective}: {told}")


def asked(search: Search, study: Study) -> str:
    """Format ``60 of 60 made, 19 pruned``: how many suggestions there are, and how many did not finish.

    There are more than requested if the space has rejected some.
    """
    counts = Counter(each.state for each in study.suggestions)
    told = [f"{count:,} {state}" for state, count in sorted(counts.items(), key=_by_state) if state != "finished"]
    every = counts.total()
    begin = f"{every:,} of {search.trials:,} made"
    if every > search.trials:
        begin = f"{every:,} made, {search.trials:,} requested"
    return ", ".join([begin, *told])


def volumes(search: Search) -> str | None:
    """Format the hypervolume of every study and its reference point; None if there is none."""
    found = {study.label: volume for study in search.studies if (volume := search.hypervolume(study)) is not None}
    if not found:
        return None
    told = ", ".join(f"{label} {amount(volume)}".strip() for label, volume in found.items())
    return f"hypervolume {told} with reference {reference(search)}"


def reference(search: Search) -> str:
    """Format the reference point, such as ``aia 20 (given) and ppc 34,054 (the worst found)``."""
    origins = {name: "given" if name in search.given else "the worst found" for name in search.reference}
    return " and ".join(f"{name} {amount(search.reference[name])} ({origin})" for name, origin in origins.items())


def importances(search: Search, study: Study, objective: str) -> dict[str, float]:
    """Return the importance by searched name, the largest first; empty if unknown."""
    found = [each for each in search.importances if (each.study, each.objective) == (study.label, objective)]
    return {each.name: each.importance for each in sorted(found, key=lambda each: -each.importance)}


def amount(value: float) -> str:
    """Format a number with at least five significant digits and no trailing zeros: ``1,234.5``, ``34,054``."""
    if not math.isfinite(value):
        return str(value)
    whole = math.floor(math.log10(abs(value))) + 1 if value else 1
    text = f"{value:,.{max(0, DIGITS - whole)}f}"
    return text.rstrip("0").rstrip(".") if "." in text else text


def _by_state(counted: tuple[str, int]) -> int:
    return STATES.index(counted[0]) if counted[0] in STATES else len(STATES)


def _of(study: str, sentence: str) -> str:
    return f"{study}: {sentence}" if study else sentence


def _chosen(search: Search, study: Study) -> str:
    finished = len(study.of("finished"))
    if not finished:
        return NOTHING
    what = "the Pareto front:" if len(search.objectives) > 1 else "the best"
    told = f"{what} {len(search.chosen_of(study)):,} of {finished:,} finished suggestion{'' if finished == 1 else 's'}"
    repeats = finished - len(distinct(study))
    return told + (f", {repeats:,} of which repeat{'s' if repeats == 1 else ''} another" if repeats else "")
