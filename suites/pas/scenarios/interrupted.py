"""A run on the full service that is in the middle of its tasks when the service is restarted."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import timedelta

from pytest_rollout import LiveTarget, NoValueError, Reported, Stage, every, scenario
from suites.pas.scenarios.bursting import Kept
from suites.pas.views.executed import to_their_end
from suites.pas.views.lines import lines
from suites.pas.views.pas import Card, Pas, full_of
from suites.pas.views.store import Store

_TASKS, _MOST_S = 4, 120


@dataclass(frozen=True, slots=True)
class Interrupted:
    """The run in the middle, right before and after the restart, and in the end."""

    run: str
    before: Kept
    after: Kept
    end: Kept
    restarted: Reported  # as it is on record


@scenario(effect="change")
def interrupted(phase: Stage) -> Interrupted:
    """Tasks in a row, and one beside them; once some are done and others run, a restart."""
    target, pas = phase.target("pas"), Pas(full_of(phase))
    run = pas.new_run("interrupted")
    pas.card(run, "Narrative")
    last: Sequence[Card] = ()
    for _ in range(_TASKS):
        last = [pas.card(run, "Vector-Ops", last)]
    pas.start(run).text("status")
    _to_the_middle(target, pas, run)
    store = Store.named_in(phase.file("receipts"))
    before = Kept.by(store, pas, [run])
    phase.operate("pas", "restart")
    after = Kept.by(store, pas, [run])
    to_their_end(target, pas, [run], _MOST_S)
    told = lines(phase.file("restarts"), "record of restarts")
    return Interrupted(run, before, after, Kept.by(store, pas, [run]), told[-1])


def _to_the_middle(target: LiveTarget, pas: Pas, run: str) -> None:
    for _ in every(target.clock, 1, until=target.clock.now() + timedelta(seconds=_MOST_S)):
        said: Reported = pas.status(run)
        if said.whole("tasks_completed") >= 1 and said.whole("tasks_running") >= 1:
            return
    raise NoValueError(f"{run} was never in the middle: no task was done while another ran")
