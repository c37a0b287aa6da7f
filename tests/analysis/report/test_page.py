import json
import re
from html.parser import HTMLParser
from pathlib import Path

import pytest

from analysis.figures import FIGURES, Drawing
from analysis.report import page
from analysis.results import Results, read_results
from tests.analysis.sweeps import KILLED, UNRUN, layer_selection, write_sweep

LIMIT = 5_000_000
VOID = {"meta", "input", "br"}
EVIL = "</script><script>alert('x')</script>&\"<i class=evil>"
LINK = "http://127.0.0.1:5000/#/runs/7"


class Balanced(HTMLParser):
    """Fails where an element is ended that is not open, and gathers ids, links and texts."""

    def __init__(self) -> None:
        super().__init__()
        self.open: list[str] = []
        self.ids: list[str] = []
        self.links: list[str] = []
        self.said: list[str] = []
        self.scripts = 0

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        given = dict(attrs)
        self.ids += [given["id"]] if given.get("id") else []
        self.links += [given["href"]] if tag == "a" and given.get("href") else []
        self.scripts += tag == "script" and "type" not in given
        if tag not in VOID:
            self.open.append(tag)

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.ids += [value for name, value in attrs if name == "id" and value]

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag

    def handle_data(self, data: str) -> None:
        if self.open and self.open[-1] not in ("script", "style"):
            self.said.append(data)


def parsed(text: str) -> Balanced:
    found = Balanced()
    found.feed(text)
    found.close()
    assert found.open == []
    return found


def said(text: str) -> str:
    return " ".join(" ".join(parsed(text).said).split())


def unfinished(directory: Path) -> Results:
    rows = [
        {"trial": f"{layers} · seed {seed}", "adapter.layers": layers, "seed": seed, "ppc": 1, "la": 80.0, "aia": 90.0}
        for layers in ("0-64", "40-54")
        for seed in (0, 1)
    ]
    rows[2] |= {"la": None, "aia": None, **KILLED}
    rows[3] |= {"la": None, "aia": None, **UNRUN}
    return write_sweep(directory, rows)


@pytest.fixture(scope="module")
def results(tmp_path_factory) -> Results:
    return layer_selection(tmp_path_factory.mktemp("results"))


@pytest.fixture(scope="module")
def written(results) -> str:
    return page([results], {"layer_selection": {"0-64 · seed 1": LINK}})


@pytest.fixture(scope="module")
def of_two(tmp_path_factory, results) -> str:
    return page([results, layer_selection(tmp_path_factory.mktemp("other"), name="other")], title="both")


def test_elements_are_balanced_ids_are_unique_and_links_within_the_page_lead_somewhere(of_two) -> None:
    found = parsed(of_two)
    assert len(found.ids) == len(set(found.ids))
    assert {link[1:] for link in found.links if link.startswith("#")} <= set(found.ids)


@pytest.mark.slow
def test_eight_sweeps_stay_under_5_mb(written, of_two) -> None:
    of_a_sweep = len(of_two.encode()) - len(written.encode())
    assert len(of_two.encode()) + 6 * of_a_sweep < LIMIT


@pytest.mark.slow
def test_the_same_results_give_the_same_page(written, results) -> None:
    again = read_results(results.directory.parent, results.name)
    assert page([again], {"layer_selection": {"0-64 · seed 1": LINK}}) == written


def test_the_page_names_no_address_and_may_run_its_own_scripts_alone(of_two) -> None:
    policy = re.search(r'Content-Security-Policy" content="([^"]*)"', of_two)
    assert policy
    allowed = dict(each.split(" ", 1) for each in policy[1].split("; "))
    assert allowed["default-src"] == "'none'"
    assert all(each.startswith("'sha256-") for each in allowed["script-src"].split())
    assert re.findall(r'(?:src|href)="(?!#|data:)[^"]*"', of_two) == []


def test_figures_that_are_given_stand_beside_those_of_every_sweep(results) -> None:
    own = {
        "mine": Drawing("Mine", "A picture.", "there is none", FIGURES["samples"].plain),
        "absent": Drawing("Absent", "Nothing.", "nobody drew it", lambda _: None),
    }
    written = page([results], own={"layer_selection": own})
    assert len(set(parsed(written).ids)) == len(parsed(written).ids)
    told = said(written)
    assert "Mine A picture." in told
    assert "Absent: nobody drew it" in told


def test_names_that_look_like_markup_are_text_also_in_the_figures_data(tmp_path, written) -> None:
    rows = [
        {
            "trial": f"{EVIL}{seed}",
            "adapter.layers": f"{EVIL}{row}",
            "seed": seed,
            "case": EVIL,
            "ppc": 9 + row,
            "la": 80.0 + row,
            "aia": 90.0,
            "accuracy": [99.0, 80.0 + row],
            "commit": EVIL,
        }
        for row in (0, 1)
        for seed in (0, 1)
    ]
    rows[3] |= {"status": "failed", "cause": EVIL}
    results = write_sweep(tmp_path, rows, name=EVIL.replace("/", ""))
    evil = page([results], {results.name: {f"{EVIL}0": LINK + EVIL}}, EVIL)
    assert parsed(evil).scripts == parsed(written).scripts
    assert EVIL not in evil
    assert "<i class=evil>" not in evil
    block = re.search(r'id="sweep-0-cost-data">(.*?)</script>', evil)
    assert block
    assert json.loads(block[1])["panels"][0]["points"][0]["label"] == f"{EVIL}0"


def test_an_unfinished_row_says_how_much_of_it_is_there_and_why(tmp_path) -> None:
    told = said(page([unfinished(tmp_path)]))
    assert "4 trials: 2 finished, 1 failed, 1 missing." in told
    row = "40-54 0 of 2 finished; 1 failed: the loss is nan at step 40 of 600; 1 missing: not run yet"
    assert told.count(row) == 2  # in the table and above its config
    assert "missing failed" not in told.partition("Rows and their configs")[0].partition(row)[0]


def test_without_stages_the_page_says_that_they_are_not_written(tmp_path) -> None:
    told = said(page([unfinished(tmp_path)]))
    assert "The list of stages is written when a sweep's command ends." in told
    assert "The stages of layer_selection are not recorded" in told
    assert "code, packages and machines are unknown" in told


def test_sharing_is_told_in_stages_and_seconds(written) -> None:
    told = said(written)
    # 12 trials: a base per seed of 12 s for four rows, a score of 8 s each
    assert "Of 15 stages, 3 served more than one trial, up to 4 trials." in told
    assert "All stages took 2 min 12 s instead of 4 min 00 s, 45 % less; train base alone saved 1 min 48 s." in told
    assert "train_base training 3 4 12 36.0 144.0 108.0 75" in told


def test_two_sweeps_that_share_their_stages_count_them_once(of_two) -> None:
    assert "15 stages took 2 min 12 s; one run per trial would have been 48 stages and 8 min 00 s." in said(of_two)


def test_a_row_shows_what_it_differs_in_and_its_trials_with_links_to_mlflow(written) -> None:
    found, told = parsed(written), said(written)
    assert "0-64: values that differ between rows name value adapter.layers 0-64" in told
    assert "0-64 · seed 1 1 finished 34,054 87.75" in told
    assert "2 names with the same value in every row" in told
    assert [link for link in found.links if not link.startswith("#")] == [LINK]


def test_provenance_names_commits_versions_and_the_source_of_published_values(written) -> None:
    told = said(written)
    assert "0123456789abcdef as committed 15" in told
    assert "torch 2.13.0" in told
    assert "layer_selection CIFAR-100, Table I" in told
    assert "corrected by Holm's method" in told
