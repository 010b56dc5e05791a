"""The world as it is now, for those who watch: never evidence of a decision."""

from __future__ import annotations

from dataclasses import dataclass, replace

from pytest_rollout.evidence import resets
from pytest_rollout.evidence.bodies import StoredEvent
from pytest_rollout.evidence.decoding import UndecodableError
from pytest_rollout.evidence.ledger import Ledger
from pytest_rollout.evidence.other_runs import Others
from pytest_rollout.evidence.records import RecordKind
from pytest_rollout.evidence.run_facts import begun_us
from pytest_rollout.evidence.run_log import told
from pytest_rollout.evidence.world import compared, edge_of
from pytest_rollout.model.errors import LedgerError
from pytest_rollout.model.evidence import Manifest, ReleaseFact, Run, World
from pytest_rollout.model.plan import Address, Phase


@dataclass(frozen=True, slots=True)
class Now:
    """What the ledger says of a phase at this moment."""

    world: World  # as a gate would see it: what is not sealed is holes
    running: World  # the same with what runs without a seal have seen so far, as it is
    last: int  # the sequence of the newest record that was read


def read_now(
    ledger: Ledger,
    address: Address,
    phase: Phase,
    environment: str,
    *,
    fact: ReleaseFact | None,
    now_us: int,
    run: str = "",
) -> Now:
    """What was seen of a phase and a release until now, except by a run that looks itself.

    Raises LedgerError where the ledger cannot be read, or cannot be trusted.
    """
    try:
        return _read(ledger, address, phase, environment, fact, now_us, run)
    except UndecodableError as error:
        raise _not_trusted(ledger, str(error)) from error


def _not_trusted(ledger: Ledger, why: str) -> LedgerError:
    return LedgerError(f"the ledger {ledger.name} cannot be trusted: {why}")


def _read(
    ledger: Ledger,
    address: Address,
    phase: Phase,
    environment: str,
    fact: ReleaseFact | None,
    now_us: int,
    run: str,
) -> Now:
    head = ledger.head()
    releases = (fact,) if fact else ()  # a plan need not say where the release is read
    here = Run(run, environment, now_us, now_us, True, releases=releases)
    events = ledger.find(RecordKind.EVENT, address.plan, address.name, environment)
    begun = begun_us(told(events, StoredEvent), embedded=False)
    others = Others(ledger, head.sequence + 1, here, address.name)
    others.read(edge_of(here, phase, now_us, begun))
    past = others.past(compared(phase), begun, address)
    records = resets.all_of(ledger, address, phase, environment)
    reset, torn = resets.known_at(
        ledger, records, head.sequence + 1, {fact.release if fact else None}
    )
    problems = (*others.problems, *torn)
    if problems:
        raise _not_trusted(ledger, problems[0])
    world = World(
        run=here,
        manifest=Manifest(),
        checks={},
        seen=tuple(others.seen),
        head=head,
        begun_us=begun,
        past=past,
        lost=tuple(others.lost),
        resets=reset,
        previous=others.previous,
        settled=tuple(others.settled),
    )
    return Now(world, _running(world, others), head.sequence)


def _running(world: World, others: Others) -> World:
    open_ = {one.run for one in others.open}
    seen = (*(one for one in world.seen if one.run not in open_), *others.open)
    return replace(world, seen=seen, lost=tuple(one for one in world.lost if one.run not in open_))
