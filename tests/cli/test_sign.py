"""`rollout sign`: who may, over what, and what `rollout clear` makes of it."""

from __future__ import annotations

import json
import sqlite3
import subprocess
from collections.abc import Iterator
from contextlib import closing
from dataclasses import replace
from pathlib import Path

import pytest

from pytest_rollout.evidence import signatures
from pytest_rollout.evidence.bodies import StoredSignature
from pytest_rollout.evidence.decoding import UndecodableError, said
from pytest_rollout.evidence.records import Record, link
from pytest_rollout.signoff import ssh
from tests.cli.conftest import Answer, Project
from tests.evidence.runs import ENTRY, FAIL, PASS, Writer
from tests.targets.test_identity import answering, saying

PLAN = """\
plan: demo
roles: {sre: Reliability, pm: Product}
release: {target: api, path: /version, json: version}
environments:
  embedded: {targets: {api: {serve: "app:app"}}}
  prod: {targets: {api: "URL"}}
phases:
  - id: canary
    signoff: [sre, pm]
    owners: [sre]
    criteria:
      - {id: ready, gate: entry, kind: operational, says: The target is ready}
      - {id: works, kind: demo, says: It works}
"""
ROLES = """\
people:
  - {id: ada@x.org, roles: [sre]}
  - {id: bob@x.org, roles: [pm, sre]}
"""
GATE = "demo.canary/entry"


@pytest.fixture(scope="module")
def keys(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with a key for each person, and their allowed_signers."""
    folder = tmp_path_factory.mktemp("keys")
    lines = []
    for name in ("ada", "bob", "eve"):
        path = folder / name
        command = ["ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-C", name, "-f", str(path)]
        subprocess.run(command, check=True)
        lines.append(f"{name}@x.org {path.with_suffix('.pub').read_text()}")
    (folder / "allowed_signers").write_text("".join(lines[:2]))
    return folder


@pytest.fixture
def served(project: Project, keys: Path) -> Iterator[Project]:
    """A project whose entry is GO in prod."""
    with answering(saying('{"version": "v1"}')) as url:
        project.plan.write_text(PLAN.replace("URL", url))
        (project.root / "roles.yaml").write_text(ROLES)
        (project.root / "allowed_signers").write_text((keys / "allowed_signers").read_text())
        decided(project, "r1")
        yield project


def decided(
    project: Project,
    run: str,
    ready: tuple[tuple[str, str], ...] = PASS,
    *,
    release: str = "v1",
) -> None:
    items: dict[str, tuple[str, ...]] = {
        "demo.canary.ready": ("t.py::test_ready",),
        "demo.canary.works": ("t.py::test_w",),
    }
    with project.ledger() as ledger:
        text = project.plan.read_text()
        writer = Writer(
            ledger, run=run, environment="prod", text=text, gates=(ENTRY,), release=release
        )
        writer.start()
        writer.manifest(items=items)
        writer.batch("t.py::test_ready", ready)
        writer.batch("t.py::test_w")
        writer.seal()
        writer.decide()


def sign(project: Project, keys: Path, name: str, role: str, *more: str) -> Answer:
    key = ("--key", str(keys / name), "--by", f"{name}@x.org")
    return project.rollout("sign", GATE, "--as", role, *key, *more)


def clear(project: Project) -> Answer:
    return project.rollout("clear", GATE, "--env", "prod")


def test_a_gate_is_clear_once_each_role_has_signed(served: Project, keys: Path) -> None:
    assert "nobody has signed as sre; can be given by ada@x.org, bob@x.org" in clear(served).out
    answer = sign(served, keys, "ada", "sre")
    assert answer.status == 0
    assert answer.out == "ada@x.org signed GO of demo.canary/entry in prod as sre\n"
    assert clear(served).status == 11
    assert sign(served, keys, "bob", "pm").status == 0
    told = clear(served)
    assert told.status == 0, told.out
    assert "bob@x.org signed as pm at " in told.out


def test_a_second_look_that_changes_nothing_voids_no_signature(served: Project, keys: Path) -> None:
    sign(served, keys, "ada", "sre")
    sign(served, keys, "bob", "pm")
    decided(served, "r2")
    assert clear(served).status == 0


def test_another_substance_must_be_signed_anew(served: Project, keys: Path) -> None:
    sign(served, keys, "ada", "sre")
    sign(served, keys, "bob", "pm")
    decided(served, "r2", FAIL)
    assert "but the decision is another one since: sign again" in clear(served).out


def test_a_signature_against_blocks_until_its_person_signs_for_it(
    served: Project, keys: Path
) -> None:
    sign(served, keys, "ada", "sre")
    sign(served, keys, "bob", "pm")
    assert sign(served, keys, "bob", "sre", "--against", "--why", "INC-9").status == 0
    told = clear(served)
    assert told.status == 11
    assert "bob@x.org signed against it as sre at " in told.out
    assert "INC-9" in told.out
    sign(served, keys, "bob", "sre")
    assert clear(served).status == 0


def test_a_signature_for_a_hold_takes_no_objection_back(served: Project, keys: Path) -> None:
    sign(served, keys, "ada", "sre")
    sign(served, keys, "bob", "pm", "--against", "--why", "the runbook is missing")
    decided(served, "r2", (("error", "it is down"),))
    assert sign(served, keys, "bob", "pm").status == 0
    decided(served, "r3")
    assert "bob@x.org signed against it as pm" in clear(served).out
    sign(served, keys, "bob", "pm")
    assert clear(served).status == 0


def test_what_was_withdrawn_does_not_count(served: Project, keys: Path) -> None:
    sign(served, keys, "ada", "sre")
    sign(served, keys, "bob", "pm")
    sign(served, keys, "bob", "pm", "--withdraw", "--why", "too early")
    assert "bob@x.org: withdrew the signature" in clear(served).out


@pytest.mark.parametrize(
    ("name", "role", "more", "why"),
    [
        ("eve", "sre", (), "names no `eve@x.org`"),
        ("ada", "pm", (), "ada@x.org does not hold the role pm today"),
        ("ada", "qa", (), "is signed by sre, pm, not by `qa`"),
        ("ada", "sre", ("--against",), "--why: says nothing"),
        ("ada", "sre", ("--key", "none"), "none signed nothing"),
        ("ada", "sre", ("--env", "embedded"), "a rehearsal is signed by nobody"),
    ],
)
def test_who_may_not_sign_is_told_why(
    served: Project, keys: Path, name: str, role: str, more: tuple[str, ...], why: str
) -> None:
    answer = sign(served, keys, name, role, *more)
    assert answer.status == 4
    assert why in answer.err
    assert "nobody has signed as sre" in clear(served).out


def test_the_key_of_somebody_else_records_nothing(served: Project, keys: Path) -> None:
    answer = sign(served, keys, "ada", "sre", "--key", str(keys / "bob"))
    assert answer.status == 4
    assert "not signed by ada@x.org: allowed_signers has no line with this person and" in answer.err
    assert "nothing was recorded" in answer.err
    assert "nobody has signed as sre" in clear(served).out


def test_without_people_it_is_said_where_they_stand(served: Project, keys: Path) -> None:
    (served.root / "roles.yaml").unlink()
    answer = sign(served, keys, "ada", "sre")
    assert answer.status == 4
    assert "there are no people in roles.yaml beside rollout.yaml" in answer.err
    assert "people: [{id: ada@x.org, roles: [sre]}]" in answer.err


def test_a_key_that_is_revoked_later_does_not_count(served: Project, keys: Path) -> None:
    sign(served, keys, "ada", "sre")
    sign(served, keys, "bob", "pm")
    signers = served.root / "allowed_signers"
    signers.write_text(signers.read_text().replace("ada@x.org ", "ann@x.org "))
    assert "ada@x.org: not signed by ada@x.org" in clear(served).out


def test_signatures_without_keys_are_one_message(served: Project, keys: Path) -> None:
    sign(served, keys, "ada", "sre")
    (served.root / "allowed_signers").unlink()
    answer = clear(served)
    assert answer.status == 4
    assert "allowed_signers beside rollout.yaml cannot be read" in answer.err


def test_a_key_that_was_revoked_is_worth_nothing_whenever_it_signed(
    served: Project, keys: Path
) -> None:
    sign(served, keys, "ada", "sre")
    sign(served, keys, "bob", "pm")
    assert clear(served).status == 0
    (served.root / "revoked_keys").write_text((keys / "ada.pub").read_text())
    told = clear(served)
    assert told.status == 11
    assert "ada@x.org: signed with a key of ada@x.org that was revoked (revoked_keys)" in told.out
    answer = sign(served, keys, "ada", "sre")
    assert (answer.status, "revoked (revoked_keys); nothing was" in answer.err) == (4, True)


@pytest.mark.parametrize(
    ("option", "why"),
    [
        ('valid-before="20200101"', "key has expired"),
        ('valid-after="20990101"', "key is not yet valid"),
        ('namespaces="git"', "not signed by ada@x.org"),
    ],
)
def test_a_key_counts_where_it_was_valid_when_it_signed(
    served: Project, keys: Path, option: str, why: str
) -> None:
    sign(served, keys, "ada", "sre")
    signers = served.root / "allowed_signers"
    signers.write_text(signers.read_text().replace("ada@x.org ", f"ada@x.org {option} "))
    told = clear(served)
    assert told.status == 11
    assert "ada@x.org: not signed by ada@x.org" in told.out
    assert why in told.out
    answer = sign(served, keys, "ada", "sre")
    assert (answer.status, why in answer.err) == (4, True)


def test_the_record_alone_is_verified_by_plain_ssh_keygen(served: Project, keys: Path) -> None:
    """As sign-off.md says, from the text in the ledger, with nothing of this project."""
    sign(served, keys, "ada", "sre")
    with closing(sqlite3.connect(served.store)) as database:
        (body,) = database.execute("SELECT body FROM records WHERE kind = 'signature'").fetchone()
    stored = json.loads(body)
    line = json.dumps(stored["signed"], sort_keys=True, separators=(",", ":"), ensure_ascii=False)
    (served.root / "signature").write_text(stored["armour"])
    command = ["ssh-keygen", "-Y", "verify", "-f", "allowed_signers", "-I", "ada@x.org"]
    for text, status in ((line + "\n", 0), (line, 255), (line.replace("GO", "NO") + "\n", 255)):
        ran = subprocess.run(
            [*command, "-n", "pytest-rollout", "-s", "signature"],
            cwd=served.root,
            input=text.encode(),
            capture_output=True,
            check=False,
        )
        assert ran.returncode == status, ran.stderr


@pytest.mark.slow
def test_each_changed_byte_of_a_record_is_noticed(served: Project, keys: Path) -> None:
    """It cannot be read, or it is not believed; whichever it is, the chain does not fit it."""
    sign(served, keys, "ada", "sre")
    allowed = (keys / "allowed_signers").read_text()
    with served.ledger() as ledger:
        (told,) = signatures.all_of(ledger, ENTRY, "prod")
    record = told.record
    raw = str(record.entry.body)
    assert whole(record)
    armour = raw.index("-----BEGIN"), raw.rindex("-----END")
    for place in range(len(raw)):
        changed = raw[:place] + chr(ord(raw[place]) ^ 1) + raw[place + 1 :]
        other = replace(record, body=changed)
        assert not whole(other), place
        if armour[0] + 40 < place < armour[1] - 10 and place % 7:
            continue  # a program of a few milliseconds for each byte of the signature is much
        try:
            found = said(other, StoredSignature)
        except UndecodableError:
            continue
        why = ssh.why_invalid(found.signed, found.armour, allowed)
        assert why or found.signed == told.body.signed, (place, changed[place - 9 : place + 9])


def whole(record: Record) -> bool:
    """Whether a record is what its place in the chain says."""
    return link(record.previous, record.entry, record.sequence, record.at_us) == record.hash


def test_a_signature_that_does_not_count_says_so(served: Project, keys: Path) -> None:
    decided(served, "r2", FAIL)
    answer = sign(served, keys, "ada", "sre")
    assert answer.status == 0
    first, second = answer.out.splitlines()
    assert first == "ada@x.org signed NO-GO of demo.canary/entry in prod as sre"
    why = "the decision is NO-GO, and only a GO is cleared by signatures"
    assert second == f"  it does not count: {why}"
    assert sign(served, keys, "ada", "sre", "--json").json["does_not_count"] == why
    decided(served, "r3")
    assert sign(served, keys, "ada", "sre", "--json").json["does_not_count"] is None


def test_before_any_run_the_one_that_is_signed_is_advised(served: Project, keys: Path) -> None:
    with_env = "(run `pytest -m canary --rollout-env prod`; partial runs and drills do not count)"
    for verb in (("request-signoff",), ("sign", "--as", "sre", "--key", str(keys / "ada"))):
        answer = served.rollout(*verb, "demo.canary/exit", "--env", "prod")
        assert (answer.status, with_env in answer.err) == (4, True), answer.err


def test_the_reports_of_a_go_say_who_has_signed_it(served: Project, keys: Path) -> None:
    assert sign(served, keys, "ada", "sre").status == 0
    page = served.rollout("report", GATE, "--env", "prod", "--format", "html").out
    block = page[page.index('id="signoff"') :]
    block = block[: block.index("</section>")]
    assert "ada@x.org signed as sre" in block
    assert "nobody has signed as pm; can be given by bob@x.org" in block
    text = served.rollout("report", GATE, "--env", "prod", "--format", "md").out
    rows = text[text.index("## Sign-off") :].splitlines()[2:4]
    assert [row[:5] for row in rows] == ["- [x]", "- [ ]"]
    assert "signed as sre" in rows[0]
    assert "nobody has signed as pm" in rows[1]


def test_a_decision_that_is_no_go_asks_nobody_to_sign(served: Project) -> None:
    decided(served, "r2", FAIL)
    page = served.rollout("report", GATE, "--env", "prod", "--format", "html").out
    assert 'id="signoff"' not in page
