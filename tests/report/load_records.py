"""Load records for reports: one of a target that stalls, made without any locust."""

from __future__ import annotations

import math
import random
from collections.abc import Iterable
from dataclasses import replace
from fractions import Fraction
from typing import Any

from pytest_rollout.model.load import (
    LATENCY,
    EndpointLoad,
    ErrorGroup,
    GeneratorFacts,
    Generators,
    Law,
    LoadProfile,
    LoadRecord,
    LoadSecond,
    Offer,
    Shape,
    ShapeKind,
)
from pytest_rollout.model.rule import Bands, Cut, Rule, Scope, ScopeKind, Take, Taking
from pytest_rollout.report.load_cuts import LoadCut
from pytest_rollout.report.load_words import LoadReport

WARM_S, WHOLE_S, RATE = 4, 20, 30
_TYPICAL_S = {"start": 0.020, "status": 0.006, "wake-ups": 0.045}
_BEGAN_US = 1_764_400_000_000_000
STALL = (9.5, 11.5)  # nobody is answered


def counts(values: Iterable[float]) -> dict[str, int]:
    """Microseconds to count, of three digits as HDR buckets have them."""
    kept: dict[str, int] = {}
    for value in values:
        unit = 10 ** max(0, math.floor(math.log10(max(value, 1))) - 2)
        key = str(math.ceil(value / unit) * unit)
        kept[key] = kept.get(key, 0) + 1
    return kept


def record(seed: int = 1, **changes: Any) -> LoadRecord:
    """A record of 20 s at 30 arrivals a second; the target stalls in the middle."""
    chance = random.Random(seed)
    arrivals: list[tuple[float, str, float, float, bool]] = []
    at = chance.expovariate(RATE)
    while at < WHOLE_S:
        name = chance.choice(tuple(_TYPICAL_S))
        took = _TYPICAL_S[name] * math.exp(chance.gauss(0, 0.4))
        waited = STALL[1] - at if STALL[0] <= at < STALL[1] else 0.0
        arrivals.append((at, name, waited + took, took, chance.random() < 0.02))
        at += chance.expovariate(RATE)
    judged = [one for one in arrivals if one[0] >= WARM_S]
    made = LoadRecord(
        profile="nightly",
        open_loop=True,
        started_us=_BEGAN_US,
        ended_us=_BEGAN_US + WHOLE_S * 1_000_000,
        completed=True,
        planned=len(arrivals),
        started=len(arrivals),
        dropped=0,
        start_delay=counts(chance.expovariate(1 / 700) for _ in arrivals),
        endpoints=tuple(_endpoint(name, judged) for name in _TYPICAL_S),
        seconds=tuple(_second(n, arrivals) for n in range(WHOLE_S)),
        errors=(ErrorGroup("start", "HTTP 503", 7), ErrorGroup("status", "reset by peer", 12)),
        generators=tuple(GeneratorFacts(f"w-{n}", True, 0.31, 0.44, 0, 900) for n in (1, 2)),
        workers_expected=2,
        warm_up_us=WARM_S * 1_000_000,
        duration_us=WHOLE_S * 1_000_000,
        law=Law.POISSON,
        seed=7,
        offered_rate=float(RATE),
        most_users=24,
        tools={"locust": "2.47.0"},
        beside=19,  # of users who prepared themselves
    )
    return replace(made, **changes)


def _endpoint(name: str, judged: list[tuple[float, str, float, float, bool]]) -> EndpointLoad:
    mine = [one for one in judged if one[1] == name]
    good = [one for one in mine if not one[4]]
    latency = counts(one[2] * 1_000_000 for one in good)
    service_time = counts(one[3] * 1_000_000 for one in good)
    return EndpointLoad(name, len(mine), sum(one[4] for one in mine), latency, service_time)


def _second(n: int, arrivals: list[tuple[float, str, float, float, bool]]) -> LoadSecond:
    began = sum(n <= one[0] < n + 1 for one in arrivals)
    ended = [one for one in arrivals if n <= one[0] + one[2] < n + 1]
    times = sorted(round(one[2] * 1_000_000) for one in ended)
    ranks = (max(1, math.ceil(share * len(times))) for share in (0.5, 0.95, 0.99))
    p50, p95, p99 = (times[rank - 1] if times else None for rank in ranks)
    failed = sum(one[4] for one in ended)
    return LoadSecond(n, began, began, len(ended), failed, 16, p50, p95, p99)


def profile(**changes: Any) -> LoadProfile:
    """The profile that the record is of."""
    made = LoadProfile(
        id="nightly",
        says="A working day in a minute",
        locustfile="load/web.py",
        target="web",
        offer=Offer(WHOLE_S * 1_000_000, float(RATE), None, WARM_S * 1_000_000),
        shape=Shape(ShapeKind.STEADY),
        seed=7,
        generators=Generators(2),
    )
    return replace(made, **changes)


def cut(
    text: str,
    take: str = "p95",
    metric: str = LATENCY,
    need: int = 1,
    **where: str,
) -> LoadCut:
    """A criterion's cut, as ``< 800ms`` of the p95 of latency."""
    operator, _, limit = text.partition(" ")
    sizes = {"ms": Fraction(1, 1000), "%": Fraction(1, 100), "s": Fraction(1)}
    unit = next((unit for unit in sizes if limit.endswith(unit)), "")
    number = Fraction(limit.removesuffix(unit)) * sizes.get(unit, Fraction(1))
    share = Fraction(take[1:]) / 100 if take[0] == "p" else None
    taking = Taking(Take.QUANTILE if share is not None else Take(take), take, share)
    bands = Bands(Cut(operator, number, text))
    rule = Rule(metric, taking, bands, (Scope(ScopeKind.RUN, need),), where)
    return LoadCut(f"demo.nightly.{take}", rule)


def report(**changes: Any) -> LoadReport:
    """A report that is to be believed, with a cut that is kept and one that is not."""
    cuts = (cut("< 100ms", "p50"), cut("< 500ms", "p99"), cut("< 800ms", endpoint="start"))
    made = LoadReport(record(), profile(), (), cuts, "demo.nightly in prod", "run-1", "v1")
    return replace(made, **changes)
