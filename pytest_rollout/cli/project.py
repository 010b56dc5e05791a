"""The project that the command works on: root, plans, ledger, and addresses in them."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

import click
from _pytest.config.findpaths import determine_setup

from pytest_rollout.evidence.history import last_decision, last_full_run
from pytest_rollout.evidence.ledger import Ledger
from pytest_rollout.model.decision import Decision
from pytest_rollout.model.errors import RolloutError
from pytest_rollout.model.plan import EMBEDDED, Address, Gate, Phase, Plan
from pytest_rollout.plan import find
from pytest_rollout.plan.load import Loaded, parse
from pytest_rollout.plan.reader import nearest

_DEFAULTS = {"rollout_ledger": ".rollout/ledger.db", "rollout_report": "rollout-report"}


@dataclass(frozen=True)
class Project:
    """Where plans and evidence are: by pytest's own rules, as a run would find them."""

    root: Path
    patterns: tuple[str, ...]
    ledger_path: Path
    report: Path

    @classmethod
    def here(cls, root: str | None, ledger: str | None) -> Project:
        """The project of the working directory, or of a given root."""
        setup = determine_setup(
            inifile=None,
            override_ini=None,
            args=[],
            rootdir_cmd_arg=root,
            invocation_dir=Path(root or Path.cwd()),
        )
        found, ini = setup[0], {name: item.value for name, item in setup[2].items()}
        patterns = ini.get("rollout_plans", list(find.DEFAULT_PATTERNS))
        words = patterns if isinstance(patterns, list) else str(patterns).split()
        kept = Path(ledger) if ledger else found / _path(ini, "rollout_ledger")
        return cls(found, tuple(map(str, words)), kept, found / _path(ini, "rollout_report"))

    @cached_property
    def loaded(self) -> list[Loaded]:
        """Every plan; raises RolloutError where there is none."""
        plans = find.load_all(self.root, self.patterns)
        if not plans:
            looked = ", ".join(self.patterns)
            raise RolloutError(f"no rollout plan below {self.root} (looked for {looked})")
        return plans

    @cached_property
    def plans(self) -> list[Plan]:
        """Every plan without problems."""
        return [one.plan for one in self.loaded if one.plan and not one.problems]

    @cached_property
    def ledger(self) -> Ledger:
        """The ledger, for reading; raises LedgerError where there is none."""
        return Ledger.open(self.ledger_path)

    def plan(self, id_: str) -> Plan:
        """A plan by its id; raises RolloutError, with the problems of a broken one."""
        for one in self.loaded:
            if one.id == id_ and one.problems:
                raise RolloutError("; ".join(map(str, one.problems)))
        found = next((plan for plan in self.plans if plan.id == id_), None)
        if found is None:
            raise RolloutError(f"no plan `{id_}` ({nearest(id_, [one.id for one in self.loaded])})")
        return found

    def phase(self, text: str) -> tuple[Plan, Phase, Address]:
        """The phase that an address names; raises RolloutError with the nearest one."""
        try:
            address = Address.parse(text)
        except ValueError as error:
            raise RolloutError(str(error)) from error
        plan = self.plan(address.plan)
        phase = plan.phase(address.phase)
        if phase is None:
            known = [one.id for one in plan.phases]
            raise RolloutError(
                f"{plan.id} has no phase `{address.phase}` ({nearest(address.phase, known)})"
            )
        return plan, phase, address

    def gate(self, text: str, environment: str) -> tuple[Plan, Phase, Address]:
        """The gate that an address names; of a phase the last one that was decided."""
        plan, phase, address = self.phase(text)
        if address.gate is None:
            exit_ = address.at(Gate.EXIT)
            decided = last_full_run(self.ledger, exit_, environment)
            address = exit_ if decided else address.at(Gate.ENTRY)
        return plan, phase, address

    def decision(self, address: Address, environment: str) -> Decision:
        """The last stored decision of a gate; raises RolloutError where there is none."""
        found = last_decision(self.ledger, address, environment)
        if found is None:
            raise RolloutError(
                f"{address} has no decision in {environment} "
                f"(run `pytest -m {address.phase}` first; partial runs and drills are none)"
            )
        return found

    def plan_of_run(self, plan: Plan, digest: str) -> Plan:
        """The plan as it was when a run judged by it."""
        if plan.digest == digest:
            return plan
        text = self.ledger.text(digest)
        loaded = parse(text, self.root / plan.path, plan.path) if text else None
        if loaded is None or loaded.plan is None or loaded.problems:
            raise RolloutError(f"the plan that was judged by ({digest[:12]}) is not in the ledger")
        return loaded.plan


def _path(ini: Mapping[str, object], name: str) -> str:
    return str(ini.get(name, _DEFAULTS[name]))


def common(function: Callable[..., Any]) -> Callable[..., Any]:
    """The options that every verb has."""
    options: Sequence[Callable[..., Any]] = (
        click.option("--root", help="the project's folder (default: found as pytest does)"),
        click.option("--ledger", help="the ledger's file (default: ini rollout_ledger)"),
        click.option("--json", "as_json", is_flag=True, help="answer in JSON"),
    )
    for option in reversed(options):
        function = option(function)
    return function


def environment_option(function: Callable[..., Any]) -> Callable[..., Any]:
    """The environment that a verb is about."""
    decorate = click.option(
        "--env", "environment", default=EMBEDDED, show_default=True, help="which environment"
    )
    return decorate(function)


def print_json(data: object) -> None:
    """JSON for programs, on standard output."""
    click.echo(json.dumps(data, indent=2))
