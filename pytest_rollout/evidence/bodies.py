"""What each kind of record says: one type a kind.

Texts are redacted and cut when they are appended (see :mod:`clean_bodies`), unless their type says
that they are ids: those are compared between processes and runs, and stay as they are.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import field
from typing import Annotated, ClassVar

from pytest_rollout.evidence.body_texts import Digest, Id, Kept, Most, Named, PlanId, Said, Why
from pytest_rollout.evidence.clearance_events import ClearanceGiven as ClearanceGiven
from pytest_rollout.evidence.clearance_events import ClearanceOverridden as ClearanceOverridden
from pytest_rollout.evidence.drill_bodies import StoredDrill
from pytest_rollout.evidence.mutation_bodies import StoredMutationDrill
from pytest_rollout.evidence.phase_events import LAST_US as LAST_US
from pytest_rollout.evidence.phase_events import PhaseBegun as PhaseBegun
from pytest_rollout.evidence.phase_events import PhaseEnded as PhaseEnded
from pytest_rollout.evidence.phase_events import StatementAmended as StatementAmended
from pytest_rollout.evidence.phase_events import StoredEvent as StoredEvent
from pytest_rollout.evidence.records import RecordKind
from pytest_rollout.evidence.result_bodies import StoredResult as StoredResult
from pytest_rollout.late_dataclass import dataclass
from pytest_rollout.model.evidence import FailedBefore, ReleaseFact
from pytest_rollout.model.life import STEP
from pytest_rollout.model.people import Authors, Signature
from pytest_rollout.model.plan import Address
from pytest_rollout.model.provenance import Producer
from pytest_rollout.model.review import Reviewed
from pytest_rollout.model.verdict import Answer, Verdict


@dataclass(frozen=True, slots=True)
class Watching:
    """What a run of a watch looks at."""

    phase: Id
    series: tuple[Id, ...]


@dataclass(frozen=True, slots=True)
class Process:
    """What tells later whether the process of a run still runs, on the machine where it does."""

    host: Id
    pid: int
    began: Id  # in ticks of that machine; empty where that is not known


@dataclass(frozen=True, slots=True)
class RunStart:
    """A run began: what it asks, of which plans, and how."""

    plans: Mapping[Id, Digest]
    gates: tuple[Id, ...]
    partial: tuple[str, ...]  # what was left out on purpose
    drill: Id | None
    configured: Mapping[Id, bool]
    zone_data: str
    versions: Mapping[Id, str]
    calendars: Mapping[Id, Mapping[Id, Digest]] = field(default_factory=dict)
    beside: Mapping[Id, Mapping[Id, Digest]] = field(default_factory=dict)
    watch: Watching | None = None
    process: Process | None = None
    targets: Mapping[Id, Mapping[Id, str]] = field(default_factory=dict)  # plan: name: address
    producer: Producer | None = None
    begins: Mapping[Id, int] = field(default_factory=dict)  # phase: sequence of its begin then
    authors: Annotated[Mapping[str, Authors], Kept()] = field(default_factory=dict)  # by plan
    joins: tuple[Id, ...] = ()  # the runs whose evidence this one holds together
    result: StoredResult | None = None  # a file of another tool, which is all that it holds

    def __post_init__(self) -> None:
        for gate in self.gates:
            Address.parse(gate)


@dataclass(frozen=True, slots=True)
class WorkerManifest:
    """What one worker says should run, before deselection."""

    worker: Id
    items: Mapping[Id, tuple[Id, ...]]
    phases: Mapping[Id, Id]
    dropped: Mapping[Id, str]
    broken: tuple[tuple[PlanId, str], ...]  # and what of it could not be collected
    absent: tuple[Id, ...] = ()
    unnamed: Mapping[Id, tuple[Id, ...]] = field(default_factory=dict)  # by phase: no criterion
    rehearsed: Mapping[Id, tuple[Id, ...]] = field(default_factory=dict)  # left out, by criterion


@dataclass(frozen=True, slots=True)
class Attached:
    """A file that an item left, by its digest."""

    name: Named
    digest: Digest
    size: int
    type: Annotated[str, Most(100)]


@dataclass(frozen=True, slots=True)
class ItemReport:
    """What one item left; its observations are rows beside the record."""

    item: Id
    phase: Id
    worker: Id
    attempts: tuple[tuple[Verdict, str], ...]
    observations: int
    digest: Digest
    attachments: tuple[Attached, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class TripEvent(StoredEvent):
    """A guardrail tripped while it was watched."""

    TYPE: ClassVar[str] = "trip"

    guardrail: Id
    answer: Answer
    then: tuple[Id, ...] = ()
    release: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class StepTaken(StoredEvent):
    """What became of a step of a rollback."""

    TYPE: ClassVar[str] = STEP

    step: Id
    outcome: Id
    trip: int  # the sequence of the trip's record


@dataclass(frozen=True, slots=True, kw_only=True)
class PeopleTold(StoredEvent):
    """What became of a message to people."""

    TYPE: ClassVar[str] = "notify"

    failed: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class RunSettled(StoredEvent):
    """A person says that what a run did not finish may be taken as not run."""

    TYPE: ClassVar[str] = "settle"

    settled: Id
    by: Named


@dataclass(frozen=True, slots=True, kw_only=True)
class LedgerCompacted(StoredEvent):
    """A person took the observations of old runs out of the ledger; of no phase."""

    TYPE: ClassVar[str] = "compaction"

    runs: tuple[Id, ...]
    by: Named
    observations: int


@dataclass(frozen=True, slots=True)
class Seal:
    """The run ended in order: what it says went wrong, and how many records it left."""

    problems: tuple[Why, ...]
    records: int
    digest: Digest
    cancelled: Why = ""  # who ended it before its time; what ended until then is whole


@dataclass(frozen=True, slots=True)
class Stop:
    """The run ended otherwise."""

    why: Why


@dataclass(frozen=True, slots=True)
class StoredDecision:
    """The answer of a gate: the bytes of decision.json, made of what was redacted before."""

    document: Annotated[str, Kept()]
    look: bool
    release: Id | None
    failed: Annotated[tuple[FailedBefore, ...] | None, Kept()] = None  # None: it cannot tell


@dataclass(frozen=True, slots=True)
class StoredAttestation:
    """A person's answer about a criterion, which is the record's subject."""

    by: str
    role: Id
    note: str
    passed: bool
    release: str | None
    file: Named
    digest: Digest
    at: Id = ""  # when it was signed, as the signature has it
    armour: Annotated[str, Kept()] = ""  # the signature; empty where nobody signed it


@dataclass(frozen=True, slots=True)
class StoredReset:
    """A person's word about a guardrail, which is the record's subject."""

    by: Named
    reason: Said
    was: Said
    release: str | None


@dataclass(frozen=True, slots=True)
class StoredSignature:
    """What a person signed about the decision of a gate, and the signature over it.

    Nothing in it is redacted: one changed byte, and the signature is not believed.
    """

    signed: Annotated[Signature, Kept()]
    armour: Annotated[str, Kept()]  # empty where a review stands for it
    review: Annotated[Reviewed | None, Kept()] = None


Body = (
    RunStart
    | WorkerManifest
    | ItemReport
    | ReleaseFact
    | StoredEvent
    | Seal
    | Stop
    | StoredDecision
    | StoredAttestation
    | StoredDrill
    | StoredMutationDrill
    | StoredReset
    | StoredSignature
)
KINDS: Mapping[RecordKind, type[Body]] = {
    RecordKind.RUN: RunStart,
    RecordKind.MANIFEST: WorkerManifest,
    RecordKind.BATCH: ItemReport,
    RecordKind.RELEASE: ReleaseFact,
    RecordKind.EVENT: StoredEvent,
    RecordKind.SEAL: Seal,
    RecordKind.STOP: Stop,
    RecordKind.DECISION: StoredDecision,
    RecordKind.ATTESTATION: StoredAttestation,
    RecordKind.DRILL: StoredDrill,
    RecordKind.MUTANTS: StoredMutationDrill,
    RecordKind.RESET: StoredReset,
    RecordKind.SIGNATURE: StoredSignature,
}
_KINDS_OF = {held: kind for kind, held in KINDS.items()}
EVENTS: tuple[type[StoredEvent], ...] = (
    *(TripEvent, StepTaken, PeopleTold, PhaseBegun, StatementAmended, PhaseEnded, RunSettled),
    *(ClearanceGiven, ClearanceOverridden, LedgerCompacted),
)


def kind_of_body(body: Body) -> RecordKind:
    """The kind of the record that holds a body."""
    return _KINDS_OF.get(type(body)) or next(
        kind for kind, held in KINDS.items() if isinstance(body, held)
    )
