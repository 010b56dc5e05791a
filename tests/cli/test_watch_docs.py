"""The example of docs/watching.md: a watch works exactly as it says, before a begin too."""

from __future__ import annotations

import re
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.cli.conftest import Project
from tests.cli.watched import Service, events, happen, serving

PAGE = Path(__file__).parents[2] / "docs" / "watching.md"
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
    first = "after a trip of errors it runs 1 of 2 steps (the rest is done by hand) by itself"
    assert lines[0] == f"watching demo.canary in prod: {first} (mode: auto)"
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
