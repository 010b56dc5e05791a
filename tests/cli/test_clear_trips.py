"""Trips that nobody reset hold a change, wherever they are on record."""

from __future__ import annotations

from tests.cli.clear_site import RESET, Site
from tests.cli.clear_site import site as site


def test_renaming_a_guardrail_lifts_no_trip_of_it(site: Site) -> None:
    site.decided()
    site.tripped()
    site.change("id: rail,", "id: lag,")
    site.decided("r2")
    answer = site.clear()
    assert answer.status == 11
    assert "demo.canary.rail tripped at" in answer.out
    assert "the plan does not state it any more: max of lag was 12" in answer.out
    assert "put the guardrail back under its name, or `rollout reset demo.canary.rail" in answer.out
    status = site.project.rollout("status", "--env", "prod")
    assert "demo.canary.rail" in status.out
    assert "the plan does not state it any more" in status.out
    assert "put the guardrail back under its name in the plan and fix it" in status.out
    site.change("id: lag,", "id: rail,")  # back under its name it still holds
    site.decided("r3")
    assert "demo.canary.rail tripped at" in site.clear().out


def test_a_trip_of_a_guardrail_that_is_gone_can_be_reset_once(site: Site) -> None:
    site.tripped()
    site.change("id: rail,", "id: lag,")
    wrong = site.project.rollout("reset", "demo.canary.rial", *RESET[2:])
    assert wrong.status == 4
    assert "states no guardrail `rial`" in wrong.err
    told = site.project.rollout(*RESET)
    assert told.status == 0, told.err
    assert "max of lag was 12 (the plan does not state it any more)" in told.out
    site.decided()
    assert site.clear().status == 0
    again = site.project.rollout(*RESET)
    assert again.status == 4
    assert "states no guardrail `rail`" in again.err
