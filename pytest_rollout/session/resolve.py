"""Resolving a request from options, ini values and plans; every mistake is one usage error."""

from __future__ import annotations

import secrets
from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path
from time import time_ns

import pytest

from pytest_rollout.evidence import opening
from pytest_rollout.model.errors import LedgerError
from pytest_rollout.model.plan import EMBEDDED, Address, Gate, Phase, Plan
from pytest_rollout.plan import find
from pytest_rollout.plan.load import Loaded
from pytest_rollout.plan.reader import nearest
from pytest_rollout.session.asking import (
    asked_from,
    asked_phases,
    dependence,
    names_in,
    selects_nothing_else,
    unknown_names,
)
from pytest_rollout.session.narrowing import looks, narrowed
from pytest_rollout.session.places import collect_below
from pytest_rollout.session.request import Handover, Request
from pytest_rollout.session.seams import paths_were_given


def resolve(config: pytest.Config, patterns: Sequence[str]) -> Request:
    """The request of this process; raises UsageError with every mistake in the options."""
    root = config.rootpath
    loaded = tuple(find.load_all(root, patterns, time_ns() // 1000))
    handover = Handover.of(config)
    environment, source = _environment(config)
    expression = config.getoption("markexpr", "") or ""
    named: list[str] = config.getoption("rollout_phase")
    asked: list[tuple[Plan, Phase]] = []
    broken: tuple[Loaded, ...] = ()
    if not looks(config):
        sound = [file.plan for file in loaded if file.plan and not file.problems]
        asked = asked_phases(sound, expression, named)
        if handover:
            asked = [(plan, phase) for plan, phase in asked if handover.asks(plan, phase)]
        elif not paths_were_given(config):
            asked = asked_from(config.invocation_params.dir, root, asked, named)
        broken = _broken_and_asked(config, loaded, sound, expression, named)
        _check_names(loaded, sound, named)
    _check_environment(environment, [plan for plan, _ in asked], loaded)
    ledger = _ledger(config, root)
    drill = handover.drill if handover else config.getoption("rollout_fault")
    config.option.rollout_fault = None  # no suite reads which fault is on
    _check_drill(drill, environment)
    plans = {plan.path for plan, _ in asked}
    places = collect_below(
        config,
        [file for file in loaded if file in broken or (file.plan and file.plan.path in plans)],
        selecting=not broken and selects_nothing_else([plan for plan, _ in asked], expression),
    )
    gates = _gates(config, asked, environment, ledger, handover)
    return Request(
        root=root,
        loaded=loaded,
        broken=broken,
        asked=tuple(asked),
        gates=gates,
        environment=environment,
        environment_source=source,
        run=handover.run if handover else _run_id(),
        ledger=ledger,
        report=_path(config, "rollout_report", root),
        drill=drill,
        partial=tuple(narrowed(config, [root / plan.path for plan, _ in asked])),
        places=places,
        first=bool(asked) and _is_new(ledger),
        why=() if handover or not asked else _why(ledger, asked, gates, environment),
    )


def _why(
    ledger: str,
    asked: Sequence[tuple[Plan, Phase]],
    gates: Sequence[Address],
    environment: str,
) -> tuple[str, ...]:
    from pytest_rollout.session.next_gate import why_gates  # history, for runs that ask

    return tuple(why_gates(ledger, asked, gates, environment))


def _is_new(ledger: str) -> bool:
    try:
        return not opening.exists(ledger)
    except LedgerError as error:
        raise pytest.UsageError(f"{error}; choose another with --rollout-ledger") from error


def _check_drill(drill: str | None, environment: str) -> None:
    if drill and environment != EMBEDDED:
        raise pytest.UsageError("--rollout-fault: faults exist in the embedded environment only")


def _environment(config: pytest.Config) -> tuple[str, str]:
    given = config.getoption("rollout_env")
    return (given, "--rollout-env") if given else (EMBEDDED, "default")


def _path(config: pytest.Config, name: str, root: Path) -> Path:
    given = config.getoption(name)
    if given:
        return Path(config.invocation_params.dir, given)
    return root / _setting(config, name)


def _ledger(config: pytest.Config, root: Path) -> str:
    """The ledger's address."""
    given = config.getoption("rollout_ledger")
    if given:
        return opening.address_in(given, config.invocation_params.dir)
    return opening.address_in(_setting(config, "rollout_ledger"), root)


def _setting(config: pytest.Config, name: str) -> str:
    """A setting; raises UsageError where it is of another type, which pytest 9.0 does not do."""
    try:
        return str(config.getini(name))
    except TypeError as error:
        raise pytest.UsageError(str(error)) from error


def _run_id() -> str:
    return f"{datetime.now(UTC):%Y%m%dT%H%M%S}-{secrets.token_hex(3)}"


def _broken_and_asked(
    config: pytest.Config,
    loaded: Sequence[Loaded],
    sound: Sequence[Plan],
    expression: str,
    named: Sequence[str],
) -> tuple[Loaded, ...]:
    """Plans with problems that the run asks for, as far as their text tells.

    Where nothing of a plan can be read, a name that nobody else claims asks for it.
    """
    claimed = {mark.partition("(")[0].partition(":")[0] for mark in config.getini("markers")}
    claimed.update(*(plan.marks() for plan in sound))
    unclaimed = names_in(expression) - claimed
    broken = []
    for file in loaded:
        if not file.problems:
            continue
        names = file.names if len(file.names) > 1 else file.names | unclaimed
        depends = dependence(expression, names)
        if any(depends(frozenset({name})) for name in names) or any(
            name.partition(".")[0] == file.id for name in named
        ):
            broken.append(file)
    return tuple(broken)


def _check_names(loaded: Sequence[Loaded], sound: Sequence[Plan], named: Sequence[str]) -> None:
    ids = {file.id for file in loaded if file.problems}
    unknown = [name for name in unknown_names(sound, named) if name.partition(".")[0] not in ids]
    if unknown:
        known = [plan.id for plan in sound]
        known += [plan.address(phase.id).name for plan in sound for phase in plan.phases]
        raise pytest.UsageError(
            *(f"--rollout-phase: unknown `{name}` ({nearest(name, known)})" for name in unknown)
        )


def _check_environment(name: str, asked: Sequence[Plan], loaded: Sequence[Loaded]) -> None:
    if name == EMBEDDED:
        return
    plans = asked or [file.plan for file in loaded if file.plan]
    lacking = {plan.path: plan for plan in plans if name not in plan.environments}
    if asked and lacking:
        raise pytest.UsageError(
            *(
                f"{path}: no environment `{name}` ({nearest(name, plan.environments)})"
                for path, plan in lacking.items()
            )
        )
    if plans and len(lacking) == len({plan.path for plan in plans}):
        known = {environment for plan in plans for environment in plan.environments}
        raise pytest.UsageError(f"--rollout-env: unknown `{name}` ({nearest(name, known)})")


def _gates(
    config: pytest.Config,
    asked: Sequence[tuple[Plan, Phase]],
    environment: str,
    ledger: str,
    handover: Handover | None,
) -> tuple[Address, ...]:
    if handover is not None:
        return tuple(Address.parse(gate) for gate in handover.gates)
    given: str | None = config.getoption("rollout_gate")
    addresses: list[Address] = []
    for plan, phase in asked:
        address = Address(plan.id, phase.id)
        if given:
            gates = [Gate(given)]
        elif environment == EMBEDDED:
            gates = [Gate.ENTRY, Gate.EXIT]
        else:
            from pytest_rollout.session.on_record import is_begun

            gates = [Gate.EXIT if is_begun(ledger, address, environment) else Gate.ENTRY]
        addresses += (address.at(gate) for gate in gates)
    return tuple(addresses)
