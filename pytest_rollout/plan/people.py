"""The people of a plan, `roles.yaml` beside it."""

from __future__ import annotations

from collections.abc import Iterable

from pytest_rollout.model.people import Deputy, Person, Roster
from pytest_rollout.model.plan import Plan
from pytest_rollout.plan.reader import Reader, nearest
from pytest_rollout.plan.spec.people_keys import DeputyKeys, PeopleKeys, PersonKeys
from pytest_rollout.plan.tree import Tree

NAME = "roles.yaml"


def read_people(reader: Reader, plan: Plan) -> Roster:
    """Return who holds which role of a plan; what is wrong goes to the reader."""
    people: dict[str, Person] = {}
    for tree in reader.get(PeopleKeys.people) or ():
        person = _person(reader, tree, plan)
        if person is None:
            continue
        first = people.setdefault(person.id, person)
        if first is not person:
            what = f"`{person.id}` stands twice, first at line {first.line}"
            reader.problem(person.line, what, "keep one of the two, with all roles")
    trees = reader.get(PeopleKeys.deputies) or ()
    deputies = [_deputy(reader, tree, plan, people) for tree in trees]
    signers = reader.get(PeopleKeys.allowed_signers)
    reader.done()
    if signers.startswith("/") or ".." in signers.split("/"):
        line = reader.line_of(PeopleKeys.allowed_signers)
        reader.say(line, "`allowed_signers` is a file below the plan's folder")
    kept = tuple(deputy for deputy in deputies if deputy is not None)
    return Roster(tuple(people.values()), kept, signers)


def _person(reader: Reader, tree: Tree, plan: Plan) -> Person | None:
    inner = reader.inner(tree, PersonKeys, "a person")
    id_, name = inner.get(PersonKeys.id), inner.get(PersonKeys.name_)
    roles, login = inner.get(PersonKeys.roles) or (), inner.get(PersonKeys.github) or ""
    inner.done()
    for role in roles:
        _known(inner, inner.line_of(PersonKeys.roles), "role", role, _roles(plan))
    return None if id_ is None else Person(id_, name or id_, roles, login, inner.line)


def _deputy(reader: Reader, tree: Tree, plan: Plan, people: Iterable[str]) -> Deputy | None:
    inner = reader.inner(tree, DeputyKeys, "a deputy")
    role, person = inner.get(DeputyKeys.role), inner.get(DeputyKeys.person)
    since, until = inner.get(DeputyKeys.from_), inner.get(DeputyKeys.until)
    inner.done()
    if role is None or person is None or since is None or until is None:
        return None
    _known(inner, inner.line_of(DeputyKeys.role), "role", role, _roles(plan))
    _known(inner, inner.line_of(DeputyKeys.person), "person", person, people)
    if until < since:
        inner.say(inner.line_of(DeputyKeys.until), "it ends before it begins")
    return Deputy(role, person, since, until, inner.line)


def _roles(plan: Plan) -> tuple[str, ...]:
    """The roles that a plan speaks of."""
    attesting = (role for _, criterion in plan.criteria() for role in criterion.by)
    return (*plan.known_roles(), *attesting)


def _known(reader: Reader, line: int, what: str, name: str, known: Iterable[str]) -> None:
    names = tuple(known)
    if name not in names:
        reader.say(line, f"unknown {what} `{name}`", nearest(name, names))
