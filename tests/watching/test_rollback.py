"""Running a rollback: what keeps a step from being run twice, and who may change anything."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from pytest_rollout.evidence.ledger import Ledger
from pytest_rollout.model.plan import Effect
from pytest_rollout.model.rollback import Rollback, StepOutcome
from pytest_rollout.watching.real_targets import RealPlace
from pytest_rollout.watching.record import Recording, Watched
from pytest_rollout.watching.rollback import Ran, Runner
from tests.cli.watched import PLAN, Service, serving
from tests.evidence.runs import EXIT, opened, plan_of

CHANGE = frozenset({Effect.OBSERVE, Effect.CHANGE})


@pytest.fixture
def service(monkeypatch: pytest.MonkeyPatch) -> Iterator[Service]:
    """The service that is changed."""
    with serving() as found:
        monkeypatch.setenv("DEMO_API", found.url)
        yield found


@pytest.fixture
def ledger(tmp_path: Path) -> Iterator[Ledger]:
    """An empty ledger."""
    with opened(tmp_path / "ledger.db") as made:
        yield made


def rollback() -> Rollback:
    """Of the plan: one step with a check, one without, one by hand."""
    return plan_of(PLAN).phases[1].rollback


def runner(ledger: Ledger, allow: frozenset[Effect] = CHANGE, trip: int = 0) -> Runner:
    """Somebody who runs it."""
    plan = plan_of(PLAN)
    watched = Watched(EXIT, "prod", (), plan.digest, {}, {})
    place = RealPlace("demo.canary", plan.environments["prod"], Path.cwd())
    return Runner(Recording(ledger, watched), place, Path.cwd(), allow, trip)


def outcomes(found: Iterator[Ran]) -> list[str]:
    """What became of each step."""
    return [one.outcome.value for one in found]


def test_each_step_is_done_once_a_trip(ledger: Ledger, service: Service) -> None:
    assert outcomes(runner(ledger).run(rollback())) == ["done", "done", "to be done by hand"]
    again = outcomes(runner(ledger).run(rollback()))
    assert again == ["already done", "already done", "to be done by hand"]
    service.traffic = "new"  # somebody changed it back
    later = ledger.head().sequence
    assert outcomes(runner(ledger, trip=later).run(rollback()))[:2] == ["done", "done"]
    assert service.paths() == ["/stop", "/page", "/stop", "/page"]


def test_a_step_that_somebody_began_is_not_run_beside_them(
    ledger: Ledger, service: Service
) -> None:
    one = runner(ledger)
    steps = rollback().steps
    one._record(Ran(1, steps[0], StepOutcome.BEGUN))
    assert outcomes(one.run(rollback())) == ["unknown", "left", "left"]
    assert service.paths() == []


def test_a_step_without_a_check_that_was_killed_is_a_persons_to_judge(
    ledger: Ledger, service: Service
) -> None:
    one = runner(ledger)
    only = replace(rollback(), steps=rollback().steps[1:2])
    one._record(Ran(1, only.steps[0], StepOutcome.BEGUN))
    (ran,) = one.run(only)
    assert (ran.outcome, "nobody said how it ended" in ran.because) == (StepOutcome.UNKNOWN, True)
    assert service.paths() == []


def test_a_check_that_does_not_hold_afterwards_is_a_failure(
    ledger: Ledger, service: Service, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(service, "post", lambda path, body: 200)
    (ran, *rest) = runner(ledger).run(rollback())
    assert ran.outcome is StepOutcome.FAILED
    assert ran.because == "it ran, and then body.traffic is 'new', expected 'old'"
    assert outcomes(iter(rest)) == ["left", "left"]


def test_where_no_change_is_allowed_nothing_is_changed(ledger: Ledger, service: Service) -> None:
    found = runner(ledger, frozenset({Effect.OBSERVE})).run(rollback(), keep_going=True)
    assert outcomes(found) == ["failed", "failed", "to be done by hand"]
    assert service.paths() == []
