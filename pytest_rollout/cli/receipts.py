"""Receipts of clearances: giving one, and looking at one later."""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import closing
from datetime import UTC, datetime
from pathlib import Path

from pytest_rollout import calendar
from pytest_rollout.cli.clearing import Look, looked
from pytest_rollout.cli.clearing_life import Running
from pytest_rollout.cli.project import Project
from pytest_rollout.evidence import opening
from pytest_rollout.evidence.bodies import ClearanceGiven
from pytest_rollout.evidence.overrides import clearances_of
from pytest_rollout.evidence.phase_life import PhaseLife
from pytest_rollout.model.errors import RolloutError
from pytest_rollout.model.evidence import ReleaseFact
from pytest_rollout.model.plan import Address, Plan
from pytest_rollout.report import sentences
from pytest_rollout.report.fact_words import wall
from pytest_rollout.signoff.moments import title
from pytest_rollout.signoff.receipt import (
    Receipt,
    ReceiptFacts,
    digest_of,
    read,
    until,
    written,
    wrong_with,
)

_MOST_BYTES = 1_000_000


def give(
    project: Project, plan: Plan, look: Look, lasting: Look, environment: str, path: Path
) -> Receipt:
    """Write the receipt of a clearance and put it on record; raises OSError, RolloutError.

    ``lasting`` is the same clearance asked for as long as a receipt lives.
    """
    decision = look.known.decision
    assert decision is not None  # or it were not clear
    now = datetime.now(UTC)
    end = until(now, lasting.answer)
    receipt = Receipt(
        gate=str(look.answer.address),
        environment=environment,
        release=look.known.release,
        configuration=look.known.configuration,
        targets=dict(look.known.runs_at),
        run=decision.run,
        substance_digest=decision.substance_digest,
        overridden=look.known.override.by if look.known.override else (),
        ledger=project.ledger.head(),
        cleared_at=calendar.stamp(calendar.to_us(now)),
        until=calendar.stamp(calendar.to_us(end)),
    )
    raw = written(receipt)
    event = ClearanceGiven(
        type=ClearanceGiven.TYPE,
        t_us=time.time_ns() // 1000,
        says=f"cleared until {wall(receipt.until, plan.timezone)}",
        gate=receipt.gate,
        release=receipt.release,
        substance=receipt.substance_digest,
        receipt=digest_of(raw),
        until_us=calendar.to_us(end),
    )
    with closing(opening.to_write(project.ledger_at)) as store:
        PhaseLife(store, decision.address, environment).record(event)
    path.write_bytes(raw)
    return receipt


def wrong(project: Project, path: Path) -> tuple[Receipt, list[str]]:
    """A receipt, and what is wrong with it now; raises RolloutError where it is none."""
    try:
        with path.open("rb") as file:
            raw = file.read(_MOST_BYTES)
        receipt = read(raw)
        address = Address.parse(receipt.gate)
        if datetime.fromisoformat(receipt.until).tzinfo is None:
            raise ValueError(f"{receipt.until} is no instant")
    except (OSError, ValueError, RecursionError) as error:
        raise RolloutError(f"{path} is no receipt of `rollout clear --receipt`: {error}") from error
    standing = project.history.standing(address, receipt.environment)
    decision = standing.decision if standing and standing.asked.finished else None
    given = clearances_of(project.ledger, address, receipt.environment)
    facts = ReceiptFacts(
        recorded=any(told.body.receipt == digest_of(raw) for told in given),
        here=project.ledger.holds(receipt.ledger),
        substance=decision.substance_digest if decision else None,
        since=tuple(_since(project, address, receipt)),
    )
    return receipt, list(wrong_with(receipt, facts, datetime.now(UTC)))


def _since(project: Project, address: Address, receipt: Receipt) -> Iterator[str]:
    """What stands against the change now: the clearance is asked again, and no target."""
    plan = project.plan(address.plan)
    fact = ReleaseFact("receipt", receipt.release, receipt.configuration)
    here = Running(fact, receipt.targets)
    for look in looked(project, plan, address, receipt.environment, None, (), running=here):
        for finding in look.answer.findings:
            if finding.verdict.holds_back:
                yield f"{title(finding)}: {sentences.text(finding.reason, plan.timezone)}"
