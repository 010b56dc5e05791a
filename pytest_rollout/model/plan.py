"""A rollout plan: phases, gates, criteria, environments, windows and roles."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator, Mapping
from dataclasses import field
from enum import StrEnum

from pytest_rollout.late_dataclass import dataclass
from pytest_rollout.model.attestation import StandIn
from pytest_rollout.model.bindings import Bindings
from pytest_rollout.model.channel import Channel
from pytest_rollout.model.check import Check
from pytest_rollout.model.check import Effect as Effect  # plans and environments speak of it
from pytest_rollout.model.environment import EMBEDDED as EMBEDDED
from pytest_rollout.model.environment import Environment as Environment
from pytest_rollout.model.environment import FactSource as FactSource
from pytest_rollout.model.environment import Target as Target
from pytest_rollout.model.finding import Finding
from pytest_rollout.model.ingest import Ingest
from pytest_rollout.model.load import LoadProfile
from pytest_rollout.model.node_id import NodeId
from pytest_rollout.model.people import Roster
from pytest_rollout.model.reporting import ReportSpec
from pytest_rollout.model.rollback import Rollback
from pytest_rollout.model.rule import Group, Rule
from pytest_rollout.model.source import Source as Source
from pytest_rollout.model.verdict import Answer, State
from pytest_rollout.model.waiver import Waiver, Waives
from pytest_rollout.model.windows import Hours, Risk, SharedCalendar, Window

EVERY_US = 15_000_000


class Gate(StrEnum):
    """A phase has two gates."""

    ENTRY = "entry"  # may we start?
    EXIT = "exit"  # is it done?


class Kind(StrEnum):
    """What sort of thing a criterion states."""

    DEMO = "demo"
    IDEMPOTENCY = "idempotency"
    KPI = "kpi"
    INVARIANT = "invariant"
    SLO = "slo"
    LOAD = "load"
    SECURITY = "security"
    ALERTING = "alerting"
    OBSERVABILITY = "observability"
    OPERATIONAL = "operational"
    DOCUMENTATION = "documentation"
    MANUAL = "manual"


class Severity(StrEnum):
    """What a criterion that does not pass means for its gate."""

    HARD = "hard"  # blocks
    SOFT = "soft"  # becomes a condition of the GO
    OPTIONAL = "optional"  # is reported


@dataclass(frozen=True, slots=True)
class When:
    """A criterion applies only where this is configured: the name of an environment variable."""

    configured: str


@dataclass(frozen=True, slots=True)
class RollsUp:
    """What a criterion reads of another gate of its plan: one finding, or its whole decision."""

    phase: str
    gate: Gate
    criterion: str | None = None  # the slug of one criterion; None: the gate

    @property
    def name(self) -> str:
        """As the plan names it: ``day2.all-demos``, or ``day2/exit``."""
        return f"{self.phase}.{self.criterion}" if self.criterion else f"{self.phase}/{self.gate}"

    def address(self, plan: str) -> Address:
        """The gate in whose decision it is found."""
        return Address(plan, self.phase, self.gate)


@dataclass(frozen=True, slots=True)
class Criterion:
    """One thing that must hold, as the plan states it."""

    id: str  # the slug; the full id is plan.phase.slug
    says: str
    kind: Kind
    gate: Gate = Gate.EXIT
    severity: Severity = Severity.HARD
    rule: Rule | None = None
    of: Group | None = None
    when: When | None = None
    owner: str | None = None
    due: str | None = None  # the gate by which a condition is met, or the last day for it
    check: Check | None = None  # one that needs no Python, run as an item of its own
    by: tuple[str, ...] = ()  # roles that may attest it; empty: any
    valid_for_us: int | None = None  # shelf life of an attestation; None: the environment's
    rolls_up: tuple[RollsUp, ...] = ()  # findings of other gates; the worst decides
    faults: tuple[str, ...] = ()  # those that must take its pass away; drills prove it
    line: int = 0
    max_age_us: int | None = None  # how old evidence of its rule may be; None: the environment's
    binds: tuple[str, ...] = ()  # tests that are its checks without a mark: ids or patterns
    controls: tuple[str, ...] = ()  # of catalogues of controls, as auditors name them
    by_each: bool = False  # whether each role of `by` attests it, as many people as roles
    by_others: bool = False  # whether no author of the change may
    source: Source | None = None  # where the plan's document says so
    ingest: Ingest | None = None  # results of another tool that somebody brings

    @property
    def due_gate(self) -> Address | None:
        """The gate by which it is due; None where that is a day, or nothing is said."""
        return Address.parse(self.due) if self.due and "/" in self.due else None

    @property
    def attested(self) -> bool:
        """Whether a person answers it."""
        return self.kind is Kind.MANUAL or bool(self.by)


class Then(StrEnum):
    """What a tripped guardrail does."""

    WARN = "warn"
    PAUSE = "pause"
    ROLLBACK = "rollback"
    NOTIFY = "notify"


@dataclass(frozen=True, slots=True)
class Guardrail:
    """A rule that only fails."""

    id: str
    says: str
    rules: tuple[Rule, ...]  # it trips where one of them does
    then: tuple[Then, ...]
    check: Check | None = None  # what `rollout watch` asks for its series
    line: int = 0
    faults: tuple[str, ...] = ()  # those that must trip it; drills prove it
    source: Source | None = None

    @property
    def quiet_about_trips(self) -> bool:
        """Whether a trip does not stop the phase: it is a condition of the GO."""
        return not {Then.PAUSE, Then.ROLLBACK} & set(self.then)

    def effect(self, finding: Finding) -> Answer:
        """The answer that the gate has because of this guardrail alone; GO where it has no say."""
        tripped = finding.state is State.TRIPPED
        if tripped and Then.ROLLBACK in self.then:
            return Answer.ROLLBACK
        if finding.blind or (tripped and Then.PAUSE in self.then):
            return Answer.HOLD
        return Answer.GO


@dataclass(frozen=True, slots=True)
class Phase:
    """A step of the plan."""

    id: str
    title: str
    marks: tuple[str, ...]
    date: dt.date | None = None
    until: dt.date | None = None  # last day, where the phase spans several
    hours: Hours | None = None
    owners: tuple[str, ...] = ()
    risk: Risk | None = None
    requires: tuple[str, ...] = ()
    any_release: tuple[str, ...] = ()  # of these the exit may be GO for another release
    signoff: tuple[str, ...] = ()
    criteria: tuple[Criterion, ...] = ()
    guardrails: tuple[Guardrail, ...] = ()
    rollback: Rollback = field(default_factory=Rollback)
    every_us: int = EVERY_US  # how often it is watched
    report: ReportSpec | None = None  # the final one, where the plan asks for it
    line: int = 0
    dues: tuple[tuple[Gate, RollsUp], ...] = ()  # conditions of others that are due at its gates
    alone: str = ""  # what `-m` takes for it where a plan beside its own has the same mark

    @property
    def chosen(self) -> str:
        """The option of pytest that asks for this phase and for no other."""
        return f'-m "{self.alone}"' if self.alone else f"-m {self.marks[0]}"

    def of(self, gate: Gate) -> tuple[Criterion, ...]:
        """The criteria of one gate, in the plan's order."""
        return tuple(criterion for criterion in self.criteria if criterion.gate is gate)


@dataclass(frozen=True, slots=True)
class Plan:
    """One rollout."""

    id: str
    title: str
    timezone: str
    phases: tuple[Phase, ...]
    environments: Mapping[str, Environment]
    release: FactSource | None = None
    no_release: str = ""  # why there is none to read; empty where that is not said
    configuration: FactSource | None = None
    change_windows: tuple[Window, ...] = ()
    freezes: tuple[Window, ...] = ()
    calendars: tuple[SharedCalendar, ...] = ()
    nights: Hours | None = None  # what a night is; None: 22:00 to 06:00
    roles: Mapping[str, str] = field(default_factory=dict)
    path: str = ""
    digest: str = ""
    waivers: tuple[Waiver, ...] = ()
    stand_ins: tuple[StandIn, ...] = ()
    channels: tuple[Channel, ...] = ()  # where people are told of trips
    roster: Roster = field(default_factory=Roster)  # who signs; no part of any digest
    author: FactSource | None = None  # where the authors of the change are read
    document: str = ""  # what it was written from, for people
    loads: tuple[LoadProfile, ...] = ()
    bindings: Bindings = Bindings.OPEN

    def load(self, id_: str) -> LoadProfile | None:
        """The load of that id, if there is one."""
        return next((load for load in self.loads if load.id == id_), None)

    def phase(self, id_: str) -> Phase | None:
        """The phase of that id, if there is one."""
        return next((phase for phase in self.phases if phase.id == id_), None)

    def required(self, name: str) -> Address:
        """The exit of a phase that another one requires: of this plan, or ``plan.phase``."""
        plan, dot, phase = name.rpartition(".")
        return Address(plan if dot else self.id, phase, Gate.EXIT)

    def address(self, phase: str, gate: Gate | None = None) -> Address:
        """Return the address of one of the plan's phases, or of one of its gates."""
        return Address(self.id, phase, gate)

    def marks(self) -> frozenset[str]:
        """Every marker that selects something of this plan."""
        return frozenset({self.id}.union(*(phase.marks for phase in self.phases)))

    def waivers_of(self, kind: Waives, phase: str, subject: str) -> tuple[Waiver, ...]:
        """The waivers of one thing, each for a release of its own or the one for any."""
        wanted = (kind, phase, subject)
        return tuple(
            waiver for waiver in self.waivers if (waiver.kind, waiver.phase, waiver.what) == wanted
        )

    def faults_of_people(self) -> frozenset[str]:
        """The drills in which somebody's stand-in says no; targets know nothing of them."""
        return frozenset(fault for stand_in in self.stand_ins for fault in stand_in.faults)

    def bound_ids(self, criterion: Criterion) -> tuple[str, ...]:
        """The ids and patterns that a criterion binds, as seen from the root of the project."""
        folder = self.path.rpartition("/")[0]
        return tuple(str(NodeId.parse(text).below(folder)) for text in criterion.binds)

    def known_roles(self) -> tuple[str, ...]:
        """The roles that the plan lists; where it lists none, those that its phases name."""
        named = (role for phase in self.phases for role in (*phase.owners, *phase.signoff))
        return tuple(self.roles) or tuple(dict.fromkeys(named))

    def criteria(self) -> Iterator[tuple[Phase, Criterion]]:
        """Every criterion with its phase, in the plan's order."""
        for phase in self.phases:
            for criterion in phase.criteria:
                yield phase, criterion


@dataclass(frozen=True, slots=True)
class Address:
    """A phase, or one of its gates: ``plms.day3`` or ``plms.day3/entry``."""

    plan: str
    phase: str
    gate: Gate | None = None

    @classmethod
    def parse(cls, text: str) -> Address:
        """Read ``plan.phase`` or ``plan.phase/gate``; raises ValueError with the rule."""
        left, slash, gate = text.partition("/")
        plan, dot, phase = left.partition(".")
        if not (plan and dot and phase) or "." in phase:
            raise ValueError(f"{text!r} is not plan.phase or plan.phase/gate")
        if slash and gate not in tuple(Gate):
            raise ValueError(f"{text!r}: a gate is entry or exit, not {gate!r}")
        return cls(plan, phase, Gate(gate) if slash else None)

    def at(self, gate: Gate) -> Address:
        """The address of one gate of the same phase."""
        return Address(self.plan, self.phase, gate)

    @property
    def name(self) -> str:
        """The full name of the phase alone: ``plms.day3``."""
        return f"{self.plan}.{self.phase}"

    def full(self, slug: str) -> str:
        """Return the full id of a criterion or guardrail of the phase: ``plms.day3.lane-cap``."""
        return f"{self.name}.{slug}"

    def __str__(self) -> str:
        return self.name + (f"/{self.gate}" if self.gate else "")
