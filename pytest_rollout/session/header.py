"""What a run says before its first test: what it decides, where, and what it may do there."""

from __future__ import annotations

import os
import shlex
from collections.abc import Sequence
from typing import TYPE_CHECKING

import pytest

from pytest_rollout.plan import find
from pytest_rollout.redact import hide
from pytest_rollout.session.asking import asked_phases, replaced
from pytest_rollout.session.misspelt import unknown_to_all
from pytest_rollout.session.request import Request

if TYPE_CHECKING:
    from pytest_rollout.session.finishing import Finishing


class Header:
    """Says before the first test what will be decided, and where."""

    def __init__(
        self, request: Request, finishing: Finishing | None, patterns: Sequence[str]
    ) -> None:
        self._request = request
        self._patterns = patterns
        self._finishing = finishing

    def pytest_report_header(self, config: pytest.Config) -> list[str]:
        """Environment, gates and release of a deciding run; broken plans and odd marks of any."""
        request = self._request
        lines = [
            f"rollout: {loaded.problems[0]} (not asked)"
            for loaded in request.loaded
            if loaded.problems and loaded not in request.broken
        ]
        lines += [f"rollout: {note}" for note in find.unread(request.root, self._patterns)]
        if not request.deciding:
            unknown = unknown_to_all(config, request.plans)
            return [*lines, *([_plain(f"rollout: {unknown}")] if unknown else [])]
        gates = ", ".join(str(gate) for gate in request.gates)
        lines.append(
            f"rollout: {gates} in {request.environment} ({request.environment_source}), "
            f"run {request.run}"
        )
        lines += [f"rollout: {why}" for why in request.why]
        lines.append(f"rollout: {self._allowed()}{self._release()}{self._drill()}")
        lines.append(f"rollout: {request.alone or f'evidence goes to {request.ledger}'}")
        if request.places:
            lines.append(f"rollout: collects {', '.join(request.places)}")
        lines += [f"rollout: partial run: {why}" for why in request.partial]
        return [_plain(line) for line in lines]

    def pytest_terminal_summary(
        self, terminalreporter: pytest.TerminalReporter, config: pytest.Config
    ) -> None:
        """Say that a phase was asked for, and that a later `-m` took its place."""
        if self._request.asked or config.getoption("rollout_phase"):
            return
        plans = self._request.plans
        kept = config.getoption("markexpr", "")
        for lost in replaced(_words(config)):
            names = [plan.address(phase.id).name for plan, phase in asked_phases(plans, lost, [])]
            if names:
                line = (
                    f"rollout: no gate was asked: the last -m counts, -m {kept!r}, and not "
                    f"-m {lost}, which asks for {', '.join(names)}"
                )
                terminalreporter.write_line(_plain(line))
                return

    def _allowed(self) -> str:
        plan, _ = self._request.asked[0]
        allow = self._request.environment_of(plan).allow
        ordered = sorted(allow, key=lambda effect: effect.rank)
        return "may " + ", ".join(effect.value for effect in ordered)

    def _release(self) -> str:
        releases = self._finishing.releases if self._finishing else {}
        return "".join(
            f"; {plan} runs {fact.release or 'an unknown release'}"
            + (f" ({fact.error})" if fact.error else "")
            for plan, fact in releases.items()
        )

    def _drill(self) -> str:
        return "; a drill, with a fault on purpose" if self._request.drill else ""


def _words(config: pytest.Config) -> list[str]:
    """The words of the command line in pytest's order: of the ini file, the variable, the call."""
    ini = [str(word) for word in config.getini("addopts")]
    variable = shlex.split(os.environ.get("PYTEST_ADDOPTS", ""))
    return [*ini, *variable, *map(str, config.invocation_params.args)]


def _plain(line: str) -> str:
    from pytest_rollout.report.terminal_text import plain  # most runs say nothing

    return plain(hide(line))
