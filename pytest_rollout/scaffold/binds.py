"""Existing tests as patterns that a plan binds: whole files where all of one count."""

from __future__ import annotations

import re
from collections import Counter, defaultdict
from collections.abc import Collection, Iterable, Iterator, Sequence
from dataclasses import replace

from pytest_rollout.model.node_id import NodeId, NodePattern
from pytest_rollout.scaffold.wishes import Group

_MOST_FILES = 30  # a criterion for each file up to here, for each folder above it


def chosen(nodes: Iterable[str], patterns: Sequence[str]) -> list[str]:
    """Return the ids that one of the patterns means, as `binds` of a plan reads them."""
    wanted = [NodePattern(pattern) for pattern in patterns]
    return [
        node
        for node in nodes
        if any(node_pattern.matches(NodeId.parse(node)) for node_pattern in wanted)
    ]


def grouped(nodes: Sequence[str], others: Collection[str], folder: str) -> tuple[Group, ...]:
    """Return the criteria that bind tests, by file or by folder.

    ``others`` are ids that no pattern may mean. ``folder`` is that of the plan.
    """
    by_file: dict[str, list[str]] = defaultdict(list)
    for node in nodes:
        by_file[NodeId.parse(node).path].append(node)
    places = {path: path for path in by_file}
    if len(by_file) > _MOST_FILES:
        places = {path: path.rpartition("/")[0] or path for path in by_file}
    groups: dict[str, list[str]] = defaultdict(list)
    for path, inside in by_file.items():
        groups[places[path]] += inside
    slugs = _slugs(groups)
    return tuple(
        Group(slugs[place], place, tuple(_binds(place, inside, others, folder)), tuple(inside))
        for place, inside in groups.items()
    )


def _slugs(places: Iterable[str]) -> dict[str, str]:
    """The id of each criterion: the file's name, with its folders where it is not alone."""
    short = {place: _slug(place.rpartition("/")[2]) for place in places}
    often = Counter(short.values())
    return {place: slug if often[slug] == 1 else _slug(place) for place, slug in short.items()}


def _slug(name: str) -> str:
    plain = name.removesuffix(".py").removeprefix("test_")
    return "tests-" + re.sub(r"[^a-z0-9]+", "-", plain.lower()).strip("-")


def _binds(place: str, nodes: Sequence[str], others: Collection[str], folder: str) -> Iterator[str]:
    """Yield the modules of a folder as one pattern where it means no others, else the shortest ids.

    A pattern of the folder also means the files that it gets later.
    """
    whole = NodePattern(f"{place}/*.py")
    ids = map(NodeId.parse, nodes)
    if all(whole.matches(node_id) for node_id in ids) and not chosen(others, [whole.text]):
        yield str(whole.parts.seen_from(folder))
    else:
        yield from _patterns(nodes, others, folder)


def _patterns(nodes: Iterable[str], others: Iterable[str], folder: str) -> Iterator[str]:
    """Yield the shortest ids that mean all of the nodes and none of the others."""
    avoided = {str(part) for other_node in others for part in _above(NodeId.parse(other_node))}
    done: set[str] = set()
    for node in nodes:
        steps = list(_above(NodeId.parse(node)))
        wide = next((step for step in steps if str(step) not in avoided), steps[-1])
        pattern = str(wide.seen_from(folder))
        if pattern not in done:
            done.add(pattern)
            yield pattern


def _above(node: NodeId) -> Iterator[NodeId]:
    """Yield the file of a test, its classes, its function and itself."""
    for count in range(len(node.names)):
        yield NodeId(node.path, node.names[:count])
    yield replace(node, parameters=None)
    if node.parameters is not None:
        yield node
