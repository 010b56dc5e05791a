"""People: who holds which role, who stands in for them, and what they signed."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from enum import StrEnum


@dataclass(frozen=True, slots=True)
class Person:
    """Somebody who may sign or attest."""

    id: str  # the principal of their keys in allowed_signers, by custom an address
    name: str
    roles: tuple[str, ...]
    github: str = ""  # login, for reviews of pull requests
    line: int = 0


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

    def person(self, id_: str) -> Person | None:
        """The person of that id, if there is one."""
        return next((person for person in self.people if person.id == id_), None)

    def holds(self, person: str, role: str, day: date) -> bool:
        """Whether a person holds a role on a day, by themselves or as its deputy."""
        known = self.person(person)
        return known is not None and (
            role in known.roles
            or any(
                (deputy.role, deputy.person) == (role, person)
                and deputy.since <= day <= deputy.until
                for deputy in self.deputies
            )
        )

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
