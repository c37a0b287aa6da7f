"""Discard artifacts whose code changed but not its version, with all artifacts that depend on them."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from graphlib import TopologicalSorter
from typing import Any

from sweeper.errors import SweeperError, nearest
from sweeper.planning.graph import Graph
from sweeper.store.base import Store
from sweeper.trainable.provenance import packages
from sweeper.trainable.source import source_hash
from sweeper.trainable.stage import Stage


def discard_outdated(graph: Graph, store: Store, names: Sequence[str]) -> str:
    """Remove artifacts of some stages made by other code or packages, all that depend on them, and recorded failures.

    Artifacts of the present code stay, so the same command resumes after an interruption. Returns a line that reports
    what was removed. Raises SweeperError for an unknown stage.
    """
    known = {node.function.label for node in graph.stages.values()}
    for name in names:
        if name not in known:
            raise SweeperError(f"--rerun {name}: unknown stage '{name}'", fix=nearest(name, known))
    named = {key: node for key, node in graph.stages.items() if node.function.label in names}
    for key in named:
        store.failures.forget(key)
    manifests = store.manifests(store.all_keys())
    outdated = {key for key, node in named.items() if key in manifests and _is_outdated(node, manifests[key])}
    order = _resting_on(outdated, manifests)
    for key in order:
        store.discard(key)
    of = ", ".join(names)
    if not outdated:
        return f"  rerun: all artifacts of {of} were made by the present code and packages"
    return f"  rerun: discarded {len(outdated)} artifacts of {of} and {len(order) - len(outdated)} that depend on them"


def _is_outdated(node: Stage, manifest: Mapping[str, Any]) -> bool:
    module = node.function.module
    return bool(manifest["source"] != source_hash(module) or manifest["packages"] != packages(module))


def _resting_on(keys: Collection[str], manifests: Mapping[str, Mapping[str, Any]]) -> list[str]:
    """Return the artifacts and all that depend on them, dependents first: an interruption then leaves no artifact whose
    inputs are gone."""
    taken: list[str] = []
    found = set(keys)
    inputs = {key: set(_inputs(manifest)) for key, manifest in manifests.items()}
    for key in TopologicalSorter(inputs).static_order():
        if key in found or not found.isdisjoint(inputs.get(key, ())):
            found.add(key)
            taken.append(key)
    return taken[::-1]


def _inputs(manifest: Mapping[str, Any]) -> list[str]:
    return [key for keys in manifest["inputs"].values() for key in ([keys] if isinstance(keys, str) else keys)]
