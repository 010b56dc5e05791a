"""A command that prints samples: each has its own time, and is told once however often asked."""

from __future__ import annotations

import json
from contextlib import closing
from pathlib import Path

import pytest

from pytest_rollout.checks.answer import Said
from pytest_rollout.checks.samples import sampled
from pytest_rollout.model.errors import RolloutError
from pytest_rollout.watching.poll import Polled, Poller, sources
from pytest_rollout.watching.real_targets import RealPlace
from tests.evidence.runs import plan_of

HEAD = """\
plan: x
environments: {prod: {}}
phases:
  - id: a
    guardrails:
      - id: g
        check: {command: [cat, runs.jsonl], samples: true}
        metric: run_failed
        where: {counts: "yes"}
        take: rate
        over: [{last: 4, need: 4}]
        fail: "> 0.2"
"""
RUN = {"at": "2026-01-12T02:03:00+00:00", "value": 0, "labels": {"counts": "yes"}}


def looks(tmp_path: Path, *texts: str) -> list[Polled]:
    """What each of several looks sees, while the journal says one text after the other."""
    plan = plan_of(HEAD)
    place = RealPlace("x.a", plan.environments["prod"], tmp_path)
    found = []
    with closing(Poller(sources(plan.phases[0]), place, tmp_path, 9_000_000, 0.001)) as poller:
        for text in texts:
            (tmp_path / "runs.jsonl").write_text(text)
            found.append(poller.look())
    return found


def lines(*samples: object) -> str:
    """A journal."""
    return "".join(f"{json.dumps(sample)}\n" for sample in samples)


def test_a_sample_is_seen_once_at_its_own_time(tmp_path: Path) -> None:
    later = {**RUN, "at": "2026-01-12T04:03:00+00:00", "value": 1}
    first, second, third = looks(tmp_path, lines(RUN), lines(RUN, later), lines(RUN, later))
    assert [(one.t_us, one.value, one.seq) for one in first.samples] == [
        (1_768_183_380_000_000, "0", 0)
    ]
    assert dict(first.samples[0].labels) == {"counts": "yes"}
    assert [one.value for one in second.samples] == ["1"]
    assert third.samples == ()


def test_two_of_one_time_are_two_samples(tmp_path: Path) -> None:
    (found,) = looks(tmp_path, lines(RUN, RUN))
    assert [one.seq for one in found.samples] == [0, 1]


def test_nothing_happened_is_no_hole(tmp_path: Path) -> None:
    (found,) = looks(tmp_path, "")
    assert found == Polled((), ())


def test_a_value_that_nobody_knows_is_a_hole(tmp_path: Path) -> None:
    (found,) = looks(tmp_path, lines({**RUN, "value": None}))
    assert [one.value for one in found.samples] == ["NaN"]


@pytest.mark.parametrize(
    ("line", "why"),
    [
        ("7", "it is no object"),
        ('{"at": "2026-01-12T02:03:00", "value": 1}', "its time has no zone"),
        ('{"at": "2026-01-12T02:03:00+00:00"}', "'value'"),
        ('{"at": "2026-01-12T02:03:00+00:00", "value": 1, "labels": {"a": 1}}', "no text"),
    ],
)
def test_a_line_that_is_no_sample_is_said(line: str, why: str) -> None:
    with pytest.raises(RolloutError, match="line 1 of stdout is no sample") as told:
        list(sampled(Said(line)))
    assert why in str(told.value)


def test_samples_without_a_rule_are_refused() -> None:
    text = HEAD.split("    guardrails")[0] + (
        "    criteria:\n      - {id: c, kind: load, check: {command: [cat, a], samples: true}}\n"
    )
    with pytest.raises(AssertionError, match="no rule judges its samples"):
        plan_of(text)
