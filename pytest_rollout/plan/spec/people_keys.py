"""The keys of roles.yaml: who holds which role, and who stands in for whom."""

from __future__ import annotations

from pytest_rollout.plan.spec.keys import Key, Keys
from pytest_rollout.plan.spec.shapes import ListOf, Nested
from pytest_rollout.plan.spec.values import DAY, NAME, NAMES, TEXT


class PersonKeys(Keys, name="person", title="a person"):
    """Somebody who may sign or attest."""

    id = Key(
        NAME,
        "The principal of their keys in `allowed_signers`, by custom an address.",
        example="ada@example.com",
        required=True,
    )
    name_ = Key(TEXT, "What people call them.", example="A. Turing", unless="the id")
    roles = Key(NAMES, "The roles of the plan that they hold.", example="[operations]")
    github = Key(NAME, "Their login at GitHub, for reviews.", example="ada")
    also = Key(
        NAMES,
        "Other names and addresses by which commits name them.",
        example="[ada@home.example.org]",
    )


class DeputyKeys(Keys, name="deputy", title="a deputy"):
    """Somebody who holds a role for a while."""

    role = Key(NAME, "The role.", example="operations", required=True)
    person = Key(NAME, "The id of the person.", example="bob@example.com", required=True)
    from_ = Key(DAY, "The first day.", example="2025-11-10", required=True)
    until = Key(DAY, "The last day.", example="2025-11-14", required=True)


class PeopleKeys(Keys, name="people", title="roles.yaml"):
    """The people of a plan."""

    people = Key(
        ListOf(Nested(PersonKeys)),
        "The people.",
        example="[{id: eve@example.com, roles: [operations]}]",
    )
    deputies = Key(
        ListOf(Nested(DeputyKeys)),
        "Who holds a role for a while.",
        example="[{role: operations, person: bob@example.com, from: 2025-11-10, "
        "until: 2025-11-14}]",
    )
    allowed_signers = Key(
        TEXT,
        "The file beside the plan with their public keys, in the format of `ssh-keygen`.",
        default="allowed_signers",
        example="keys/allowed_signers",
    )
    revoked_keys = Key(
        TEXT,
        "The file beside the plan with keys that nobody may sign with any more: public keys, one a "
        "line, or a KRL of `ssh-keygen -k`.",
        default="revoked_keys",
        example="keys/revoked_keys",
    )
