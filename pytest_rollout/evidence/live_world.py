"""The world as it is now, for those who watch: never evidence of a decision.

Before a phase begins, what looks since its begin looks since it was first watched: else a
guardrail that states no `over` would see nothing, however long it is watched.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace

from pytest_rollout.evidence import resets
from pytest_rollout.evidence.bodies import PhaseEnded, Process, RunStart, StoredEvent
from pytest_rollout.evidence.decoding import UndecodableError, said
from pytest_rollout.evidence.ledger import Ledger
from pytest_rollout.evidence.other_runs import Others
from pytest_rollout.evidence.reach import reach_of
from pytest_rollout.evidence.records import RecordKind
from pytest_rollout.evidence.release_readings import releases_of
from pytest_rollout.evidence.run_facts import begun_us
from pytest_rollout.evidence.run_log import Told, told
from pytest_rollout.evidence.since_begin import life_of, reading_now
from pytest_rollout.evidence.world import compared
from pytest_rollout.late_dataclass import dataclass
from pytest_rollout.model.errors import LedgerError
from pytest_rollout.model.evidence import Manifest, ReleaseFact, Run, World
from pytest_rollout.model.plan import Address, Gate, Phase
from pytest_rollout.model.rule import Rule, ScopeKind


@dataclass(frozen=True, slots=True)
class Now:
    """What the ledger says of a phase at this moment."""

    world: World  # as a gate would see it: what is not sealed is holes
    running: World  # the same with what runs without a seal have seen so far, as it is
    last: int  # the sequence of the newest record that was read
    phase: Phase  # as it is judged now: before the begin, since the first watch
    begun: bool = True  # whether the phase has begun
    watches: tuple[Process, ...] = ()  # other watches of it that run here now


def read_now(
    ledger: Ledger,
    address: Address,
    phase: Phase,
    environment: str,
    *,
    fact: ReleaseFact | None,
    now_us: int,
    run: str = "",
    targets: Mapping[str, str] | None = None,
    runs: Callable[[Process], bool] | None = None,
) -> Now:
    """What was seen of a phase and a release until now, except by a run that looks itself.

    ``targets`` is where they are now, for who knows it. ``runs`` says whether the process of
    another watch still runs: what that one saw is no hole, and counts once it is sealed.
    Raises LedgerError where the ledger cannot be read, or cannot be trusted.
    """
    try:
        now = _read(ledger, address, phase, environment, fact, now_us, run, runs)
    except UndecodableError as error:
        raise _not_trusted(ledger, str(error)) from error
    if targets is None:
        return now
    world, running = (_placed(view, now_us, targets) for view in (now.world, now.running))
    return replace(now, world=world, running=running)


def _placed(world: World, now_us: int, targets: Mapping[str, str]) -> World:
    """The world with where its targets are now."""
    life = world.life
    if life is None or life.begin is None:
        return world
    here = reading_now(life.begin, now_us, None, targets)
    return replace(world, life=replace(life, since=(*life.since, replace(here, watch=True))))


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
    runs: Callable[[Process], bool] | None,
) -> Now:
    head = ledger.head()
    read = (fact,) if fact else ()  # a plan need not say where the release is read
    here = Run(run, environment, now_us, now_us, True, releases=read)
    events = told(
        ledger.find(RecordKind.EVENT, address.plan, address.name, environment), StoredEvent
    )
    begun = begun_us(events, embedded=False)
    if begun is None:
        phase = _unbegun(phase)
    since = begun if begun is not None else _first_watch(ledger, address, environment, events)
    life = life_of(ledger, address, environment, head.sequence + 1)
    others = Others(ledger, head.sequence + 1, here, address.name, life.life)
    others.read(reach_of(here, phase, now_us, since))
    past = others.past(compared(phase), begun, address.at(Gate.EXIT), life.sequence)
    records = resets.all_of(ledger, address, phase, environment)
    releases = releases_of(here, life.life) or {None}
    reset, torn = resets.known_at(ledger, records, head.sequence + 1, releases)
    problems = (*others.problems, *torn, *life.problems)
    if problems:
        raise _not_trusted(ledger, problems[0])
    watches = {id_: peer for id_, peer in others.watches.items() if runs is not None and runs(peer)}
    world = World(
        run=here,
        manifest=Manifest(),
        checks={},
        seen=tuple(sample for sample in others.seen if sample.run not in watches),
        head=head,
        begun_us=since,
        past=past,
        lost=tuple(lost for lost in others.lost if lost.run not in watches),
        resets=reset,
        previous=others.previous,
        life=life.life,
        settled=tuple(others.settled),
    )
    running, last = _running(world, others), head.sequence
    return Now(world, running, last, phase, begun is not None, tuple(watches.values()))


def _first_watch(
    ledger: Ledger, address: Address, environment: str, events: Sequence[Told[StoredEvent]]
) -> int | None:
    """When the phase was first watched since it ended last; None where it was not."""
    ends = (event.record.sequence for event in events if event.body.type == PhaseEnded.TYPE)
    ended, first = max(ends, default=0), None
    for record in ledger.newest(RecordKind.RUN, "", "", environment):
        if record.sequence < ended:
            break
        watch = said(record, RunStart).watch
        if watch is not None and watch.phase == address.name:
            first = record.at_us
    return first


def _unbegun(phase: Phase) -> Phase:
    """A phase whose guardrails say that they look since the first watch, not since the begin."""
    return replace(
        phase,
        guardrails=tuple(
            replace(rail, rules=tuple(map(_since_watched, rail.rules))) for rail in phase.guardrails
        ),
    )


def _since_watched(rule: Rule) -> Rule:
    scopes = (
        replace(scope, unbegun=True) if scope.kind is ScopeKind.SINCE else scope
        for scope in rule.scopes
    )
    return replace(rule, scopes=tuple(scopes))


def _running(world: World, others: Others) -> World:
    open_ = {sample.run for sample in others.open}
    seen = (*(sample for sample in world.seen if sample.run not in open_), *others.open)
    return replace(
        world, seen=seen, lost=tuple(lost for lost in world.lost if lost.run not in open_)
    )
