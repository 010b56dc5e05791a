"""v4 with a v5 beside it that raises, hangs or breaks gates, and without one."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

from pytest_rollout import Reported, Stage, reported, scenario
from suites.eros.scenarios.flag_trials import LIVE, SHADOW
from suites.eros.views.oracle import RULES
from suites.eros.views.service import Service

TROUBLES: tuple[dict[str, Any], ...] = (
    {"fails": "raise"},
    {"fails": "hang"},
    {"quality": 1},
    {"seconds": 500},
    {},
)


@dataclass(frozen=True, slots=True)
class Asked:
    """A request, and the answer that the suite got."""

    creator: str
    status: int
    answer: Reported


@dataclass(frozen=True, slots=True)
class Pair:
    """The same request with a v5 beside v4, and with v5 switched off."""

    trouble: str  # of the v5 beside it
    beside: Asked
    alone: Asked


@dataclass(frozen=True, slots=True)
class Beside:
    """What came of it."""

    service: Service
    pairs: tuple[Pair, ...]
    rejected: dict[str, str]  # rule to the request of which v5 broke it
    logs: Path


@scenario(effect="change", own_target=True)
def beside_v5(phase: Stage) -> Beside:
    """On one day 20 creators are served with the shadow and without; then each gate is broken."""
    service = Service(phase.target("eros").client)
    if not phase.embedded:  # nobody makes v5 fail beside creators who are served
        return Beside(service, (), {}, phase.file("logs"))
    phase.operate("eros", "phase", id="shadow", days=0)
    names = sorted(service.names)[:20]
    service.set_flags(**SHADOW)
    beside = []
    for place, name in enumerate(names):
        trouble = TROUBLES[place % len(TROUBLES)]
        phase.operate("eros", "disturb", pipeline="v5", times=1, creator=name, **trouble)
        beside.append(_asked(service, name))
    phase.operate("eros", "disturb", pipeline="v5", times=0)
    rejected = {}
    for rule in RULES:
        told = {"pipeline": "v5", "times": 1, "creator": "luna_free", "violations": [rule]}
        phase.operate("eros", "disturb", **told)
        rejected[rule] = _asked(service, "luna_free").answer.text("request_id")
    service.set_flags(**{**LIVE, "ENABLED": "false"})
    alone = [_asked(service, name) for name in names]
    pairs = tuple(
        Pair(str(TROUBLES[place % len(TROUBLES)] or "none"), *both)
        for place, both in enumerate(zip(beside, alone, strict=True))
    )
    return Beside(service, pairs, rejected, phase.file("logs"))


def _asked(service: Service, creator: str) -> Asked:
    response = service.generate(creator)
    return Asked(creator, response.status_code, reported(response, any_status=True))
