"""How an invocation limits what a run can see: options that store nothing, or narrow it."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path

import pytest

from pytest_rollout.model.node_id import NodeId

_LOOKING = {
    "collectonly": "--collect-only",
    "setupplan": "--setup-plan",  # before --setup-only, which it turns on as well
    "setuponly": "--setup-only",
    "showfixtures": "--fixtures",
    "show_fixtures_per_test": "--fixtures-per-test",
    "markers": "--markers",
    "cacheshow": "--cache-show",
    "help": "--help",
    "version": "--version",
}


def looks(config: pytest.Config) -> str:
    """The option by which pytest was asked to look rather than to run; empty where it runs."""
    given = (option for name, option in _LOOKING.items() if config.getoption(name, False))
    return next(given, "")


def narrowed(config: pytest.Config, plan_files: Sequence[Path]) -> Iterator[str]:
    """Why the collection cannot have seen every check of the asked plans, if so."""
    paths = [_collected(config, argument) for argument in config.args]
    for file in dict.fromkeys(plan_files):
        folder = file.parent.resolve()
        if not any(path is not None and folder.is_relative_to(path) for path in paths):
            shown = " ".join(config.args)[:200]
            where = file.parent.relative_to(config.rootpath).as_posix()
            yield f"collected only {shown}, not all of {where}"
    if plan_files:
        for name, option in (("lf", "--lf"), ("stepwise", "--stepwise")):
            if config.getoption(name, False):
                yield f"{option} leaves checks out"
        yield from _ignored(config, [file.parent.resolve() for file in plan_files])


def _collected(config: pytest.Config, argument: str) -> Path | None:
    """The folder that an argument collects whole; None where it selects inside one."""
    if NodeId.parse(argument).names or config.getoption("pyargs", False):
        return None
    path = Path(config.invocation_params.dir, argument)
    if not path.exists():
        path = config.rootpath / argument
    path = path.resolve()
    return path if path.is_dir() else None


def _ignored(config: pytest.Config, folders: Sequence[Path]) -> Iterator[str]:
    for ignored in config.getoption("ignore", None) or []:
        path = Path(config.invocation_params.dir, ignored).resolve()
        if any(path.is_relative_to(f) or f.is_relative_to(path) for f in folders):
            yield f"--ignore={ignored} leaves checks out"
    for pattern in config.getoption("ignore_glob", None) or []:
        yield f"--ignore-glob={pattern} may leave checks out"
