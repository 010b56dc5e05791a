"""Channels that are told of decisions: once, when the answer of a gate is another one."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

import pytest

from tests.checks.server import Handler, saying, serving
from tests.session.project import Project
from tests.session.test_next_gate import HALF, PLAN, RUN
from tests.targets.test_identity import answering
from tests.targets.test_identity import saying as says

NOTIFY = 'notify:\n  - {webhook: "${HOOK}", about: [ABOUT]}\n'


class Hook:
    """A webhook that keeps what it is told."""

    def __init__(self) -> None:
        self.told: list[Any] = []

    def __call__(self, handler: Handler) -> None:
        self.told.append(json.loads(handler.rfile.read(int(handler.headers["content-length"]))))
        saying(b"")(handler)


@pytest.fixture
def hook(monkeypatch: pytest.MonkeyPatch) -> Iterator[Hook]:
    heard = Hook()
    with serving(heard) as client:
        monkeypatch.setenv("HOOK", str(client.base_url))
        yield heard


@pytest.fixture
def prod(project: Project) -> Iterator[Project]:
    """A project whose entry gate in prod tells of decisions."""
    with answering(says('{"version": "v1"}')) as url:
        project.plan(PLAN.replace("URL", url) + NOTIFY.replace("ABOUT", "decisions"))
        project.tests(HALF)
        yield project


def test_people_hear_of_a_first_answer_and_of_one_that_changed(prod: Project, hook: Hook) -> None:
    assert "webhook: told" in prod.run(*RUN).stdout.str()
    prod.run(*RUN)  # GO again: no news
    prod.change("def test_ready():\n    pass", "def test_ready():\n    assert False")
    prod.run(*RUN)
    first, second = hook.told
    assert first["title"] == "GO: demo.canary/entry in prod"
    assert first["text"] == "demo.canary/entry: GO (decided for the first time, release v1)"
    assert second["title"] == "NO-GO: demo.canary/entry in prod"
    assert "NO-GO (was GO, release v1): demo.canary.ready: " in second["text"]
    assert second["facts"]["before"] == {"demo.canary/entry": "GO"}


def test_a_partial_run_and_a_rehearsal_tell_nobody(project: Project, hook: Hook) -> None:
    with answering(says('{"version": "v1"}')) as url:
        text = PLAN.replace("URL", url) + NOTIFY.replace("ABOUT", "decisions")
        project.plan(text.replace("environments:\n", "environments:\n  embedded: {targets: {}}\n"))
        project.tests(HALF)
        project.run(*RUN, "-k", "works")
        project.run("-m", "canary")
    assert hook.told == []


def test_a_channel_of_trips_alone_hears_of_no_decision(prod: Project, hook: Hook) -> None:
    plan = (prod.root / "suites/demo/rollout.yaml").read_text()
    prod.plan(plan.replace("decisions", "trips"))
    prod.run(*RUN)
    assert hook.told == []


def test_a_channel_that_fails_changes_no_decision(
    prod: Project, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("HOOK", "nothing")
    result = prod.run(*RUN)
    assert result.ret == 0
    assert "webhook: failed: " in result.stdout.str()
