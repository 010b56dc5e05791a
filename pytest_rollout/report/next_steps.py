"""Who must do what next about a phase on a real environment, worst first. Pure."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import field
from enum import IntEnum

from pytest_rollout.late_dataclass import dataclass
from pytest_rollout.model.life import DRIFT
from pytest_rollout.model.plan import Address, Gate, Phase, Plan, Then
from pytest_rollout.model.story import StepState
from pytest_rollout.model.verdict import Answer
from pytest_rollout.report.fact_words import some_of


class Urgency(IntEnum):
    """How bad it is that a step was not taken; the worst has the lowest number."""

    TRIPPED = 0  # something is seen to be bad, now
    DOUBTED = 1  # somebody signed against it, or what is on record cannot be believed
    HELD = 2  # people hold it
    REFUSED = 3  # a gate said no
    UNWATCHED = 4  # it has begun, and nobody looks at its guardrails
    OPEN = 5  # it goes on as planned
    WAITING = 6  # somebody else is next, or the calendar
    DONE = 7


@dataclass(frozen=True, slots=True)
class NextStep:
    """What is to be done, and who does it."""

    urgency: Urgency
    who: str  # roles, with the people who hold them
    do: str  # in words, commands in backquotes
    phase: str = ""  # full name

    @property
    def words(self) -> str:
        """The step in a line: ``sre (Ada): run `pytest -m canary```."""
        return f"{self.who}: {self.do}" if self.who else self.do


@dataclass(frozen=True, slots=True)
class GateAnswer:
    """What a gate answered last."""

    answer: Answer | None = None  # None: it never was decided
    why: str = ""  # the first reason of an answer that is no GO
    believed: bool = True  # False: its last full run decided nothing that counts
    process: int | None = None  # of its last full run, while that runs on this machine
    unsigned: Mapping[str, str] = field(default_factory=dict)  # role: who can sign
    objections: tuple[tuple[str, str], ...] = ()  # who signed against it, and why
    against: tuple[str, ...] = ()  # what other runs know against a GO
    unattested: Mapping[str, tuple[str, ...]] = field(default_factory=dict)  # slug: who may


@dataclass(frozen=True, slots=True)
class PhaseStanding:
    """All that says who is next; of a phase in a real environment."""

    plan: Plan
    phase: Phase
    environment: str
    gates: Mapping[Gate, GateAnswer]
    begun: bool = False
    ended: bool = False
    again: bool = False  # it has ended, and its turn has come again
    following: Phase | None = None  # whose turn it is, where this is the phase that ended last
    done: bool = False  # it ended last, and was the last phase of the plan
    tripped: tuple[str, ...] = ()  # full ids of guardrails that nobody has reset
    steps: tuple[StepState, ...] = ()  # of the rollback, with what became of each since the trip
    blind: Mapping[str, str] = field(default_factory=dict)  # full id of a guardrail: why
    frozen: str = ""  # since when and why
    revalidate: tuple[str, ...] = ()  # gates (phase/gate) that must be GO anew
    lacking: tuple[str, ...] = ()  # phases that must be done before, and are not
    shut: str = ""  # why no change may be made now, and when it may
    watched: bool = False  # whether somebody looks at its guardrails now
    people: Mapping[str, str] = field(default_factory=dict)  # role: names of those who hold it

    @property
    def name(self) -> str:
        """The phase's full name."""
        return self.plan.address(self.phase.id).name

    @property
    def gate(self) -> Gate | None:
        """The gate that is next; None once the phase has ended, until its turn comes again."""
        if self.ended and not self.again:
            return None
        return Gate.EXIT if self.begun else Gate.ENTRY

    @property
    def owners(self) -> str:
        """Who owns it, with the people of each role."""
        named = (self.named(owner) for owner in self.phase.owners)
        return ", ".join(named) or "its owner"

    def named(self, role: str) -> str:
        """A role with the people who hold it: ``sre (Ada, Bob)``."""
        people = self.people.get(role, "")
        return f"{role} ({people})" if people else role


def next_steps(standing: PhaseStanding) -> tuple[NextStep, ...]:
    """Return what is to be done about a phase, worst first.

    Of phases that have ended well, only the one that ended last says what comes next.
    """
    steps = list(_troubles(standing))
    if not standing.tripped:  # nothing goes on before it is reset
        steps += _onward(standing)
    named = (
        NextStep(step.urgency, step.who, step.do, standing.name)
        for step in sorted(steps, key=lambda step: step.urgency)
    )
    return tuple(named)


def _troubles(of: PhaseStanding) -> Iterator[NextStep]:
    """What is wrong, whatever gate is next."""
    full = of.plan.address(of.phase.id).full
    back = {full(rail.id) for rail in of.phase.guardrails if Then.ROLLBACK in rail.then}
    stated = {full(rail.id) for rail in (*of.phase.guardrails, DRIFT)}
    for guardrail in of.tripped:
        first = "fix it"
        if guardrail not in stated:
            first = "put the guardrail back under its name in the plan and fix it"
        if guardrail in back:
            first = _roll_back(of)
        yield NextStep(Urgency.TRIPPED, of.owners, f"{first}, then {_reset(of, guardrail)}")
    for guardrail, why in of.blind.items():
        if guardrail not in of.tripped:
            do = f"{_reset(of, guardrail)}, once it is understood: {why}"
            yield NextStep(Urgency.DOUBTED, of.owners, do)
    if of.frozen:
        lift = f"`rollout record {of.name} resume --env {of.environment} --says WHY --by NAME`"
        yield NextStep(Urgency.HELD, of.owners, f"{lift} lifts the freeze ({of.frozen})")
    for gate in of.revalidate:
        phase = of.plan.phase(gate.partition("/")[0])
        if phase is not None:
            run = _decides(of, phase, Address.parse(f"{of.plan.id}.{gate}").gate)
            do = f"{run} must make {gate} GO anew after the ROLLBACK"
            yield NextStep(Urgency.HELD, of.owners, do)


def _roll_back(of: PhaseStanding) -> str:
    """What is left to do of the rollback, and the fix."""
    undone = [step for step in of.steps if not step.done]
    if not of.steps:
        return "roll back and fix it"
    if not undone:
        return "every step of the rollback is done: fix it"
    if all(step.by_hand for step in undone):
        return f"roll back by hand ({'; '.join(step.says for step in undone)}) and fix it"
    run = f"`rollout watch {of.name} --env {of.environment} --execute`"
    return f"roll back ({run} runs the steps) and fix it"


def _onward(of: PhaseStanding) -> Iterator[NextStep]:
    """What leads to the next gate, and through it."""
    gate = of.gate
    if gate is None:
        yield from _after_the_end(of)
        return
    answer = of.gates[gate]
    for who, why in answer.objections:
        do = f"signed against {of.phase.id}/{gate}: {why}; settle it with them"
        yield NextStep(Urgency.DOUBTED, who, do)
    if of.begun and of.phase.guardrails and not of.watched:
        do = f"`rollout watch {of.name} --env {of.environment}`: nobody watches its guardrails"
        yield NextStep(Urgency.UNWATCHED, of.owners, do)
    if not of.phase.of(gate):
        do = f"state a criterion of {of.phase.id}/{gate}: a gate without one is HOLD"
        yield NextStep(Urgency.REFUSED, of.owners, do)
    elif of.lacking and not of.begun:
        waits = some_of([f"{phase}/exit" for phase in of.lacking])
        are = "is" if len(of.lacking) == 1 else "are"
        yield NextStep(Urgency.WAITING, "", f"waits until {waits} {are} GO")
    elif answer.against:
        again = f"settle what holds {of.phase.id}/{gate}, then {_decides(of, of.phase)}"
        yield NextStep(Urgency.REFUSED, of.owners, f"{again}: {answer.against[0]}")
    elif answer.answer is not Answer.GO:
        for slug, roles in answer.unattested.items():
            full = of.plan.address(of.phase.id).full(slug)
            do = f"`rollout attest {full} --env {of.environment} {_given(of, roles)}`"
            yield NextStep(Urgency.OPEN, " or ".join(map(of.named, roles)) or of.owners, do)
        yield _decide(of, gate, answer)
    elif answer.unsigned:
        for role, people in answer.unsigned.items():
            sign = f"rollout sign {of.name}/{gate} --as {role} --env {of.environment} --key FILE"
            nobody = "only an author of the change" if of.people.get(role) else "nobody"
            who = f"{role} ({people or f'{nobody} holds the role'})"
            yield NextStep(Urgency.OPEN, who, f"`{sign}`")
    elif of.shut and not of.begun:
        yield NextStep(Urgency.WAITING, "", f"waits for its window: {of.shut}")
    else:
        verb = "end" if of.begun else "begin"
        do = f"`rollout {verb} {of.name} --env {of.environment} --by NAME`"
        yield NextStep(Urgency.OPEN, of.owners, do)


def _after_the_end(of: PhaseStanding) -> Iterator[NextStep]:
    """What follows the phase that ended last."""
    if of.following is not None:
        entry = f"{_decides(of, of.following)} decides its entry gate"
        yield NextStep(Urgency.DONE, "", f"{of.following.id} is next: {entry}")
    elif of.done:
        first = of.plan.phases[0]
        entry = f"{_decides(of, first)}, which decides the entry gate of {first.id}"
        do = f"the plan is done in {of.environment}; a new rollout begins with {entry}"
        yield NextStep(Urgency.DONE, "", do)


def _decide(of: PhaseStanding, gate: Gate, answer: GateAnswer) -> NextStep:
    run = _decides(of, of.phase)
    if answer.answer is None:
        first = "once the watch has ended " if of.begun and of.watched else ""
        return NextStep(Urgency.OPEN, of.owners, f"{first}{run} decides its {gate} gate")
    if answer.process is not None:
        do = f"waits for the run of {of.phase.id}/{gate} that still runs (process {answer.process})"
        return NextStep(Urgency.WAITING, "", do)
    if not answer.believed:
        return NextStep(Urgency.DOUBTED, of.owners, f"{run} anew: {answer.why}")
    why = f": {answer.why}" if answer.why else ""
    do = f"fix what made {of.phase.id}/{gate} {answer.answer.value}, then {run}{why}"
    return NextStep(Urgency.REFUSED, of.owners, do)


def _decides(of: PhaseStanding, phase: Phase, gate: Gate | None = None) -> str:
    """The command that decides a gate; without one, the gate that is next."""
    asked = f" --rollout-gate {gate}" if gate else ""
    return f"`pytest {phase.chosen} --rollout-env {of.environment}{asked}`"


def _reset(of: PhaseStanding, guardrail: str) -> str:
    return f"`rollout reset {guardrail} --env {of.environment} --by NAME --reason WHY`"


def _given(of: PhaseStanding, roles: Sequence[str]) -> str:
    """What an attestation needs besides where it is given."""
    role = roles[0] if len(roles) == 1 else "ROLE"
    key = " --key FILE" if of.plan.roster.has_keys else ""
    return f"--by NAME --role {role} --note WHAT{key}"
