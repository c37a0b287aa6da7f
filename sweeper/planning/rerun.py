"""Artifacts whose code changed while its version did not: they, and all that rests on them, are made again."""

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
    """Remove what other code or other packages made of some stages, whatever in the store rests on it, and what is
    known of their failures; say what was removed.

    What the present code has made stays, so that saying the same again after an interruption goes on. Raises
    SweeperError for a name that no stage of the sweep has.
    """
    known = {node.function.label for node in graph.stages.values()}
    for name in names:
        if name not in known:
            raise SweeperError(f"--rerun {name}: no stage is called '{name}'", fix=nearest(name, known))
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
        return f"  rerun: what is here of {of} was made by this code and these packages"
    return f"  rerun: {len(outdated)} of {of} and {len(order) - len(outdated)} that rest on them are made again"


def _is_outdated(node: Stage, manifest: Mapping[str, Any]) -> bool:
    module = node.function.module
    return bool(manifest["source"] != source_hash(module) or manifest["packages"] != packages(module))


def _resting_on(keys: Collection[str], manifests: Mapping[str, Mapping[str, Any]]) -> list[str]:
    """The artifacts, and all that were made from them at any depth: those last made first, so that an interruption
    leaves nothing that rests on what is gone."""
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
