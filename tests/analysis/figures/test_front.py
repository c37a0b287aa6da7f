from pathlib import Path

from analysis.figures import FIGURES
from tests.analysis.figures.small import points, words
from tests.analysis.searches import Made, digits, pruned, suggestion, write_search
from tests.analysis.sweeps import layer_selection

draw = FIGURES["front"].draw


def made(aia: float, ppc: float, study: str = "", **more: float) -> Made:
    values = {"aia": [aia], "ppc": [ppc]} | {name: [value] for name, value in more.items()}
    return suggestion({"case": f"{aia} {ppc}"}, values, study=study)


FOUND = [made(50, 400), made(60, 100), pruned({"case": "given up"}), made(90, 300), made(80, 200)]


def lines(axes, gid: str):  # type: ignore[no-untyped-def]
    return [each for each in axes.lines if each.get_gid() == gid]


def test_every_finished_suggestion_is_a_point_and_the_front_joins_those_that_no_other_beats(tmp_path: Path) -> None:
    figure = draw(write_search(tmp_path, FOUND, search={"reference": {"aia": 20.0}}))
    assert figure
    (axes,) = figure.axes
    assert points(axes.lines[0]) == [(400, 50), (100, 60), (300, 90), (200, 80)]
    (front,) = lines(axes, "front")
    assert points(front) == [(100, 60), (200, 80), (300, 90)]
    assert front.get_drawstyle() == "steps-post"
    assert [points(each) for each in lines(axes, "reference")] == [[(400, 20)]]
    assert (axes.get_xlabel(), axes.get_ylabel()) == ("PPC", "AIA %")
    assert words(figure) == [
        "finished suggestion",
        "Pareto front",
        "reference: aia 20 (given) and ppc 400 (the worst found)",
    ]


def test_a_front_of_two_numbers_to_maximise_steps_down_before_a_point(tmp_path: Path) -> None:
    senses = {"aia": "maximise", "ppc": "maximise"}
    (axes,) = draw(write_search(tmp_path, [made(50, 400), made(90, 100)], senses)).axes  # type: ignore[union-attr]
    (front,) = lines(axes, "front")
    assert points(front) == [(100, 90), (400, 50)]
    assert front.get_drawstyle() == "steps-pre"


def test_every_study_has_points_and_a_front_of_its_own(tmp_path: Path) -> None:
    figure = draw(write_search(tmp_path, [made(50, 400, "x"), made(60, 100, "y"), made(90, 300, "y")]))
    assert figure
    assert [points(each) for each in lines(figure.axes[0], "front")] == [[(400, 50)], [(100, 60), (300, 90)]]
    assert words(figure)[:3] == ["x", "y", "Pareto front"]


def test_of_more_objectives_each_is_a_panel_with_the_first_and_the_front_is_ringed_alone(tmp_path: Path) -> None:
    senses = {"aia": "maximise", "ppc": "minimise", "seconds": "minimise"}
    found = [made(90, 300, seconds=9), made(80, 300, seconds=5), made(70, 400, seconds=6)]
    figure = draw(write_search(tmp_path, found, senses))
    assert figure
    assert [(axes.get_xlabel(), axes.get_ylabel()) for axes in figure.axes] == [("PPC", "AIA %"), ("seconds", "AIA %")]
    (front,) = lines(figure.axes[1], "front")
    assert points(front) == [(5, 80), (9, 90)]
    assert front.get_linestyle() == "None"


def test_there_is_none_of_one_objective_of_no_search_and_before_anything_has_finished(tmp_path: Path) -> None:
    alone = [suggestion({"case": "a"}, {"aia": [1.0]})]
    assert draw(write_search(tmp_path / "one", alone, {"aia": "maximise"})) is None
    assert draw(layer_selection(tmp_path / "none")) is None
    unfinished = write_search(tmp_path / "pruned", [pruned({"case": "a"})])
    assert draw(unfinished) is None
    assert {drawing.lacking(unfinished) for drawing in FIGURES.values()} == {"no suggestion has finished yet"}


def test_what_a_search_was_for_is_left_to_its_front_and_no_figure_takes_its_names_for_a_grid(tmp_path: Path) -> None:
    found = [
        suggestion({"case": case, "p": p}, {"aia": [aia], "ppc": [100 * aia], "seconds": [aia / 10]})
        for case, p, aia in (("a", 1, 60.0), ("a", 2, 70.0), ("b", 1, 80.0))
    ]
    figure = FIGURES["cost"].draw(write_search(tmp_path / "small", found))
    assert figure
    assert [axes.get_xlabel() for axes in figure.axes] == ["seconds"]
    assert FIGURES["cost"].draw(digits(tmp_path)) is None
    assert FIGURES["heatmap"].draw(write_search(tmp_path / "two names", found, {"aia": "maximise"})) is None
