"""A cluster of two nodes on this machine."""

import json
from collections.abc import Iterator
from pathlib import Path

import pytest

from sweeper.engine.executors.ray import cluster
from sweeper.engine.executors.ray.nodes import on_every_node
from sweeper.store.base import Place

pytestmark = pytest.mark.ray

OBJECT_STORE = {"num_cpus": 1, "object_store_memory": 80 * 2**20}


@pytest.fixture
def address() -> Iterator[str]:
    cluster._private_token()
    from ray.cluster_utils import Cluster

    nodes = Cluster(initialize_head=True, head_node_args={"include_dashboard": False, **OBJECT_STORE})
    try:
        nodes.add_node(**OBJECT_STORE)
        yield str(nodes.address)
    finally:
        nodes.shutdown()


def test_every_node_is_examined_beside_the_driver(address: str, tmp_path: Path) -> None:
    from sweeper.cli.health.checks import diagnose

    checks = [str(each) for each in diagnose(tmp_path, Place(str(tmp_path / "store")), address, None)]
    assert f"ok   cluster: 2 nodes at {address}" in checks
    nodes = [each for each in checks if " node " in each]
    assert len({each.partition(":")[0] for each in nodes}) == 2
    assert all(each.startswith("ok   node ") for each in nodes), nodes

    with cluster.cluster(address):
        failed = on_every_node(json.loads, "{")
    assert [each.partition(":")[0] for each in failed.values()] == ["json.decoder.JSONDecodeError"] * 2
