"""Everybody who is on v5 at 75 percent asks for a schedule at the same time."""

from __future__ import annotations

from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass

from pytest_rollout import Reported, Stage, reported, scenario
from suites.eros.scenarios.widening import selected
from suites.eros.views.journal import GIVEN_UP, Run, runs
from suites.eros.views.routing import ADOPTERS, Flags
from suites.eros.views.service import Service

SIZE = 28  # three quarters of 37


@dataclass(frozen=True, slots=True)
class Burst:
    """What became of the requests of a burst."""

    waited: float  # the longest wait of a caller, in seconds of the wall
    answers: Sequence[Reported]
    runs: Sequence[Run]  # of v5, for these requests


@scenario(effect="change", own_target=True)
def burst(phase: Stage) -> Burst:
    """At 75 percent those on v5 ask at once, 28 or more."""
    phase.operate("eros", "phase", id="percent75", days=0)
    target = phase.target("eros")
    service = Service(target.client)
    flags = Flags(enabled=True, percentage=75, creators=frozenset(ADOPTERS))
    on_v5 = sorted(selected(service.names, flags))
    asking = (on_v5 * SIZE)[: max(SIZE, len(on_v5))]
    begun = target.clock.now()
    with ThreadPoolExecutor(len(asking)) as pool:
        responses = list(pool.map(service.generate, asking))
    answers = [reported(response) for response in responses]
    waited = max(response.elapsed.total_seconds() for response in responses)
    ours = {answer.get("request_id") for answer in answers if not answer.problem}
    journal = runs(service, since=begun - GIVEN_UP, pipeline="v5")
    return Burst(waited, answers, [run for run in journal if run.request_id in ours])
