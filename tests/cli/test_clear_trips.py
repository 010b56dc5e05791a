"""Trips that nobody reset hold a change, wherever they are on record."""

from __future__ import annotations

import time
from collections.abc import Callable

import pytest

from pytest_rollout.evidence.bodies import StoredEvent
from pytest_rollout.evidence.phase_life import PhaseLife
from pytest_rollout.model.verdict import Answer as Decided
from tests.cli.clear_site import RESET, Site
from tests.cli.clear_site import site as site
from tests.cli.conftest import Answer
from tests.evidence.runs import EXIT, Writer


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


RAIL = 'metric: errors, take: max, fail: "> 9"'
AFTER = """\
  - id: after
    owners: [sre]
    requires: [NAME]
    criteria:
      - {id: well, gate: entry, kind: operational, says: All is well}
"""


@pytest.fixture(params=["demo", "other"])
def after(site: Site, request: pytest.FixtureRequest) -> Callable[[], Answer]:
    """Asks about a phase that requires demo.canary, of the same plan or of another one."""
    site.change('metric: lag, take: max, fail: "> 9", over: [{span: 5m}]', RAIL)
    text = site.project.plan.read_text()
    if request.param == "demo":
        site.project.plan.write_text(text + AFTER.replace("NAME", "canary"))
    else:
        head = text.partition("phases:\n")[0].replace("plan: demo", "plan: other")
        other = site.project.root / "suites" / "other" / "rollout.yaml"
        other.parent.mkdir(parents=True)
        other.write_text(f"{head}phases:\n{AFTER.replace('NAME', 'demo.canary')}")
    with site.project.ledger() as ledger:
        began = StoredEvent(type="begin", t_us=time.time_ns() // 1000 - 9_000_000, says="it began")
        PhaseLife(ledger, EXIT, "prod").record(began)
    accepted(site, "x1")
    return lambda: site.project.rollout("clear", f"{request.param}.after", "--env", "prod")


def accepted(site: Site, run: str) -> None:
    """The exit of demo.canary is GO."""
    writer = site.writer(run, gate=EXIT)
    writer.start()
    writer.manifest()
    writer.checks(t_us=writer.ledger_now() - 3_000_000)
    writer.seal()
    decision = writer.decide().judged()
    assert decision.answer is Decided.GO, decision.reasons


@pytest.mark.parametrize("answer", [Decided.ROLLBACK, Decided.HOLD])
def test_a_trip_of_a_required_phase_holds_until_it_is_reset(
    site: Site, after: Callable[[], Answer], answer: Decided
) -> None:
    assert "demo.canary" not in after().out
    site.tripped(answer)
    told = after()
    assert told.status == 11
    assert "demo.canary.rail tripped at" in told.out
    assert "`rollout reset demo.canary.rail --env prod" in told.out
    assert site.project.rollout(*RESET).status == 0
    assert "tripped at" not in after().out


def test_a_required_phase_that_was_rolled_back_must_be_go_anew(
    site: Site, after: Callable[[], Answer]
) -> None:
    site.tripped()
    assert site.project.rollout(*RESET).status == 0
    told = after()
    assert "demo.canary/exit was GO before the ROLLBACK" in told.out
    with site.project.ledger() as ledger:
        writer = Writer(ledger, "embedded-run")
        writer.good()
    assert "must be GO anew" in after().out
    accepted(site, "x2")
    assert "must be GO anew" not in after().out
