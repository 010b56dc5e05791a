"""The thirty days after the switch in which v4 stays."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path

import httpx

from pytest_rollout import Reported, Stage, reported, scenario
from suites.eros.scenarios.at_noon import Noon, off_at_noon
from suites.eros.scenarios.rollback_drills import CONFIGURATIONS
from suites.eros.views import oracle
from suites.eros.views.service import Service, unrefused

TRIED = (6, 9, 11, 20, 29)  # days after the switch


@dataclass(frozen=True, slots=True)
class Try:
    """What the kill switch gave on a day."""

    day: int
    pipeline: str
    items: int
    broken: Sequence[str]


@dataclass(frozen=True, slots=True)
class Asked:
    """Whether v4 could be removed on a day, and whether it could have been."""

    day: int
    since: str  # the switch, the rollback, or nothing where there was no switch
    allowed: bool
    due: bool
    unsaid: str  # what is wrong with a refusal
    state: Reported  # of v4, after it was asked
    switched: datetime | None  # when 100 % was set, by the changes of flags


@dataclass(frozen=True, slots=True)
class Old:
    """What became of v4."""

    tries: Sequence[Try]
    off: Noon | None  # v5 was off for days; none where nothing may be switched off


@scenario(effect="change", own_target=True)
def thirty_days(phase: Stage) -> Old:
    """The kill switch is tried up to day 29, and once v5 is off for three days.

    Elsewhere nothing is switched off: the router's program is asked.
    """
    service, clock = Service(phase.target("eros").client), phase.target("eros").clock
    if not phase.embedded:
        return Old([_looked_up(service)], None)
    phase.operate("eros", "phase", id="shadow", days=1)  # v4 has a last plan of each creator
    phase.operate("eros", "phase", id="cutover", days=0)
    tries, begun = [], clock.now()
    off = off_at_noon(phase, "cutover", "flag", days=3)
    service.set_flags(**CONFIGURATIONS["cutover"])
    for due in TRIED:
        clock.to(begun + timedelta(days=due))
        tries.append(_tried(service, due))
    return Old(tries, off)


def _tried(service: Service, day: int) -> Try:
    service.set_flags(enabled="false")
    answer = reported(service.generate("alexia"), any_status=True)
    service.set_flags(**CONFIGURATIONS["cutover"])
    items = answer.each("schedule") if "schedule" in answer else ()
    creator = next(member for member in service.roster if member.text("name") == "alexia")
    pipeline = answer.get("pipeline") or "none"
    return Try(day, pipeline, len(items), oracle.broken(items, creator))


def _looked_up(service: Service) -> Try:
    """What v4 would do now, without switching anything: it is there, and gets what is off."""
    said = service.get("/v4")
    _, decided = service.decide(["alexia"], {"EROS_V5_ENABLED": "false"})
    there = said.flag("available") and decided[0].text("target") == "v4"
    return Try(round(said.number("stable_days")), "v4" if there else "none", 1, ())


@scenario(effect="disrupt", own_target=True)
def removals(phase: Stage) -> Sequence[Asked]:
    """After a rollback on day 5 v4 is asked to go, before thirty days have passed and after."""
    service = Service(phase.target("eros").client)
    asked = [_asked(service, 0, "nothing", due=False)]
    phase.operate("eros", "phase", id="cutover", days=0)
    phase.operate("eros", "days", count=5)
    asked.append(_asked(service, 5, "switch", due=False))
    service.post("/rollback", {"reason": "a drill of the removal", "by": "Olga"})
    service.post("/rollback/reset", {"by": "Olga", "reason": "the drill is over"})
    service.set_flags(**CONFIGURATIONS["cutover"])
    for day, more in ((26, 26), (29, 3), (31, 2)):
        phase.operate("eros", "days", count=more)
        asked.append(_asked(service, day, "rollback", due=day >= 30))
    return asked


def _asked(service: Service, day: int, since: str, *, due: bool) -> Asked:
    response: httpx.Response = service.client.post("/v4/removal", json={})
    said = "" if response.is_success else unrefused(response, 409)
    changes = service.get("/flags/changes").each("changes")
    at = [
        change.moment("at")
        for change in changes
        if change.inner("after")["EROS_V5_PERCENTAGE"] == "100"
    ]
    state = service.get("/v4")
    return Asked(day, since, response.is_success, due, said, state, at[0] if at else None)


_SWITCH = datetime(2026, 2, 9, tzinfo=UTC)
# The switch, the rollbacks and now, in days after the switch; whether v4 may go.
CASES: Sequence[tuple[Sequence[float], float, bool]] = (
    ((), 0, False),
    ((), 29.99, False),
    ((), 30, True),
    ((), 45, True),
    ((20,), 31, False),
    ((20,), 49.99, False),
    ((20,), 50, True),
    ((3, 20), 33, False),
    ((29.5,), 30, False),
    ((45,), 45, False),
    ((-6,), 30, True),
)


def judged(service: Service) -> list[tuple[Reported, bool]]:
    """What is decided of each case, and what must be."""
    answers = []
    for rollbacks, now, due in CASES:
        body = {
            "cutover_at": _SWITCH.isoformat(),
            "rollbacks": [(_SWITCH + timedelta(days=day)).isoformat() for day in rollbacks],
            "now": (_SWITCH + timedelta(days=now)).isoformat(),
        }
        answers.append((service.post("/v4/removal/judge", body), due))
    return answers


def unjudged(service: Service) -> list[str]:
    """What cannot be judged, and was not refused with a word why."""
    now = _SWITCH.isoformat()
    cases: Sequence[Mapping[str, object]] = (
        {},
        {"cutover_at": now, "rollbacks": []},
        {"cutover_at": "soon", "rollbacks": [], "now": now},
        {"cutover_at": now, "rollbacks": ["never"], "now": now},
    )
    answers = {str(case): service.client.post("/v4/removal/judge", json=case) for case in cases}
    told = {what: unrefused(answer, 400) for what, answer in answers.items()}
    return [f"{what} is {wrong}" for what, wrong in told.items() if wrong]


def code(repository: Path, folder: str) -> list[Path]:
    """The modules of a folder of the code."""
    return sorted((repository / folder).glob("*.py"))
