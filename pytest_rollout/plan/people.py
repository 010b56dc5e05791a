"""The people of a plan, `roles.yaml` beside it, and the files with their keys."""

from __future__ import annotations

import base64
import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import replace

from pytest_rollout.model.errors import Problem
from pytest_rollout.model.people import Deputy, Person, Roster
from pytest_rollout.model.plan import Plan
from pytest_rollout.plan.reader import Reader, nearest
from pytest_rollout.plan.spec.people_keys import DeputyKeys, PeopleKeys, PersonKeys
from pytest_rollout.plan.tree import Tree, read

NAME = "roles.yaml"
_KEY_FILES = (PeopleKeys.allowed_signers, PeopleKeys.revoked_keys)
_PUBLIC_KEY = re.compile(r"(ssh|ecdsa|sk)-\S+ +AAAA\S+")
_KRL, _PACKED = b"SSHKRL\n\0", "base64:"


def read_people(reader: Reader, plan: Plan) -> Roster:
    """Return who holds which role of a plan; what is wrong goes to the reader."""
    people: dict[str, Person] = {}
    for tree in reader.get(PeopleKeys.people) or ():
        person = _person(reader, tree, plan)
        if person is None:
            continue
        first = people.setdefault(person.id, person)
        if first is not person:
            problem = f"`{person.id}` stands twice, first at line {first.line}"
            reader.problem(person.line, problem, "keep one of the two, with all roles")
    _one_login_each(reader, people.values())
    trees = reader.get(PeopleKeys.deputies) or ()
    deputies = [_deputy(reader, tree, plan, people) for tree in trees]
    signers, revoked = (reader.get(key) for key in _KEY_FILES)
    reader.done()
    for key, name in zip(_KEY_FILES, (signers, revoked), strict=True):
        if not _below(name):
            reader.say(reader.line_of(key), f"`{key.name}` is a file below the plan's folder")
    kept = tuple(deputy for deputy in deputies if deputy is not None)
    return Roster(tuple(people.values()), kept, signers, revoked)


def _one_login_each(reader: Reader, people: Iterable[Person]) -> None:
    """Report two people with one login: one person would answer for both."""
    owners: dict[str, Person] = {}
    for person in people:
        owner = owners.setdefault(person.github.lower(), person) if person.github else person
        if owner is not person:
            problem = f"the login `{person.github}` is also that of {owner.id}, line {owner.line}"
            reader.problem(person.line, problem, "give it to one of the two")


def _below(name: str) -> bool:
    return not name.startswith("/") and ".." not in name.split("/")


def key_files(text: str) -> Mapping[str, bool]:
    """Return the names of the files with keys that a roles.yaml means, and whether it says so.

    What is wrong with the text is told where it is read.
    """
    tree, _ = read(text, NAME)
    stated: Mapping[str, Tree] = {}
    if tree is not None and isinstance(tree.value, Mapping):
        stated = tree.value
    names = {}
    for key in _KEY_FILES:
        given = stated.get(key.name)
        names[str(key.usual if given is None else given.value)] = given is not None
    return {name: said for name, said in names.items() if name and _below(name)}


def text_of_keys(content: bytes) -> str:
    """Return what a file with keys holds as text, a KRL in base64; raises UnicodeDecodeError."""
    if content.startswith(_KRL):
        return _PACKED + base64.b64encode(content).decode()
    return content.decode("utf-8")


def with_keys(roster: Roster, written: Mapping[str, str]) -> Roster:
    """Return the people with the texts of their files."""
    keys, revoked = (
        written.get(name, "") for name in (roster.allowed_signers, roster.revoked_keys)
    )
    return replace(roster, keys=keys, revoked=revoked)


def revoked_problems(roster: Roster, file: str) -> Iterator[Problem]:
    """What is wrong with the list of revoked keys: ssh-keygen would refuse every signature."""
    if roster.revoked.startswith(_PACKED):
        return
    for number, line in enumerate(roster.revoked.splitlines(), 1):
        text = line.strip()
        if text and not text.startswith("#") and not _PUBLIC_KEY.match(text):
            fix = "write the key alone, as in its .pub file: ssh-ed25519 AAAA..."
            yield Problem(file, number, "this is no public key", fix)


def _person(reader: Reader, tree: Tree, plan: Plan) -> Person | None:
    inner = reader.inner(tree, PersonKeys, "a person")
    id_, name = inner.get(PersonKeys.id), inner.get(PersonKeys.name_)
    roles, login = inner.get(PersonKeys.roles) or (), inner.get(PersonKeys.github) or ""
    also = inner.get(PersonKeys.also) or ()
    inner.done()
    for role in roles:
        _known(inner, inner.line_of(PersonKeys.roles), "role", role, _roles(plan))
    return None if id_ is None else Person(id_, name or id_, roles, login, inner.line, also)


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


def _known(reader: Reader, line: int, kind: str, name: str, known: Iterable[str]) -> None:
    names = tuple(known)
    if name not in names:
        reader.say(line, f"unknown {kind} `{name}`", nearest(name, names))
