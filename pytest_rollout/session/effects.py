"""Whether what a check or a scenario would do to a target may be done now."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from datetime import UTC, datetime

import pytest

from pytest_rollout import calendar
from pytest_rollout.model.errors import EffectRefusedError
from pytest_rollout.model.plan import Address, Effect, Environment, Phase, Plan
from pytest_rollout.session.declarations import Declarations
from pytest_rollout.session.on_record import frozen_on_record, is_begun

_REMEMBERED_S = 1.0  # how long nobody looks again whether the phase is begun and not frozen

Tell = Callable[[str, str], None]  # whose item it is, and what was refused


class Effects:
    """Grants or refuses what changes the targets of one phase."""

    def __init__(
        self,
        plan: Plan,
        phase: Phase,
        environment: Environment,
        ledger: str,
        declarations: Declarations,
        tell: Tell,
    ) -> None:
        self.declarations = declarations
        self._plan = plan
        self._phase = phase
        self._environment = environment
        self._ledger = ledger
        self._tell = tell
        self._lock = threading.Lock()
        self._looked_s = float("-inf")
        self._held = ""
        self._refused: dict[str, str] = {}  # scenario to what was refused first

    def refused(self, scenario: str) -> str:
        """Return what was refused to a scenario; empty where nothing was."""
        return self._refused.get(scenario, "")

    def demand(self, effect: Effect, what: str) -> None:
        """Raise EffectRefusedError where such an effect is not allowed now."""
        self._looked_s = float("-inf")
        why = self._refusal(effect)
        if why:
            where = self._environment.name
            raise EffectRefusedError(f"{what} has effect {effect.value}, refused in {where}: {why}")

    def permit(self, target: str, method: str, path: str) -> None:
        """Let a request pass that may change something, or raise EffectRefusedError.

        A check that swallows the error has not passed: it is reported as a failure of the check.
        """
        declared = self.declarations.now
        asked = f"{method} {path} to {target}"
        if declared.effect is Effect.OBSERVE:
            reads = f'reads: ["{method} {path}"]'
            why = (
                f"{declared.name} would send {asked}, and declares no effect; nothing was sent "
                f"({declared.fix}; or in the plan, at the target, {reads} where it only reads)"
            )
        else:
            held = self._refusal(declared.effect)
            if not held:
                return
            where = self._environment.name
            refused = f"refused in {where}: {held}; nothing was sent"
            why = f"{declared.name} would send {asked}, {refused}"
        if declared.scenario:
            self._refused.setdefault(declared.name, why)
        self._tell(declared.item, why)
        raise EffectRefusedError(why)

    def permit_load(self, load: str, target: str) -> None:
        """Let a load be made, or go on, or raise EffectRefusedError.

        It is asked again while the load runs: when the phase is closed, the load ends.
        """
        declared = self.declarations.now
        what = f"{declared.name} would make load {load} on {target}"
        if declared.effect is Effect.OBSERVE:
            why = f"{what}, and declares no effect; nothing was made ({declared.fix})"
        else:
            held = self._refusal(declared.effect)
            if not held:
                return
            why = f"{what}, refused in {self._environment.name}: {held}"
        if declared.scenario:
            self._refused.setdefault(declared.name, why)
        self._tell(declared.item, why)
        raise EffectRefusedError(why)

    def _refusal(self, effect: Effect) -> str:
        environment = self._environment
        if environment.embedded or effect is Effect.OBSERVE:
            return ""
        if effect not in environment.allow:
            allow = [kind.value for kind in Effect if kind in environment.allow or kind is effect]
            return f"the environment does not allow it (`allow: [{', '.join(allow)}]` would)"
        return self._on_record() or calendar.shut(self._plan, self._phase, datetime.now(UTC)) or ""

    def _on_record(self) -> str:
        """Return why the phase is held by what the ledger says; looked at once a second."""
        with self._lock:
            if time.monotonic() - self._looked_s >= _REMEMBERED_S:
                self._held = self._look()
                self._looked_s = time.monotonic()
            return self._held

    def _look(self) -> str:
        address, name = Address(self._plan.id, self._phase.id), self._environment.name
        try:
            if not is_begun(self._ledger, address, name):
                begins = f"rollout begin {address.name} --env {name} --by NAME"
                return f"{address.name} has not begun ({begins})"
        except pytest.UsageError as error:  # what cannot be read holds changes back
            return str(error)
        return frozen_on_record(self._ledger, address, name)
