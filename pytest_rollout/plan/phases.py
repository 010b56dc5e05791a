"""The phases of a plan with their criteria, guardrails and rollback steps."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass

from pytest_rollout.model.plan import (
    EVERY_US,
    Address,
    Criterion,
    Gate,
    Guardrail,
    Kind,
    Phase,
    Severity,
    Then,
    When,
)
from pytest_rollout.model.rule import Rule
from pytest_rollout.model.windows import Risk
from pytest_rollout.plan import terms
from pytest_rollout.plan.checks import read_check, read_polled
from pytest_rollout.plan.conditions import read_group
from pytest_rollout.plan.faults import read_faults
from pytest_rollout.plan.reader import Reader, nearest
from pytest_rollout.plan.reporting import read_report
from pytest_rollout.plan.rollback import read_rollback
from pytest_rollout.plan.rolling import read_rolls_up
from pytest_rollout.plan.rules import read_rule, read_score
from pytest_rollout.plan.samples import check_max_age


@dataclass(frozen=True, slots=True)
class Names:
    """What a phase may refer to: phases of the plan, and roles where the plan lists them."""

    phases: Collection[str]
    roles: Collection[str]


def read_phase(reader: Reader, names: Names) -> Phase | None:
    """One phase; None where it has no usable id."""
    id_ = reader.parsed("id", terms.identifier)
    if id_ is None:
        if not reader.has("id"):
            reader.problem(reader.line, f"{reader.what} has no `id`")
        return None
    reader.what = f"phase {id_}"
    reader.later("soak", "valid_for")
    phase = Phase(
        id=id_,
        title=reader.text("title", id_),
        marks=_marks(reader, id_),
        date=reader.parsed("date", terms.day),
        until=reader.parsed("until", terms.day),
        hours=reader.parsed("hours", terms.hours),
        owners=_roles(reader, "owners", names),
        risk=reader.optional("risk", Risk),
        requires=_requires(reader, id_, names),
        signoff=_roles(reader, "signoff", names),
        criteria=_criteria(reader, names),
        guardrails=_guardrails(reader),
        rollback=read_rollback(reader, id_, names.phases),
        every_us=reader.parsed("every", _every) or EVERY_US,
        report=read_report(reader, names.phases),
        line=reader.line,
    )
    reader.done()
    _dates(reader, phase)
    _same_ids(reader, phase)
    return phase


def _every(text: str) -> int:
    every_us = terms.duration_us(text)
    if every_us < 1_000_000:
        raise ValueError(f"{text!r:.60} is shorter than a second")
    return every_us


def _dates(reader: Reader, phase: Phase) -> None:
    for key in ("until", "hours"):
        if reader.has(key) and not reader.has("date"):
            reader.problem(reader.line_of(key), f"{reader.what}: `{key}` without `date`")
    if phase.date and phase.until and phase.until < phase.date:
        reader.problem(reader.line_of("until"), f"{reader.what} ends before it begins")


def _same_ids(reader: Reader, phase: Phase) -> None:
    criteria = {criterion.id for criterion in phase.criteria}
    for guardrail in phase.guardrails:
        if guardrail.id in criteria:
            what = f"guardrail {guardrail.id} has the id of a criterion of {reader.what}"
            reader.problem(guardrail.line, what)


def _requires(reader: Reader, id_: str, names: Names) -> tuple[str, ...]:
    line = reader.line_of("requires")
    words = reader.words("requires")
    for word in words:
        if word == id_:
            reader.problem(line, f"phase {id_} requires itself")
        elif word not in names.phases:
            fix = nearest(word, names.phases)
            reader.problem(line, f"phase {id_} requires unknown phase `{word}`", fix)
    return words


def _roles(reader: Reader, key: str, names: Names) -> tuple[str, ...]:
    words = reader.words(key)
    for word in words:
        if names.roles and word not in names.roles:
            reader.problem(
                reader.line_of(key),
                f"{reader.what}: unknown role `{word}`",
                nearest(word, names.roles),
            )
    return words


def _marks(reader: Reader, id_: str) -> tuple[str, ...]:
    reader.tree("marks")
    words = reader.words("marks") if reader.has("marks") else (id_.replace("-", "_"),)
    marks = []
    for word in words:
        try:
            marks.append(terms.mark(word))
        except ValueError as error:
            fix = "" if reader.has("marks") else "give the phase `marks:`"
            reader.problem(reader.line_of("marks"), f"{reader.what}: `marks`: {error}", fix)
    if reader.has("marks") and not words:
        reader.problem(reader.line_of("marks"), f"{reader.what}: no marker selects it")
    return tuple(marks)


def _criteria(reader: Reader, names: Names) -> tuple[Criterion, ...]:
    found: dict[str, Criterion] = {}
    for tree in reader.items("criteria"):
        criterion = _criterion(reader.reader(tree, f"a criterion of {reader.what}"), names)
        if criterion is None:
            continue
        if criterion.id in found:
            first = found[criterion.id].line
            reader.problem(
                tree.line, f"criterion {criterion.id} is stated twice, first at line {first}"
            )
            continue
        found[criterion.id] = criterion
    _check_members(reader, found)
    return tuple(found.values())


def _check_members(reader: Reader, found: Mapping[str, Criterion]) -> None:
    """Groups are made of other criteria of the same gate, and not of each other in a circle."""
    for one in found.values():
        for name, _ in one.of.members if one.of else ():
            member = found.get(name)
            if member is None:
                fix = nearest(name, found)
                reader.problem(one.line, f"criterion {one.id}: `of` names no criterion {name}", fix)
            elif member.gate is not one.gate:
                what = f"criterion {one.id}: its member {name} belongs to the {member.gate} gate"
                reader.problem(one.line, what)
            elif member.rule is not None and not member.rule.in_theorem:
                what = f"criterion {one.id}: its member {name} is judged by Kayenta's rule"
                reader.problem(one.line, what, "no answer may rest on it: leave it out of `of`")
        if one.id in _below(one.id, found):
            reader.problem(one.line, f"criterion {one.id} is made of itself")


def _below(name: str, found: Mapping[str, Criterion]) -> set[str]:
    """Every criterion that one is made of, through all levels."""
    below: set[str] = set()
    todo = [name]
    while todo:
        stated = found.get(todo.pop())
        members = {member for member, _ in stated.of.members} if stated and stated.of else set()
        todo += members - below
        below |= members
    return below


def _criterion(reader: Reader, names: Names) -> Criterion | None:
    id_ = reader.parsed("id", terms.identifier)
    if id_ is None:
        if not reader.has("id"):
            reader.problem(reader.line, f"{reader.what} has no `id`")
        return None
    reader.what = f"criterion {id_}"
    if not reader.has("kind"):
        reader.problem(reader.line, f"{reader.what} has no `kind`", nearest("", Kind))
    group = read_group(reader)
    rule = None if group else read_rule(reader, guardrail=False)
    criterion = Criterion(
        id=id_,
        says=reader.text("says", id_.replace("-", " ")),
        kind=reader.choice("kind", Kind, Kind.OPERATIONAL),
        gate=reader.choice("gate", Gate, Gate.EXIT),
        severity=reader.choice("severity", Severity, Severity.HARD),
        rule=rule,
        of=read_score(reader, group) if group else None,
        when=_when(reader),
        owner=reader.word("owner"),
        due=reader.parsed("due", _due),
        check=read_check(reader, rule),
        by=_roles(reader, "by", names),
        valid_for_us=reader.parsed("valid_for", terms.duration_us),
        rolls_up=read_rolls_up(reader),
        faults=read_faults(reader),
        line=reader.line,
        max_age_us=reader.parsed("max_age", terms.duration_us),
        binds=_binds(reader),
    )
    reader.done()
    check_max_age(reader, criterion)
    if reader.has("valid_for") and not (criterion.attested or criterion.rolls_up):
        what = f"{reader.what}: `valid_for` is of attestations, and nobody attests it"
        fix = "kind: manual, or by: [ROLE]; or rolls_up: [PHASE.CRITERION]"
        reader.problem(reader.line_of("valid_for"), what, fix)
    return criterion


def _binds(reader: Reader) -> tuple[str, ...]:
    """Node ids and patterns of tests, relative to the plan's folder."""
    patterns = reader.words("binds")
    for pattern in patterns:
        if not pattern.strip() or pattern.startswith("/") or "\\" in pattern:
            fix = 'binds: ["tests/test_api.py::test_health"], from the folder of the plan'
            what = f"{reader.what}: `binds` lists ids of tests, not {pattern!r:.60}"
            reader.problem(reader.line_of("binds"), what, fix)
    return patterns


def _due(text: str) -> str:
    if Address.parse(text).gate is None:
        raise ValueError(f"{text!r} names no gate; write plan.phase/entry or plan.phase/exit")
    return text


def _when(reader: Reader) -> When | None:
    tree = reader.tree("when")
    if tree is None:
        return None
    inner = reader.reader(tree, f"{reader.what}: when")
    name = inner.word("configured")
    if not inner.has("configured"):
        fix = "when: {configured: NAME_OF_A_VARIABLE}"
        inner.problem(tree.line, f"{inner.what} states no condition", fix)
    inner.done()
    return When(name) if name else None


def _guardrails(reader: Reader) -> tuple[Guardrail, ...]:
    found: list[Guardrail] = []
    for tree in reader.items("guardrails"):
        inner = reader.reader(tree, f"a guardrail of {reader.what}")
        guardrail = _guardrail(inner)
        if guardrail is None:
            continue
        if any(other.id == guardrail.id for other in found):
            reader.problem(tree.line, f"guardrail {guardrail.id} is stated twice")
        found.append(guardrail)
    return tuple(found)


def _guardrail(reader: Reader) -> Guardrail | None:
    id_ = reader.parsed("id", terms.identifier)
    if id_ is None:
        if not reader.has("id"):
            reader.problem(reader.line, f"{reader.what} has no `id`")
        return None
    reader.what = f"guardrail {id_}"
    says = reader.text("says", id_.replace("-", " "))
    then = _then(reader)
    faults = read_faults(reader)
    rules = tuple(_guarded(reader))
    check = read_polled(reader, rules)
    reader.done()
    return Guardrail(id_, says, rules, then, check, reader.line, faults) if rules else None


def _guarded(reader: Reader) -> Iterator[Rule]:
    """The rule of a guardrail, or each of those that it is made of."""
    if reader.tree("of") is None:
        rule = read_rule(reader, guardrail=True)
        if rule is not None:
            yield rule
        return
    for number, tree in enumerate(reader.items("of"), 1):
        inner = reader.reader(tree, f"{reader.what}: part {number}")
        rule = read_rule(inner, guardrail=True)
        inner.done()
        if rule is not None:
            yield rule


def _then(reader: Reader) -> tuple[Then, ...]:
    known = {member.value: member for member in Then}
    found = []
    for word in reader.words("then"):
        if word in known:
            found.append(known[word])
        else:
            reader.problem(
                reader.line_of("then"),
                f"{reader.what}: unknown `then`: {word}",
                nearest(word, known),
            )
    return tuple(found) or (Then.PAUSE,)
