"""SSH signatures: others verify them with plain ssh-keygen, and what was changed is refused."""

from __future__ import annotations

import subprocess
from dataclasses import fields, replace
from pathlib import Path
from typing import Any

import pytest

from pytest_rollout.model.errors import RolloutError
from pytest_rollout.model.people import Signature, Stance
from pytest_rollout.signoff.ssh import payload, sign, why_invalid

SIGNATURE = Signature(
    gate="plms.day3/exit",
    environment="prod",
    release="v1",
    decision="GO",
    substance="ab" * 32,
    role="operations",
    person="ada@example.org",
    stance=Stance.FOR,
    at="2025-11-10T15:30:00+00:00",
)


def new_key(folder: Path, name: str) -> Path:
    path = folder / name
    command = ["ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-C", name, "-f", str(path)]
    subprocess.run(command, check=True)
    return path


@pytest.fixture(scope="module")
def key(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return new_key(tmp_path_factory.mktemp("keys"), "ada")


def allowed(key: Path, person: str = "ada@example.org", options: str = "") -> str:
    public = key.with_suffix(".pub").read_text()
    return f"{person} {options} {public}" if options else f"{person} {public}"


def test_plain_ssh_keygen_verifies_what_was_signed(key: Path, tmp_path: Path) -> None:
    (tmp_path / "allowed_signers").write_text(allowed(key))
    (tmp_path / "signature").write_text(sign(SIGNATURE, key))
    ran = subprocess.run(
        "ssh-keygen -Y verify -f allowed_signers -I ada@example.org -n pytest-rollout -s signature",
        shell=True,
        cwd=tmp_path,
        input=payload(SIGNATURE),
        capture_output=True,
        check=False,
    )
    assert ran.returncode == 0, ran.stderr
    assert b'Good "pytest-rollout" signature for ada@example.org' in ran.stdout


def test_what_its_person_signed_is_believed(key: Path) -> None:
    assert why_invalid(SIGNATURE, sign(SIGNATURE, key), allowed(key)) == ""


@pytest.mark.parametrize("name", [field.name for field in fields(Signature)])
def test_every_changed_field_is_refused(key: Path, name: str) -> None:
    armour = sign(SIGNATURE, key)
    other: Any = Stance.AGAINST if name == "stance" else "2025-11-10T15:30:01+00:00"
    changed = replace(SIGNATURE, **{name: other})
    assert why_invalid(changed, armour, allowed(key)).startswith("not signed by ")


def test_another_person_and_another_key_are_refused(key: Path, tmp_path: Path) -> None:
    armour = sign(SIGNATURE, key)
    assert why_invalid(SIGNATURE, armour, allowed(key, "bob@example.org"))
    assert why_invalid(SIGNATURE, armour, allowed(new_key(tmp_path, "bob")))
    assert why_invalid(SIGNATURE, "no signature", allowed(key))
    assert why_invalid(SIGNATURE, armour, "")


@pytest.mark.parametrize(
    ("options", "why"),
    [
        ('valid-after="20251110160000Z"', "key is not yet valid"),
        ('valid-before="20251110150000Z"', "key has expired"),
        ('valid-after="20251110150000Z",valid-before="20251110160000Z"', ""),
        ('namespaces="git"', "not signed by ada@example.org"),
    ],
)
def test_a_key_counts_where_it_was_valid_when_it_signed(key: Path, options: str, why: str) -> None:
    found = why_invalid(SIGNATURE, sign(SIGNATURE, key), allowed(key, options=options))
    assert (found == "") == (why == "")
    assert why in found
    assert "/tmp" not in found, "names of temporary files mean nothing to a reader"


def test_a_key_that_signs_nothing_is_one_message(tmp_path: Path) -> None:
    with pytest.raises(RolloutError, match="none signed nothing"):
        sign(SIGNATURE, tmp_path / "none")


def test_without_the_program_its_package_is_named(
    key: Path, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(RolloutError, match="apt install openssh-client"):
        sign(SIGNATURE, key)
