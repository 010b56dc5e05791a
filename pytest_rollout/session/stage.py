"""Where a phase's checks happen: its targets, clock, operator and recorded events."""

from __future__ import annotations

import tempfile
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import partial
from pathlib import Path
from typing import Any

from pytest_rollout import calendar
from pytest_rollout.evidence import bodies
from pytest_rollout.model import plan as model
from pytest_rollout.model.errors import EffectRefusedError, RolloutError
from pytest_rollout.model.evidence import ReleaseFact
from pytest_rollout.model.plan import Address, Effect, Phase, Plan
from pytest_rollout.session.declarations import Declarations
from pytest_rollout.session.declared import Scenario
from pytest_rollout.session.effects import Effects, Tell
from pytest_rollout.session.recorder import Recorder
from pytest_rollout.session.resolve import told_since_begin
from pytest_rollout.targets.address import filled
from pytest_rollout.targets.identity import read_identity
from pytest_rollout.targets.launch import Served, launch
from pytest_rollout.targets.reference import Fault, Setting
from pytest_rollout.targets.target import LiveTarget
from pytest_rollout.targets.trouble import trouble


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
    ) -> None:
        self.recorder = recorder
        self.plan = plan
        self.phase = phase
        self.name = plan.address(phase.id).name
        request = recorder.request
        self.environment = environment = request.environment_of(plan)
        self.effects = Effects(plan, phase, environment, request.ledger, declarations, tell)
        self.events: list[Event] = []
        self.begun = False
        self.started: dict[str, str] = {}  # scenario to how it ended, where it failed
        self._served: dict[tuple[str, str], Served] = {}
        self._live: dict[tuple[str, str], LiveTarget] = {}
        self._folder: tempfile.TemporaryDirectory[str] | None = None

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
            self._live[key] = LiveTarget(
                name,
                served.url if served else self._address(target),
                self.environment.name,
                served.folder if served else None,
                permit=partial(self.effects.permit, name),
                reads=target.reads,
            )
            if served:
                self._identify("start", *key)
        return self._live[key]

    def file(self, name: str, scenario: str) -> Path:
        """The path of a target that is a file."""
        target = self._described(name)
        if target.of is not None:
            folder = self.live(target.of, scenario).folder
            if folder is None:
                raise RolloutError(f"target {name}: {target.of} is not served, so it has no files")
            return folder / str(target.file)
        if target.file is not None:
            return self.recorder.request.root / filled(target.file, name)
        return Path(self._address(target))

    def _described(self, name: str) -> model.Target:
        target = self.environment.targets.get(name)
        if target is None:
            known = ", ".join(self.environment.targets) or "none"
            where = f"environment {self.environment.name} of {self.plan.path}"
            how = "state how it is served (docs/targets.md), or ask with --rollout-env"
            hint = f"; {how}" if self.environment.embedded else ""
            raise RolloutError(f"{where} has no target {name!r}; it has: {known}{hint}")
        return target

    def _address(self, target: model.Target) -> str:
        return filled(str(target.address), target.name)

    def _serve(self, key: tuple[str, str], app: str) -> Served:
        if self._folder is None:
            self._folder = tempfile.TemporaryDirectory(prefix="rollout-")
        folder = Path(self._folder.name, str(len(self._served)))  # names are no paths
        drill = self.recorder.request.drill
        of_people = drill in self.plan.faults_of_people()
        fault = Fault.parse(drill) if drill and not of_people else None
        served = launch(app, Setting(folder, self._start_time(), fault), self.recorder.request.root)
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


class Stage:
    """The `phase` fixture: a phase as its checks see it, or as one of its scenarios does."""

    def __init__(self, run: PhaseRun, scenario: str = "", *, own_target: bool = False) -> None:
        self._run = run
        self._scenario = scenario
        self._own = scenario if own_target else ""

    def __repr__(self) -> str:
        return f"phase {self.id}"  # as it appears in reasons, the same in every process

    @property
    def id(self) -> str:
        """The phase's full name, as plms.day3."""
        return self._run.name

    @property
    def environment(self) -> str:
        """The environment's name."""
        return self._run.environment.name

    @property
    def embedded(self) -> bool:
        """Whether this is a rehearsal on reference targets."""
        return self._run.environment.embedded

    @property
    def window(self) -> tuple[datetime, datetime]:
        """When the phase is to happen, as UTC moments; raises RolloutError without a date."""
        window = calendar.phase_window(self._run.plan, self._run.phase)
        if window is None:
            raise RolloutError(f"{self.id} has no date in {self._run.plan.path}")
        return window

    def now(self) -> datetime:
        """The phase's time: its targets' latest clock, else the wall's."""
        return self._run.now()

    def target(self, name: str) -> LiveTarget:
        """A target that answers HTTP."""
        return self._run.live(name, self._own)

    def file(self, name: str) -> Path:
        """The path of a target that is a file."""
        return self._run.file(name, self._own)

    def address(self, name: str) -> str:
        """Where a target is, for a program of its own: its URL, or the path of its file."""
        described = self._run.environment.targets.get(name)
        if described is not None and described.file is not None:
            return str(self.file(name))
        return self.target(name).url

    def frozen(self, moment: datetime) -> bool:
        """Whether a moment falls into a freeze that holds for changes of this phase's risk."""
        return calendar.frozen(self._run.plan, moment, self._run.phase.risk) is not None

    def operate(self, target: str, step: str, **arguments: object) -> Mapping[str, Any]:
        """Have the scripted operator of an embedded target do a step of the plan.

        What it does is recorded as events. Elsewhere people do the step and record it, so
        nothing happens and the answer is empty.
        """
        if not self.embedded:
            return {}
        result, actions = self.target(target).operate(step, **arguments)
        for action in actions:
            self.record(action.kind, action.what, at=action.at)
        return result

    def record(self, type_: str, says: str, *, at: datetime | None = None) -> None:
        """Record an event of the phase: a change, an action, an incident."""
        self._run.record(type_, says, at or self.now(), self._scenario)

    def events(self, *types: str) -> tuple[Event, ...]:
        """The recorded events of some types: the phase's, and within a scenario its own.

        In a real environment those come first that people recorded since the phase began.
        """
        mine = ("", self._scenario)
        known = (*self._run.told_by_people(), *self._run.events)
        return tuple(e for e in known if e.type in types and e.scenario in mine)

    def demand(self, effect: Effect, what: str) -> None:
        """Raise EffectRefusedError where such an effect is not allowed now."""
        self._run.effects.demand(effect, what)

    @contextmanager
    def scenario(self, facts: Scenario) -> Iterator[Stage]:
        """The stage of a scenario, once its effect is allowed; not a second time in a run."""
        self.demand(facts.effect, facts.name)
        if facts.name in self._run.started:
            how = self._run.started[facts.name]
            raise RolloutError(f"scenario {facts.name} would run a second time in {self.id}{how}")
        self._run.started[facts.name] = ""
        try:
            with self._run.recorder.scenario(facts.name), self.declared(facts):
                yield Stage(self._run, facts.name, own_target=facts.own_target)
            refused = self._run.effects.refused(facts.name)
            if refused:  # and swallowed: nobody may read what came of it
                raise EffectRefusedError(refused)
        except Exception as error:
            self._run.started[facts.name] = f"; the first time it ended with {trouble(error)}"
            raise

    @contextmanager
    def declared(self, facts: Scenario) -> Iterator[None]:
        """What is sent meanwhile is sent by a scenario."""
        with self._run.effects.declarations.scenario(facts.name, facts.effect):
            yield
