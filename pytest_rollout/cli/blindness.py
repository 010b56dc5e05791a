"""Guardrails of a phase whose watch left holes that nobody has reset."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import replace
from datetime import UTC, datetime

from pytest_rollout import calendar
from pytest_rollout.cli.project import Project
from pytest_rollout.evidence.bodies import RunStart
from pytest_rollout.evidence.decoding import UndecodableError, may_say, said
from pytest_rollout.evidence.ledger import Ledger
from pytest_rollout.evidence.live_world import read_now
from pytest_rollout.evidence.records import RecordKind
from pytest_rollout.evidence.run_log import RunLog
from pytest_rollout.model.evidence import Hole, ReleaseFact, World
from pytest_rollout.model.finding import Reason
from pytest_rollout.model.plan import Address, Guardrail, Phase, Plan
from pytest_rollout.model.verdict import State
from pytest_rollout.watching.state import standings

_LOOKS_LATE = 4  # a watch that missed so many looks is taken for one that was killed
_LEAST_US = 60_000_000


def blind(
    project: Project,
    plan: Plan,
    address: Address,
    environment: str,
    release: str | None,
) -> Iterator[Reason]:
    """Why each is blind; what was never watched, or too little, is left to the gate itself.

    Raises LedgerError.
    """
    phase = project.phase(address)
    watches = _watches(project.ledger, address, environment) if phase.guardrails else []
    if not watches:
        return
    now_us = calendar.to_us(datetime.now(UTC))
    fact = ReleaseFact("now", release) if plan.release else None
    now = read_now(project.ledger, address, phase, environment, fact=fact, now_us=now_us)
    open_ = [log for log in watches if not log.finished]
    alive = {log.first.run for log in open_ if not _killed(log, phase, now_us)}
    world = now.running if len(alive) == len(open_) else now.world
    world = replace(world, lost=tuple(lost for lost in world.lost if lost.run not in alive))
    for standing in standings(plan, phase, world, now.running, now_us):
        rail = standing.guardrail
        if standing.state is State.BLIND and _holed(world, address.full(rail.id), rail):
            full, why = address.full(rail.id), standing.finding.reason
            yield Reason("clear.blind", {"guardrail": full, "reason": why})


def _watches(ledger: Ledger, address: Address, environment: str) -> list[RunLog]:
    """The runs of watches of a phase."""
    watches = []
    for record in ledger.newest(RecordKind.RUN, "", "", environment):
        if not may_say(record, "watch"):
            continue
        try:
            watch = said(record, RunStart).watch
        except UndecodableError:  # the chain tells of it
            continue
        if watch is not None and watch.phase == address.name:
            watches.append(RunLog(ledger.of_run(record.run)))
    return watches


def _killed(log: RunLog, phase: Phase, now_us: int) -> bool:
    """Whether a watch that has not ended looks no more."""
    late_us = max(_LEAST_US, _LOOKS_LATE * phase.every_us)
    return now_us - log.last.at_us > late_us


def _holed(world: World, full: str, rail: Guardrail) -> bool:
    """Whether something of a guardrail's series is lost since it was last reset."""
    since_us = max((reset.at_us for reset in world.resets if reset.guardrail == full), default=0)
    series = {rule.metric for rule in rail.rules}
    holes: Iterable[int] = (
        *(
            seen.slot.t_us
            for seen in world.seen
            if _hole(seen.value) and seen.slot.series in series
        ),
        *(lost.t_us for lost in world.lost if lost.series is None or lost.series & series),
    )
    return any(at_us > since_us for at_us in holes)


def _hole(value: object) -> bool:
    return isinstance(value, Hole)
