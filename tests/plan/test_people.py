"""`roles.yaml`: who holds which role, and what is wrong with it, with its line."""

from __future__ import annotations

from datetime import date
from pathlib import Path

import pytest

from pytest_rollout.model.people import Deputy, Person
from pytest_rollout.plan.load import Loaded, parse

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
