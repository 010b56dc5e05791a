"""Profiles of loads, and records of them as a good run leaves them."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from pytest_rollout.load.schedule import planned_by_second
from pytest_rollout.model.load import (
    EndpointLoad,
    GeneratorFacts,
    Law,
    LoadProfile,
    LoadRecord,
    LoadSecond,
    Offer,
)

RATE, SECONDS, WARM_UP = 100, 10, 2
PLANNED = RATE * SECONDS
COUNTED = RATE * (SECONDS - WARM_UP)
BEGAN_US = 1_700_000_000_000_000


def profile_of(**changed: Any) -> LoadProfile:
    """A load of 100 even arrivals a second, for 10 s, of which 2 do not count."""
    facts: dict[str, Any] = {
        "id": "nightly",
        "says": "",
        "locustfile": "load/web.py",
        "target": "web",
        "offer": Offer(SECONDS * 1_000_000, float(RATE), None, WARM_UP * 1_000_000),
        "law": Law.EVEN,
        "need": COUNTED,
    }
    return LoadProfile(**{**facts, **changed})


def closed_profile(**changed: Any) -> LoadProfile:
    """A load of 4 users who ask one after the other."""
    offer = Offer(SECONDS * 1_000_000, None, 4, WARM_UP * 1_000_000)
    return profile_of(**{"offer": offer, **changed})


def endpoint(
    name: str = "start",
    times: Mapping[str, int] | None = None,
    failures: int = 0,
    requests: int | None = None,
) -> EndpointLoad:
    """An endpoint whose successful answers took so long."""
    kept = {"5000": COUNTED - 10, "9000": 10} if times is None else dict(times)
    whole = sum(kept.values()) + failures if requests is None else requests
    return EndpointLoad(name, whole, failures, kept, kept)


def seconds(answered: int = RATE, *, failed: int = 0, many: int = SECONDS) -> tuple[Any, ...]:
    """Seconds of a run that are all alike."""
    return tuple(LoadSecond(n, RATE, RATE, answered, failed, 4) for n in range(many))


def generator(name: str = "", **changed: Any) -> GeneratorFacts:
    """What a process says that was idle half of the time."""
    facts: dict[str, Any] = {"completed": True, "cpu_share": 0.5, "cpu_peak": 0.6}
    return GeneratorFacts(name, **{**facts, **changed})


def record_of(profile: LoadProfile | None = None, /, **changed: Any) -> LoadRecord:
    """The record of a good run of a profile; some facts changed."""
    of = profile or profile_of()
    told, counted, planned = seconds(), COUNTED, PLANNED
    if of.open_loop:
        by_second = planned_by_second(of)
        told = tuple(LoadSecond(n, of_it, of_it, of_it, 0, 4) for n, of_it in by_second.items())
        warm = of.offer.warm_up_us // 1_000_000
        planned = by_second.total()
        counted = sum(second.answered for second in told if second.second >= warm)
    facts: dict[str, Any] = {
        "profile": of.id,
        "open_loop": of.open_loop,
        "started_us": BEGAN_US,
        "ended_us": BEGAN_US + of.offer.duration_us,
        "completed": True,
        "planned": planned,
        "started": planned,
        "dropped": 0,
        "start_delay": {"200": counted} if of.open_loop else {},
        "endpoints": (endpoint(times={"5000": counted - 10, "9000": 10}),),
        "seconds": told,
        "errors": (),
        "generators": (generator(),),
        "workers_expected": 1,
        "warm_up_us": of.offer.warm_up_us,
        "duration_us": of.offer.duration_us,
        "law": of.law,
        "seed": of.seed,
        "offered_rate": of.offer.rate,
    }
    return LoadRecord(**{**facts, **changed})
