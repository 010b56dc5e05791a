"""Where a run collects: below the plans that it asks for, and wherever they bind tests."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path

import pytest

from pytest_rollout.model.node_id import NodePattern
from pytest_rollout.model.plan import Plan
from pytest_rollout.plan.load import Loaded
from pytest_rollout.session.seams import collect_from, paths_were_given


def collect_below(
    config: pytest.Config, asked: Sequence[Loaded], *, selecting: bool
) -> tuple[str, ...]:
    """Let a run collect where checks of the asked plans can be; what it collects instead, shown.

    Nothing changes where the command line names paths. With ``selecting``, nothing but checks of
    these plans can be selected, so nothing else is collected. Else they are collected as well,
    whatever `testpaths` says.
    """
    if paths_were_given(config) or not asked:
        return ()
    needed = list(dict.fromkeys(place for loaded in asked for place in _places(loaded)))
    if selecting:
        collect_from(config, needed)
        return tuple(_shown(place, config.rootpath) for place in needed)
    usual = [Path(config.invocation_params.dir, argument).resolve() for argument in config.args]
    more = [place for place in needed if not any(place.is_relative_to(one) for one in usual)]
    if more:
        collect_from(config, [*usual, *more])
    return tuple(_shown(place, config.rootpath) for place in more)


def _places(loaded: Loaded) -> Iterator[Path]:
    """The folder of a plan, and the files and folders outside of it whose tests it binds."""
    folder = loaded.path.parent.resolve()
    yield folder
    for pattern in binds_of(loaded.plan):
        place = Path(folder, NodePattern(pattern).place).resolve()
        if place.exists() and not place.is_relative_to(folder):
            yield place


def binds_of(plan: Plan | None) -> Iterable[str]:
    """Every pattern by which a plan binds tests."""
    stated = plan.criteria() if plan else ()
    return (pattern for _, criterion in stated for pattern in criterion.binds)


def _shown(place: Path, root: Path) -> str:
    inside = place.is_relative_to(root.resolve())
    return place.relative_to(root.resolve()).as_posix() if inside else str(place)
