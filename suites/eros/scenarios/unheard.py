"""Alerts whose channel refuses them: the suite's own receivers stand for Slack and the pager."""

from __future__ import annotations

import json
import socket
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from pytest_rollout import Mode, Receivers, Reported, Stage, scenario
from suites.eros.scenarios.rollback_drills import CONFIGURATIONS, DRILL, controller, evening
from suites.eros.views.contract import demand_lines
from suites.eros.views.records import logged
from suites.eros.views.service import Service

BOTH = frozenset({"slack", "pagerduty"})
TAKES, REFUSES, CLOSED, SILENT = "takes it", "refuses", "is not there", "never answers"
# How the rollback comes about, and what Slack and the pager do with its alert.
_CASES = (
    ("request", TAKES, TAKES),
    ("request", REFUSES, REFUSES),
    ("request", CLOSED, CLOSED),
    ("request", REFUSES, TAKES),
    ("request", TAKES, REFUSES),
    ("program", REFUSES, REFUSES),
    ("program", CLOSED, CLOSED),
    ("itself", CLOSED, REFUSES),
    ("itself", TAKES, TAKES),
    ("request", SILENT, TAKES),
)
_BY = {"request": "Olga", "program": "eros-rollback", "itself": "automatic"}
_LATER_S = 360  # a sample has passed by then


@dataclass(frozen=True, slots=True)
class Look:
    """What the controller says of its alert, and which channels have taken it by then."""

    alerted: bool
    by: str
    took: frozenset[str]


@dataclass(frozen=True, slots=True)
class Unheard:
    """A rollback, or a warning, while channels do what they do."""

    way: str
    slack: str
    pager: str
    looks: Sequence[Look]  # at once, and once both channels take messages again
    logged: Sequence[Reported]  # lines of the log: a message was not delivered


@scenario(effect="change", own_target=True)
def unheard(phase: Stage) -> Sequence[Unheard]:
    """v5 is rolled back in each way while channels take, refuse, or are gone.

    Elsewhere nobody takes channels away from people on call.
    """
    if not phase.embedded:
        return ()
    evening(phase)
    file = phase.file("alerting")
    kept = file.read_text(encoding="utf-8")
    with Receivers() as ours, _odd() as odd:
        try:
            return [_rolled_back(phase, file, ours, odd, case) for case in _CASES]
        finally:
            file.write_text(kept, encoding="utf-8")


@contextmanager
def _odd() -> Iterator[Mapping[str, str]]:
    """Addresses by what is wrong with them: nobody listens, or a connection gets no answer."""
    with Receivers() as closed:
        gone = closed.slack.url
    with socket.create_server(("127.0.0.1", 0)) as silent:
        yield {CLOSED: gone, SILENT: f"http://127.0.0.1:{silent.getsockname()[1]}/alerts"}


def _rolled_back(
    phase: Stage,
    file: Path,
    ours: Receivers,
    odd: Mapping[str, str],
    case: tuple[str, str, str],
) -> Unheard:
    way, slack, pager = case
    service = Service(phase.target("eros").client)
    service.set_flags(**CONFIGURATIONS["percent50"])
    before = len(ours.messages())
    undelivered = len(_undelivered(phase))
    to = json.loads(file.read_text(encoding="utf-8"))
    to["SLACK_WEBHOOK_URL"] = odd.get(slack, ours.slack.url)
    to["PD_EVENTS_URL"] = odd.get(pager, ours.pagerduty.url)
    file.write_text(json.dumps(to), encoding="utf-8")
    ours.slack.mode = Mode.REFUSE if slack == REFUSES else Mode.OK
    ours.pagerduty.mode = Mode.REFUSE if pager == REFUSES else Mode.OK
    _roll_back(phase, service, way)
    looks = [_look(service, ours, before)]
    ours.slack.mode = ours.pagerduty.mode = Mode.OK
    to |= {"SLACK_WEBHOOK_URL": ours.slack.url, "PD_EVENTS_URL": ours.pagerduty.url}
    file.write_text(json.dumps(to), encoding="utf-8")
    phase.target("eros").clock.advance(_LATER_S)
    looks.append(_look(service, ours, before))
    service.post("/rollback/reset", {"by": "Olga", "reason": "the drill is over"})
    return Unheard(way, slack, pager, looks, _undelivered(phase)[undelivered:])


def _roll_back(phase: Stage, service: Service, way: str) -> None:
    if way == "request":
        service.post("/rollback", {"reason": DRILL, "by": "Olga"})
    elif way == "program":
        controller(phase, "trigger", "--reason", DRILL)
    else:
        broken = {"creator": "alexia", "v5": {"seconds": 60, "violations": ["overlap"]}}
        sound = {"creator": "alexia", "v5": {"seconds": 60, "quality": 85}}
        phase.operate("eros", "runs", runs=[*[sound] * 8, *[broken] * 2])


def _look(service: Service, ours: Receivers, before: int) -> Look:
    alerts = [message for message in ours.messages()[before:] if "CRITICAL" in message.text.upper()]
    state = service.get("/rollback")
    assert state.flag("active"), "nothing was rolled back, so nobody had to be told"
    by = state.text("by")
    return Look(state.flag("alerted"), by, frozenset(message.service for message in alerts))


def _undelivered(phase: Stage) -> Sequence[Reported]:
    return logged(phase.file("logs"), "eros.monitoring", "undelivered")


def demand_heard(tried: Sequence[Unheard]) -> None:
    """Raise AssertionError where it is said that people were alerted, and no channel took it."""
    for trial in tried:
        case = f"by {trial.way}, while Slack {trial.slack} and the pager {trial.pager}"
        for look in trial.looks:
            took = " and ".join(sorted(look.took)) or "no channel"
            assert look.alerted == (look.took >= BOTH), (
                f"{case}: alerted is {look.alerted}, and {took} took the message"
            )
            assert look.by == _BY[trial.way], f"{case}: it is said to be by {look.by}"
        takes = {
            name
            for name, does in (("slack", trial.slack), ("pagerduty", trial.pager))
            if does == TAKES
        }
        lost = takes - trial.looks[0].took
        assert not lost, f"{case}: {', '.join(lost)} takes messages, and the alert did not come"
        said = {line.text("channel") for line in trial.logged}
        unsaid = BOTH - trial.looks[-1].took - said
        assert not unsaid, f"{case}: no log says that the alert did not reach {', '.join(unsaid)}"
        assert not said & takes, f"{case}: a channel took it, the log says that it failed"
        if trial.logged:
            demand_lines("eros.monitoring", trial.logged)
