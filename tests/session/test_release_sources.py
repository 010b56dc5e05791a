"""A release that no target answers: runs, rehearsals and verbs read it from a variable."""

from __future__ import annotations

from http.server import BaseHTTPRequestHandler

import pytest

from tests.session.project import PLAN, Project
from tests.targets.test_identity import answering, saying

SHA = "0123456789abcdef"


@pytest.fixture
def named(project: Project) -> Project:
    """A project whose release is a variable."""
    top = "release: {variable: SHOP_SHA}\nenvironments: {prod: {}}\n"
    project.plan(PLAN.replace("phases:", f"{top}phases:"))
    return project


def test_a_variable_names_the_release(
    named: Project, monkeypatch: pytest.MonkeyPatch, how: list[str]
) -> None:
    monkeypatch.setenv("SHOP_SHA", SHA)
    result = named.run("-m", "canary", "--rollout-env", "prod", *how)
    result.stdout.fnmatch_lines([f"*demo runs {SHA}*"])
    assert result.ret == 0
    assert named.decision("entry", environment="prod")["release"] == SHA
    assert named.rollout("clear", "demo.canary", "--env", "prod").ret == 0
    monkeypatch.setenv("SHOP_SHA", "another")
    other = named.rollout("clear", "demo.canary", "--env", "prod")
    assert other.ret == 11
    other.stdout.fnmatch_lines(["*another*"])


def test_a_variable_that_is_unset_holds(named: Project, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("SHOP_SHA", raising=False)
    assert named.run("-m", "canary", "--rollout-env", "prod").ret == 11
    said = " ".join(named.reasons("entry", environment="prod"))
    assert "the environment variable SHOP_SHA is not set" in said


def test_a_rehearsal_has_a_release_without_it(
    named: Project, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("SHOP_SHA", raising=False)
    assert named.run("-m", "canary").ret == 0
    assert named.decision()["release"] == "embedded"
    monkeypatch.setenv("SHOP_SHA", SHA)
    assert named.run("-m", "canary").ret == 0
    assert named.decision()["release"] == SHA


def test_a_rehearsal_that_touches_no_target_names_the_fix(project: Project) -> None:
    top = "release: {target: web, path: /version}\n"
    served = "environments: {embedded: {targets: {web: {serve: 'shop:app'}}}}\n"
    project.plan(PLAN.replace("phases:", f"{top}{served}phases:"))
    assert project.run("-m", "canary").ret == 11
    said = " ".join(project.reasons())
    assert 'let one use phase.target("web")' in said


SWITCHING = """\
import pytest
from pytest_rollout import scenario

pytestmark = pytest.mark.canary


@scenario()
def switched(phase):
    web = phase.target("web").client
    web.get("/become/2.0")
    return web


@pytest.mark.criterion("ready")
def test_ready(switched):
    switched.get("/become/1.0")
"""


def test_a_release_that_was_there_only_for_a_scenario_is_noticed(
    project: Project, how: list[str]
) -> None:
    running = ["1.0"]

    def respond(handler: BaseHTTPRequestHandler) -> None:
        if handler.path.startswith("/become/"):
            running[0] = handler.path.removeprefix("/become/")
        saying(f'{{"version": "{running[0]}"}}')(handler)

    with answering(respond) as url:
        top = "release: {target: web, path: /version, json: version}\n"
        project.plan(
            PLAN.replace(
                "phases:", f"{top}environments: {{prod: {{targets: {{web: '{url}'}}}}}}\nphases:"
            )
        )
        project.tests(SWITCHING)
        assert project.run("-m", "canary", "--rollout-env", "prod", *how).ret == 11
        said = " ".join(project.reasons("entry", environment="prod"))
        assert "more than one release was judged: 1.0, 2.0" in said
        project.change("/become/2.0", "/become/1.0")
        assert project.run("-m", "canary", "--rollout-env", "prod", *how).ret == 0
