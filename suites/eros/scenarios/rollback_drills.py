"""Rollbacks by hand: the flag goes off, the controller is called, requests go on meanwhile."""

from __future__ import annotations

import json
import subprocess
from collections.abc import Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from datetime import UTC, datetime, time, timedelta
from pathlib import Path

import httpx

from pytest_rollout import Message, Reported, RolloutError, Stage, read_inbox, reported, scenario
from suites.eros.views.records import logged
from suites.eros.views.routing import ADOPTERS
from suites.eros.views.service import Service

_ON = {"ENABLED": "true", "SHADOW_MODE": "false", "PERCENTAGE": "0"}
_THREE = "alexia,grace_bennett,luna_free"
CONFIGURATIONS: Mapping[str, Mapping[str, str]] = {
    "shadow": {**_ON, "SHADOW_MODE": "true", "CREATORS": ""},
    "canary": {**_ON, "CREATORS": "alexia"},
    "early_adopters": {**_ON, "CREATORS": _THREE},
    "percent25": {**_ON, "PERCENTAGE": "25", "CREATORS": _THREE},
    "percent50": {**_ON, "PERCENTAGE": "50", "CREATORS": _THREE},
    "percent75": {**_ON, "PERCENTAGE": "75", "CREATORS": _THREE},
    "cutover": {**_ON, "PERCENTAGE": "100", "CREATORS": ""},
}
OFF = {"ENABLED": "false"}
DRILL, OVER = "a drill of the rollback", "the drill by the program is over"
_HOUR_S = 3600
_BROKE = {"violations": ["overlap"]}


@dataclass(frozen=True, slots=True)
class Switch:
    """Who is on v5, in shadow as well, before and right after v5 is switched off."""

    configuration: str
    way: str  # flag, file, program or request
    before: frozenset[str]
    after: Mapping[str, bool]  # each creator
    served: Mapping[str, str]  # the pipeline that made the next schedule, by creator
    noted: tuple[str, str] = ("", "")  # who asked the controller for it and why, as it says


def serve(service: Service) -> dict[str, str]:
    """Ask for schedules of some creators who are on v5 by turns; which pipeline made each."""
    return {name: reported(service.generate(name)).text("pipeline") for name in ADOPTERS}


def evening(phase: Stage) -> None:
    """Wait for 20:00 UTC, after the last job of the day, so that no job runs among trials."""
    clock = phase.target("eros").clock
    now = clock.now()
    at = datetime.combine(now.date(), time(20), UTC)
    clock.to(at if at >= now else at + timedelta(days=1))


def on_v5(service: Service) -> dict[str, bool]:
    """Each creator, and whether v5 would run for it."""
    _, decided = service.decide(service.names)
    return {
        decision.text("creator"): decision.text("target") == "v5" or decision.flag("shadow")
        for decision in decided
    }


@scenario(effect="disrupt", own_target=True)
def switched_off(phase: Stage) -> Sequence[Switch]:
    """In each configuration of the plan v5 is switched off by its flag; in one by the file."""
    service = Service(phase.target("eros").client)
    switches = []
    for name, flags in CONFIGURATIONS.items():
        service.set_flags(**flags)
        switches.append(_switched(phase, service, name, "flag"))
    service.set_flags(**CONFIGURATIONS["cutover"])
    switches.append(_switched(phase, service, "cutover", "file"))
    return switches


def _switched(phase: Stage, service: Service, name: str, way: str) -> Switch:
    if phase.embedded:
        phase.target("eros").clock.advance(120)  # a router that caches flags for a minute has these
    before = frozenset(creator for creator, on in on_v5(service).items() if on)
    phase.operate("eros", "disturb", pipeline="v5", times=1, seconds=5)
    serve(service)  # flags were read some seconds ago
    if way == "flag":
        service.set_flags(enabled="false")
    else:
        _write_off(phase.file("flags-file"))
    after = on_v5(service)
    return Switch(name, way, before, after, serve(service))


def _write_off(file: Path) -> None:
    """Switch v5 off as somebody does who edits the file of the flags."""
    if not file.is_file():
        raise RolloutError(f"there is no {file.name} in which flags are set")
    kept = [
        line
        for line in file.read_text(encoding="utf-8").splitlines()
        if not line.startswith("EROS_V5_ENABLED=")
    ]
    file.write_text("\n".join([*kept, "EROS_V5_ENABLED=false", ""]), encoding="utf-8")


Called = subprocess.CompletedProcess[str]


def called(phase: Stage, *words: str, said: object = None) -> Called:
    """What became of a call of the controller's program."""
    program = phase.file("rollback-controller")
    if not program.is_file():
        raise RolloutError(f"there is no {program.name}")
    return subprocess.run(
        [str(program), *words],
        input=json.dumps(said) if said is not None else None,
        capture_output=True,
        text=True,
        timeout=30,
        check=False,
    )


def controller(phase: Stage, *words: str, said: object = None) -> Reported:
    """What the controller's program answers; raises RolloutError where it fails."""
    done = called(phase, *words, said=said)
    if done.returncode:
        raise RolloutError(f"eros-rollback {words[0]} ends with {done.returncode}: {done.stderr}")
    return Reported(json.loads(done.stdout), f"eros-rollback {words[0]}")


@dataclass(frozen=True, slots=True)
class Traces:
    """What rollbacks leave behind, counted."""

    changes: int
    messages: int
    history: int

    @classmethod
    def now(cls, phase: Stage, service: Service) -> Traces:
        """As they are now."""
        inbox = phase.file("inbox")
        lines = inbox.read_text(encoding="utf-8").splitlines() if inbox.is_file() else []
        return cls(
            len(service.get("/flags/changes").each("changes")),
            len(lines),
            len(service.get("/rollback").each("history")),
        )


@dataclass(frozen=True, slots=True)
class Program:
    """What the controller's program says beside what the service says of the same."""

    judged: tuple[Reported, Reported]
    refused: Mapping[str, Called]  # what it is asked to do, and must not
    states: Sequence[tuple[Reported, Reported]]  # while it is rolled back, and once it was reset
    resets: Sequence[Reported]  # lines of the log


@dataclass(frozen=True, slots=True)
class Pulled:
    """What the controller did when it was called, and when it was called again."""

    first: Switch
    before: Traces
    once: Traces
    again: Sequence[Traces]  # after each further call
    told: Sequence[Message]  # to whom it may concern, by the first call
    unexplained: Called  # without a reason, before all of this
    state: Reported  # of the controller, before it is reset
    until: datetime  # when that was asked
    changed: Reported  # the newest change of flags, before that
    program: Program


@scenario(effect="disrupt", own_target=True)
def pulled(phase: Stage) -> Pulled:
    """At 75 percent the controller is called by its program, then again by both its ways."""
    service = Service(phase.target("eros").client)
    clock = phase.target("eros").clock
    if phase.embedded:
        clock.advance(_HOUR_S)  # past the clock of the machine
    service.set_flags(**CONFIGURATIONS["percent75"])
    before = frozenset(creator for creator, on in on_v5(service).items() if on)
    unexplained = called(phase, "trigger", "--by", "Olga")
    traces = Traces.now(phase, service)
    controller(phase, "trigger", "--reason", DRILL, "--by", "Olga")
    first = Switch(
        "percent75",
        "program",
        before,
        on_v5(service),
        serve(service),
    )
    once, inbox = Traces.now(phase, service), phase.file("inbox")
    told = tuple(read_inbox(inbox))[traces.messages :] if inbox.is_file() else ()
    answer = controller(phase, "trigger", "--reason", DRILL, "--by", "Olga")
    again = [Traces.now(phase, service)]
    service.post("/rollback", {"reason": DRILL, "by": "Emil"})
    again.append(Traces.now(phase, service))
    state = service.get("/rollback")
    now = clock.now()
    changed = service.get("/flags/changes").each("changes")[-1]
    tried = _program(phase, service, (answer, state))
    return Pulled(first, traces, once, again, told, unexplained, state, now, changed, tried)


def _program(phase: Stage, service: Service, on: tuple[Reported, Reported]) -> Program:
    """Ask the controller's program for all that a request can ask for, and what it must refuse."""
    runs = [{"ended": f"2026-01-05T00:{minute:02}:00Z"} for minute in range(10)]
    body = {"phase": "canary", "cases": [{"runs": [*runs[:9], {**runs[9], **_BROKE}]}]}
    judged = controller(phase, "judge", said=body), service.post("/rollback/judge", body)
    refused = {
        "judge runs without an end": called(phase, "judge", said={"cases": [{"runs": [{}]}]}),
        "reset it without a reason": called(phase, "reset", "--by", "Olga"),
        "reset it for nobody": called(phase, "reset", "--reason", OVER),
    }
    reset = controller(phase, "reset", "--by", "Olga", "--reason", OVER)
    resets = logged(phase.file("logs"), "eros.rollback", "reset")
    return Program(judged, refused, [on, (reset, service.get("/rollback"))], resets)


@scenario(effect="disrupt", own_target=True)
def requested(phase: Stage) -> Switch:
    """At 50 percent the controller is called by a request."""
    service = Service(phase.target("eros").client)
    service.set_flags(**CONFIGURATIONS["percent50"])
    before = frozenset(creator for creator, on in on_v5(service).items() if on)
    service.post("/rollback", {"reason": DRILL, "by": "Olga"})
    served = serve(service)
    newest = service.get("/rollback").each("history")[-1]
    noted = newest.text("by"), newest.text("reason")
    return Switch("percent50", "request", before, on_v5(service), served, noted)


@dataclass(frozen=True, slots=True)
class Asked:
    """A request around a change of flags, and what it got."""

    change: str
    status: int
    schedule: int  # how many items it has


@scenario(effect="disrupt", own_target=True)
def flipped(phase: Stage) -> Sequence[Asked]:
    """Flags go up step by step to all creators and down again while schedules are asked for."""
    service = Service(phase.target("eros").client)
    ups = list(CONFIGURATIONS.items())
    downs = [(f"back to {name}", flags) for name, flags in reversed(ups[:-1])]
    asked = []
    names = service.names
    for number, (name, flags) in enumerate([*ups, *downs, ("off", OFF)]):
        asking = [names[(number * 5 + place) % len(names)] for place in range(4)]
        with ThreadPoolExecutor(5) as pool:
            early = [pool.submit(service.generate, creator) for creator in asking[:2]]
            change = pool.submit(service.set_flags, **flags)
            early += [pool.submit(service.generate, creator) for creator in asking[2:]]
            change.result().text("phase")
            asked += [_asked(name, future.result()) for future in early]
        asked.append(_asked(name, service.generate("alexia")))
    return asked


def _asked(change: str, response: httpx.Response) -> Asked:
    said = reported(response, any_status=True)
    return Asked(change, response.status_code, len(said.get("schedule") or ()))
