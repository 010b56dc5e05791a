"""People: who holds which role, who stands in for them, and what they signed."""

from __future__ import annotations

import re
from datetime import date
from enum import StrEnum

from pytest_rollout.late_dataclass import dataclass


@dataclass(frozen=True, slots=True)
class Person:
    """Somebody who may sign or attest."""

    id: str  # the principal of their keys in allowed_signers, by custom an address
    name: str
    roles: tuple[str, ...]
    github: str = ""  # login, for reviews of pull requests
    line: int = 0
    also: tuple[str, ...] = ()  # other names and addresses, as commits have them

    def called(self, text: str) -> bool:
        """Whether a text names this person: an id, a name or a login, or `NAME <ADDRESS>`."""
        mine = {_plain(name) for name in (self.id, self.name, *self.also) if name}
        mine |= {_plain(self.github)} if self.github else set()
        return not mine.isdisjoint(_names_in(text))


_MAIL = re.compile(r"^(?P<name>.*?)\s*<(?P<address>[^<>]+)>\s*$")
_NOREPLY = re.compile(r"^(?:\d+\+)?(?P<login>[^@+]+)@users\.noreply\.\S+$")


def _plain(text: str) -> str:
    return " ".join(text.split()).casefold()


def _names_in(text: str) -> set[str]:
    """The names that a text may mean: all of it, name and address, the login in an address."""
    mail = _MAIL.match(text)
    names = {_plain(part) for part in ((mail["name"], mail["address"]) if mail else (text,))}
    names |= {match["login"] for name in names if (match := _NOREPLY.match(name))}
    return {name for name in names if name}


@dataclass(frozen=True, slots=True)
class Authors:
    """Who made the change that a run judged, as it was read when the run began."""

    names: tuple[str, ...] = ()
    error: str = ""  # why nobody knows; empty where the names are all of them

    def include(self, person: Person) -> bool:
        """Whether somebody is one of them."""
        return any(person.called(name) for name in self.names)


@dataclass(frozen=True, slots=True)
class Deputy:
    """Somebody who holds a role from one day to another, both included."""

    role: str
    person: str
    since: date
    until: date
    line: int = 0


@dataclass(frozen=True, slots=True)
class Roster:
    """The people of a plan, and the keys with which they sign."""

    people: tuple[Person, ...] = ()
    deputies: tuple[Deputy, ...] = ()
    allowed_signers: str = "allowed_signers"  # a file beside the plan, in the format of ssh-keygen
    revoked_keys: str = "revoked_keys"  # another: public keys a line, or a KRL
    keys: str = ""  # what stands in allowed_signers
    revoked: str = ""  # what stands in revoked_keys; a KRL in base64

    @property
    def has_keys(self) -> bool:
        """Whether people sign with keys of their own: then what nobody signed counts for little."""
        lines = (line.strip() for line in self.keys.splitlines())
        return bool(self.people) and any(line and not line.startswith("#") for line in lines)

    def person(self, id_: str) -> Person | None:
        """The person of that id, if there is one."""
        return next((person for person in self.people if person.id == id_), None)

    def holds(self, person: str, role: str, day: date) -> bool:
        """Whether a person holds a role on a day, by themselves or as its deputy."""
        member = self.person(person)
        return member is not None and (
            role in member.roles
            or any(
                (deputy.role, deputy.person) == (role, person)
                and deputy.since <= day <= deputy.until
                for deputy in self.deputies
            )
        )

    def names_of(self, role: str, day: date) -> str:
        """The names of those who hold a role on a day; empty where nobody does."""
        return ", ".join(person.name or person.id for person in self.holders(role, day))

    def holders(self, role: str, day: date) -> tuple[Person, ...]:
        """Everybody who holds a role on a day."""
        return tuple(person for person in self.people if self.holds(person.id, role, day))


class Stance(StrEnum):
    """What a signature says of a decision."""

    FOR = "for"
    AGAINST = "against"
    WITHDRAWN = "withdrawn"  # an earlier one of the same person and role
    OVERRIDE = "override"  # what stands against a change is accepted, by two people together


@dataclass(frozen=True, slots=True)
class Signature:
    """What one person signed in one role about the substance of one decision."""

    gate: str  # plan.phase/gate
    environment: str
    release: str | None
    decision: str
    substance: str  # digest of the decision's substance
    role: str
    person: str
    stance: Stance
    at: str  # ISO 8601, UTC
    why: str = ""
