import pytest

from sweeper.planning.boxes import Boxes
from sweeper.planning.forecast import Forecast
from sweeper.planning.graph import Graph
from sweeper.store.base import Store
from tests.sweeper.planning.test_graph import finish


@pytest.fixture
def forecast(graph: Graph, store: Store) -> Forecast:
    return Forecast.of(graph, store, slots=2)


def test_equal_stages_are_one_box(forecast: Forecast) -> None:
    found = Boxes.of(forecast)
    assert sum(box.stages for box in found.boxes) == 50
    assert (found.boxes[0].function, found.boxes[0].depth, found.boxes[0].words, found.boxes[0].stages) == (
        "grow",
        0,
        "all 6 rows",
        2,
    )
    bends = [box for box in found.boxes if box.function == "bend"]
    assert [(box.depth, box.stages, box.words) for box in bends] == [
        (1, 6, f"{kind} · {size}") for kind in ("plus", "minus") for size in (1, 2, 3)
    ]
    assert sum(found.edges.values()) == 36 + 36  # a trunk for every bend, three bends for every total


def test_boxes_say_whether_their_stages_are_there(graph: Graph, store: Store) -> None:
    assert {box.state for box in Boxes.of(Forecast.of(graph, store, 2)).boxes} == {"to-run"}
    finish(graph, store)
    assert {box.state for box in Boxes.of(Forecast.of(graph, store, 2)).boxes} == {"cached"}
    (store.path(next(graph.targets).key) / "manifest.json").unlink()
    states = [box.state for box in Boxes.of(Forecast.of(graph, store, 2)).boxes]
    assert sorted(set(states)) == ["cached", "mixed"]
    assert states.count("mixed") == 1


def test_too_many_boxes_are_told_apart_by_the_number_of_their_rows(forecast: Forecast) -> None:
    found = Boxes.of(forecast, most=3)
    assert [(box.function, box.stages, box.words) for box in found.boxes] == [
        ("grow", 2, "all 6 rows"),
        ("bend", 36, "all 6 rows, 1 each"),
        ("total", 12, "all 6 rows, 1 each"),
    ]
    assert found.edges == {(0, 1): 36, (1, 2): 36}


def test_columns_keep_connected_boxes_beside_each_other(forecast: Forecast) -> None:
    found = Boxes.of(forecast)
    trunks, bends, totals = found.columns()
    assert len(trunks) == 1
    assert [found.boxes[box].words for box in bends] == [found.boxes[box].words for box in totals]
