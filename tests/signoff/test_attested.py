"""Attestations by the keys of a plan's people: each byte of one is under the signature."""

from __future__ import annotations

import subprocess
from dataclasses import fields, replace
from datetime import date
from pathlib import Path
from typing import Any

import pytest

from pytest_rollout.model.attestation import Attestation, Proof, Statement
from pytest_rollout.model.finding import Reason
from pytest_rollout.model.people import Deputy, Person, Roster
from pytest_rollout.plan.people import text_of_keys
from pytest_rollout.report import sentences
from pytest_rollout.signoff import ssh
from pytest_rollout.signoff.attested import doubt, verified
from tests.judge.test_attesting_signed import plan_of
from tests.judge.worlds import world_of
from tests.signoff.test_ssh import allowed, new_key

SECOND = 1_000_000
MADE_US = 1762788600 * SECOND  # 2025-11-10T15:30:00Z, half past ten in New York
ADA = "ada@example.org"


@pytest.fixture(scope="module")
def key(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return new_key(tmp_path_factory.mktemp("keys"), "ada")


def answer(key: Path | None, at_us: int = MADE_US + SECOND, **changes: Any) -> Attestation:
    """An answer of Ada's, signed with a key."""
    plain = Attestation("p.one.c", ADA, "pm", "read", True, at_us, "v1", "minutes.pdf", "ab" * 32)
    proof = Proof("prod", "2025-11-10T15:30:00+00:00", "")
    said = replace(plain, proof=proof, **changes)
    assert said.statement is not None
    if key is None:
        return replace(said, proof=None)
    armour = ssh.sign(said.statement, key)
    return replace(said, proof=replace(said.proof or proof, armour=armour))


def why(said: Attestation, keys: str, revoked: str = "", **roster: Any) -> str:
    """Why an answer is not believed, in words."""
    people = roster.pop("people", (Person(ADA, "Ada", ("pm",)),))
    known = Roster(people, keys=keys, revoked=revoked, **roster)
    found = doubt(said, replace(plan_of(), roster=known))
    return sentences.text(found, "America/New_York") if found else ""


def test_what_its_person_signed_is_believed(key: Path) -> None:
    assert why(answer(key), allowed(key, ADA)) == ""


def test_plain_ssh_keygen_verifies_what_was_signed(key: Path, tmp_path: Path) -> None:
    said = answer(key)
    assert said.statement is not None
    assert said.proof is not None
    (tmp_path / "allowed_signers").write_text(allowed(key, ADA))
    (tmp_path / "signature").write_text(said.proof.armour)
    ran = subprocess.run(
        f"ssh-keygen -Y verify -f allowed_signers -I {ADA} -n pytest-rollout -s signature",
        shell=True,
        cwd=tmp_path,
        input=ssh.payload(said.statement),
        capture_output=True,
        check=False,
    )
    assert ran.returncode == 0, ran.stderr


@pytest.mark.parametrize("name", [field.name for field in fields(Statement)])
def test_every_changed_field_is_refused(key: Path, name: str) -> None:
    said = answer(key)
    assert said.proof is not None
    at = replace(said.proof, at="2025-11-10T15:30:01+00:00")
    changed: dict[str, Attestation] = {
        "environment": replace(said, proof=replace(said.proof, environment="lab")),
        "person": replace(said, by="bob@example.org"),
        "passed": replace(said, passed=False),
        "at": replace(said, proof=at),
    }
    otherwise: dict[str, Any] = {name: "otherwise"}
    other = changed.get(name) or replace(said, **otherwise)
    assert why(other, allowed(key, ADA)).startswith("not signed by ")


@pytest.mark.parametrize(
    ("options", "said"),
    [
        ('valid-after="20251110160000Z"', "key is not yet valid"),
        ('valid-before="20251110150000Z"', "key has expired"),
        ('valid-after="20251110150000Z",valid-before="20251110160000Z"', ""),
        ('namespaces="git"', "not signed by ada@example.org"),
    ],
)
def test_a_key_counts_where_it_was_valid_at_that_time(key: Path, options: str, said: str) -> None:
    found = why(answer(key), allowed(key, ADA, options))
    assert (found == "") == (said == "")
    assert said in found


def test_another_key_no_signature_and_no_keys_are_refused(key: Path, tmp_path: Path) -> None:
    keys = allowed(key, ADA)
    assert why(answer(new_key(tmp_path, "bob")), keys).startswith("not signed by ")
    assert why(answer(None), keys) == "it is not signed, and roles.yaml has keys"
    assert why(answer(key), "").startswith("not signed by "), "its file was lost"


def test_a_revoked_key_is_worth_nothing(key: Path, tmp_path: Path) -> None:
    public, keys = key.with_suffix(".pub").read_text(), allowed(key, ADA)
    told = "signed with a key of ada@example.org that was revoked (revoked_keys)"
    assert why(answer(key), keys, public) == told
    other = new_key(tmp_path, "bob").with_suffix(".pub").read_text()
    assert why(answer(key), keys, f"# left in May\n{other}") == ""


def test_the_role_is_held_on_the_day_of_the_signature_in_the_plans_zone(key: Path) -> None:
    keys, nobody = allowed(key, ADA), (Person(ADA, "Ada", ()),)
    told = "did not hold the role pm on 2025-11-10"
    assert why(answer(key), keys, people=nobody) == told
    day = date(2025, 11, 10)
    deputies = (Deputy("pm", ADA, day, day),)
    assert why(answer(key), keys, people=nobody, deputies=deputies) == ""
    over = (Deputy("pm", ADA, date(2025, 11, 1), date(2025, 11, 9)),)
    assert why(answer(key), keys, people=nobody, deputies=over) == told
    assert why(answer(key, passed=False), keys, people=nobody) == "", "a no counts in any role"


@pytest.mark.parametrize("late_s", [-301, 301])
def test_a_signature_of_another_time_is_refused(key: Path, late_s: int) -> None:
    found = why(answer(key, MADE_US + late_s * SECOND), allowed(key, ADA))
    assert found.startswith("signed for 2025-11-10 10:30:00 EST, but that was recorded at ")
    assert why(answer(key, MADE_US + 299 * SECOND), allowed(key, ADA)) == ""


def test_a_time_that_is_none_is_refused_in_words(key: Path) -> None:
    said = answer(key)
    assert said.proof is not None
    broken = replace(said, proof=replace(said.proof, at="soon"))
    assert why(broken, allowed(key, ADA)) == "signed at 'soon', which is no time"


def test_a_world_is_told_what_each_answer_is_worth(
    key: Path, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    known = Roster((Person(ADA, "Ada", ("pm",)),), keys=allowed(key, ADA))
    plan = replace(plan_of(), roster=known)
    world = replace(world_of(plan), attestations=(answer(key), answer(None)))
    first, second = verified(world, plan).attestations
    assert (first.verified, first.doubt) == (True, None)
    assert (second.verified, second.doubt) == (True, Reason("attested.unsigned"))
    bare = replace(plan, roster=Roster())
    first, second = verified(world, bare).attestations
    assert first.doubt is not None, "a proof that nobody can verify"
    assert (second.verified, second.doubt) == (False, None)
    monkeypatch.setenv("PATH", str(tmp_path))
    (lost, _) = verified(
        replace(world, attestations=(answer_again(first), second)), plan
    ).attestations
    assert lost.doubt is not None
    assert "ssh-keygen" in sentences.text(lost.doubt, "UTC")


def answer_again(said: Attestation) -> Attestation:
    """The same with another note, which no earlier verification was of."""
    return replace(said, note="another")


def test_a_list_of_ssh_keygen_revokes_too(key: Path, tmp_path: Path) -> None:
    public, krl = key.with_suffix(".pub"), tmp_path / "krl"
    subprocess.run(["ssh-keygen", "-k", "-f", str(krl), str(public)], check=True)
    told = "signed with a key of ada@example.org that was revoked (revoked_keys)"
    assert why(answer(key), allowed(key, ADA), text_of_keys(krl.read_bytes())) == told
    other = new_key(tmp_path, "bob").with_suffix(".pub")
    subprocess.run(["ssh-keygen", "-k", "-f", str(krl), str(other)], check=True)
    assert why(answer(key), allowed(key, ADA), text_of_keys(krl.read_bytes())) == ""
