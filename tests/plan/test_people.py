"""`roles.yaml`: who holds which role, and what is wrong with it, with its line."""

from __future__ import annotations

import base64
from datetime import date
from pathlib import Path

import pytest

from pytest_rollout.model.people import Deputy, Person
from pytest_rollout.plan.load import Loaded, load, parse

PLAN = """\
plan: demo
roles: {sre: Reliability, pm: Product}
environments: {embedded: {targets: {api: {serve: "app:app"}}}}
phases:
  - {id: canary, signoff: [sre], criteria: [{id: works, kind: demo}]}
"""
GOOD = """\
people:
  - {id: ada@x.org, name: A. Person, roles: [sre], github: ada}
  - {id: bob@x.org}
deputies:
  - {role: pm, person: bob@x.org, from: 2025-11-10, until: 2025-11-12}
"""


def read(text: str) -> Loaded:
    return parse(PLAN, Path("rollout.yaml"), "suites/demo/rollout.yaml", {"roles.yaml": text})


def test_people_deputies_and_their_keys_are_read() -> None:
    loaded = read(GOOD)
    assert loaded.plan is not None
    assert not loaded.problems
    roster = loaded.plan.roster
    assert roster.people[0] == Person("ada@x.org", "A. Person", ("sre",), "ada", 2)
    assert roster.people[1].name == "bob@x.org"
    day = date(2025, 11, 10)
    assert roster.deputies == (Deputy("pm", "bob@x.org", day, date(2025, 11, 12), 5),)
    assert roster.allowed_signers == "allowed_signers"
    assert [person.id for person in roster.holders("pm", day)] == ["bob@x.org"]
    assert roster.holders("pm", date(2025, 11, 13)) == ()


@pytest.mark.parametrize(
    ("old", "new", "said"),
    [
        ("roles: [sre]", "roles: [ser]", "roles.yaml:2: a person: unknown role `ser` (did you"),
        ("{id: bob@x.org}", "{id: ada@x.org}", "roles.yaml:3: `ada@x.org` stands twice, first"),
        ("person: bob@x.org", "person: bbo@x.org", "roles.yaml:5: a deputy: unknown person `bbo"),
        ("until: 2025-11-12", "until: 2025-11-09", "roles.yaml:5: a deputy: it ends before it b"),
        (", until: 2025-11-12", "", "roles.yaml:5: a deputy has no `until`"),
        ("github: ada", "githbu: ada", "roles.yaml:2: a person: unknown key `githbu`"),
        ("deputies:", "allowed_signers: ../keys\ndeputies:", "is a file below the plan's folder"),
    ],
)
def test_what_is_wrong_is_told_with_its_line(old: str, new: str, said: str) -> None:
    assert old in GOOD
    (problem, *_) = read(GOOD.replace(old, new, 1)).problems
    assert said in str(problem)


KEY = "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIGNOTHING ada"


def laid(folder: Path, roles: str = GOOD, **files: bytes | str) -> Loaded:
    """A plan in a folder, with the files beside it."""
    (folder / "rollout.yaml").write_text(PLAN)
    (folder / "roles.yaml").write_text(roles)
    for name, content in files.items():
        raw = content if isinstance(content, bytes) else content.encode()
        (folder / name).write_bytes(raw)
    return load(folder / "rollout.yaml", "demo/rollout.yaml")


def test_the_keys_are_read_with_the_people_and_kept_with_the_plan(tmp_path: Path) -> None:
    loaded = laid(tmp_path, allowed_signers=f"ada@x.org {KEY}\n", revoked_keys=f"# left\n{KEY}\n")
    assert loaded.problems == ()
    assert loaded.plan is not None
    assert (loaded.plan.roster.has_keys, loaded.plan.roster.revoked) == (True, f"# left\n{KEY}\n")
    assert set(loaded.digests) == {"roles.yaml", "allowed_signers", "revoked_keys"}
    again = parse(PLAN, Path("rollout.yaml"), "demo/rollout.yaml", loaded.beside)
    assert again.plan == loaded.plan, "as a ledger that kept the texts reads them"
    (tmp_path / "allowed_signers").write_text("# nobody yet\n")
    bare = load(tmp_path / "rollout.yaml", "demo/rollout.yaml").plan
    assert bare is not None
    assert not bare.roster.has_keys


def test_a_list_in_the_format_of_ssh_keygen_is_kept_as_text(tmp_path: Path) -> None:
    krl = b"SSHKRL\n\0\0\0\0\1\xff\xfe"
    loaded = laid(tmp_path, revoked_keys=krl)
    assert loaded.problems == ()
    assert loaded.plan is not None
    packed = loaded.plan.roster.revoked.removeprefix("base64:")
    assert base64.b64decode(packed) == krl


@pytest.mark.parametrize(
    ("stated", "files", "said"),
    [
        (
            "",
            {"revoked_keys": f"# left\nada@x.org {KEY}\n"},
            "revoked_keys:2: this is no public key",
        ),
        ("revoked_keys: gone\n", {}, "demo/gone:1: cannot be read: No such file"),
        ("allowed_signers: gone\n", {}, "demo/gone:1: cannot be read: No such file"),
        ("", {"allowed_signers": b"\xff\xfe"}, "demo/allowed_signers:1: is not text in UTF-8"),
        ("revoked_keys: ../x\n", {}, "`revoked_keys` is a file below the plan's folder"),
    ],
)
def test_what_is_wrong_with_keys_is_told(
    tmp_path: Path, stated: str, files: dict[str, bytes | str], said: str
) -> None:
    loaded = laid(tmp_path, GOOD + stated, **files)
    assert said in " ".join(map(str, loaded.problems))


def test_two_people_of_one_login_are_told() -> None:
    twice = GOOD.replace("{id: bob@x.org}", "{id: bob@x.org, github: ADA}")
    (problem,) = read(twice).problems
    assert "roles.yaml:3: the login `ADA` is also that of ada@x.org, line 2" in str(problem)
