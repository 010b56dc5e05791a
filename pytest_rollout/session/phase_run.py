"""A phase in one process: its targets, and the events that it writes."""

from __future__ import annotations

import tempfile
import time
from dataclasses import replace
from datetime import UTC, datetime
from functools import partial
from pathlib import Path

from pytest_rollout import calendar
from pytest_rollout.evidence import bodies
from pytest_rollout.late_dataclass import dataclass
from pytest_rollout.model import plan as model
from pytest_rollout.model.errors import RolloutError
from pytest_rollout.model.evidence import ReleaseFact
from pytest_rollout.model.plan import Address, Phase, Plan
from pytest_rollout.session.declarations import Declarations
from pytest_rollout.session.effects import Effects, Tell
from pytest_rollout.session.loads import Loads, Place
from pytest_rollout.session.on_record import told_since_begin
from pytest_rollout.session.recorder import Recorder
from pytest_rollout.targets.address import filled
from pytest_rollout.targets.identity import identify, read_identity
from pytest_rollout.targets.launch import Served, launch
from pytest_rollout.targets.reference import Fault, Setting
from pytest_rollout.targets.starting import Warm
from pytest_rollout.targets.target import LiveTarget

_TRIES, _PAUSE_S = 3, 0.5


@dataclass(frozen=True, slots=True)
class Event:
    """Something that happened in a phase: begin, end, change, action, incident."""

    type: str
    at: datetime
    says: str
    scenario: str = ""


class PhaseRun:
    """One phase in one process: owns its targets and writes its events."""

    def __init__(
        self,
        recorder: Recorder,
        plan: Plan,
        phase: Phase,
        declarations: Declarations,
        tell: Tell,
        warm: Warm,
    ) -> None:
        self.recorder = recorder
        self.plan = plan
        self.phase = phase
        self.name = plan.address(phase.id).name
        request = recorder.request
        self._warm = warm
        self.environment = environment = request.environment_of(plan)
        self.effects = Effects(plan, phase, environment, request.ledger, declarations, tell)
        self.events: list[Event] = []
        self.begun = False
        self.started: dict[str, str] = {}  # scenario to how it ended, where it failed
        self._served: dict[tuple[str, str], Served] = {}
        self._live: dict[tuple[str, str], LiveTarget] = {}
        self._folder: tempfile.TemporaryDirectory[str] | None = None
        self.loads = Loads(self._place_of_loads())

    def _place_of_loads(self) -> Place:
        embedded, request = self.environment.embedded, self.recorder.request
        attach, permit = self.recorder.attach, self._permit_load
        now = self._now_us
        return Place(self.plan, request.root, embedded, self._url, now, permit, attach)

    def _permit_load(self, load: str, target: str) -> None:
        self.recorder.tick()
        self.effects.permit_load(load, target)

    def _now_us(self) -> int:
        return calendar.to_us(self.now())

    def _url(self, name: str, scenario: str) -> str:
        return self.live(name, scenario).url

    def begin(self) -> None:
        """A rehearsal begins its phase before the first check of the exit gate."""
        if self.environment.embedded and not self.begun:
            self.begun = True
            self.record("begin", "the rehearsal began the phase", self._start_time(), "")

    def finish(self) -> None:
        """Read the releases a last time, end the rehearsal, stop every target."""
        try:
            now = self.now()
            for scenario, name in list(self._served):
                self._identify("end", scenario, name)
            if self.begun:
                self.record("end", "the rehearsal ended the phase", now, "")
        finally:
            for target in self._live.values():
                target.close()
            for served in self._served.values():
                served.let_go()
            for served in self._served.values():
                served.stop()
            if self._folder is not None:
                self._folder.cleanup()
            self._live, self._served, self._folder = {}, {}, None

    def now(self) -> datetime:
        """The latest time of the phase's targets; the wall's where none has a clock."""
        clocks = [target.clock.now() for target in self._live.values() if target.embedded]
        return max(clocks, default=datetime.now(UTC))

    def record(self, type_: str, says: str, at: datetime, scenario: str) -> None:
        """Keep an event, and write it to the ledger of a deciding run."""
        self.events.append(Event(type_, at, says, scenario))
        t_us = calendar.to_us(at)
        told = bodies.StoredEvent(type=str(type_), t_us=t_us, says=str(says), scenario=scenario)
        self.recorder.event(self.name, told)

    def told_by_people(self) -> tuple[Event, ...]:
        """What people recorded since the phase began; a rehearsal's operator tells by itself."""
        if self.environment.embedded:
            return ()
        address = Address(self.plan.id, self.phase.id)
        told = told_since_begin(self.recorder.request.ledger, address, self.environment.name)
        return tuple(Event(e.type, calendar.from_us(e.t_us), e.says) for e in told)

    def live(self, name: str, scenario: str) -> LiveTarget:
        """A target that answers HTTP, started when it is first asked for."""
        key = (scenario, name)
        if key not in self._live:
            target = self._described(name)
            served = self._serve(key, target.serve) if target.serve else None
            beside = self._folder_of(target, scenario) if target.address and target.of else None
            url = served.url if served else self._address(target)
            self._live[key] = LiveTarget(
                name,
                url if beside is None else _written(beside / url, name),
                self.environment.name,
                served.folder if served else beside,
                permit=partial(self.effects.permit, name),
                reads=target.reads,
                heard=self.recorder.tick,
            )
            if served:
                self._identify("start", *key)
        return self._live[key]

    def file(self, name: str, scenario: str) -> Path:
        """The path of a target that is a file."""
        target = self._described(name)
        if target.of is not None:
            return self._folder_of(target, scenario) / str(target.file)
        if target.file is not None:
            return self.recorder.request.root / filled(target.file, name)
        return Path(self._address(target))

    def identify_around(self, when: str, scenario: str) -> None:
        """Read what a real target runs at the start or end of a scenario, and keep it.

        Two readings a run would miss traffic that switches between two releases. A target that
        does not answer, perhaps because the scenario restarted it, is asked again.
        """
        deciding = self.recorder.request.deciding
        if self.environment.embedded or self.plan.release is None or not deciding:
            return
        for attempt in range(_TRIES):
            time.sleep(_PAUSE_S * bool(attempt))
            fact = identify(when, self.plan, self.environment, self.recorder.request.root)
            if not fact.error:
                break
        self.recorder.release(self.name, replace(fact, scenario=scenario))

    def _described(self, name: str) -> model.Target:
        target = self.environment.targets.get(name)
        if target is None:
            known = ", ".join(self.environment.targets) or "none"
            where = f"environment {self.environment.name} of {self.plan.path}"
            served = f'environments: {{embedded: {{targets: {{{name}: {{serve: "MODULE:APP"}}}}}}}}'
            how = f"state how it is served (`{served}`), or ask with --rollout-env"
            hint = f"; {how}" if self.environment.embedded else ""
            raise RolloutError(f"{where} has no target {name!r}; it has: {known}{hint}")
        return target

    def _folder_of(self, target: model.Target, scenario: str) -> Path:
        folder = self.live(str(target.of), scenario).folder
        if folder is None:
            where = f"target {target.name}: {target.of}"
            raise RolloutError(f"{where} is not served, so it has no files")
        return folder

    def _address(self, target: model.Target) -> str:
        return filled(str(target.address), target.name)

    def _serve(self, key: tuple[str, str], app: str) -> Served:
        if self._folder is None:
            self._folder = tempfile.TemporaryDirectory(prefix="rollout-")
        folder = Path(self._folder.name, str(len(self._served)))  # names are no paths
        drill = self.recorder.request.drill
        of_people = drill in self.plan.faults_of_people()
        fault = Fault.parse(drill) if drill and not of_people else None
        setting = Setting(folder, self._start_time(), fault)
        served = launch(app, setting, self.recorder.request.root, self._warm.start)
        self._served[key] = served
        return served

    def _start_time(self) -> datetime:
        """The phase's date and hours, where a target is served whose clock starts there."""
        window = calendar.phase_window(self.plan, self.phase)
        served = any(target.serve for target in self.environment.targets.values())
        return window[0] if window and served else datetime.now(UTC)

    def _identify(self, when: str, scenario: str, name: str) -> None:
        release, configuration = self.plan.release, self.plan.configuration
        if release is None or release.target != name:
            return
        # A rehearsal reads what it serves, so that a command or variable says nothing here.
        of_target = configuration if configuration and configuration.asks_target else None

        def where(target: str) -> str:
            return self.live(target, scenario).url

        fact: ReleaseFact = read_identity(when, where, release, of_target)
        self.recorder.release(self.name, fact)


def _written(file: Path, name: str) -> str:
    """The address that a served target wrote for another one of its own."""
    try:
        return file.read_text(encoding="utf-8").strip()
    except (OSError, UnicodeError) as error:
        raise RolloutError(f"target {name}: no address stands in {file.name}: {error}") from None
