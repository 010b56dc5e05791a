"""What `rollout check` says of rules, in words, in JSON and by its status."""

from __future__ import annotations

import pytest

from tests.cli.conftest import Project
from tests.evidence.runs import PLAN

GUARDED = (
    PLAN.replace('pass: "<= 0"', 'pass: "<= 1"').replace("take: max", "take: rate")
    + """\
      - {id: both, kind: demo, of: [works, errors]}
    guardrails:
      - {id: jumpy, metric: ok, take: rate, over: [{last: 4, need: 4}], fail: "< 0.8"}
  - {id: full, requires: [empty], criteria: [{id: done, gate: entry, kind: demo}]}
  - {id: empty}
"""
)


@pytest.mark.slow
def test_check_fails_for_a_rule_that_cannot_fail(project: Project) -> None:
    project.plan.write_text(GUARDED)
    said = project.rollout("check", "--healthy", "98%")
    assert said.status == 4
    lines = said.out.splitlines()
    assert lines[-2].startswith("rollout.yaml:13: criterion errors can never fail: at worst rate")
    assert lines[-1] == "1 problem"
    jumpy = next(line for line in lines if "guardrail jumpy" in line)
    assert jumpy.startswith("note: rollout.yaml:17: guardrail jumpy trips without need: ")
    assert "with a chance of 38 % within 24 samples" in jumpy
    assert "note: demo.full requires empty, whose exit gate states no criterion" in said.out
    assert "demo.canary.both has no check" not in said.out


def test_check_says_the_same_in_json(project: Project) -> None:
    project.plan.write_text(GUARDED)
    found = project.rollout("check", "--json", "--looks", "1000", "--healthy", "99.999%")
    assert (found.status, len(found.json["problems"])) == (4, 1)
    assert not [note for note in found.json["notes"] if "guardrail jumpy" in note]


def test_a_share_that_is_none(project: Project) -> None:
    said = project.rollout("check", "--healthy", "most")
    assert said.status == 4
    assert "--healthy: 'most' is no share (write 98%, between 50% and 99.9999%)" in said.err


SERVED = """\
plan: demo
environments:
  embedded:
    targets:
      web: {serve: "rehersal:app"}
phases:
  - id: canary
    criteria: [{id: works, kind: demo, faults: [slwo]}]
    guardrails: [{id: errors, metric: e, take: sum, fail: "> 3", faults: [late, "slow:by=2s"]}]
"""
APP = """\
FAULTS = {"slow": "answers late"}


async def app(scope, receive, send):
    raise RuntimeError("nobody asks")
"""


def test_check_imports_what_a_plan_serves(project: Project) -> None:
    (project.root / "rehearsal.py").write_text(APP)
    project.plan.write_text(SERVED)
    said = project.rollout("check")
    assert said.status == 4
    assert (
        "rollout.yaml:5: target web of embedded: rehersal:app cannot be loaded: "
        "there is no module `rehersal` (did you mean `rehearsal`?)\n"
    ) in said.out


def test_check_asks_the_targets_for_their_faults(project: Project) -> None:
    (project.root / "rehearsal.py").write_text(APP)
    project.plan.write_text(SERVED.replace("rehersal", "rehearsal"))
    found = project.rollout("check", "--json")
    assert found.status == 4
    assert [one for one in found.json["problems"] if "fault" in one] == [
        "rollout.yaml:8: criterion works: no target knows the fault `slwo` (did you mean `slow`?)",
        "rollout.yaml:9: guardrail errors: no target knows the fault `late` "
        "(see `rollout targets` for what is known)",
    ]


def test_check_notes_files_that_are_not_read(project: Project) -> None:
    for name in ("waivers.yml", "attestations.embedded.yml", "bindings.yaml", "rollout.yml"):
        (project.root / name).write_text("waivers: []\n")
    found = project.rollout("check", "--json")
    assert [note for note in found.json["notes"] if "is not read" in note] == [
        "rollout.yml is not read; rename it to rollout.yaml",
        "waivers.yml is not read; rename it to waivers.yaml",
        "attestations.embedded.yml is not read; rename it to attestations.embedded.yaml",
        "bindings.yaml is not read; rename it to bindings.txt",
    ]


def test_without_a_plan_it_is_said_that_a_file_is_not_read(project: Project) -> None:
    project.plan.rename(project.root / "rollout.yml")
    said = project.rollout("check")
    assert said.status == 4
    assert "rollout.yml is not read; rename it to rollout.yaml" in said.err


def test_guardrails_that_no_watch_asks_for_are_named(project: Project) -> None:
    rail = '    guardrails: [{id: r, metric: errors, take: max, fail: "> 9", then: [pause]}]\n'
    project.plan.write_text(PLAN + rail)
    notes = project.rollout("check", "--json").json["notes"]
    assert (
        "demo.canary: a watch asks nothing for r (no `check`), so only tests that observe errors "
        "can trip them" in notes
    )


def test_check_names_roles_that_nobody_can_sign_for(project: Project) -> None:
    text = PLAN.replace("    owners: [sre]", "    signoff: [sre, pm]")
    assert text.count("signoff: [sre, pm]") == 1
    project.plan.write_text(text)
    said = "demo.canary is signed by {}, and roles.yaml beside rollout.yaml names nobody"
    assert said.format("sre, pm") in project.rollout("check").out
    people = project.plan.with_name("roles.yaml")
    people.write_text("people: [{id: ada@x.org, roles: [sre]}]\n")
    assert said.format("pm") in project.rollout("check").out
    people.write_text("people: [{id: ada@x.org, roles: [sre]}, {id: bob@x.org, roles: [pm]}]\n")
    assert "is signed by" not in project.rollout("check").out


UNNAMED = """\
import pytest

@pytest.mark.canary
def test_observes(): ...

@pytest.mark.canary
def test_other(): ...

@pytest.mark.canary
@pytest.mark.criterion("r")
def test_rail(): ...
"""


def test_tests_that_name_no_criterion_are_counted_once(project: Project) -> None:
    rail = '    guardrails: [{id: r, metric: errors, take: max, fail: "> 9", then: [pause]}]\n'
    folder = project.root / "suites" / "inner"
    folder.mkdir(parents=True)
    (folder / "rollout.yaml").write_text((PLAN + rail).replace("plan: demo", "plan: inner"))
    (folder / "test_inner.py").write_text(UNNAMED)
    data = project.rollout("check", "--json").json
    (note,) = [note for note in data["notes"] if "no criterion, so" in note]
    assert note.startswith(
        "inner.canary: 2 tests marked with it name no criterion, so they can only hold its gates: "
        "suites/inner/test_inner.py::test_observes, suites/inner/test_inner.py::test_other (add "
    )
    assert "a test that observes for a guardrail keeps the mark alone" in note
    (offence,) = data["problems"]
    assert "'r' is a guardrail, which no test is bound to" in offence
    assert "leave it out" in offence


def test_check_names_series_that_nothing_observes(project: Project) -> None:
    project.plan.write_text(GUARDED)

    def notes() -> list[str]:
        found = project.rollout("check", "--json").json["notes"]
        return [note for note in found if "which no check asks for" in note]

    (rail,) = [note for note in notes() if note.startswith("demo.canary.jumpy reads ok, ")]
    assert rail.endswith("unless something observes it, it is blind, and holds the gate")
    (project.plan.parent / "test_seen.py").write_text('SERIES = "ok"\n')
    assert not [note for note in notes() if "jumpy" in note]
    asked = 'check: {http: /ok, on: api, expect: {status: 200}}, fail: "< 0.8"'
    project.plan.write_text(
        GUARDED.replace('fail: "< 0.8"', asked)
        + "environments: {embedded: {targets: {api: http://127.0.0.1:9}}}\n"
    )
    (project.plan.parent / "test_seen.py").unlink()
    assert not [note for note in notes() if "jumpy" in note]


BINDING = """\
plan: demo
phases:
  - id: canary
    criteria: [{id: works, kind: demo, binds: [../../tests/test_it.py, "../../more/*::test_b"]}]
"""


def test_tests_that_a_plan_binds_outside_of_its_folder_are_collected(project: Project) -> None:
    project.plan.unlink()
    for name in ("tests/test_it.py", "more/test_more.py", "suites/demo/test_other.py"):
        path = project.root / name
        path.parent.mkdir(parents=True)
        path.write_text("def test_a(): ...\ndef test_b(): ...\n")
    (project.root / "suites/demo/rollout.yaml").write_text(BINDING)
    found = project.rollout("check", "--json")
    assert (found.status, found.json["problems"]) == (0, [])
    nodes = ["more/test_more.py::test_b", "tests/test_it.py::test_a", "tests/test_it.py::test_b"]
    assert sorted(found.json["criteria"][0]["items"]) == nodes
    (told,) = (note for note in found.json["notes"] if "no criterion asks" in note)
    assert told == (
        "demo: in more/test_more.py no criterion asks for 1 test: test_a (add "
        '"../../more/test_more.py::test_a" to `binds:` of works, suites/demo/rollout.yaml:4; '
        '"../../more/test_more.py" takes all that is ever in the file)'
    )


def test_files_beside_those_that_a_plan_binds_are_named_where_it_binds_most(
    project: Project,
) -> None:
    project.plan.unlink()
    (project.root / "suites/demo").mkdir(parents=True)
    (project.root / "tests").mkdir()
    bound = ["test_a.py", "test_b.py"]
    for name in (*bound, "test_skipped.py", "test_new.py"):
        (project.root / "tests" / name).write_text("def test_it(): ...\n")
    skipped = "import pytest\npytestmark = pytest.mark.skip\ndef test_it(): ...\n"
    (project.root / "tests/test_skipped.py").write_text(skipped)
    plan = project.root / "suites/demo/rollout.yaml"
    plan.write_text(
        BINDING.replace('"../../more/*::test_b"', "../../tests/test_b.py").replace(
            "test_it.py", "test_a.py"
        )
    )
    told = [one for one in project.rollout("check", "--json").json["notes"] if "asks for" in one]
    assert [one.partition(" no criterion")[0] for one in told] == ["demo: in tests/test_new.py"]
    plan.write_text(BINDING.replace(', "../../more/*::test_b"', "").replace("test_it", "test_a"))
    told = [one for one in project.rollout("check", "--json").json["notes"] if "asks for" in one]
    assert told == [], "the plan binds a part of the folder"


REFUSING = """\
plan: demo
environments:
  embedded: {targets: {web: {serve: "app:app"}}}
  prod: {targets: {web: "${WEB_URL}"}}
  stage: {targets: {web: "${WEB_URL}"}, allow: [observe, change]}
phases:
  - id: canary
    criteria:
      - {id: posts, gate: entry, kind: demo, severity: soft}
      - {id: works, kind: demo, metric: m, take: max, each: {n: [a]}, pass: "< 1"}
      - {id: looks, kind: demo}
"""
POSTING = """\
import pytest
pytestmark = pytest.mark.canary

@pytest.mark.effect("change")
@pytest.mark.criterion("posts")
def test_posts(): ...

@pytest.mark.effect("change")
@pytest.mark.criterion("works")
def test_works(): ...

@pytest.mark.criterion("looks")
def test_looks(): ...
"""


def test_checks_that_a_real_environment_always_refuses_are_named(project: Project) -> None:
    project.plan.write_text(REFUSING)
    (project.root / "test_posts.py").write_text(POSTING)
    notes = project.rollout("check", "--json").json["notes"]
    told = [note for note in notes if "never measured" in note]
    entry = "nothing may be changed before the phase has begun, and its entry comes before that"
    posts = "demo.canary/entry is never measured in {} by posts (test_posts has effect change): "
    fix = " (move it to `gate: exit`, or have its check only look)"
    assert told == [
        f"rollout.yaml:9: {posts.format('prod')}{entry}{fix}",
        "rollout.yaml:10: demo.canary/exit is never measured in prod by works (test_works has "
        "effect change), so that gate is never GO there: the environment does not "
        "allow it (rollout.yaml:4) (`allow: [observe, change]` there, or have the check only look)",
        f"rollout.yaml:9: {posts.format('stage')}{entry}{fix}",
    ]


def test_criteria_with_checks_for_rehearsals_alone_are_named(project: Project) -> None:
    project.plan.write_text(REFUSING)
    mark = "@pytest.mark.rehearsal_only\n@pytest.mark.effect"
    (project.root / "test_posts.py").write_text(POSTING.replace("@pytest.mark.effect", mark))
    notes = project.rollout("check", "--json").json["notes"]
    nothing = "so nothing measures it in real environments (add a check without `rehearsal_only`)"
    assert [note for note in notes if "measure" in note] == [
        f"rollout.yaml:9: demo.canary.posts has only checks for rehearsals, {nothing}",
        f"rollout.yaml:10: demo.canary.works has only checks for rehearsals, {nothing}",
    ]
