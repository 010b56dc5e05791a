"""The project that the command works on: root, plans, ledger, and addresses in them."""

from __future__ import annotations

import json
import os
from collections.abc import Callable, Mapping, Sequence
from datetime import datetime
from functools import cached_property, partial
from pathlib import Path
from typing import Any

import click

from pytest_rollout import calendar
from pytest_rollout.evidence import opening
from pytest_rollout.evidence.drills import last_no
from pytest_rollout.evidence.history import AskingRun, GateStanding, History, last_full_run
from pytest_rollout.evidence.ledger import Ledger
from pytest_rollout.evidence.mutation_drills import MutationDrills
from pytest_rollout.late_dataclass import dataclass
from pytest_rollout.model.decision import Decision
from pytest_rollout.model.drill import LastNo
from pytest_rollout.model.errors import (
    LedgerError,
    OptionError,
    RolloutError,
    UnknownNameError,
)
from pytest_rollout.model.mutation import LastMutation
from pytest_rollout.model.plan import EMBEDDED, Address, Gate, Phase, Plan
from pytest_rollout.on_the_way import plans_on_the_way
from pytest_rollout.plan import find
from pytest_rollout.plan.heap import collector_paused
from pytest_rollout.plan.load import Loaded, parse
from pytest_rollout.plan.reader import nearest
from pytest_rollout.roots import patterns_of, root_and_ini

_PLAN = "rollout.yaml"
READ = "pytest_rollout.read"  # of a click context: the project by which names were completed
_DEFAULTS = {"rollout_ledger": ".rollout/ledger.db", "rollout_report": "rollout-report"}


@dataclass(frozen=True)
class Project:
    """Where plans and evidence are: by pytest's own rules, as a run would find them."""

    root: Path
    patterns: tuple[str, ...]
    ledger_at: str  # its address
    report: Path
    until_us: int | None = None  # read the ledger as it was then

    @classmethod
    def here(cls, root: str | None, ledger: str | None, at: str | None = None) -> Project:
        """The project of the working directory, or of a given root; ``at`` is RFC 3339."""
        folder, ini = root_and_ini(root, Path.cwd())
        stated = patterns_of(ini)
        words = list(find.DEFAULT_PATTERNS) if stated is None else stated
        words.extend(plans_on_the_way(folder, Path(root or Path.cwd()).absolute()))
        ledger_at = opening.address_in(ledger, "") if ledger else _configured_ledger(ini, folder)
        report = folder / _path(ini, "rollout_report")
        return cls(folder, tuple(words), ledger_at, report, instant_in("--at", at) if at else None)

    @property
    def ledger_shown(self) -> str:
        """The ledger's address as people write it here."""
        absolute = Path(self.ledger_at).is_absolute()
        return os.path.relpath(self.ledger_at) if absolute else self.ledger_at

    @cached_property
    def found(self) -> list[Loaded]:
        """Every plan below the root, which may be none."""
        context = click.get_current_context(silent=True)
        read = context.meta.pop(READ, None) if context else None
        if read is not None and (read.root, read.patterns) == (self.root, self.patterns):
            return list(read.found)
        return find.load_all(self.root, self.patterns)

    @property
    def loaded(self) -> list[Loaded]:
        """Every plan; raises RolloutError where there is none."""
        if not self.found:
            looked = ", ".join(self.patterns)
            unread = "".join(f"; {note}" for note in find.unread(self.root, self.patterns))
            why = f"no rollout plan below {self.root} (looked for {looked}{unread})"
            raise RolloutError(why, code="plan.none", root=str(self.root))
        return self.found

    @cached_property
    def plans(self) -> list[Plan]:
        """Every plan without problems."""
        return [loaded.plan for loaded in self.loaded if loaded.plan and not loaded.problems]

    @cached_property
    def ledger(self) -> Ledger:
        """The ledger, for reading; raises LedgerError where there is none."""
        ledger = opening.to_read(self.ledger_at, self.until_us)
        click.get_current_context().call_on_close(ledger.close)
        return ledger

    @property
    def has_ledger(self) -> bool:
        """Whether there is a ledger; raises LedgerError for a database that nobody knows."""
        return opening.exists(self.ledger_at)

    def plan(self, id_: str) -> Plan:
        """A plan by its id; raises RolloutError, with the problems of a broken one."""
        for loaded in self.loaded:
            if loaded.id == id_ and loaded.problems:
                problems = tuple(map(str, loaded.problems))
                raise RolloutError("; ".join(problems), code="plan.broken", problems=problems)
        plan = next((plan for plan in self.plans if plan.id == id_), None)
        if plan is None:
            known = [loaded.id for loaded in self.loaded]
            why = f"no plan `{id_}` ({nearest(id_, known)})"
            raise UnknownNameError(why, "plan", id_, known)
        return plan

    def loaded_plan(self, plan: Plan) -> Loaded:
        """The texts that a plan was read from."""
        return next(loaded for loaded in self.loaded if loaded.plan is plan)

    @cached_property
    def history(self) -> History:
        """What the ledger says of gates; raises LedgerError where there is no ledger."""
        return History(self.ledger)

    def phase(self, address: Address) -> Phase:
        """The phase that an address names; raises RolloutError with the nearest one."""
        plan = self.plan(address.plan)
        phase = plan.phase(address.phase)
        if phase is None:
            known = [stated.id for stated in plan.phases]
            why = f"{plan.id} has no phase `{address.phase}` ({nearest(address.phase, known)})"
            raise UnknownNameError(why, "phase", address.phase, known)
        return phase

    def environment(self, name: str, plans: Sequence[Plan]) -> None:
        """Raise RolloutError where none of the plans has an environment of that name."""
        known = {environment for plan in plans for environment in plan.environments}
        if name not in known:
            why = f"no plan has an environment `{name}` ({nearest(name, known)})"
            raise UnknownNameError(why, "environment", name, known)

    def gate(self, text: str, environment: str) -> Address:
        """The gate that an address names; of a phase its exit, or its entry where only that ran.

        The ledger knows gates that the plan file no longer has.
        """
        address = parsed(text)
        gates = [address.gate] if address.gate else [Gate.EXIT, Gate.ENTRY]
        for gate in gates:
            if self.full_run(address.at(gate), environment):
                return address.at(gate)
        chosen = self.phase(address).chosen
        self.environment(environment, [self.plan(address.plan)])
        where = "" if environment == EMBEDDED else f" --rollout-env {environment}"
        why = (
            f"no full run has asked for {address} in {environment} yet "
            f"(run `pytest {chosen}{where}`; partial runs and drills do not count)"
        )
        facts = {"gate": str(address), "environment": environment}
        raise RolloutError(why, code="gate.never-asked", **facts)

    def full_run(self, address: Address, environment: str) -> AskingRun | None:
        """The last full run that asked for a gate."""
        try:
            return last_full_run(self.ledger, address, environment)
        except LedgerError:
            self.phase(address)  # a mistaken address is the better message
            raise

    def asked(self, address: Address, environment: str) -> AskingRun:
        """The last full run of a gate that :meth:`gate` found."""
        asked = self.full_run(address, environment)
        assert asked is not None
        return asked

    def standing(self, address: Address, environment: str) -> tuple[GateStanding, Decision, str]:
        """The last stored decision of a gate and its text; raises RolloutError without one."""
        standing = self.history.standing(address, environment)
        facts = {"gate": str(address), "environment": environment}
        if standing is None:
            why = f"{address} has no decision in {environment}"
            raise RolloutError(why, code="gate.never-asked", **facts)
        if standing.decision is not None and standing.text is not None:
            return standing, standing.decision, standing.text
        if standing.damage:
            why = (
                f"the decision of {address} cannot be trusted: the ledger was damaged: "
                f"{standing.damage} (`rollout decide {address} --env {environment}` judges what is "
                "left)"
            )
            raise RolloutError(why, code="ledger.damaged", **facts, damage=standing.damage)
        run = standing.asked.run
        why = f"{address} has no decision in {environment} (run {run} stored none)"
        raise RolloutError(why, code="run.undecided", **facts, run=run)

    def knows_earlier(self, decision: Decision) -> Callable[[str], bool]:
        """Whether a run is in the ledger, and began before the one of a decision."""
        mine = self.ledger.of_run(decision.run)

        def known(run: str) -> bool:
            records = self.ledger.of_run(run)
            return bool(records and mine) and records[0].sequence < mine[0].sequence

        return known

    def last_no(self, gate: Address) -> LastNo | None:
        """When a gate last said no in a drill, as the plan stands now or by an older text of it."""
        return last_no(self.ledger, gate, self._digest_now(gate.plan))

    def last_mutation(self, gate: Address) -> LastMutation | None:
        """What a gate noticed of mutants, as the plan stands now or by an older text of it."""
        return self.mutation_drills.of_gate(gate, self._digest_now(gate.plan))

    def last_no_words(self, decision: Decision) -> str:
        """Both in one sentence, for the reports of a decision."""
        from pytest_rollout.report.mutation import drilled_words  # few verbs tell of drills

        gate = decision.address
        return drilled_words(self.last_no(gate), self.last_mutation(gate), decision)

    @cached_property
    def mutation_drills(self) -> MutationDrills:
        """What mutation drills are on record."""
        return MutationDrills(self.ledger)

    def _digest_now(self, plan: str) -> str:
        plans = (loaded.plan for loaded in self.found if loaded.plan and loaded.id == plan)
        return next((plan_file.digest for plan_file in plans), "")

    def plan_of_run(self, address: Address, asked: AskingRun) -> tuple[Plan, Phase]:
        """The plan and phase as they were when a run judged by them."""
        loaded = next(filter(partial(_judged_by, asked), self.found), None) or self._kept(asked)
        if loaded is None or loaded.plan is None or loaded.problems:
            digest = asked.plan_digest[:12]
            why = f"the plan that was judged by ({digest}) is not in the ledger"
            raise RolloutError(why, code="plan.lost", digest=asked.plan_digest)
        phase = loaded.plan.phase(address.phase)
        if phase is None:
            raise RolloutError(f"the plan of that run has no phase {address.phase}")
        return loaded.plan, phase

    def _kept(self, asked: AskingRun) -> Loaded | None:
        text = self.ledger.text(asked.plan_digest)
        beside = {name: self.ledger.text(digest) for name, digest in asked.beside.items()}
        texts = {name: text for name, text in beside.items() if text is not None}
        if text is None or len(texts) < len(beside):
            return None
        with collector_paused():
            return parse(text, self.root / _PLAN, _PLAN, texts, calendars=False)


def keep_texts(ledger: Ledger, loaded: Loaded) -> None:
    """Keep the text of a plan in the ledger, and those of the files beside it."""
    if loaded.plan is not None:
        ledger.keep_text(loaded.plan.digest, loaded.text)
    for name, text in loaded.beside.items():
        ledger.keep_text(loaded.digests[name], text)


def _judged_by(asked: AskingRun, loaded: Loaded) -> bool:
    """Whether a plan as it stands now, and what is beside it, is what a run judged by."""
    same = loaded.plan is not None and loaded.plan.digest == asked.plan_digest
    return same and not loaded.problems and loaded.digests == asked.beside


def parsed(text: str) -> Address:
    """The address in a text; raises RolloutError."""
    try:
        return Address.parse(text)
    except ValueError as error:
        raise RolloutError(str(error), code="address", address=text) from error


def instant_in(option: str, text: str) -> int:
    """Return the moment that an option names, in microseconds; raises OptionError."""
    try:
        return calendar.to_us(datetime.fromisoformat(text))
    except ValueError as error:
        rule = "write it with an offset, as 2025-11-10T11:00:00-05:00"
        raise OptionError(option, f"{text!r} is no moment ({rule})") from error


def _configured_ledger(ini: Mapping[str, object], root: Path) -> str:
    return opening.address_in(_path(ini, "rollout_ledger"), root)


def _path(ini: Mapping[str, object], name: str) -> str:
    return str(ini.get(name, _DEFAULTS[name]))


def common(function: Callable[..., Any]) -> Callable[..., Any]:
    """The options that every verb has."""
    options: Sequence[Callable[..., Any]] = (
        click.option(
            "--root", is_eager=True, help="the project's folder (default: found as pytest does)"
        ),
        click.option(
            "--ledger", help="the ledger: a file, or postgresql://… (default: ini rollout_ledger)"
        ),
        click.option("--json", "as_json", is_flag=True, help="answer in JSON"),
    )
    for option in reversed(options):
        function = option(function)
    return function


def environment_option(function: Callable[..., Any]) -> Callable[..., Any]:
    """The environment that a verb is about, as `cli.real_environment` reads it."""
    words = "which environment (default: the plan's only real one)"
    return click.option("--env", "environment", metavar="NAME", help=words)(function)


def print_json(data: object) -> None:
    """JSON for programs, on standard output."""
    click.echo(json.dumps(data, indent=2))
