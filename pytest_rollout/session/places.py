"""Where a run collects: below the plans that it asks for, and wherever they bind tests."""

from __future__ import annotations

import os
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
    needed = list(dict.fromkeys(place for loaded in asked for place in places_of(loaded)))
    if selecting:
        collect_from(config, needed)
        return tuple(_shown(place, config.rootpath) for place in needed)
    usual = [Path(config.invocation_params.dir, argument).resolve() for argument in config.args]
    more = [
        place
        for place in needed
        if not any(place.resolve().is_relative_to(folder) for folder in usual)
    ]
    if more:
        collect_from(config, [*config.args, *more])
    return tuple(_shown(place, config.rootpath) for place in more)


def places_of(loaded: Loaded) -> Iterator[Path]:
    """Yield the folder of a plan, and the files and folders outside of it whose tests it binds."""
    folder = loaded.path.parent  # as pytest sees it: links are not followed
    yield folder
    for pattern in binds_of(loaded.plan):
        place = Path(os.path.normpath(folder / NodePattern(pattern).place))
        if place.exists() and not place.is_relative_to(folder):
            yield place


def binds_of(plan: Plan | None) -> Iterable[str]:
    """Every pattern by which a plan binds tests."""
    stated = plan.criteria() if plan else ()
    return (pattern for _, criterion in stated for pattern in criterion.binds)


def _shown(place: Path, root: Path) -> str:
    return place.relative_to(root).as_posix() if place.is_relative_to(root) else str(place)
