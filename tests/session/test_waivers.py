"""Waivers and stand-ins from file to report, as a user meets them."""

from __future__ import annotations

import pytest

from tests.session.project import PLAN, Project
from tests.targets.test_identity import answering, saying

WAIVER = """\
waivers:
  - criterion: works
    phase: canary
    reason: part b comes with the next host
    author: A. Author
    approver: B. Approver
    until: 2199-12-31
"""
FAILING = "def test_works(part):\n    assert part != 'b', 'b is broken'"


@pytest.fixture
def waived(project: Project) -> Project:
    """The demo project with a failing criterion and its waiver."""
    project.change("def test_works(part):\n    pass", FAILING)
    project.write("suites/demo/waivers.yaml", WAIVER)
    return project


def test_a_waived_failure_is_go_with_a_condition(waived: Project, how: list[str]) -> None:
    result = waived.run("-m", "canary", *how)
    assert result.ret == 0
    decision = waived.decision()
    assert waived.verdicts()["works"] == "waived"
    (condition,) = decision["conditions"]
    assert (condition["owner"], condition["due"]) == ("B. Approver", "2199-12-31")
    (waiver,) = decision["waivers"]
    assert (waiver["id"], waiver["use"]) == ("demo.canary.works", "applied")
    result.stdout.fnmatch_lines(
        [
            "*1 waived*",
            "*condition: demo.canary.works is waived: *b is broken*",
            "*owed by B. Approver, due at 2199-12-31*",
            "*waiver: demo.canary.works: applied; until 2199-12-31, asked by A. Author, approved*",
        ]
    )


def test_the_decision_is_the_same_when_the_file_has_gone(waived: Project) -> None:
    waived.run("-m", "canary")
    assert waived.rollout("clear", "demo.canary").ret == 0
    stored = waived.rollout("decide", "demo.canary", "--json").outlines
    waived.write("suites/demo/waivers.yaml", WAIVER.replace("part b", "all of it"))
    again = waived.rollout("decide", "demo.canary")
    assert again.ret == 0
    assert again.outlines[-1] == "the same as was decided then, byte for byte"
    cleared = waived.rollout("clear", "demo.canary/exit")
    assert cleared.ret == 11
    assert "was changed or withdrawn since" in cleared.stdout.str()
    (waived.root / "suites/demo/waivers.yaml").unlink()
    assert waived.rollout("decide", "demo.canary", "--json").outlines == stored
    assert waived.rollout("clear", "demo.canary/exit").ret == 11
    assert waived.run("-m", "canary").ret == 10


@pytest.mark.parametrize(
    ("old", "new", "said"),
    [
        ("2199-12-31", "2025-11-30", "waivers.yaml:2: the waiver of works in phase canary expired"),
        ("B. Approver", "A. Author", "waivers.yaml:6: *is author and approver"),
        ("works", "wroks", "waivers.yaml:2: *did you mean `works`?"),
    ],
)
def test_a_broken_or_expired_waiver_is_a_mistake_of_its_plan(
    waived: Project, how: list[str], old: str, new: str, said: str
) -> None:
    waived.change(old, new, "suites/demo/waivers.yaml")
    result = waived.run("-m", "canary", *how)
    assert result.ret == 4
    result.stderr.fnmatch_lines([f"*suites/demo/{said}*"])
    assert not waived.stored
    checked = waived.rollout("check")
    assert checked.ret == 4
    checked.stdout.fnmatch_lines([f"*suites/demo/{said}*"])


def test_a_plan_that_is_not_asked_only_remarks_on_it(waived: Project) -> None:
    waived.change("2199-12-31", "2025-11-30", "suites/demo/waivers.yaml")
    waived.tests("def test_nothing(): pass", "demo/test_other.py")
    result = waived.run("suites/demo/test_other.py")
    assert result.ret == 0
    result.stdout.fnmatch_lines(["*waivers.yaml:2: *expired*(not asked)"])


def test_it_is_shown_everywhere(waived: Project) -> None:
    waived.run("-m", "canary")
    status = waived.rollout("status").stdout.str()
    assert "exit GO +1 condition, 1 waived" in status
    explained = waived.rollout("explain", "demo.canary.works").stdout.str()
    assert "Waiver: it covers what was seen" in explained
    who = "Asked by A. Author, approved by B. Approver, to the end of 2199-12-31: part b"
    assert who in explained
    folder = waived.root / "rollout-report/demo/embedded/canary/exit"
    for name in ("report.md", "report.html"):
        text = (folder / name).read_text()
        assert "1 waiver, 1 applied" in text
        assert "part b comes with the next host" in text
    assert "1 waiver" in waived.rollout("check").outlines[0]


def test_nothing_that_was_not_seen_is_waived(waived: Project) -> None:
    waived.change(FAILING, "def test_works(part):\n    pytest.skip('later')")
    assert waived.run("-m", "canary").ret == 11
    assert waived.verdicts()["works"] == "missing"


MANUAL = PLAN.replace(
    "      - id: errors",
    "      - {id: retro, kind: manual, says: The retro was held}\n      - id: errors",
)
STAND_IN = """\
attestations:
  - {phase: canary, criterion: retro, by: the demo script, role: sre, note: held as if}
"""


def test_a_manual_criterion_is_answered_by_a_stand_in(project: Project, how: list[str]) -> None:
    project.plan(MANUAL)
    assert project.run("-m", "canary", *how).ret == 11
    assert "nobody has attested it" in project.reason("retro")
    noted = project.rollout("check").stdout.str()
    assert "demo.canary.retro has no stand-in in attestations.embedded.yaml" in noted
    project.write("suites/demo/attestations.embedded.yaml", STAND_IN)
    result = project.run("-m", "canary", *how)
    assert result.ret == 0
    assert project.decision()["stand_ins"] == [
        "demo.canary.retro: the demo script (sre): held as if"
    ]
    result.stdout.fnmatch_lines(["*stand-in: demo.canary.retro: the demo script (sre): held as if"])
    assert "exit GO, 1 stand-in" in project.rollout("status").stdout.str()
    (project.root / "suites/demo/attestations.embedded.yaml").unlink()
    assert project.rollout("decide", "demo.canary").outlines[-1].startswith("the same as")


def test_a_fault_of_people_is_a_drill_in_which_they_say_no(
    project: Project, how: list[str]
) -> None:
    project.plan(MANUAL)
    project.write(
        "suites/demo/attestations.embedded.yaml",
        STAND_IN.replace("note:", "faults: [not-held], note:"),
    )
    drill = project.run("-m", "canary", "--rollout-fault", "not-held", *how)
    assert drill.ret == 10
    drill.stdout.fnmatch_lines(["*retro: under not-held its stand-in says no: the demo script*"])
    wrong = project.run("-m", "canary", "--rollout-fault", "not-hold", *how)
    wrong.stderr.fnmatch_lines(["*unknown `not-hold` (did you mean `not-held`*"])
    assert project.run("-m", "canary", *how).ret == 0


REAL = """\
plan: demo
release: {target: api, path: /version, json: version}
environments:
  prod: {targets: {api: "URL"}, max_age: 24h}
phases:
  - id: canary
    owners: [sre]
    criteria:
      - {id: ready, gate: entry, kind: operational}
      - {id: read, gate: entry, kind: manual}
"""


def test_what_a_person_attested_counts_on_a_real_target(project: Project) -> None:
    prod = ("-m", "canary", "--rollout-env", "prod")
    said = ("--by", "A. Person", "--role", "sre", "--note", "read it")
    project.tests(
        "import pytest\n\n@pytest.mark.canary\n@pytest.mark.criterion('ready')\n"
        "def test_ready(): pass\n"
    )
    with answering(saying('{"version": "v1"}')) as url:
        project.plan(REAL.replace("URL", url))
        assert project.run(*prod).ret == 11
        assert project.rollout("attest", "demo.canary.read", *said).ret == 0
        assert project.run(*prod).ret == 0
        (part,) = project.decision("entry", environment="prod")["criteria"][1]["parts"]
        assert "attested by A. Person (sre) at" in part["reason"]["text"]
        assert "of v1: read it" in part["reason"]["text"]
        assert project.rollout("clear", "demo.canary", "--env", "prod").ret == 0
        assert project.rollout("attest", "demo.canary.read", *said, "--fail").ret == 0
        assert project.run(*prod).ret == 10
