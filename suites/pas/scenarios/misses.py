"""Tasks whose KPIs miss on purpose, and KPIs that are posted on both sides of each threshold."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

from pytest_rollout import Reported, Stage, every, reported, scenario
from suites.pas.views.asking import stamp
from suites.pas.views.lanes import HIGHER, LIMITS
from suites.pas.views.pas import ENDED, Pas

OLD_S = 1200  # of an index that is too old
_LIMIT = timedelta(minutes=3)


@dataclass(frozen=True)
class Misses:
    """A run whose tasks all miss, and what was answered to posted KPIs."""

    status: Reported
    posted: tuple[tuple[str, float, Reported], ...]  # KPI, value, answer


def missing_work(indexed_at: str) -> Mapping[str, Mapping[str, Any]]:
    """For each lane a payload whose KPI misses in every executor."""
    cases = [{"a": number, "b": 2, "expect": number + 2 * (number % 2)} for number in range(4)]
    before = {"id": "int", "name": "text"}
    return {
        "Code-Impl": {"expression": "a + b", "cases": cases},  # holds in two cases of four
        "Data-Schema": {"before": before, "after": {"id": "text", "name": "text"}},
        "Narrative": {"text": "the cat sat down", "reference": "rain is due in the north today"},
        "Vector-Ops": {"vectors": [[1, 0], [0, 1]], "query": [1, 0], "indexed_at": indexed_at},
    }


def missed_values(age_s: float) -> Mapping[str, tuple[float, float]]:
    """For each lane the least and the most that its KPI can be of that work."""
    return {
        "Code-Impl": (0.5, 0.5),
        "Data-Schema": (1, 1),
        "Narrative": (0, 0),  # two words in a row are never the same
        "Vector-Ops": (age_s, age_s + _LIMIT.total_seconds()),
    }


def sides(kpi: str) -> tuple[float, float]:
    """The threshold of a KPI, and a value just beyond it."""
    step = 0.01 if kpi in HIGHER else 1.0
    limit = LIMITS[kpi]
    return limit, round(limit - step, 6) if kpi in HIGHER else limit + step


@scenario(effect="change")
def misses(phase: Stage) -> Misses:
    """A task a lane that must miss, executed; then each KPI at its threshold and beyond it."""
    target = phase.target("pas")
    pas = Pas(target.client)
    run = pas.new_run("misses")
    long_ago = stamp(target.clock.now() - timedelta(seconds=OLD_S))
    for lane, payload in missing_work(long_ago).items():
        pas.card(run, lane, payload=dict(payload))
    pas.start(run)
    status = pas.status(run)
    for _ in every(target.clock, 4, until=target.clock.now() + _LIMIT):
        status = pas.status(run)
        if status.text("status") in ENDED:
            break
    posted = []
    for kpi in LIMITS:
        for value in sides(kpi):
            other = pas.new_run("posted")
            card = pas.card(other, "Code-Impl")
            body = {"run_id": other, "task_id": card.task, "kpi": kpi, "value": value}
            posted.append((kpi, value, reported(pas.tell("kpis", body))))
    return Misses(status, tuple(posted))
