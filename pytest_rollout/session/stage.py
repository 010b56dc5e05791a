"""The `phase` fixture: a phase as its checks see it."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from datetime import datetime
from pathlib import Path
from typing import Any

from pytest_rollout import calendar
from pytest_rollout.model.errors import EffectRefusedError, RolloutError
from pytest_rollout.model.load import LoadRecord
from pytest_rollout.model.plan import Address, Effect
from pytest_rollout.session.declared import Scenario
from pytest_rollout.session.observe import Observe
from pytest_rollout.session.on_record import refused_event
from pytest_rollout.session.phase_run import Event, PhaseRun
from pytest_rollout.targets.target import LiveTarget
from pytest_rollout.targets.trouble import trouble


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

    def load(self, name: str) -> LoadRecord:
        """What a load of the plan came to; it is made when the phase first asks for it.

        Raises RolloutError where its record cannot be believed.
        """
        return self._run.loads.believed(name, self._own)

    def load_record(self, name: str) -> LoadRecord:
        """What a load came to, whatever it is worth; raises RolloutError where it left nothing."""
        return self._run.loads.record(name, self._own)

    def observe_load(self, observe: Observe, name: str, *series: str) -> None:
        """Observe series of a load, each once, however many criteria judge it."""
        self._run.loads.observe(observe, name, series, self._own)

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
        """Record an event of the phase: a change, an action, an incident.

        In a real environment it counts as what `rollout record` records: a freeze holds the phase,
        a change explains what runs otherwise from then on. Raises RolloutError for what only the
        command records, as the begin of a phase, and for a resume where nothing is frozen.
        """
        if not self.embedded:
            request = self._run.recorder.request
            address = Address(self._run.plan.id, self._run.phase.id)
            why = refused_event(request.ledger, address, self.environment, type_)
            if why:
                raise RolloutError(f"phase.record({type_!r}): {why}")
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
            self._run.identify_around("start", facts.name)
            with self._run.recorder.scenario(facts.name), self.declared(facts):
                yield Stage(self._run, facts.name, own_target=facts.own_target)
            refused = self._run.effects.refused(facts.name)
            if refused:  # and swallowed: nobody may read what came of it
                raise EffectRefusedError(refused)
            self._run.identify_around("end", facts.name)
        except Exception as error:
            self._run.started[facts.name] = f"; the first time it ended with {trouble(error)}"
            raise

    @contextmanager
    def declared(self, facts: Scenario) -> Iterator[None]:
        """What is sent meanwhile is sent by a scenario."""
        with self._run.effects.declarations.scenario(facts.name, facts.effect):
            yield
