"""Guardrails that ask, rollbacks, and where people are told: what a plan may state."""

from __future__ import annotations

from pathlib import Path

import pytest

from pytest_rollout.model.channel import ChannelMeans
from pytest_rollout.model.check import CheckMeans, Effect
from pytest_rollout.model.plan import Plan
from pytest_rollout.model.rollback import Mode
from pytest_rollout.plan.load import Loaded, parse

HEAD = """\
plan: x
environments:
  prod: {targets: {web: "http://web", db: {file: a.db}}, allow: [change]}
phases:
  - id: day0
  - id: a
"""


def loaded(phase: str, head: str = HEAD) -> Loaded:
    """A plan whose phase `a` continues with some lines."""
    text = head + "".join(f"    {line}\n" for line in phase.splitlines())
    return parse(text, Path("suites/x/rollout.yaml"), "rollout.yaml")


def plan_of(phase: str, head: str = HEAD) -> Plan:
    """The same, without problems."""
    found = loaded(phase, head)
    assert found.plan is not None
    assert not found.problems, [str(one) for one in found.problems]
    return found.plan


def test_a_guardrail_asks_for_its_own_series() -> None:
    check = "{http: /lag, on: web, json: lag}"
    plan = plan_of(f'every: 5s\nguardrails:\n  - {{id: lag, check: {check}, fail: "> 3"}}')
    phase = plan.phases[1]
    (rail,) = phase.guardrails
    assert rail.check is not None
    assert (rail.check.text, rail.rules[0].metric) == ("/lag", "lag")
    assert phase.every_us == 5_000_000
    assert plan.phases[0].every_us == 15_000_000


def test_a_rollback_says_what_it_does_and_how_to_see_that_it_is_done() -> None:
    plan = plan_of(
        "rollback:\n"
        "  mode: auto\n"
        "  steps:\n"
        "    - {says: stop, http: POST /stop, on: web, check: {http: /s, on: web}}\n"
        "    - somebody calls the customer\n"
        "on_rollback: {revalidate: [day0, a/entry]}"
    )
    rollback = plan.phases[1].rollback
    assert rollback.mode is Mode.AUTO
    assert rollback.revalidate == ("day0/exit", "a/entry")
    stop, call = rollback.steps
    assert stop.action is not None
    assert stop.check is not None
    assert (stop.action.means, stop.action.method, stop.action.text) == (
        CheckMeans.HTTP,
        "POST",
        "/stop",
    )
    assert stop.action.effect is Effect.CHANGE
    assert (call.says, call.action) == ("somebody calls the customer", None)
    assert plan.phases[0].rollback.mode is Mode.ASK


def test_channels_are_told_by_addresses_that_variables_hold() -> None:
    mail = "{email: [ops@x.org], from: r@x.org, smtp: '${SMTP}'}"
    head = HEAD.replace("phases:", f"notify: [{{slack: '${{HOOK}}'}}, {mail}]\nphases:")
    slack, email = plan_of("title: t", head).channels
    assert (slack.means, slack.address) == (ChannelMeans.SLACK, "${HOOK}")
    assert (email.means, email.to, email.sender) == (ChannelMeans.EMAIL, ("ops@x.org",), "r@x.org")


@pytest.mark.parametrize(
    ("phase", "line", "what"),
    [
        ("rollback:\n  mode: auto\n  steps: [{says: s, http: POST /, on: web}]", 9, "no `check`"),
        ("rollback: {mode: auto}", 7, "no `steps`"),
        ("rollback: [{says: s, http: /, on: nowhere}]", 7, "no target `nowhere`"),
        ("rollback: [{says: s, sql: q, on: db, command: [c]}]", 7, "`command` and `sql`"),
        ("rollback: [{says: s, command: rm -rf x}]", 7, "list of words"),
        ("rollback: [{http: POST /, on: web}]", 7, "no `says`"),
        ("rollback: [{says: '', http: POST /, on: web}]", 7, "no `says`"),
        ("rollback: [{says: s, on: web}]", 7, "unknown key `on`"),
        ("rollback: [{says: s, comand: [c]}]", 7, "did you mean `command`?"),
        ("rollback: [{says: s, http: POST /, on: web, fixtures: f}]", 7, "set up by pytest only"),
        ("rollback: [{says: s, http: GET /, on: web, json: a}]", 7, "no rule judges a number"),
        ("rollback: [{says: s, sql: q, on: db, expect: {value: 1}}]", 7, "no value to expect"),
        ("rollback: [{says: s, check: {sql: q, on: db}}]", 7, "which answer is good"),
        ("on_rollback: {revalidate: [day9]}", 7, "unknown phase `day9`"),
        ("on_rollback: {revalidate: [a]}", 7, "the exit of a"),
        ("on_rollback: {}", 7, "revalidates nothing"),
        ("every: 10ms", 7, "shorter than a second"),
        (
            'guardrails: [{id: g, check: {http: /, on: web, effect: change}, fail: "> 1"}]',
            7,
            "effect change",
        ),
        ('guardrails: [{id: g, check: {http: /, on: web, fixtures: f}, fail: "> 1"}]', 7, "pytest"),
        ("guardrails: [{id: g, check: {sql: q, on: db}}]", 7, "which answer is good"),
    ],
)
def test_offences(phase: str, line: int, what: str) -> None:
    problems = [str(one) for one in loaded(phase).problems]
    assert any(f":{line}: " in one and what in one for one in problems), problems


@pytest.mark.parametrize(
    ("channel", "what"),
    [
        ("{slack: 'https://hooks.example/T1'}", "a secret, not written out"),
        ("{email: [a@b], smtp: '${S}'}", "`from`"),
        ("{email: [a@b], from: c@d}", "a secret, not written out"),
        ("{slack: '${A}', webhook: '${B}'}", "one of"),
        ("{slak: '${A}'}", "unknown key `slak`"),
    ],
)
def test_offences_of_channels(channel: str, what: str) -> None:
    found = loaded("title: t", HEAD.replace("phases:", f"notify: [{channel}]\nphases:"))
    assert any(":4: " in str(one) and what in str(one) for one in found.problems), found.problems
