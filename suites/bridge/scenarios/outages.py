"""The database is taken away and given back, and what the probes answer meanwhile."""

from __future__ import annotations

import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

import httpx

from pytest_rollout import Reported, Stage, reported
from suites.bridge.views.lines import lines
from suites.bridge.views.runbooks import Drill
from suites.bridge.views.service import Bridge

LOOKS = 3
_RECOVERY_S = 12.0  # two more than may be taken
_PAUSE_S = 0.1
CASES = ("service-unavailable", "storage-contention")


@dataclass(frozen=True, slots=True)
class Look:
    """What a probe answered."""

    at: datetime
    path: str
    status: int
    down: bool  # whether the database was away


@dataclass(frozen=True)
class Outage:
    """What probes answered before, during and after an outage of the database."""

    looks: Sequence[Look]
    really: bool  # reads of messages failed meanwhile: the database was away indeed
    recovered_s: float | None = None  # from the database being back to /ready saying so
    odd: Sequence[str] = ()  # what probes said that is not what their status says
    failed: Sequence[Reported] = ()  # what the log says of requests that the database failed

    def statuses(self, path: str, *, down: bool) -> list[int]:
        """What a probe answered, while the database was away or not."""
        return [look.status for look in self.looks if look.path == path and look.down == down]


def outage_tried(phase: Stage) -> Outage:
    """The database goes away, and comes back."""
    target = phase.target("bridge")
    client: httpx.Client = target.client
    looks: list[Look] = []
    odd: list[str] = []

    def look(*, down: bool) -> None:
        for path in ("/health", "/ready"):
            answer = client.get(path)
            status = answer.status_code
            odd.extend(_odd(path, status, reported(answer, any_status=True)))
            looks.append(Look(phase.target("bridge").clock.now(), path, status, down))

    look(down=False)
    phase.operate("bridge", "store", off=True)
    for _ in range(LOOKS):
        look(down=True)
    really = not _reads(phase)
    phase.operate("bridge", "store", off=False)
    begun, clock_begun = time.monotonic(), target.clock.now()
    recovered: float | None = None
    while recovered is None and time.monotonic() - begun < _RECOVERY_S:
        if client.get("/ready").status_code == 200:
            passed = (target.clock.now() - clock_begun).total_seconds()
            recovered = max(time.monotonic() - begun, passed)
        elif (target.clock.now() - clock_begun).total_seconds() < _RECOVERY_S:
            target.clock.advance(1)
        else:
            break
        time.sleep(_PAUSE_S if recovered is None else 0)
    look(down=False)
    return Outage(looks, really, recovered, odd, _failed(_logged(phase)))


_SAYS: Mapping[tuple[str, int], Mapping[str, str]] = {
    ("/health", 200): {"status": "ok"},
    ("/ready", 200): {"status": "ready", "database": "ok"},
    ("/ready", 503): {"status": "unavailable"},
}


def _odd(path: str, status: int, said: Reported) -> list[str]:
    """What a probe said besides its status that does not fit to it."""
    due = _SAYS.get((path, status), {})
    wrong = [
        f"{path} {status} says {name} {said.get(name)}"
        for name in due
        if said.get(name) != due[name]
    ]
    away = (path, status) == ("/ready", 503)
    if away and str(said.get("database") or "ok") == "ok":
        wrong.append(f"{path} 503 says of the database {said.get('database')}")
    return wrong


def _reads(phase: Stage) -> bool:
    """Whether something that only the database knows can be read."""
    agent = Bridge.of(phase).agent("outage-reader", "executor")
    return agent.ask("GET", "/v1/threads").status_code == 200


def outage_on_record(phase: Stage, drills: Mapping[str, Drill]) -> Outage | None:
    """What probes answered in the last drill of an outage, by the log; None without one."""
    drill = next((drills[case] for case in CASES if case in drills), None)
    if drill is None:
        return None
    logged = _logged(phase)
    kept = [line for line in logged if line.text("event") == "request"]
    probes = [line for line in kept if line.text("route") in ("/health", "/ready")]
    away = [
        line.moment("at")
        for line in kept
        if line.get("code") == "UNAVAILABLE" and drill.started <= line.moment("at") <= drill.ended
    ]
    if not away or not probes:
        return Outage([], really=False)
    first, last = min(away), max(away)
    looks = [
        Look(
            line.moment("at"),
            line.text("route"),
            line.whole("status"),
            first <= line.moment("at") <= last,
        )
        for line in probes
    ]
    ready = [look.at for look in looks if look.path == "/ready" and look.status == 200]
    later = [at for at in ready if at > last]
    recovered = (min(later) - last).total_seconds() if later else None
    return Outage(looks, really=True, recovered_s=recovered, failed=_failed(logged))


def _logged(phase: Stage) -> list[Reported]:
    return list(lines(phase.file("logs") / "bridge.jsonl", "log of the bridge"))


def _failed(logged: Sequence[Reported]) -> list[Reported]:
    return [line for line in logged if line.text("event") == "store.failed"]
