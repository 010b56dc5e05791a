"""The exit status of a run that asked for a phase: 0 is the gate's to give, and nobody else's."""

from __future__ import annotations

import sys
from collections.abc import Sequence

import pytest

from pytest_rollout.model.errors import RolloutError
from pytest_rollout.model.verdict import Answer
from pytest_rollout.plan import find
from pytest_rollout.session.asking import asked_from, asked_phases
from pytest_rollout.session.finishing import FINISHING
from pytest_rollout.session.narrowing import looks
from pytest_rollout.session.seams import is_worker, paths_were_given


def last_word(config: pytest.Config, patterns: Sequence[str], status: object) -> object:
    """The status to leave with: another than 0 where a phase was asked for and is not GO.

    Hooks of others may have set 0 after the gate answered, or have kept it from answering.
    """
    if status != 0 or is_worker(config):
        return status
    finishing = config.stash.get(FINISHING, None)
    if finishing is not None and finishing.status is not None:
        return finishing.status
    names = _asked(config, patterns)
    if not names:
        return status
    why = f"{looks(config)} runs nothing" if looks(config) else "no decision was made"
    _tell(config, f"rollout: HOLD: {', '.join(names)} was asked for, and {why}")
    return Answer.HOLD.exit_status


def _asked(config: pytest.Config, patterns: Sequence[str]) -> list[str]:
    """The phases that the command line asks for, in plans that can be read."""
    loaded = find.load_all(config.rootpath, patterns)
    plans = [file.plan for file in loaded if file.plan and not file.problems]
    expression = config.getoption("markexpr", "") or ""
    try:
        named = config.getoption("rollout_phase")
        asked = asked_phases(plans, expression, named)
        if not paths_were_given(config):
            asked = asked_from(config.invocation_params.dir, config.rootpath, asked, named)
    except RolloutError:
        return []
    return [plan.address(phase.id).name for plan, phase in asked]


def _tell(config: pytest.Config, line: str) -> None:
    """A line at the end, on pytest's terminal where there is one."""
    reporter = config.pluginmanager.get_plugin("terminalreporter")
    if reporter is not None:
        reporter.ensure_newline()
        reporter.write_line(line)
    else:
        print(line, file=sys.stderr)  # noqa: T201 - pytest was kept from making its terminal
