"""Ticks of the supervisor: some with work, some without, some that fail."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime
from functools import cached_property
from pathlib import Path

from pytest_rollout import Reported, Stage
from suites.bridge.views.lines import lines, ticks
from suites.bridge.views.service import Bridge

INTERVAL_S = 5
FAILS = 2
_QUIET_TICKS, _BUSY = 14, 3


@dataclass
class Ticked:
    """The supervisor's log since the scenario began, and what the runtime was asked meanwhile."""

    lines: Sequence[Reported]
    asked: Sequence[datetime]  # when the runtime was asked for something
    kicked: frozenset[datetime]  # when a message came: what was asked then needed no tick
    kept: Sequence[Reported] = ()  # all lines of all logs, from the beginning
    quiet_from: datetime | None = None
    quiet_until: datetime | None = None
    made_to_fail: int = 0
    woken_after_failure: bool = False
    due: int = 1  # ticks, by the clock
    escalations: Sequence[Reported] = field(default_factory=list)

    @property
    def work(self) -> list[int]:
        """What each tick that was completed says it did."""
        return [line.whole("work") for line in self.kept if line.text("event") == "tick.completed"]

    @cached_property
    def _by_tick(self) -> dict[int, list[Reported]]:
        groups: dict[int, list[Reported]] = {}
        for line in self.lines:
            if line.get("tick") is not None and line.text("event").startswith("tick."):
                groups.setdefault(line.whole("tick"), []).append(line)
        return groups

    @property
    def numbers(self) -> list[int]:
        """The numbers of all ticks."""
        return sorted(self._by_tick)

    def events(self, tick: int) -> list[Reported]:
        """What a tick logged."""
        return self._by_tick.get(tick, [])

    def unlogged(self) -> list[datetime]:
        """When the runtime was asked in the trial, with neither a message nor a tick in the log."""
        if not self.made_to_fail:
            return []
        moments = {kept[0].moment("at") for kept in self._by_tick.values()}
        since = self.quiet_from
        return [at for at in self.asked if at not in moments | self.kicked and at >= (since or at)]

    def busy(self) -> list[int]:
        """Ticks at whose moment the runtime was asked for something that no message asked for."""
        moments = {at for at in self.asked if at not in self.kicked}
        return [
            tick
            for tick, kept in self._by_tick.items()
            if kept[0].moment("at") in moments and kept[0].text("event") != "tick.failed"
        ]

    @property
    def quiet(self) -> list[int]:
        """Ticks of a stretch in which nothing was pending."""
        if self.quiet_from is None or self.quiet_until is None:
            return []
        return [
            tick
            for tick, kept in self._by_tick.items()
            if self.quiet_from < kept[0].moment("at") <= self.quiet_until
        ]


def ticked(phase: Stage) -> Ticked:
    """A quiet minute, resumes that are refused and tried again, and ticks whose store is away."""
    bridge = Bridge.of(phase)
    begun = phase.target("bridge").clock.now()
    quiet: tuple[datetime, datetime] | None = None
    woken = False
    if phase.embedded:
        clock = phase.target("bridge").clock
        clock.advance(INTERVAL_S * 2)
        quiet_from = clock.now()
        clock.advance(INTERVAL_S * _QUIET_TICKS)
        quiet = (quiet_from, clock.now())
        for number in range(_BUSY):
            _refused(phase, bridge, f"ticking-{number}", 1)
            clock.advance(INTERVAL_S * 2 + 1)
        woken = _failing(phase, bridge)
    return _told(phase, bridge, begun, quiet, woken=woken)


def _refused(phase: Stage, bridge: Bridge, name: str, times: int) -> str:
    """A message to an agent whose resume is refused at first; the id of the message."""
    asleep = {"managed": True, "state": "dormant", "heartbeat_age_s": 60, "ack_after_s": 1}
    phase.operate("bridge", "session", agent=name, resume_fails=times, **asleep)
    sender = bridge.agent("ticking-sender", "executor")
    thread = sender.opened("ticking", [name])
    return sender.posted(thread, "please look", to=[name]).text("id")


def _failing(phase: Stage, bridge: Bridge) -> bool:
    """Ticks fail while a resume has to be tried again; whether the message arrived after them."""
    clock = phase.target("bridge").clock
    message = _refused(phase, bridge, "ticking-late", 1)
    phase.operate("bridge", "fail-ticks", count=FAILS)
    for _ in range(FAILS + 3):
        clock.advance(INTERVAL_S)
    journal = lines(phase.file("runtime"), "journal of the runtime")
    return any(line.text("do") == "inject" and line.get("message") == message for line in journal)


def _told(
    phase: Stage,
    bridge: Bridge,
    begun: datetime,
    quiet: tuple[datetime, datetime] | None,
    *,
    woken: bool,
) -> Ticked:
    """What the logs say: of the trial, or of all that happened so far."""
    kept = ticks(phase.file("logs"))
    now = phase.target("bridge").clock.now()
    mine = [line for line in kept if line.moment("at") >= begun] if phase.embedded else kept
    asked = _asked(phase.file("runtime"))
    kicked = {line.moment("at") for line in kept if line.text("event") == "supervisor.kicked"}
    everything = [
        line for path in sorted(phase.file("logs").glob("*.jsonl")) for line in lines(path, "log")
    ]
    log = Ticked(mine, asked, frozenset(kicked), everything)
    log.escalations = bridge.operator.get("/v1/escalations").each("escalations")
    if quiet is not None:
        log.quiet_from, log.quiet_until = quiet
        log.made_to_fail, log.woken_after_failure = FAILS, woken
        log.due = int((now - begun).total_seconds() / INTERVAL_S) - 1
        return log
    failed = [line for line in mine if line.text("event") == "tick.failed"]
    idle = [line.moment("at") for line in mine if line.text("event") == "tick.idle"]
    if failed:
        later = max(line.moment("at") for line in failed)
        log.made_to_fail = len(failed)
        log.woken_after_failure = any(at > later for at in asked)
    if idle:
        log.quiet_from, log.quiet_until = _still(idle, asked)
    return log


def _asked(path: Path) -> list[datetime]:
    told = lines(path, "journal of the runtime")
    return [line.moment("at") for line in told if line.text("do") in ("resume", "spawn", "inject")]


def _still(
    idle: Sequence[datetime], asked: Sequence[datetime]
) -> tuple[datetime | None, datetime | None]:
    """The longest stretch, from an idle tick to one, in which the runtime was asked nothing."""
    edges = sorted(asked)
    stretches = []
    for begin, end in zip([min(idle), *edges], [*edges, max(idle)], strict=True):
        inside = [at for at in idle if begin < at < end]
        if len(inside) > 1:
            stretches.append((inside[0], inside[-1]))
    longest = max(stretches, key=lambda stretch: stretch[1] - stretch[0], default=None)
    return longest or (None, None)
