"""Runs that are paused, resumed, ended and never given work."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta

import httpx

from pytest_rollout import LiveTarget, Reported, Stage, every, scenario
from suites.pas.views.pas import ENDED, Pas

STILL_S, _LIMIT = 40, timedelta(minutes=4)
WHY = "the suite tries it"
WAITS_S = 300  # that a run without a card is given, by the contract
_LANES = ("Narrative", "Code-Impl", "Vector-Ops", "Vector-Ops", "Vector-Ops", "Data-Schema")


@dataclass
class Controlled:
    """A run that was paused, resumed and executed to its end, and one that was terminated."""

    embedded: bool
    why: str = WHY  # the other was terminated
    answers: dict[str, httpx.Response] = field(default_factory=dict)
    paused: list[Reported] = field(default_factory=list)  # looks while it was paused
    resumed: list[Reported] = field(default_factory=list)  # afterwards, up to its end
    terminated: list[Reported] = field(default_factory=list)  # looks after the end of the other


@dataclass(frozen=True)
class Empty:
    """A run that was started without a card."""

    started: httpx.Response
    looks: Sequence[Reported]  # before it had any; none where the start was refused
    fed: Reported | None  # the end of it, once it had a card
    waits: Reported | None = None  # another one that never has any, just before its time is over
    late: Reported | None = None  # and after it
    kept: Reported | None = None  # the first once more, long after its end


@scenario(effect="change")
def controlled(phase: Stage) -> Controlled:
    """Long and short tasks on one pair of places, so that some wait; then the verbs one by one."""
    target = phase.target("pas")
    pas, told = Pas(target.client), Controlled(phase.embedded)
    first, second = (_begun(pas, told, name) for name in ("paused", "ended"))
    target.clock.advance(1)
    told.answers["pause"] = pas.control("pause", first)
    told.answers["terminate"] = pas.control("terminate", second, reason=WHY)
    for _ in every(target.clock, STILL_S / 4, until=_in(target, STILL_S)):
        told.paused.append(pas.status(first))
        told.terminated.append(pas.status(second))
    told.answers["resume"] = pas.control("resume", first)
    for _ in every(target.clock, 4, until=_in(target, _LIMIT.total_seconds())):
        told.resumed.append(pas.status(first))
        if told.resumed[-1].text("status") in ENDED:
            break
    told.terminated.append(pas.status(second))
    return told


def _begun(pas: Pas, told: Controlled, why: str) -> str:
    run = pas.new_run(why)
    for lane in _LANES:
        pas.card(run, lane)
    told.answers[f"start {why}"] = pas.control("start", run)
    return run


def _in(target: LiveTarget, seconds: float) -> datetime:
    return target.clock.now() + timedelta(seconds=seconds)


@scenario(effect="change")
def empty(phase: Stage) -> Empty:
    """A run is started without a card, watched for a while, and given one in the end."""
    target = phase.target("pas")
    pas = Pas(target.client)
    run = pas.new_run("empty")
    started = pas.control("start", run)
    if started.status_code != httpx.codes.OK:
        return Empty(started, (), None)
    looks = [pas.status(run)]
    for _ in range(4):
        target.clock.advance(5)
        looks.append(pas.status(run))
    if pas.submit(run, "Vector-Ops").status_code != httpx.codes.OK:
        return Empty(started, looks, None)  # it is over without ever having had a task
    fed = pas.status(run)
    for _ in every(target.clock, 2, until=_in(target, 60)):
        fed = pas.status(run)
        if fed.text("status") in ENDED:
            break
    if phase.embedded:  # nobody waits for so long in production
        other = pas.new_run("left-empty")
        pas.control("start", other)
        target.clock.advance(WAITS_S - 1)
        waits = pas.status(other)
        target.clock.advance(1.5)
        late = pas.status(other)
        return Empty(started, [*looks, late], fed, waits, late, pas.status(run))
    return Empty(started, looks, fed)
