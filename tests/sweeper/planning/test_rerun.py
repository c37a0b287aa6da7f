import pytest
from inline_snapshot import snapshot

from sweeper.engine import worker
from sweeper.errors import SweeperError
from sweeper.planning import rerun
from sweeper.planning.graph import Graph
from sweeper.planning.rerun import discard_outdated
from sweeper.store.base import Store
from sweeper.store.failures import Failure
from tests.project import finish

OTHER = Failure(kind="diverged", cause="nan", stage="tests.bend", source="", sweep="tiny", when="")


def by_function(graph: Graph, store: Store) -> dict[str, int]:
    counts: dict[str, int] = {}
    for key, node in graph.stages.items():
        counts[node.function.label] = counts.get(node.function.label, 0) + store.has(key)
    return counts


def test_only_what_other_code_made_is_made_again_with_all_that_rests_on_it(
    graph: Graph, store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    finish(graph, store)
    whole = by_function(graph, store)
    assert discard_outdated(graph, store, ["bend"]) == snapshot(
        "  rerun: all artifacts of bend were made by the present code and packages"
    )
    assert by_function(graph, store) == whole
    monkeypatch.setattr(rerun, "source_hash", lambda module: "edited")
    said = discard_outdated(graph, store, ["bend"])
    assert said == snapshot("  rerun: discarded 36 artifacts of bend and 12 that depend on them")
    assert by_function(graph, store) == {"grow": 2, "bend": 0, "total": 0}


def test_what_was_made_again_before_an_interruption_stays(
    graph: Graph, store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    finish(graph, store)
    monkeypatch.setattr(worker, "source_hash", lambda module: "edited")
    monkeypatch.setattr(rerun, "source_hash", lambda module: "edited")
    discard_outdated(graph, store, ["grow"])
    assert set(by_function(graph, store).values()) == {0}
    finish(graph, store)
    assert discard_outdated(graph, store, ["grow"]) == snapshot(
        "  rerun: all artifacts of grow were made by the present code and packages"
    )
    assert len(graph.missing(store)) == 0


def test_a_recorded_failure_is_forgotten(graph: Graph, store: Store) -> None:
    bent = next(next(graph.targets).parents())
    store.failures.record(bent.key, OTHER)
    discard_outdated(graph, store, ["grow"])
    assert store.failures.all().keys() == {bent.key}
    discard_outdated(graph, store, ["bend"])
    assert store.failures.all() == {}


def test_an_unknown_stage_is_answered_with_the_nearest(graph: Graph, store: Store) -> None:
    with pytest.raises(SweeperError) as error:
        discard_outdated(graph, store, ["bent"])
    assert str(error.value) == snapshot("""\
--rerun bent: unknown stage 'bent'
  fix: did you mean bend?\
""")
