"""Which observations may be taken out of a ledger: those that no coming decision can reach.

A rule reaches runs of its own release, runs since the begin of its phase, and accepted runs of a
release that it compares with. The newest decision of a gate names the runs that it was made from.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import field
from urllib.parse import unquote

from pytest_rollout.evidence.accepting import release_accepted
from pytest_rollout.evidence.bodies import ItemReport, LedgerCompacted, RunStart, StoredDecision
from pytest_rollout.evidence.decoding import decision_in, said
from pytest_rollout.evidence.history import last_full_run
from pytest_rollout.evidence.integrity import condition
from pytest_rollout.evidence.ledger import Draft, Ledger
from pytest_rollout.evidence.phase_life import PhaseLife
from pytest_rollout.evidence.records import Record, RecordKind
from pytest_rollout.evidence.run_log import RunLog
from pytest_rollout.late_dataclass import dataclass
from pytest_rollout.model.evidence import ReleaseFact
from pytest_rollout.model.plan import EMBEDDED, Address, Plan
from pytest_rollout.model.rule import PREVIOUS

_AT_ONCE = 500  # runs of one record
_ACCEPTED = 2  # releases that stay: the newest accepted one, and the one before it
_RUN_INPUT = "rollout-run:"


@dataclass(frozen=True, slots=True)
class Compared:
    """What plans compare with."""

    plans: frozenset[str]  # of any other nobody knows here what it compares with
    releases: frozenset[str]  # by name
    frozen: frozenset[str]  # phases (plan.phase) that compare with all that was before they began


@dataclass(slots=True)
class OldRun:
    """A run, as far as it matters for its observations."""

    name: str
    environment: str
    phases: set[str] = field(default_factory=set)  # plan.phase
    gates: set[str] = field(default_factory=set)
    releases: set[str | None] = field(default_factory=set)
    decided: list[str] = field(default_factory=list)  # gates, in order
    joins: tuple[str, ...] = ()
    observations: int = 0
    last_us: int = 0
    finished: bool = False


@dataclass(frozen=True, slots=True)
class Choice:
    """The runs whose observations may go, and why others from before the date stay."""

    going: tuple[OldRun, ...]
    staying: Mapping[str, int]  # why: how many runs

    @property
    def observations(self) -> int:
        """How many observations may go."""
        return sum(run.observations for run in self.going)

    @property
    def not_again(self) -> Mapping[tuple[str, str], int]:
        """How many decisions of each gate and environment cannot be judged again afterwards."""
        return Counter((gate, run.environment) for run in self.going for gate in run.decided)


@dataclass(frozen=True, slots=True)
class _Coming:
    """What coming decisions may reach."""

    compared: Compared
    accepted: frozenset[tuple[str, str, str]]  # phase, environment, release
    decided: Mapping[tuple[str, str], int]  # phase and environment: when a gate was decided last


def compared_in(plans: Iterable[Plan]) -> Compared:
    """Return what the rules of plans compare with."""
    names, releases, frozen = set(), set(), set()
    for plan in plans:
        names.add(plan.id)
        for phase in plan.phases:
            stated = [criterion.rule for criterion in phase.criteria]
            for rule in (*stated, *(rule for rail in phase.guardrails for rule in rail.rules)):
                if rule is None or rule.versus is None:
                    continue
                if rule.versus.release not in (None, PREVIOUS):
                    releases.add(str(rule.versus.release))
                if rule.versus.frozen:
                    frozen.add(plan.address(phase.id).name)
    return Compared(frozenset(names), frozenset(releases), frozenset(frozen))


def choose(ledger: Ledger, before_us: int, compared: Compared) -> Choice:
    """Return which runs may lose their observations; raises LedgerError or UndecodableError."""
    runs = _runs(ledger)
    reached = _reached(ledger, runs)
    coming = _Coming(compared, _accepted(ledger, runs), _decided(runs))
    going, staying = [], Counter[str]()
    for run in runs.values():
        if not run.observations or run.last_us >= before_us or _is_out(ledger, run.name):
            continue
        why = reached.get(run.name) or _why_it_stays(ledger, run, coming)
        if why:
            staying[why] += 1
        else:
            going.append(run)
    return Choice(tuple(going), dict(staying))


def compact(ledger: Ledger, choice: Choice, by: str, why: str, at_us: int) -> None:
    """Take the observations of a choice out, some runs at a time, each time on record."""
    for first in range(0, len(choice.going), _AT_ONCE):
        some = choice.going[first : first + _AT_ONCE]
        names = tuple(run.name for run in some)
        body = LedgerCompacted(
            type=LedgerCompacted.TYPE,
            t_us=at_us,
            says=why,
            runs=names,
            by=by,
            observations=sum(run.observations for run in some),
        )
        ledger.compact(Draft(body), names)


def _runs(ledger: Ledger) -> dict[str, OldRun]:
    runs: dict[str, OldRun] = {}
    for record in ledger.between(0):
        if record.run:
            run = runs.setdefault(record.run, OldRun(record.run, record.environment))
            run.last_us = max(run.last_us, record.at_us)
            _note(run, record)
    return runs


def _note(run: OldRun, record: Record) -> None:
    """Note what a record says of its run."""
    match record.kind:
        case RecordKind.RUN:
            start = said(record, RunStart)
            run.gates |= set(start.gates)
            run.phases |= {Address.parse(gate).name for gate in start.gates}
            run.phases |= {start.watch.phase} if start.watch else set()
            run.joins = start.joins
        case RecordKind.BATCH:
            report = said(record, ItemReport)
            run.phases.add(report.phase)
            run.observations += report.observations
        case RecordKind.RELEASE:
            run.releases.add(said(record, ReleaseFact).release)
        case RecordKind.DECISION:
            run.decided.append(record.subject)
        case RecordKind.SEAL | RecordKind.STOP:
            run.finished = True
        case _:
            pass


def _gates(runs: Mapping[str, OldRun]) -> Iterator[tuple[Address, str]]:
    """Every gate that was ever asked for, with its environment, each once."""
    asked = {(gate, run.environment) for run in runs.values() for gate in run.gates}
    for gate, environment in sorted(asked):
        yield Address.parse(gate), environment


def _decisions(ledger: Ledger, gate: Address, environment: str) -> Iterator[Record]:
    """The decisions of a gate, the newest first."""
    return ledger.newest(RecordKind.DECISION, gate.plan, str(gate), environment)


def _reached(ledger: Ledger, runs: Mapping[str, OldRun]) -> dict[str, str]:
    """The runs that stay because a gate stands on them, each with why."""
    reached: dict[str, str] = {}
    for gate, environment in _gates(runs):
        last = last_full_run(ledger, gate, environment)
        if last is not None:
            reached[last.run] = "the last full run of a gate"
        for record in _decisions(ledger, gate, environment):
            decision = decision_in(said(record, StoredDecision).document)
            if decision.partial or decision.drill:
                continue
            uris = (source.uri for source in decision.inputs if source.uri.startswith(_RUN_INPUT))
            names = (record.run, *(unquote(uri.removeprefix(_RUN_INPUT)) for uri in uris))
            for name in names:
                reached.setdefault(name, "the newest decision of a gate rests on it")
            break
    for name in list(reached):
        for part in runs[name].joins if name in runs else ():
            reached.setdefault(part, "a run that stays joins it")
    return reached


def _accepted(ledger: Ledger, runs: Mapping[str, OldRun]) -> frozenset[tuple[str, str, str]]:
    """The last accepted releases of each phase and environment."""
    accepted = set()
    for gate, environment in _gates(runs):
        releases: dict[str, None] = {}
        for record in _decisions(ledger, gate, environment):
            release = release_accepted(record)
            if release is not None:
                releases[release] = None
            if len(releases) == _ACCEPTED:
                break
        accepted |= {(gate.name, environment, release) for release in releases}
    return frozenset(accepted)


def _decided(runs: Mapping[str, OldRun]) -> dict[tuple[str, str], int]:
    """When a gate of each phase and environment was decided last."""
    decided: dict[tuple[str, str], int] = {}
    for run in runs.values():
        for gate in run.decided:
            where = Address.parse(gate).name, run.environment
            decided[where] = max(decided.get(where, 0), run.last_us)
    return decided


def _why_it_stays(ledger: Ledger, run: OldRun, coming: _Coming) -> str:
    """Why a coming decision may reach a run; empty where none can."""
    if not run.finished:
        return "it never finished"
    if run.environment != EMBEDDED and (why := _why_reached(ledger, run, coming)):
        return why
    wrong = condition(ledger, RunLog(ledger.of_run(run.name))).damage
    return "it is damaged: `rollout verify` says how" if wrong else ""


def _why_reached(ledger: Ledger, run: OldRun, coming: _Coming) -> str:
    """Why a run of a real environment may be reached; a rehearsal reads its own run alone."""
    where = [(phase, run.environment) for phase in sorted(run.phases)]
    if not {phase.partition(".")[0] for phase in run.phases} <= coming.compared.plans:
        return "its plan is not here: compact where it is"
    if run.phases & coming.compared.frozen:
        return "a phase compares with all that was before it began"
    if run.releases & coming.compared.releases:
        return "a plan compares with its release"
    if any((*place, str(of)) in coming.accepted for place in where for of in run.releases):
        return "its release is one of the last two that a gate accepted"
    if any(_is_open(ledger, *place) for place in where):
        return "its phase has begun and not ended"
    if any(run.last_us > coming.decided.get(place, 0) for place in where):
        return "no gate of its phase was decided since"
    return ""


def _is_out(ledger: Ledger, run: str) -> bool:
    """Whether the observations of a run are out already; a merge may have brought them back."""
    named = ledger.compaction_of(run) is not None
    return named and condition(ledger, RunLog(ledger.of_run(run))).compacted is not None


def _is_open(ledger: Ledger, phase: str, environment: str) -> bool:
    return PhaseLife(ledger, Address.parse(phase), environment).begin() is not None
