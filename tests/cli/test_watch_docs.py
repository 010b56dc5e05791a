"""docs/how-to/watch-and-roll-back.md: a watch works exactly as it says, before a begin too."""

from __future__ import annotations

import re
import time
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from pytest_rollout import calendar
from pytest_rollout.cli.watch_head import life
from tests.cli.conftest import Project
from tests.cli.watched import Service, events, happen, serving
from tests.evidence.runs import plan_of

PAGE = Path(__file__).parents[2] / "docs/how-to/watch-and-roll-back.md"
HEAD = """\
plan: demo
title: A demo
environments:
  prod:
    targets: {metrics: "${DEMO_API}", router: "${DEMO_API}"}
    allow: [observe, change]
"""
ENTRY = "    criteria: [{id: ready, gate: entry, kind: operational, says: It is ready}]\n"
BACK = "1. traffic goes back to the old release"


class Router(Service):
    """A router, and a Prometheus that knows how many errors there are."""

    def get(self, path: str) -> tuple[int, object]:
        if path == "/traffic":
            return 200, {"to": self.traffic}
        status, answer = super().get(path)
        value = answer["lag"] if isinstance(answer, dict) and "lag" in answer else None
        result = [{"metric": {}, "value": [time.time(), str(value)]}]
        data = {"resultType": "vector", "result": result}
        return status, {"status": "success", "data": data}

    def post(self, path: str, body: object) -> int:
        status = super().post(path, body)
        if path == "/traffic/old":
            self.traffic = "old"
        return status


@pytest.fixture
def router(project: Project, monkeypatch: pytest.MonkeyPatch) -> Iterator[Service]:
    """The plan of the page, completed to a whole one, on loopback targets."""
    (block,) = re.findall(r"```yaml\n(.*?)```", PAGE.read_text(encoding="utf-8"), re.DOTALL)
    assert "- id: canary\n" in block
    assert "over" not in block.replace("- id", "")
    project.plan.write_text(HEAD + block.replace("- id: canary\n", f"- id: canary\n{ENTRY}"))
    with serving(Router()) as service:
        monkeypatch.setenv("DEMO_API", service.url)
        monkeypatch.setenv("SLACK_WEBHOOK", f"{service.url}/hook")
        yield service


WATCH = ("watch", "demo.canary", "--env", "prod", "--every", "50ms", "--for", "30s")


@pytest.mark.parametrize("begun", [True, False])
def test_the_example_is_judged_trips_and_rolls_back(
    project: Project, router: Service, *, begun: bool
) -> None:
    if begun:
        with project.ledger() as ledger:
            happen(ledger)
    router.lags = [0, 0.4, 0.7]
    answer = project.rollout(*WATCH, "--execute")
    lines = answer.out.splitlines()
    assert answer.status == 12, answer.out + answer.err
    first = "after a trip of errors it runs 1 of 2 steps by itself"
    auto = "(mode: auto; the rest is done by hand)"
    assert lines[0] == f"watching demo.canary in prod: {first} {auto}"
    since = "since the phase began" if begun else "since the first watch"
    assert any(f"over 1 sample {since}" in line for line in lines), answer.out
    assert any(
        line.startswith("demo.canary.errors tripped: last of errors was 0.7") for line in lines
    )
    assert "slack: told" in lines
    assert any(line.strip().startswith(f"{BACK}: done") for line in lines)
    assert "left to do by hand: 2. the customer is called" in lines
    assert router.paths() == ["/hook", "/traffic/old"]
    with project.ledger() as ledger:
        (trip,) = events(ledger, "trip")
    assert trip["guardrail"] == "demo.canary.errors"


def test_a_trip_before_the_begin_latches_until_it_is_reset(
    project: Project, router: Service
) -> None:
    router.lags = [0.7]
    assert project.rollout(*WATCH).status == 12
    router.lags = [0]
    again = project.rollout(*WATCH)
    assert (again.status, "on record since" in again.out) == (12, True)
    by = ("--by", "A. Person", "--reason", "INC-7")
    assert project.rollout("reset", "demo.canary.errors", *by).status == 0
    assert project.rollout(*WATCH[:-1], "60ms").status == 0


def test_what_was_seen_before_the_begin_is_not_judged_after_it(
    project: Project, router: Service
) -> None:
    router.lags = [0.1]
    assert project.rollout(*WATCH[:-1], "60ms").status == 0
    with project.ledger() as ledger:
        happen(ledger)
    router.lags = [None]
    answer = project.rollout(*WATCH[:-1], "60ms")
    assert (answer.status, "errors: blind" in answer.out) == (11, True), answer.out


def test_a_phase_that_ended_begins_to_be_watched_anew(project: Project, router: Service) -> None:
    with project.ledger() as ledger:
        happen(ledger)
    router.lags = [0.1]
    assert project.rollout(*WATCH[:-1], "60ms").status == 0
    with project.ledger() as ledger:
        happen(ledger, "end")
    answer = project.rollout(*WATCH[:-1], "1ms")
    assert "over 1 sample since the first watch" in answer.out, answer.out


def test_the_head_says_who_began_it_and_what_is_left_of_the_window_that_ends_the_watch(
    project: Project, router: Service, monkeypatch: pytest.MonkeyPatch
) -> None:
    with project.ledger() as ledger:
        happen(ledger)
    now = datetime.now(UTC)
    window = (now - timedelta(hours=1), now + timedelta(seconds=1))
    monkeypatch.setattr(calendar, "phase_window", lambda *_: window)
    monkeypatch.setattr(calendar, "window_words", lambda *_: "02:00-03:00")
    lines = project.rollout(*WATCH).out.splitlines()
    assert re.match(r"  begin at \d{4}-\d\d-\d\d \d\d:\d\d:\d\d UTC$", lines[2]), "who, and when"
    assert lines[3] == "  its window is 02:00-03:00: less than a minute left"
    ended = "the watch ended: the phase's window is over (02:00-03:00); what it saw is sealed"
    assert lines[-1] == ended


def test_the_head_of_a_watch_before_the_begin_and_without_a_date(
    project: Project, router: Service
) -> None:
    lines = project.rollout(*WATCH[:-1], "60ms").out.splitlines()
    assert " for 0.06s: " in lines[1]
    assert lines[2:4] == [
        "  demo.canary has not begun in prod (rollout begin demo.canary begins it)",
        "  until then, what looks since its begin looks since the first watch",
    ]
    no_date = "the plan gives the phase no date, so the watch ends with `rollout end`, or Ctrl-C"
    assert not any(no_date in line for line in lines)  # it ends by itself
    plan = plan_of(project.plan.read_text())
    told = list(life(plan, plan.phases[0], None, "prod", datetime.now(UTC)))
    assert told[-1] == no_date


@pytest.mark.parametrize(
    ("change", "given", "does"),
    [
        (
            "",
            (),
            "does nothing by itself: `rollout watch demo.canary --env prod --execute` runs "
            "the steps",
        ),
        ("mode: ask", ("--execute", "--yes", "demo.canary"), "runs 1 of 2 steps by itself (--yes"),
        ("mode: ask", ("--execute", "--yes", "demo.day"), "does nothing by itself: --yes demo.day"),
        ("mode: ask", ("--execute",), "does nothing by itself: nobody is here to confirm it"),
        ("then: [pause]", ("--execute",), "only records what trips and tells people"),
    ],
)
def test_the_first_line_says_what_a_watch_does_by_itself(
    project: Project, router: Service, change: str, given: tuple[str, ...], does: str
) -> None:
    text = project.plan.read_text()
    old = {"mode: ask": "mode: auto", "then: [pause]": "then: [rollback]"}.get(change, "")
    assert old in text
    project.plan.write_text(text.replace(old, change) if change else text)
    router.lags = [0.7]
    answer = project.rollout(*WATCH[:-1], "60ms", *given)
    assert does in answer.out.splitlines()[0]
    acts = "runs 1 of 2" in answer.out.splitlines()[0]
    assert ("/traffic/old" in router.paths()) == acts, "it does what it said"
