"""How a plan states its change windows, freezes and nights."""

from __future__ import annotations

from datetime import date, datetime, time
from pathlib import Path

import pytest

from pytest_rollout.model.plan import Plan
from pytest_rollout.model.windows import Hours, Risk, Window
from pytest_rollout.plan.load import Loaded, parse

PLAN = "plan: x\ntimezone: America/New_York\nphases: [{id: a}]\n"


def loaded(more: str) -> Loaded:
    return parse(PLAN + more, Path("s/x/rollout.yaml"), "x")


def plan(more: str) -> Plan:
    found = loaded(more)
    assert found.plan is not None
    assert not found.problems, found.problems
    return found.plan


def freeze(words: str) -> Window:
    (one,) = plan(f"windows: {{freeze: [{{{words}}}]}}\n").freezes
    return one


@pytest.mark.parametrize(
    ("words", "window"),
    [
        ("days: mon-thu", Window(frozenset({0, 1, 2, 3}))),
        ("days: [mon, wed-thu]", Window(frozenset({0, 2, 3}))),
        ("days: sat-mon", Window(frozenset({5, 6, 0}))),
        ('hours: "22:00-02:00"', Window(hours=Hours(time(22), time(2)))),
        ('hours: "22:00-24:00"', Window(hours=Hours(time(22), time(0)))),
        ('hours: "00:00-24:00"', Window(hours=Hours(time(0), time(0)))),
        ("date: 2025-12-24", Window(first=date(2025, 12, 24), last=date(2025, 12, 24))),
        ("from: 2025-12-20", Window(first=date(2025, 12, 20))),
        (
            'from: 2025-12-20, to: 2026-01-02, days: fri, hours: "09:00-12:00"',
            Window(
                frozenset({4}),
                Hours(time(9), time(12)),
                first=date(2025, 12, 20),
                last=date(2026, 1, 2),
            ),
        ),
        (
            "from: 2025-12-20 18:00, to: 2026-01-05 08:00",
            Window(stretch=(datetime(2025, 12, 20, 18), datetime(2026, 1, 5, 8))),
        ),
        (
            "from: 2025-12-20T18:00, to: 2026-01-05",
            Window(stretch=(datetime(2025, 12, 20, 18), datetime(2026, 1, 6))),
        ),
        (
            "risk: low, why: year end, zone: Europe/Berlin",
            Window(risk=Risk.LOW, why="year end", zone="Europe/Berlin"),
        ),
    ],
)
def test_windows_are_read(words: str, window: Window) -> None:
    assert freeze(words) == window


@pytest.mark.parametrize(
    ("words", "said"),
    [
        ('hours: "09:00-09:00"', "begin and end at once"),
        ("days: [mon, xyz]", "'xyz' are no days"),
        ("days: []", "`days` names none"),
        ("zone: Europe/Berln", "unknown timezone `Europe/Berln` (did you mean `Europe/Berlin`?)"),
        ("zone: ../etc", "unknown timezone"),
        ("date: 2025-02-30", "is no day"),
        ("date: 2025-12-24, days: mon", "`days` besides `date`"),
        ("date: 2025-12-24, to: 2025-12-26", "`to` besides `date`"),
        ("from: 2025-12-24, to: 2025-12-23", "ends before it begins"),
        ("from: 2025-12-24 10:00, to: 2025-12-24 10:00", "ends before it begins"),
        ("from: 2025-12-24 10:00", "a time of day, but no `to`"),
        ("to: 2025-12-24 10:00", "a time of day, but no `from`"),
        ("from: 2025-12-24 25:00, to: 2026-01-01", "is no moment"),
        ("from: 2025-12-24 10:00+01:00, to: 2026-01-01", "is no day"),
        ("from: 2025-12-24 10:00, to: 2026-01-01, days: mon", "`days` besides `from` or `to`"),
        ("from: 2025-12-22, to: 2025-12-24, days: fri", "none of its `days` lies between"),
    ],
)
def test_a_window_that_cannot_be_meant_is_an_offence(words: str, said: str) -> None:
    found = loaded(f"windows: {{freeze: [{{{words}}}]}}\n")
    assert [one for one in found.problems if said in str(one)], found.problems


def test_nights_have_hours_of_the_plan() -> None:
    assert plan('nights: "21:00-05:00"\n').nights == Hours(time(21), time(5))
    assert plan("").nights is None
    assert "no hours" in str(loaded("nights: 2\n").problems)
