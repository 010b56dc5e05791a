"""`rollout export` and `rollout verify BUNDLE`: an outsider checks a decision years later."""

from __future__ import annotations

import base64
import io
import json
import random
import shutil
import subprocess
import zipfile
from collections.abc import Callable, Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from pytest_rollout.bundles import archive
from pytest_rollout.cli import bundle_check
from pytest_rollout.judge import decide
from pytest_rollout.model.decision import Decision, substance
from pytest_rollout.model.errors import RolloutError
from pytest_rollout.model.verdict import Answer as Decided
from tests.cli.conftest import Answer, Project
from tests.cli.test_sign import GATE, keys, served, sign  # noqa: F401  fixtures
from tests.evidence.runs import ENTRY, Writer, opened, tamper


@pytest.fixture
def signed(served: Project, keys: Path) -> Project:  # noqa: F811
    """A project whose entry is GO in prod and signed by both roles."""
    sign(served, keys, "ada", "sre")
    sign(served, keys, "bob", "pm")
    return served


@pytest.fixture
def bundle(signed: Project) -> Path:
    """Its bundle, in a folder where nothing else is."""
    path = signed.root.parent / "elsewhere" / "bundle.zip"
    path.parent.mkdir()
    answer = exported(signed, path)
    assert answer.status == 0, answer.err
    return path


def exported(project: Project, path: Path, *more: str) -> Answer:
    return project.rollout("export", GATE, "--env", "prod", "-o", str(path), *more)


def contents(raw: bytes) -> dict[str, bytes]:
    with zipfile.ZipFile(io.BytesIO(raw)) as file:
        return {name: file.read(name) for name in file.namelist()}


def repacked(raw: bytes, change: Callable[[dict[str, bytes]], object]) -> bytes:
    """The bundle of somebody who changes a file and writes a manifest that fits."""
    files = contents(raw)
    facts = json.loads(files.pop(archive.MANIFEST))
    del facts["files"], facts["schema"]
    change(files)
    return archive.packed(files, facts)


def test_an_outsider_checks_it_without_the_project(
    signed: Project, bundle: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(bundle.parent)
    shutil.rmtree(signed.root)
    answer = signed.rollout("verify", bundle.name)
    assert answer.status == 0, answer.out
    assert "GO: judged again from the evidence, the same byte for byte" in answer.out
    assert "ada@x.org signed for GO as sre at " in answer.out
    assert "yes bob@x.org signed as pm at " in answer.out
    assert answer.out.splitlines()[-1] == "whole"
    assert [path.name for path in bundle.parent.iterdir()] == ["bundle.zip"]
    data = signed.rollout("verify", bundle.name, "--json").json
    assert data["facts"]["decision"] == "GO"
    assert data["problems"] == []


def test_without_env_it_is_of_the_only_real_one(signed: Project, tmp_path: Path) -> None:
    answer = signed.rollout("export", GATE, "-o", str(tmp_path / "b.zip"))
    assert answer.status == 0, answer.err
    assert "in prod GO" in answer.out


def test_a_key_that_was_revoked_is_told_of(signed: Project, keys: Path, tmp_path: Path) -> None:  # noqa: F811
    (signed.root / "revoked_keys").write_text((keys / "bob.pub").read_text())
    path = tmp_path / "b.zip"
    assert exported(signed, path).status == 0
    answer = signed.rollout("verify", str(path))
    assert answer.status == 11
    assert "revoked" in answer.out


def test_the_same_ledger_gives_the_same_bytes(signed: Project, bundle: Path) -> None:
    other = bundle.with_name("other.zip")
    data = exported(signed, other, "--json").json
    assert other.read_bytes() == bundle.read_bytes()
    assert data["digest"] == archive.digest_of(bundle.read_bytes())
    assert signed.rollout("verify", str(bundle), "--digest", data["digest"]).status == 0
    answer = signed.rollout("verify", str(bundle), "--digest", "0" * 64)
    assert answer.status == 11
    assert "it is another bundle" in answer.out


@pytest.mark.slow
def test_each_changed_byte_fails_and_says_what(bundle: Path) -> None:
    raw = bundle.read_bytes()
    chance = random.Random(12)
    places = {*chance.sample(range(len(raw)), 300), *range(60), *range(len(raw) - 60, len(raw))}
    for place in sorted(places):
        changed = bytearray(raw)
        changed[place] ^= 1 << chance.randrange(8)
        problems = found(bytes(changed))
        assert problems, f"byte {place}"
        assert any(
            word in problems[0] for word in ("changed", "missing", "does not belong", "twice")
        ), problems
    for cut in (1, 100, len(raw) // 2):
        assert found(raw[:-cut])
    assert found(raw + b"x")
    assert found(b"x" + raw)


def found(raw: bytes) -> list[str]:
    """The problems of a bundle."""
    try:
        return bundle_check.check("bundle.zip", raw).problems
    except RolloutError as error:
        return [str(error)]


def changed(name: str, old: bytes, new: bytes) -> Callable[[dict[str, bytes]], None]:
    def change(files: dict[str, bytes]) -> None:
        assert old in files[name], name
        files[name] = files[name].replace(old, new, 1)

    return change


def changed_text(files: dict[str, bytes]) -> None:
    name = next(name for name in files if name.startswith("texts/"))
    files[name] += b"#"


def another_key(files: dict[str, bytes]) -> None:
    lines = files["signoff/allowed_signers"].splitlines()
    ada, bob = (line.partition(b" ")[2] for line in lines)
    files["signoff/allowed_signers"] = b"ada@x.org " + bob + b"\nbob@x.org " + ada + b"\n"


def without_a_record(files: dict[str, bytes]) -> None:
    lines = files["ledger.jsonl"].splitlines(keepends=True)
    files["ledger.jsonl"] = b"".join(line for line in lines[:4] + lines[5:])


FORGERIES: Mapping[str, tuple[Callable[[dict[str, bytes]], object], str]] = {
    "decision": (
        changed("decision.json", b'"looks": 1', b'"looks": 2'),
        "decision.json is not what the ledger holds",
    ),
    "answer": (
        changed("decision.json", b'"decision": "GO"', b'"decision": "HOLD"'),
        "MANIFEST.json says otherwise",
    ),
    "report": (changed("report.md", b"GO", b"NO-GO"), "report.md does not say"),
    "page": (changed("report.html", b"GO", b"NO"), "report.html does not say"),
    "a lost record": (without_a_record, "records are missing between"),
    "the plan shown": (changed("plan/rollout.yaml", b"It works", b"It runs"), "plan/ is not"),
    "a text": (changed_text, "was changed after it was stored"),
    "what was signed": (
        changed("signatures/01.json", b'"role":"sre"', b'"role":"pm"'),
        "signatures/ does not hold what was signed",
    ),
    "a signature": (
        changed("signatures/02.sig", b"SSH", b"SSX"),
        "signatures/ does not hold what was signed",
    ),
    "keys": (another_key, "a signature is not to be believed: not signed by ada@x.org"),
    "no keys": (lambda files: files.pop("signoff/allowed_signers"), "not to be believed"),
    "no decision": (lambda files: files.pop("decision.json"), "cannot be read"),
    "no ledger": (lambda files: files.pop("ledger.jsonl"), "is gone"),
}


@pytest.mark.parametrize("what", FORGERIES)
def test_a_forgery_with_digests_that_fit_is_noticed(bundle: Path, what: str) -> None:
    change, says = FORGERIES[what]
    problems = found(repacked(bundle.read_bytes(), change))
    assert any(says in one for one in problems), problems


def test_people_who_are_given_another_role_show_by_the_digest_alone(
    signed: Project, bundle: Path
) -> None:
    """Nothing in a bundle can say who may sign: only the digest can."""
    raw = bundle.read_bytes()
    forged = repacked(raw, changed("signoff/roles.yaml", b"[sre]", b"[sre, pm]"))
    assert found(forged) == []
    digest = archive.digest_of(raw)
    assert "it is another bundle" in bundle_check.check("x", forged, digest).problems[0]


@pytest.mark.slow
def test_each_field_of_the_ledger_in_it_counts(bundle: Path) -> None:
    raw = bundle.read_bytes()
    lines = contents(raw)["ledger.jsonl"].splitlines()
    for number in (0, 3, len(lines) - 1):
        data = json.loads(lines[number])
        for key, value in data["record"].items():
            other = value + 1 if isinstance(value, int) else f"{value}x"
            forged = {**data, "record": {**data["record"], key: other}}

            def change(files: dict[str, bytes], number: int = number, forged: Any = forged) -> None:
                line = json.dumps(forged).encode()
                files["ledger.jsonl"] = b"\n".join([*lines[:number], line, *lines[number + 1 :]])

            assert found(repacked(raw, change)), (number, key)


def test_files_that_do_not_belong_or_are_missing_are_named(bundle: Path) -> None:
    raw = bundle.read_bytes()
    files = contents(raw)
    for name, expected in (("extra.txt", "does not belong to it"), ("report.md", "is missing")):
        held = dict(files)
        if name in held:
            del held[name]
        else:
            held[name] = b"x"
        out = io.BytesIO()
        with zipfile.ZipFile(out, "w") as file:
            for each, content in held.items():
                file.writestr(each, content)
        assert found(out.getvalue())[0] == f"{name} {expected}"
    twice = io.BytesIO()
    with zipfile.ZipFile(twice, "w") as file:
        for each, content in files.items():
            file.writestr(each, content)
        with pytest.warns(UserWarning, match="Duplicate"):
            file.writestr("report.md", b"x")
    assert "report.md is there twice" in found(twice.getvalue())


def test_signatures_verify_with_plain_ssh_keygen(bundle: Path, tmp_path: Path) -> None:
    with zipfile.ZipFile(bundle) as file:
        file.extractall(tmp_path / "out")
    folder = tmp_path / "out"
    for number in ("01", "02"):
        said = json.loads((folder / f"signatures/{number}.json").read_text())
        command = ["ssh-keygen", "-Y", "verify", "-f", "signoff/allowed_signers", "-n"]
        command += ["pytest-rollout", "-I", said["person"], "-s", f"signatures/{number}.sig"]
        with (folder / f"signatures/{number}.json").open("rb") as payload:
            ran = subprocess.run(command, cwd=folder, stdin=payload, check=False)
        assert ran.returncode == 0
    assert "ssh-keygen -Y verify" in (folder / "README.txt").read_text()


def test_a_later_judge_shows_both(bundle: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def otherwise(*given: Any) -> Decision:
        decision = replace(decide(*given), decision=Decided.HOLD)
        return replace(decision, substance_digest=substance(decision))

    monkeypatch.setattr(bundle_check, "decide", otherwise)
    assert any("not the same (HOLD)" in one for one in found(bundle.read_bytes()))
    monkeypatch.setattr(bundle_check, "JUDGE", "3")
    checked = bundle_check.check("bundle.zip", bundle.read_bytes())
    assert checked.problems == []
    assert "GO by judge 2; judge 3 says HOLD" in checked.lines


def test_a_decision_of_a_merged_ledger_is_exported(signed: Project, bundle: Path) -> None:
    with opened(signed.root / "other.db") as ledger:
        Writer(ledger, "x1").good()
    signed.rollout("merge", "other.db")
    path = bundle.with_name("merged.zip")
    assert exported(signed, path).status == 0
    answer = signed.rollout("verify", str(path))
    assert answer.status == 0, answer.out
    assert "the same byte for byte" in answer.out
    assert (
        contents(path.read_bytes())["decision.json"]
        == contents(bundle.read_bytes())["decision.json"]
    )


def test_signed_statements_are_of_the_decision(signed: Project, keys: Path) -> None:  # noqa: F811
    key = ("--key", str(keys / "ada"))
    assert signed.rollout("attestation", GATE, "--env", "prod", *key).status == 0
    path = signed.root / "with.zip"
    exported(signed, path)
    raw = path.read_bytes()
    assert found(raw) == []
    assert any(
        line.startswith("attestation.json: 4 statements")
        for line in bundle_check.check("x", raw).lines
    )

    def otherwise(files: dict[str, bytes]) -> None:
        data = json.loads(files["attestation.json"])
        said = base64.b64decode(data["envelopes"][3]["payload"])
        other = base64.b64encode(said.replace(b'"looks":1', b'"looks":7')).decode()
        assert other != data["envelopes"][3]["payload"]
        data["envelopes"][3]["payload"] = other
        files["attestation.json"] = json.dumps(data).encode()

    assert found(repacked(raw, otherwise)) == ["attestation.json is of another decision"]


def test_an_archive_that_would_unpack_to_more_than_it_is_is_not_unpacked(bundle: Path) -> None:
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as file:
        for each, content in contents(bundle.read_bytes()).items():
            file.writestr(each, content)
        file.writestr("zeros", b"\0" * 10_000_000)
    assert "was changed" in found(out.getvalue())[0]


def test_a_damaged_ledger_is_not_exported(signed: Project, tmp_path: Path) -> None:
    tamper(signed.store, "UPDATE texts SET text = text || '#'")
    answer = exported(signed, tmp_path / "x.zip")
    assert answer.status == 4
    assert not (tmp_path / "x.zip").exists()


def test_keys_that_are_gone_are_missed_before_it_is_too_late(
    signed: Project, tmp_path: Path
) -> None:
    (signed.root / "allowed_signers").unlink()
    answer = exported(signed, tmp_path / "x.zip")
    assert answer.status == 4
    assert "allowed_signers beside rollout.yaml is gone" in answer.err


@pytest.mark.parametrize("content", [b"", b"no zip", b"PK\x05\x06" + b"\0" * 18])
def test_what_is_no_bundle_is_one_message(project: Project, content: bytes) -> None:
    path = project.root / "x.zip"
    path.write_bytes(content)
    answer = project.rollout("verify", "x.zip")
    assert answer.status == 4
    assert "it is no bundle, or was changed" in answer.err
    assert project.rollout("verify", "none.zip").status == 4


def test_nothing_of_this_machine_or_of_secrets_is_in_it(
    signed: Project, bundle: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    held = b"".join(contents(bundle.read_bytes()).values())
    for part_of in (str(signed.root.parent), str(Path.home() / ".ssh")):
        assert part_of.encode() not in held
    monkeypatch.setenv("SHOP_TOKEN", "s3cr3t-value-of-token")
    with signed.ledger() as ledger:
        writer = Writer(ledger, "r8", "prod", signed.plan.read_text(), gates=(ENTRY,))
        writer.start()
        writer.manifest(items={"demo.canary.ready": ("t.py::test_ready",)})
        writer.batch("t.py::test_ready", (("pass", "s3cr3t-value-of-token"),))
        writer.seal()
        writer.decide()
    path = bundle.with_name("again.zip")
    exported(signed, path)
    assert b"s3cr3t" not in b"".join(contents(path.read_bytes()).values())
