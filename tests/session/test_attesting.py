"""Answers that are signed, from the command to the decision of a run and its clearance."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from tests.evidence.runs import tamper
from tests.session.project import Project
from tests.session.runs.variations import command
from tests.signoff.test_ssh import new_key

PLAN = """\
plan: demo
roles: {sre: Reliability, pm: Product}
no_release: nothing is deployed here
environments: {prod: {}}
phases:
  - id: canary
    criteria:
      - {id: ready, gate: entry, kind: operational, says: The target is ready}
      - {id: read, gate: entry, kind: manual, by: [sre], says: The runbook was read}
"""
TESTS = """\
import pytest

pytestmark = pytest.mark.canary


@pytest.mark.criterion("ready")
def test_ready():
    pass
"""
ROLES = """\
people:
  - {id: ada@x.org, roles: [sre]}
  - {id: bob@x.org, roles: [pm]}
"""
FULL = "demo.canary.read"
PROD = ("-m", "canary", "--rollout-env", "prod")


@pytest.fixture(scope="module")
def keys(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with a key for each person, and their allowed_signers."""
    folder = tmp_path_factory.mktemp("keys")
    made = {name: new_key(folder, name) for name in ("ada", "bob")}
    lines = [f"{name}@x.org {key.with_suffix('.pub').read_text()}" for name, key in made.items()]
    (folder / "allowed_signers").write_text("".join(lines))
    return folder


@pytest.fixture
def people(project: Project, keys: Path) -> Project:
    """A project whose people have keys."""
    project.plan(PLAN)
    project.tests(TESTS)
    project.write("suites/demo/roles.yaml", ROLES)
    shutil.copy(keys / "allowed_signers", project.root / "suites/demo/allowed_signers")
    return project


def attest(project: Project, *more: str, role: str = "sre") -> tuple[int, str]:
    return command(project, "attest", FULL, "--role", role, "--note", "step 4 was tried", *more)


def signed(project: Project, keys: Path, name: str = "ada", *more: str) -> tuple[int, str]:
    return attest(project, "--by", f"{name}@x.org", "--key", str(keys / name), *more)


def test_a_signed_answer_clears_and_an_unsigned_no_holds(people: Project, keys: Path) -> None:
    status, said = attest(people, "--by", "ada@x.org")
    assert (status, "has keys, so an answer that holds is signed" in said) == (4, True)
    status, said = signed(people, keys)
    assert status == 0
    assert "attested by ada@x.org (sre), signed; counts from the next run on" in said
    assert people.run(*PROD).ret == 0
    assert command(people, "clear", "demo.canary", "--env", "prod")[0] == 0
    status, said = attest(people, "--by", "somebody", "--fail")
    assert status == 0
    assert "not signed, so it holds the gate until somebody answers with --key" in said
    run = people.run(*PROD)
    assert run.ret == 11
    run.stdout.fnmatch_lines(
        ["*attested as failing by somebody*but a no is not ignored*ada@x.org*"]
    )
    status, said = command(people, "checklist", "demo.canary", "--env", "prod")
    assert "open    demo.canary.read" in said
    signed(people, keys)
    run = people.run(*PROD)
    assert run.ret == 0, "and a person with a key settles it"
    run.stdout.fnmatch_lines(["*condition: *before: attested as failing by somebody*"])


def test_the_keys_of_the_run_judge_it_again(people: Project, keys: Path) -> None:
    """A decision stays what it was when people change; the next run judges by them."""
    signed(people, keys)
    assert people.run(*PROD).ret == 0
    signers = people.root / "suites/demo/allowed_signers"
    text = signers.read_text()
    signers.write_text(text.replace("ada@x.org", "ann@x.org"))
    decide = ("decide", "demo.canary/entry", "--env", "prod")
    assert "the same as was decided then, byte for byte" in command(people, *decide)[1]
    run = people.run(*PROD)
    assert run.ret == 11
    run.stdout.fnmatch_lines(["*it does not count: not signed by ada@x.org*"])
    signers.write_text(text)
    (people.root / "suites/demo/revoked_keys").write_text((keys / "ada.pub").read_text())
    run = people.run(*PROD)
    run.stdout.fnmatch_lines(["*key of ada@x.org that was revoked (revoked_keys)*"])


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (("--by", "ada@x.org", "--key", "KEYS/bob"), "not signed by ada@x.org"),
        (("--by", "bob@x.org", "--key", "KEYS/bob"), "bob@x.org does not hold the role sre today"),
        (
            ("--by", "eve@x.org", "--key", "KEYS/bob"),
            "roles.yaml beside suites/demo/rollout.yaml n",
        ),
        (("--by", "ada@x.org", "--key", "none"), "none signed nothing"),
    ],
)
def test_what_is_not_its_persons_is_not_recorded(
    people: Project, keys: Path, arguments: tuple[str, ...], said: str
) -> None:
    status, told = attest(people, *(text.replace("KEYS", str(keys)) for text in arguments))
    assert status == 4
    assert said in told
    assert not (people.root / ".rollout").exists()


def test_secrets_are_hidden_before_a_person_signs(
    people: Project, keys: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    secret = "kX93-never-shown-77Qz"
    monkeypatch.setenv("DEPLOY_TOKEN", secret)
    people.write("minutes.txt", f"token: {secret}\n")
    minutes = str(people.root / "minutes.txt")
    assert signed(people, keys, "ada", "--file", minutes, "--note", f"used {secret}")[0] == 0
    kept = [path.read_bytes() for path in (people.root / ".rollout").rglob("*") if path.is_file()]
    assert not any(secret.encode() in content for content in kept)
    assert people.run(*PROD).ret == 0


def test_a_key_is_of_no_use_where_nobody_has_any(people: Project, keys: Path) -> None:
    (people.root / "suites/demo/allowed_signers").unlink()
    status, said = signed(people, keys)
    assert (status, "nobody could verify it: allowed_signers beside" in said) == (4, True)
    assert attest(people, "--by", "A. Person")[0] == 0, "as without roles.yaml"
    assert people.run(*PROD).ret == 0


def test_a_record_that_was_changed_is_noticed(people: Project, keys: Path) -> None:
    signed(people, keys)
    store = people.root / ".rollout/ledger.db"
    change = (
        "UPDATE records SET body = replace(body, 'step 4', 'step 5') WHERE kind = 'attestation'"
    )
    tamper(store, change)
    assert people.run(*PROD).ret == 11


APART = PLAN.replace("environments:", "author: {variable: CHANGE_AUTHOR}\nenvironments:").replace(
    "  - id: canary\n", "  - id: canary\n    signoff: [sre]\n"
)


def sign(project: Project, keys: Path, name: str) -> tuple[int, str]:
    key = ("--key", str(keys / name), "--by", f"{name}@x.org")
    return command(project, "sign", "demo.canary/entry", "--as", "sre", *key)


def test_the_author_of_the_change_does_not_clear_it(
    people: Project, keys: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What the run read counts, whatever the variable says when somebody asks."""
    people.plan(APART)
    people.write("suites/demo/roles.yaml", ROLES.replace("[pm]", "[pm, sre]"))
    signed(people, keys)
    monkeypatch.setenv("CHANGE_AUTHOR", "Ada <ada@x.org>")
    assert people.run(*PROD).ret == 0
    assert sign(people, keys, "ada")[0] == 0
    monkeypatch.setenv("CHANGE_AUTHOR", "mallory@x.org")
    status, said = command(people, "clear", "demo.canary", "--env", "prod")
    assert status == 11
    assert "yes  author: Ada <ada@x.org> made the change (ada@x.org cannot sign)" in said
    assert "can be given by bob@x.org (ada@x.org: is an author of the change, so it" in said
    assert sign(people, keys, "bob")[0] == 0
    assert command(people, "clear", "demo.canary", "--env", "prod")[0] == 0
    monkeypatch.delenv("CHANGE_AUTHOR")
    assert people.run(*PROD).ret == 0
    status, said = command(people, "clear", "demo.canary", "--env", "prod")
    assert status == 11
    assert (
        "no   author: who made the change is not known, and nobody may sign for their own: " in said
    )
    assert "CHANGE_AUTHOR is not set" in said


def test_a_key_that_was_revoked_since_clears_nothing(people: Project, keys: Path) -> None:
    signed(people, keys)
    assert people.run(*PROD).ret == 0
    clear = ("clear", "demo.canary", "--env", "prod")
    assert command(people, *clear)[0] == 0
    (people.root / "suites/demo/revoked_keys").write_text((keys / "ada.pub").read_text())
    status, said = command(people, *clear)
    assert status == 11
    assert "no   attestations: demo.canary.read: attested by ada@x.org" in said
    assert "revoked (revoked_keys)" in said
    assert "recomputed with the same result" in said, "the decision itself stays what it was"


def test_runs_that_are_joined_believe_what_is_signed(people: Project, keys: Path) -> None:
    more = "      - {id: works, gate: entry, kind: demo, says: It works}\n"
    people.plan(PLAN + more)
    people.tests(TESTS + '\n\n@pytest.mark.criterion("works")\ndef test_works():\n    pass\n')
    signed(people, keys)
    for part in ("ready", "works"):
        assert people.run(*PROD, "-k", part).ret == 11
    status, said = command(people, "join", "demo.canary", "--env", "prod")
    assert status == 0, said


def test_the_checklist_knows_who_made_the_change(
    people: Project, keys: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    people.plan(APART.replace("by: [sre]", "by: {each: [sre, pm]}, by_others: true"))
    signed(people, keys)
    listed = ("checklist", "demo.canary", "--env", "prod")
    monkeypatch.setenv("CHANGE_AUTHOR", "mallory")
    said = command(people, *listed)[1]
    assert "sre in prod: 0 of 1 still to attest" in said
    assert "pm in prod: 1 of 1 still to attest" in said
    monkeypatch.setenv("CHANGE_AUTHOR", "ada@x.org")
    said = command(people, *listed)[1]
    assert "sre in prod: 1 of 1 still to attest" in said
    assert "it is an author of the change who says so" in said
