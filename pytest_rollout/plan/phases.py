"""The phases of a plan with their criteria, guardrails and rollback steps."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping

from pytest_rollout.late_dataclass import dataclass
from pytest_rollout.model.check import Check
from pytest_rollout.model.life import DRIFT
from pytest_rollout.model.plan import (
    Criterion,
    Guardrail,
    Kind,
    Phase,
    Then,
    When,
)
from pytest_rollout.model.rule import Rule
from pytest_rollout.plan import terms
from pytest_rollout.plan.checks import read_check, read_polled
from pytest_rollout.plan.conditions import read_group
from pytest_rollout.plan.controls import read_controls
from pytest_rollout.plan.document import read_document_source
from pytest_rollout.plan.faults import read_faults
from pytest_rollout.plan.load_checks import of_one_load
from pytest_rollout.plan.named_roles import read_by, read_roles
from pytest_rollout.plan.reader import Reader, nearest
from pytest_rollout.plan.reporting import read_report
from pytest_rollout.plan.requirements import read_any_release, read_requires
from pytest_rollout.plan.results import in_file, read_ingest
from pytest_rollout.plan.rollback import read_rollback
from pytest_rollout.plan.rolling_up import read_rolls_up
from pytest_rollout.plan.rules import read_rule, read_score
from pytest_rollout.plan.sample_limits import check_max_age
from pytest_rollout.plan.spec.criterion_keys import (
    CriterionKeys,
    GuardrailKeys,
    PartKeys,
    WhenKeys,
)
from pytest_rollout.plan.spec.phase_keys import PhaseKeys
from pytest_rollout.plan.tree import Tree


@dataclass(frozen=True, slots=True)
class Names:
    """What a phase may refer to: phases of the plan, and roles where the plan lists them."""

    phases: Collection[str]
    roles: Collection[str]


def read_phase(reader: Reader, names: Names) -> Phase | None:
    """One phase; None where it has no usable id."""
    id_ = reader.get(PhaseKeys.id)
    if id_ is None:
        return None
    reader.what = f"phase {id_}"
    phase = Phase(
        id=id_,
        title=_told(reader.get(PhaseKeys.title_), id_),
        marks=_marks(reader, id_),
        date=reader.get(PhaseKeys.date),
        until=reader.get(PhaseKeys.until),
        hours=reader.get(PhaseKeys.hours),
        owners=read_roles(reader, PhaseKeys.owners, names.roles),
        risk=reader.get(PhaseKeys.risk),
        requires=read_requires(reader, id_, names.phases),
        any_release=read_any_release(reader, id_),
        signoff=read_roles(reader, PhaseKeys.signoff, names.roles),
        criteria=_criteria(reader, names),
        guardrails=_guardrails(reader),
        rollback=read_rollback(reader, id_, names.phases),
        every_us=reader.get(PhaseKeys.every),
        report=read_report(reader, names.phases),
        line=reader.line,
    )
    reader.done()
    _dates(reader, phase)
    _same_ids(reader, phase)
    return phase


def _told(text: str | None, otherwise: str) -> str:
    return otherwise if text is None else text


def _dates(reader: Reader, phase: Phase) -> None:
    for key in (PhaseKeys.until, PhaseKeys.hours):
        if reader.has(key) and not reader.has(PhaseKeys.date):
            reader.say(reader.line_of(key), f"`{key.name}` without `date`")
    if phase.date and phase.until and phase.until < phase.date:
        reader.problem(reader.line_of(PhaseKeys.until), f"{reader.what} ends before it begins")


def _same_ids(reader: Reader, phase: Phase) -> None:
    criteria = {criterion.id for criterion in phase.criteria}
    for guardrail in phase.guardrails:
        if guardrail.id in criteria:
            problem = f"guardrail {guardrail.id} has the id of a criterion of {reader.what}"
            reader.problem(guardrail.line, problem)
        if guardrail.id == DRIFT.id:
            problem = f"guardrail {guardrail.id} is built in: it trips on what nobody recorded"
            reader.problem(guardrail.line, problem, "call this one something else")


def _marks(reader: Reader, id_: str) -> tuple[str, ...]:
    key = PhaseKeys.marks
    words = reader.get(key)
    if words is None:
        words = (id_.replace("-", "_"),)
    marks = []
    for word in words:
        try:
            marks.append(terms.mark(word))
        except ValueError as error:
            fix = "" if reader.has(key) else "give the phase `marks:`"
            reader.problem(reader.line_of(key), f"{reader.what}: `marks`: {error}", fix)
    if reader.has(key) and not words:
        reader.problem(reader.line_of(key), f"{reader.what}: no marker selects it")
    return tuple(marks)


def _criteria(reader: Reader, names: Names) -> tuple[Criterion, ...]:
    criteria: dict[str, Criterion] = {}
    for tree in reader.get(PhaseKeys.criteria) or ():
        criterion = _criterion(_inside(reader, tree), names)
        if criterion is None:
            continue
        if criterion.id in criteria:
            first = criteria[criterion.id].line
            reader.problem(
                tree.line, f"criterion {criterion.id} is stated twice, first at line {first}"
            )
            continue
        criteria[criterion.id] = criterion
    _check_members(reader, criteria)
    return tuple(criteria.values())


def _inside(reader: Reader, tree: Tree) -> Reader:
    return reader.inner(tree, CriterionKeys, f"a criterion of {reader.what}")


def _check_members(reader: Reader, criteria: Mapping[str, Criterion]) -> None:
    """Groups are made of other criteria of the same gate, and not of each other in a circle."""
    for criterion in criteria.values():
        for name, _ in criterion.of.members if criterion.of else ():
            member = criteria.get(name)
            if member is None:
                fix = nearest(name, criteria)
                reader.problem(
                    criterion.line, f"criterion {criterion.id}: `of` names no criterion {name}", fix
                )
            elif member.gate is not criterion.gate:
                problem = (
                    f"criterion {criterion.id}: its member {name} belongs to the {member.gate} gate"
                )
                reader.problem(criterion.line, problem)
            elif member.rule is not None and not member.rule.in_theorem:
                problem = f"criterion {criterion.id}: its member {name} is judged by Kayenta's rule"
                reader.problem(
                    criterion.line, problem, "no answer may rest on it: leave it out of `of`"
                )
        if criterion.id in _below(criterion.id, criteria):
            reader.problem(criterion.line, f"criterion {criterion.id}: `of` leads back to it")


def _below(name: str, criteria: Mapping[str, Criterion]) -> set[str]:
    """Every criterion that one is made of, through all levels."""
    below: set[str] = set()
    todo = [name]
    while todo:
        stated = criteria.get(todo.pop())
        members = {member for member, _ in stated.of.members} if stated and stated.of else set()
        todo += members - below
        below |= members
    return below


def _criterion(reader: Reader, names: Names) -> Criterion | None:
    id_ = reader.get(CriterionKeys.id)
    if id_ is None:
        return None
    reader.what = f"criterion {id_}"
    group = read_group(reader)
    rule = None if group else read_rule(reader, guardrail=False)
    check = _check(reader, rule)
    ingest = read_ingest(reader, rule)
    rule = in_file(rule) if ingest and rule else rule
    by, each = read_by(reader, names.roles)
    criterion = Criterion(
        id=id_,
        says=_told(reader.get(CriterionKeys.says), id_.replace("-", " ")),
        kind=reader.get(CriterionKeys.kind) or Kind.OPERATIONAL,
        gate=reader.get(CriterionKeys.gate),
        severity=reader.get(CriterionKeys.severity),
        rule=of_one_load(rule, check),
        of=read_score(reader, group) if group else None,
        when=_when(reader),
        owner=reader.get(CriterionKeys.owner),
        due=reader.get(CriterionKeys.due),
        check=check,
        by=by,
        valid_for_us=reader.get(CriterionKeys.valid_for),
        rolls_up=read_rolls_up(reader),
        faults=read_faults(reader, CriterionKeys.faults),
        line=reader.line,
        max_age_us=reader.get(CriterionKeys.max_age),
        binds=_binds(reader),
        controls=read_controls(reader),
        by_each=each,
        by_others=reader.get(CriterionKeys.by_others),
        source=read_document_source(reader, CriterionKeys.source),
        ingest=ingest,
    )
    reader.done()
    check_max_age(reader, criterion)
    if reader.has(CriterionKeys.valid_for) and not (criterion.attested or criterion.rolls_up):
        problem = f"{reader.what}: `valid_for` is of attestations, and nobody attests it"
        fix = "kind: manual, or by: [ROLE]; or rolls_up: [PHASE.CRITERION]"
        reader.problem(reader.line_of(CriterionKeys.valid_for), problem, fix)
    return criterion


def _check(reader: Reader, rule: Rule | None) -> Check | None:
    judged = reader.has(CriterionKeys.pass_)
    return read_check(reader, CriterionKeys.check, rule, judged=judged)


def _binds(reader: Reader) -> tuple[str, ...]:
    """Node ids and patterns of tests, relative to the plan's folder."""
    patterns = reader.get(CriterionKeys.binds) or ()
    for pattern in patterns:
        if not pattern.strip() or pattern.startswith("/") or "\\" in pattern:
            fix = 'binds: ["tests/test_api.py::test_health"], from the folder of the plan'
            line = reader.line_of(CriterionKeys.binds)
            reader.say(line, f"`binds` lists ids of tests, not {pattern!r:.60}", fix)
    return patterns


def _when(reader: Reader) -> When | None:
    tree = reader.get(CriterionKeys.when)
    if tree is None:
        return None
    inner = reader.inner(tree, WhenKeys, f"{reader.what}: when")
    name = inner.get(WhenKeys.configured)
    inner.done()
    return When(name) if name else None


def _guardrails(reader: Reader) -> tuple[Guardrail, ...]:
    guardrails: list[Guardrail] = []
    for tree in reader.get(PhaseKeys.guardrails) or ():
        inner = reader.inner(tree, GuardrailKeys, f"a guardrail of {reader.what}")
        guardrail = _guardrail(inner)
        if guardrail is None:
            continue
        if any(earlier.id == guardrail.id for earlier in guardrails):
            reader.problem(tree.line, f"guardrail {guardrail.id} is stated twice")
        guardrails.append(guardrail)
    return tuple(guardrails)


def _guardrail(reader: Reader) -> Guardrail | None:
    id_ = reader.get(GuardrailKeys.id)
    if id_ is None:
        return None
    reader.what = f"guardrail {id_}"
    says = _told(reader.get(GuardrailKeys.says), id_.replace("-", " "))
    then = _then(reader)
    faults = read_faults(reader, GuardrailKeys.faults)
    rules = tuple(_guarded(reader))
    check = read_polled(reader, rules)
    source = read_document_source(reader, GuardrailKeys.source)
    reader.done()
    if not rules:
        return None
    return Guardrail(id_, says, rules, then, check, reader.line, faults, source)


def _guarded(reader: Reader) -> Iterator[Rule]:
    """The rule of a guardrail, or each of those that it is made of."""
    parts = reader.get(GuardrailKeys.of)
    if parts is None:
        rule = read_rule(reader, guardrail=True)
        if rule is not None:
            yield rule
        return
    if not parts:
        line, fix = (
            reader.line_of(GuardrailKeys.of),
            'of: [{metric: errors, take: sum, fail: "> 3"}]',
        )
        reader.say(line, "`of` has no rule, so nothing trips it", fix)
    for number, tree in enumerate(parts, 1):
        inner = reader.inner(tree, PartKeys, f"{reader.what}: part {number}")
        rule = read_rule(inner, guardrail=True)
        inner.done()
        if rule is not None:
            yield rule


def _then(reader: Reader) -> tuple[Then, ...]:
    known = {member.value: member for member in Then}
    actions = []
    for word in reader.get(GuardrailKeys.then) or ():
        if word in known:
            actions.append(known[word])
        else:
            reader.problem(
                reader.line_of(GuardrailKeys.then),
                f"{reader.what}: unknown `then`: {word}",
                nearest(word, known),
            )
    return tuple(actions) or (Then.PAUSE,)
