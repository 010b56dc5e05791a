"""The final report that a plan asks for, made of what the ledger holds and nothing else."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import field

from pytest_rollout import calendar
from pytest_rollout.cli.project import Project
from pytest_rollout.evidence.bodies import StoredEvent
from pytest_rollout.evidence.records import RecordKind
from pytest_rollout.evidence.run_log import told
from pytest_rollout.evidence.world import read_world
from pytest_rollout.judge.figures import NOTHING, value_of
from pytest_rollout.late_dataclass import dataclass
from pytest_rollout.model.decision import Decision
from pytest_rollout.model.evidence import Seen
from pytest_rollout.model.finding import Finding
from pytest_rollout.model.plan import EMBEDDED, Address, Gate, Phase, Plan
from pytest_rollout.model.reporting import Figure, Section
from pytest_rollout.model.verdict import Answer
from pytest_rollout.report import sentences
from pytest_rollout.report.document import Block, Document, Row
from pytest_rollout.report.text import moment, qualified


@dataclass(frozen=True, slots=True)
class _Known:
    """What the run of a phase left that may be counted; nothing where it may not."""

    seen: tuple[Seen, ...] = ()
    events: tuple[StoredEvent, ...] = ()
    there: bool = False


@dataclass
class Evidence:
    """What the phases of a plan left, of the release and environment of a decision.

    A rehearsal's report is of one run. Elsewhere each phase has the last full run of its exit.
    """

    project: Project
    plan: Plan
    decision: Decision
    _read: dict[str, _Known] = field(default_factory=dict)

    def of(self, phase: str) -> _Known:
        """What a phase left."""
        if phase not in self._read:
            self._read[phase] = self._known(phase)
        return self._read[phase]

    def _known(self, phase_id: str) -> _Known:
        environment, phase = self.decision.environment, self.plan.phase(phase_id)
        address = Address(self.plan.id, phase_id, Gate.EXIT)
        asked = self.project.full_run(address, environment) if phase else None
        if phase is None or asked is None:
            return _Known()
        if environment == EMBEDDED and asked.run != self.decision.run:
            return _Known()
        world = read_world(self.project.ledger, asked.run, address, phase).world
        releases = {fact.release for fact in world.run.releases} or {None}
        if not world.run.sealed or releases != {self.decision.release}:
            return _Known()
        seen = tuple(series for series in world.seen if series.run == asked.run)
        return _Known(seen, tuple(self._events(phase_id, asked.run)), there=True)

    def _events(self, phase: str, run: str) -> Iterator[StoredEvent]:
        subject, environment = self.plan.address(phase).name, self.decision.environment
        records = self.project.ledger.find(RecordKind.EVENT, self.plan.id, subject, environment)
        for event in told(records, StoredEvent):
            if environment != EMBEDDED or event.record.run == run:
                yield event.body


def final_report(project: Project, plan: Plan, phase: Phase, decision: Decision) -> Document | None:
    """The report that a phase asks for, with sign-off, criteria and decision; None without one."""
    if phase.report is None:
        return None
    evidence = Evidence(project, plan, decision)
    sections = tuple(_section(evidence, phase, section) for section in phase.report.sections)
    facts = (
        ("Date", moment(decision.decided_at, decision.timezone)),
        ("Version", decision.release or NOTHING),
        ("Status", _status(decision)),
        ("Environment", decision.environment),
    )
    parts = (*sections, _signed(phase, decision), _criteria(decision), _decided(decision))
    return Document(phase.report.title, facts, parts, decision.answer, qualified(decision))


def _status(decision: Decision) -> str:
    """Whether the rollout is accepted: only a GO of a real environment says so."""
    if decision.drill or decision.environment == EMBEDDED:
        session = "drill" if decision.drill else "rehearsal"
        return f"{decision.answer.value} in a {session}, which accepts nothing"
    return "accepted" if decision.answer is Answer.GO else "not accepted"


def _section(evidence: Evidence, phase: Phase, section: Section) -> Block:
    if not section.names:
        facts = tuple(
            (figure.says, _value(evidence, phase, figure, {})) for figure in section.figures
        )
        return Block(section.title, facts)
    head = (section.label, *(figure.says for figure in section.figures))
    rows = tuple(
        (
            name,
            *(_value(evidence, phase, figure, {section.label: name}) for figure in section.figures),
        )
        for name in section.names
    )
    return Block(section.title, rows, head)


def _value(evidence: Evidence, phase: Phase, figure: Figure, where: Mapping[str, str]) -> str:
    if figure.events:
        return _counted(evidence, figure)
    if figure.first:
        return _lasted(evidence, figure)
    return value_of(figure, evidence.of(figure.phase or phase.id).seen, where)


def _counted(evidence: Evidence, figure: Figure) -> str:
    """How many events of a type are on record, and what they say."""
    names = [figure.phase] if figure.phase else [phase.id for phase in evidence.plan.phases]
    known = {name: evidence.of(name) for name in names}
    silent = [name for name, facts in known.items() if not facts.there]
    if len(silent) == len(known):
        return NOTHING
    events = [
        event for facts in known.values() for event in facts.events if event.type == figure.events
    ]
    said = "; ".join(event.says for event in events)
    counted = f"{len(events)}: {said}" if events else "none recorded"
    return f"{counted} (nothing is known of {', '.join(silent)})" if silent else counted


def _lasted(evidence: Evidence, figure: Figure) -> str:
    zone = evidence.plan.timezone
    begun = [event.t_us for event in evidence.of(figure.first).events if event.type == "begin"]
    ended = [event.t_us for event in evidence.of(figure.last).events if event.type == "end"]
    if not begun or not ended:
        return NOTHING
    return f"{calendar.wall(begun[-1], zone)} to {calendar.wall(ended[-1], zone)}"


def _signed(phase: Phase, decision: Decision) -> Block:
    """What each role that signs has attested, in the words of the finding."""
    rows = [row for role in phase.signoff for row in _of_role(phase, decision, role)]
    return Block("Sign-off", tuple(rows), ("Role", "Criterion", "Outcome", "Signature"))


def _of_role(phase: Phase, decision: Decision, role: str) -> Iterator[Row]:
    findings = {finding.id.rpartition(".")[2]: finding for finding in decision.criteria}
    mine = [
        criterion.id
        for criterion in phase.criteria
        if criterion.by == (role,) and criterion.id in findings
    ]
    if not mine:
        yield role, NOTHING, NOTHING, "no criterion of this gate is the role's to attest"
    for slug in mine:
        finding = findings[slug]
        yield role, slug, finding.verdict.value, _said(finding, decision)


def _criteria(decision: Decision) -> Block:
    rows = tuple(_row(finding, decision) for finding in (*decision.criteria, *decision.guardrails))
    return Block("Criteria", rows, ("Criterion", "Severity", "Outcome", "Samples", "Evidence"))


def _said(finding: Finding, decision: Decision) -> str:
    return sentences.text(finding.reason, decision.timezone)


def _row(finding: Finding, decision: Decision) -> Row:
    samples = str(finding.samples) if finding.samples else ""
    severity = finding.severity or "guardrail"
    return finding.id, severity, finding.verdict.value, samples, _said(finding, decision)


def _decided(decision: Decision) -> Block:
    conditions = "; ".join(
        f"{condition.id} ({condition.owner}, by {condition.due})"
        for condition in decision.conditions
    )
    zone = decision.timezone
    causes = [sentences.cause(cause.id, cause.reason, zone) for cause in decision.reasons]
    return Block(
        "Decision",
        (
            ("Gate", str(decision.address)),
            ("Decision", decision.answer.value),
            ("Reasons", "; ".join(causes)),
            ("Conditions", conditions or "none"),
            ("Stand-ins", "; ".join(decision.stand_ins) or "none"),
            ("Run", decision.run),
            ("Substance digest", decision.substance_digest),
        ),
    )
