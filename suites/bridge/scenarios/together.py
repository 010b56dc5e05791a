"""Trials of a phase that share a target, and what of them may be tried elsewhere."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import partial

import pytest

from pytest_rollout import Stage, scenario
from suites.bridge.scenarios import alerted as alerting
from suites.bridge.scenarios import benchmarked as benchmarking
from suites.bridge.scenarios import drills, governed, hardened, loaded, outages, ticking
from suites.bridge.scenarios import edged as edging
from suites.bridge.scenarios import measured as measuring
from suites.bridge.scenarios import metered as metering
from suites.bridge.scenarios import stuck as sticking
from suites.bridge.scenarios.trials import Trials
from suites.bridge.views.runbooks import drill_log
from suites.bridge.views.said import not_done

Request = pytest.FixtureRequest


@scenario(effect="change", own_target=True)
def operating(phase: Stage) -> Trials:
    """A known workload around scrapes, and ticks with and without work."""
    metered, ticked = partial(metering.metered, phase), partial(ticking.ticked, phase)
    return Trials.of(metered=metered, ticked=ticked)


@scenario(effect="disrupt", own_target=True)
def disturbing(phase: Stage) -> Trials:
    """An outage of the database, and the nine drills."""
    outage, done = partial(outages.outage_tried, phase), partial(drills.drills_done, phase)
    return Trials.of(outage=outage, drilled=done)


@scenario(effect="change", own_target=True)
def launching(phase: Stage) -> Trials:
    """The four figures, each alert, and in a rehearsal both sides of their limits."""
    return Trials.of(
        measured=partial(measuring.measured, phase),
        alerted=partial(alerting.alerted, phase),
        edged=partial(edging.edged, phase) if phase.embedded else dict,
    )


@scenario(effect="disrupt", own_target=True)
def hardening(phase: Stage) -> Trials:
    """What phase 2 tries; the rules of retention come last, because a month passes."""
    return Trials.of(
        measured=partial(measuring.measured, phase),
        stuck=partial(sticking.stuck, phase),
        benchmarked=partial(benchmarking.benchmarked, phase),
        indicated=partial(hardened.indicated, phase),
        retried=partial(hardened.retried, phase),
        filtered=partial(governed.filtered, phase),
        retained=partial(governed.retained, phase),
    )


@scenario(effect="change")
def hardening_there(phase: Stage) -> Trials:
    """What of it may be tried on a bridge that people use."""
    return Trials.of(
        measured=partial(measuring.measured, phase),
        stuck=partial(sticking.stuck, phase),
        benchmarked=partial(benchmarking.benchmarked, phase),
    )


@scenario(effect="disrupt", own_target=True)
def loading(phase: Stage) -> Trials:
    """Ever more writers, posts at once, a burst."""
    written, burst = partial(loaded.written, phase), partial(loaded.burst, phase)
    return Trials.of(written=written, burst=burst)


def _fixture(name: str, read: Callable[[Stage, Request], object]) -> object:
    """A fixture that reads a trial."""

    def reads(phase: Stage, request: Request) -> object:
        return read(phase, request)

    reads.__name__ = name
    reads.__doc__ = f"What the trial `{name}` saw."
    return pytest.fixture(scope="session", name=name)(reads)


def _trial(name: str, of: Mapping[str, str]) -> object:
    """The fixture of a trial, by the phase's scenario that makes it."""

    def read(phase: Stage, request: Request) -> object:
        trials: Trials = request.getfixturevalue(of[phase.id.rpartition(".")[2]])
        return trials.get(name)

    return _fixture(name, read)


def _hardened(name: str, why: str = "") -> object:
    """The fixture of a trial of phase 2; with a reason it is not made on a bridge in use."""

    def read(phase: Stage, request: Request) -> object:
        if not phase.embedded and why:
            not_done(why, "rehearse it")
        made = "hardening" if phase.embedded else "hardening_there"
        trials: Trials = request.getfixturevalue(made)
        return trials.get(name)

    return _fixture(name, read)


def _measured(phase: Stage, request: Request) -> object:
    there = "hardening" if phase.embedded else "hardening_there"
    made = "launching" if phase.id.endswith("golive") else there
    trials: Trials = request.getfixturevalue(made)
    return trials.get("measured")


def _drilled(phase: Stage, request: Request) -> object:
    if not phase.embedded:
        return drills.drills_on_record(phase)
    trials: Trials = request.getfixturevalue("disturbing")
    return trials.get("drilled")


def _outage(phase: Stage, request: Request) -> object:
    if phase.embedded:
        trials: Trials = request.getfixturevalue("disturbing")
        return trials.get("outage")
    told = outages.outage_on_record(phase, drill_log(phase.file("repository")))
    if told is None:
        not_done("no outage of the database was drilled", "drill one")
    return told


metered = _trial("metered", {"ops": "operating"})
ticked = _trial("ticked", {"ops": "operating"})
alerted = _trial("alerted", {"golive": "launching"})
edged = _trial("edged", {"golive": "launching"})
written = _trial("written", {"phase2_load": "loading"})
burst = _trial("burst", {"phase2_load": "loading"})
measured = _fixture("measured", _measured)
drilled = _fixture("drilled", _drilled)
outage = _fixture("outage", _outage)
stuck = _hardened("stuck")
benchmarked = _hardened("benchmarked")
indicated = _hardened("indicated", "no failures were made to be counted")
retried = _hardened("retried", "no failures were made to be tried again")
filtered = _hardened("filtered", "rules for texts were not tried, which refuse those of others")
retained = _hardened("retained", "a rule of retention was not tried, which takes messages away")
