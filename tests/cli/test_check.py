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
    assert not [note for note in found.json["notes"] if "jumpy" in note]


def test_a_share_that_is_none(project: Project) -> None:
    said = project.rollout("check", "--healthy", "most")
    assert said.status == 4
    assert "--healthy: 'most' is no share (write 98%, between 50% and 99.9999%)" in said.err
