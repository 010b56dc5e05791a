"""A rollback is never gated: nothing that holds back a change holds back the way out of one."""

from __future__ import annotations

import pytest

from tests.cli.conftest import Project
from tests.cli.test_watch import WATCH, service
from tests.cli.watched import PLAN, Service, happen

__all__ = ["service"]
FREEZE = "windows: {freeze: [{days: mon-sun, why: the whole year}]}\nphases:"
CLOSED = "windows: {change: [{days: mon-sun, risk: none}]}\nphases:"
HELD = {
    "a freeze of the calendar": ("phases:", FREEZE),
    "no change window": ("phases:", CLOSED),
    "the phase's day is over": ("    owners: [sre]\n", "    owners: [sre]\n    date: 2025-11-10\n"),
    "a required phase": ("    owners: [sre]\n", "    owners: [sre]\n    requires: [prep]\n"),
    "a signature": ("    owners: [sre]\n", "    owners: [sre]\n    signoff: [sre]\n"),
    "a freeze on record": ("", ""),
    "a release that nobody knows": (
        "release: {target: api, path: /version, json: version}\n",
        "",
    ),
}


@pytest.mark.parametrize("held", HELD)
def test_the_way_back_is_run_whatever_holds_a_change(
    project: Project, service: Service, held: str
) -> None:
    old, new = HELD[held]
    assert old in PLAN
    project.plan.write_text(PLAN.replace(old, new, 1))
    with project.ledger() as ledger:
        happen(ledger, "freeze")
        if held != "a freeze on record":
            happen(ledger, "resume")
    service.lags = [9]
    refused = project.rollout("clear", "demo.canary/entry", "--env", "prod")
    assert refused.status == 11
    answer = project.rollout(*WATCH, "--execute", "--yes", "demo.canary")
    assert answer.status == 12
    assert "1. traffic goes back: done" in answer.out, answer.out
    assert "/stop" in service.paths()
