"""Whatever is damaged between two commands, the second one ends with the same bytes."""

from collections.abc import Iterator
from pathlib import Path
from random import Random

import pyarrow.parquet as pq
import pytest

from tests.faults.campaign import GOOD, Campaign, Undisturbed
from tests.faults.damage import DAMAGES, flip, truncate

pytestmark = pytest.mark.faults


@pytest.fixture(scope="module")
def only(tmp_path_factory: pytest.TempPathFactory) -> Campaign:
    undisturbed = Undisturbed.of(tmp_path_factory.mktemp("undisturbed"))
    return Campaign.finished(tmp_path_factory.mktemp("disturbed"), undisturbed)


@pytest.fixture
def campaign(only: Campaign, request: pytest.FixtureRequest) -> Iterator[Campaign]:
    """One fault after the other befalls the same sweep, which begins anew after one that it did not survive."""
    failed = request.session.testsfailed
    yield only
    if request.session.testsfailed > failed:
        only.begin_anew()


@pytest.mark.parametrize("name", DAMAGES)
def test_damage(campaign: Campaign, name: str) -> None:
    campaign.remember()
    hit = DAMAGES[name](campaign.runs, Random(name))
    assert campaign.judge(campaign.go_on(), hit) == GOOD


def _flip_scores(path: Path, pick: Random) -> None:
    """One bit among the numbers that the table shows."""
    group = pq.read_metadata(path).row_group(0)
    (scores,) = (each for each in map(group.column, range(group.num_columns)) if each.path_in_schema == "score")
    content = bytearray(path.read_bytes())
    first = scores.dictionary_page_offset or scores.data_page_offset
    content[first + pick.randrange(scores.total_compressed_size)] ^= 1 << pick.randrange(8)
    path.write_bytes(content)


def test_a_table_of_damaged_results_is_the_same_or_none(campaign: Campaign) -> None:
    pick, path = Random(3), campaign.runs / "results" / "tiny" / "trials.parquet"
    whole = path.read_bytes()
    for harm in (truncate, flip, _flip_scores) * 10:
        harm(path, pick)
        done = campaign.project.sweeper("table", "tiny", "--format", "csv")
        path.write_bytes(whole)
        if done.returncode == 0:
            assert done.stdout == campaign.undisturbed.tables["csv"]
        else:
            assert done.returncode == 2
            assert done.stderr.startswith("error: ")


def test_many_damages_at_once(campaign: Campaign) -> None:
    pick = Random(7)
    names = [name for name in DAMAGES if not name.startswith(("grow", "progress"))]  # of which there are two each
    for _ in range(3):
        campaign.remember()
        hit = frozenset().union(*(DAMAGES[name](campaign.runs, pick) for name in pick.sample(names, 4)))
        assert campaign.judge(campaign.go_on(), hit) == GOOD
