"""What a look shows: changes, a table, JSON."""

from __future__ import annotations

import io
import sys
from dataclasses import replace

import pytest

from pytest_rollout.cli.watch_output import WatchOutput
from pytest_rollout.model.evidence import Seen
from pytest_rollout.watching.looking import WatchLook
from pytest_rollout.watching.state import standings
from pytest_rollout.watching.view import View
from tests.judge.worlds import NINE, SECOND, guardrail, plan_of, seen, world_of

PLAN = plan_of(guardrail('metric: m, each: {lane: [A, B]}, take: max, fail: "> 5"'))
ZONE = "America/New_York"


def look(t: int, *observed: Seen, trouble: tuple[str, ...] = ()) -> WatchLook:
    """A look so many seconds after nine."""
    at_us = NINE + t * SECOND
    world = world_of(PLAN, observed)
    found = standings(PLAN, PLAN.phases[0], world, world, at_us)
    return WatchLook(at_us, found, "v1", trouble, begun=True)


GOOD = (seen(1, 0, lane="A"), seen(2, 0, lane="B"))
BAD = (*GOOD, seen(9, 20, lane="B"))


def test_only_what_changed_is_a_line() -> None:
    view = View(ZONE, 15_000_000)
    (first,) = view.take(look(1, *GOOD))
    assert first.startswith("2025-11-10 09:00:01  g: lane A: quiet: max of m was 1")
    assert view.take(look(16, *GOOD)) == []
    (lost,) = view.take(look(18, *GOOD, trouble=("m: no answer",)))
    assert lost == "2025-11-10 09:00:18  not measured: m: no answer"
    assert view.take(look(19, *GOOD, trouble=("m: no answer",))) == []
    again, tripped = sorted(view.take(look(31, *BAD)))
    assert again == "2025-11-10 09:00:31  everything is measured again"
    assert tripped.startswith("2025-11-10 09:00:31  g: lane B: tripped: max of m was 9")


def test_the_table_says_what_is_allowed_since_when_and_what_is_next() -> None:
    view = View(ZONE, 15_000_000)
    view.take(look(1, *GOOD))
    view.take(look(31, *BAD))
    head, row, until, foot = view.table(look(46, *BAD))
    assert until == "g: tripped until `rollout reset p.one.g`"
    assert head.split() == ["guardrail", "state", "value", "limit", "since", "then"]
    assert "tripped  9 (lane B)  > 5    2025-11-10 09:00:31  rollback" in row
    assert foot == (
        "look 2 at 2025-11-10 09:00:46, release v1; next look 2025-11-10 09:01:01, every 15s; "
        "Ctrl-C ends"
    )


class Terminal(io.StringIO):
    """A terminal that remembers."""

    def isatty(self) -> bool:
        """It is one."""
        return True


def test_a_terminal_is_drawn_over_and_what_is_said_stays(monkeypatch: pytest.MonkeyPatch) -> None:
    terminal = Terminal()
    monkeypatch.setattr(sys, "stdout", terminal)
    monkeypatch.setenv("COLUMNS", "60")
    shown = WatchOutput(View(ZONE, 15_000_000), as_json=False)
    shown.look(look(1, *GOOD))
    shown.look(look(16, *GOOD))
    shown.line("note", "something to keep")
    shown.look(look(31, *GOOD))
    drawn = terminal.getvalue()
    assert drawn.count("\x1b[3F\x1b[J") == 1  # three lines over three lines, and none over the note
    assert all(len(line) <= 60 for line in drawn.replace("\x1b[3F\x1b[J", "").splitlines())


def test_another_watch_is_named_once() -> None:
    view = View(ZONE, 15_000_000)
    view.take(look(1, *GOOD))
    beside = replace(look(2, *GOOD), beside=(4711,))
    (said,) = view.take(beside)
    assert said.startswith("2025-11-10 09:00:02  another watch (process 4711) is running: ")
    assert view.take(look(3, *GOOD)) == []
    assert view.take(beside) == [], "it sealed a run, and began the next"
    assert any("process 4711" in line for line in view.table(beside))
    assert view.document(beside)["other_watches"] == [4711]
