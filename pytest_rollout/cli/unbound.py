"""Tests that a plan does not ask for: in files that it binds, and in files beside them."""

from __future__ import annotations

import os
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from fnmatch import fnmatch
from pathlib import Path
from typing import Any

from pytest_rollout.cli.strays import MODULES
from pytest_rollout.model.bindings import Bindings
from pytest_rollout.model.node_id import NodeId, NodePattern
from pytest_rollout.model.plan import Criterion, Phase, Plan
from pytest_rollout.plan import bindings
from pytest_rollout.report.fact_words import count

_MOST_TESTS = 3
_MOST_FILES = 5
_MOST_OF_A_FOLDER = 0.5


def files_beside(root: Path, plan: Plan) -> list[str]:
    """Return the modules of tests that a plan binds nothing of, where it binds most of the folder.

    Of a folder of which it binds a part, the rest was left out on purpose.
    """
    patterns = [
        NodePattern(text) for _, criterion in plan.criteria() for text in plan.bound_ids(criterion)
    ]
    bound = [path for place in _places(root, patterns) for path in _modules(root, place)]
    bound = [path for path in dict.fromkeys(bound) if _means(patterns, path)]
    folders = dict.fromkeys(path.rpartition("/")[0] for path in bound)
    own = plan.path.rpartition("/")[0]
    return [
        path
        for folder in folders
        for path in _beside(_direct(root, folder), bound)
        if not own or not path.startswith(f"{own}/")
    ]


def unlike(
    root: Path, plan: Plan, collected: Mapping[str, Any], beside: Collection[str]
) -> tuple[list[str], list[str]]:
    """Return what bindings.txt or a criterion lacks: problems and remarks.

    ``collected`` is what a collection binds, ``beside`` are the files of :func:`files_beside`.
    Raises RolloutError where the list cannot be read.
    """
    listed = bindings.listed(root / plan.path, root)
    items = {
        name: nodes for name, nodes in collected["items"].items() if name.startswith(f"{plan.id}.")
    }
    new = list(_unbound(plan, items, collected["unasked"], beside))
    new += _unlisted(plan, listed, items) if listed is not None else ()
    gone = list(_uncollected(listed, items)) if listed is not None else []
    return (gone + new, []) if plan.bindings is Bindings.STRICT else (gone, new)


def _unbound(
    plan: Plan,
    items: Mapping[str, Sequence[str]],
    unasked: Iterable[str],
    beside: Collection[str],
) -> Iterator[str]:
    """Yield a remark for each file whose tests no criterion of a plan asks for.

    ``items`` are those of each criterion (full id), ``unasked`` those that nothing is bound to,
    ``beside`` the files of :func:`files_beside`.
    """
    criteria = {
        plan.address(phase.id).full(criterion.id): (phase, criterion)
        for phase, criterion in plan.criteria()
    }
    binding: dict[str, tuple[Phase, Criterion]] = {}
    for name, nodes in items.items():
        if name in criteria:
            binding |= {NodeId.parse(node).path: criteria[name] for node in nodes}
    by_file: dict[str, list[NodeId]] = {}
    for node in map(NodeId.parse, unasked):
        if node.path in binding or node.path in beside:
            by_file.setdefault(node.path, []).append(node)
    for path in list(by_file)[:_MOST_FILES]:
        mine = by_file[path]
        shown = _shown_of([node.name for node in mine], "test")
        fix = _fix(plan, mine[0], binding.get(path))
        yield f"{plan.id}: in {path} no criterion asks for {shown} ({fix})"
    if len(by_file) > _MOST_FILES:
        files = count(len(by_file) - _MOST_FILES, "more file")
        yield f"{plan.id}: {files} hold tests that no criterion asks for"


def _uncollected(
    listed: Mapping[str, Sequence[str]], items: Mapping[str, Sequence[str]]
) -> Iterator[str]:
    """Yield each check that the reviewed list has and that is not collected."""
    for name in sorted(listed):
        here = set(items.get(name, ()))
        gone = (node for node in dict.fromkeys(listed[name]) if node not in here)
        yield from (f"{name}: {node} is listed, but not collected" for node in gone)


def _unlisted(
    plan: Plan, listed: Mapping[str, Sequence[str]], items: Mapping[str, Sequence[str]]
) -> Iterator[str]:
    """Yield a remark for each criterion of which the reviewed list lacks collected checks."""
    for name in sorted(items):
        there = set(listed.get(name, ()))
        new = [node for node in dict.fromkeys(items[name]) if node not in there]
        if new:
            lacks = f"{bindings.NAME} lacks {_shown_of(new, 'check')}"
            fix = f"review them: `rollout check {plan.id} --write-bindings` writes it anew"
            yield f"{name}: {lacks} ({fix})"


def _shown_of(names: Sequence[str], noun: str) -> str:
    """``4 tests: a, b, c and 1 more``."""
    rest = len(names) - _MOST_TESTS
    more = f" and {rest} more" if rest > 0 else ""
    return f"{count(len(names), noun)}: {', '.join(names[:_MOST_TESTS])}{more}"


def _fix(plan: Plan, node: NodeId, binding: tuple[Phase, Criterion] | None) -> str:
    """The line of the plan that adds a test."""
    folder = plan.path.rpartition("/")[0]
    here = node.seen_from(folder)
    if binding is None:
        slug = Path(node.path).stem.removeprefix("test_").replace("_", "-").lower()
        above = here.path.rpartition("/")[0]
        line = f'{{id: tests-{slug}, kind: operational, binds: ["{here.path}"]}}'
        all_of_it = f'`binds: ["{above}"]` takes all that is ever in the folder'
        return f"state `{line}` among its criteria; {all_of_it}"
    phase, criterion = binding
    if not criterion.binds:
        return f'mark it `criterion("{criterion.id}")` or another one of {phase.id}'
    where = f"{plan.path}:{criterion.line}"
    return (
        f'add "{here}" to `binds:` of {criterion.id}, {where}; '
        f'"{here.path}" takes all that is ever in the file'
    )


def _places(root: Path, patterns: Collection[NodePattern]) -> list[Path]:
    return [root / place for place in dict.fromkeys(pattern.place for pattern in patterns)]


def _modules(root: Path, place: Path) -> Iterator[str]:
    """The modules of tests that a place is, or that stand below it."""
    if place.is_file():
        yield _shown(root, place)
    for folder, _, names in os.walk(place):
        yield from (_shown(root, Path(folder, name)) for name in sorted(names) if _is_module(name))


def _direct(root: Path, folder: str) -> list[str]:
    names = sorted(path.name for path in (root / folder).iterdir())
    return [f"{folder}/{name}" if folder else name for name in names if _is_module(name)]


def _beside(modules: Sequence[str], bound: Collection[str]) -> list[str]:
    """The modules that are not bound; empty where too many are not."""
    left = [path for path in modules if path not in bound]
    return left if len(left) <= _MOST_OF_A_FOLDER * len(modules) else []


def _is_module(name: str) -> bool:
    return any(fnmatch(name, pattern) for pattern in MODULES)


def _means(patterns: Collection[NodePattern], path: str) -> bool:
    return any(pattern.may_mean_file(path) for pattern in patterns)


def _shown(root: Path, path: Path) -> str:
    return Path(os.path.relpath(path, root)).as_posix()
