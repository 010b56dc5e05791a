"""Amendments by the keys of a plan's people: what its approver signed, and when, is all of it."""

from __future__ import annotations

from dataclasses import fields, replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from pytest_rollout import calendar
from pytest_rollout.model.attestation import Proof
from pytest_rollout.model.life import Amendment, Approval, Begin, Life
from pytest_rollout.model.people import Person, Roster
from pytest_rollout.model.plan import Plan
from pytest_rollout.report import sentences
from pytest_rollout.signoff import ssh
from pytest_rollout.signoff.amended import believed_life
from tests.judge.test_attesting_signed import plan_of
from tests.signoff.test_ssh import allowed, new_key

BOB = "bob@example.org"
AT = datetime(2025, 11, 10, 15, 30, tzinfo=UTC)
PEOPLE = (Person("ada@example.org", "Ada", ("pm",)), Person(BOB, "Bob", ("sre",)))


@pytest.fixture(scope="module")
def key(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return new_key(tmp_path_factory.mktemp("keys"), "bob")


def amendment(**changes: Any) -> Amendment:
    at = calendar.stamp(calendar.to_us(AT) + 1_000_000)
    was, now = "a" * 64, "b" * 64
    said = ("p.one.c", "ada@example.org", BOB, "a guess", at, was, now, "before", "after", 0, 0)
    return replace(Amendment(*said), **changes)


def proof(one: Amendment, key: Path) -> Proof:
    approval = Approval.of(one, "prod", AT.isoformat())
    return Proof("prod", AT.isoformat(), ssh.sign(approval, key))


def plan(keys: str, signoff: tuple[str, ...] = ()) -> Plan:
    stated = plan_of()
    phases = tuple(replace(phase, signoff=signoff) for phase in stated.phases)
    return replace(stated, roster=Roster(PEOPLE, keys=keys), phases=phases)


def doubt(one: Amendment, signed: Proof | None, by: Plan) -> str:
    """Why an amendment does not count, in words; empty where it does."""
    life = believed_life(Life(Begin(0, "Ada"), (), (one,), (signed,)), by)
    assert life is not None
    assert (len(life.amendments), len(life.proofs)) == (1 - len(life.unbelieved),) * 2
    return "".join(sentences.text(told.doubt, "UTC") for told in life.unbelieved)


def test_what_its_approver_signed_is_believed(key: Path) -> None:
    one, by = amendment(), plan(allowed(key, BOB), ("sre",))
    assert doubt(one, proof(one, key), by) == ""
    assert doubt(one, None, by) == "it is not signed, and roles.yaml has keys"
    assert doubt(one, None, plan("")) == "", "nobody has a key"


@pytest.mark.parametrize(
    "changes",
    [
        {"criterion": "p.one.d"},
        {"by": "eve"},
        {"approved_by": "ada@example.org"},
        {"why": "another"},
        {"was": ""},
        {"now": ""},
    ],
)
def test_each_part_of_it_is_under_the_signature(key: Path, changes: dict[str, str]) -> None:
    signed = proof(amendment(), key)
    assert "not signed by" in doubt(amendment(**changes), signed, plan(allowed(key, BOB)))


def test_so_are_the_environment_and_the_time(key: Path) -> None:
    signed = proof(amendment(), key)
    by = plan(allowed(key, BOB))
    for other in (replace(signed, environment="staging"), replace(signed, at="2025-11-10T15:31Z")):
        assert "not signed by" in doubt(amendment(), other, by)
    assert {field.name for field in fields(Approval)} == {
        *("criterion", "environment", "was", "now", "by", "why", "person", "at")
    }


def test_a_signature_is_of_the_time_of_its_record(key: Path) -> None:
    late = calendar.stamp(calendar.to_us(AT + timedelta(minutes=6)))
    one = amendment(at=late)
    assert "15:36" in doubt(one, proof(one, key), plan(allowed(key, BOB)))


@pytest.mark.parametrize("name", [BOB, "Bob", "Bob <bob@example.org>"])
def test_nobody_approves_their_own(key: Path, name: str) -> None:
    one = amendment(by=name)
    why = doubt(one, proof(one, key), plan(allowed(key, BOB)))
    assert why == "bob@example.org approved an amendment of their own"


def test_an_approver_holds_a_role_of_the_phase(key: Path) -> None:
    one = amendment()
    why = doubt(one, proof(one, key), plan(allowed(key, BOB), ("pm",)))
    assert "did not hold the role pm on 2025-11-10" in why
