"""Short names of phases and criteria: taken where one thing alone can be meant."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import click
import pytest
from click.testing import CliRunner

from pytest_rollout.cli import rollout
from pytest_rollout.cli.names import CRITERION, PHASE
from pytest_rollout.cli.project import READ, Project
from pytest_rollout.model.errors import RolloutError
from pytest_rollout.plan.load import Loaded, load

PLAN = """\
plan: web
timezone: UTC
no_release: a test
environments: {{embedded: {{}}}}
phases:
  - id: canary
    title: One in ten
    marks: [canary, early]
    criteria:
      - {{id: ready, gate: entry, kind: demo, says: It answers}}
      - {{id: errors, kind: demo, says: Few errors}}
    guardrails: [{{id: deep, says: Deep, metric: depth, take: max, fail: "> 3"}}]
  - id: {second}
    criteria:
      - {{id: ready, gate: entry, kind: demo, says: It answers}}
      - {{id: done, kind: demo, says: It is done}}
"""


@pytest.fixture(autouse=True)
def project(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "rollout.yaml").write_text(PLAN.format(second="full"), encoding="utf-8")
    (tmp_path / "pytest.ini").write_text("[pytest]\n", encoding="utf-8")
    monkeypatch.chdir(tmp_path)


@pytest.mark.parametrize(
    ("given", "full"),
    [
        ("canary", "web.canary"),
        ("early", "web.canary"),
        ("canary/exit", "web.canary/exit"),
        ("web.canary/entry", "web.canary/entry"),
        ("other.phase", "other.phase"),
    ],
)
def test_a_phase_is_known_by_its_id_or_a_mark(given: str, full: str) -> None:
    assert PHASE.convert(given, None, None) == full


@pytest.mark.parametrize(
    ("given", "full"),
    [
        ("errors", "web.canary.errors"),
        ("deep", "web.canary.deep"),
        ("full.ready", "web.full.ready"),
        ("web.deep", "web.canary.deep"),
        ("web.full.ready", "web.full.ready"),
    ],
)
def test_a_criterion_is_known_by_its_slug(given: str, full: str) -> None:
    assert CRITERION.convert(given, None, None) == full


def test_a_slug_of_two_phases_is_refused_with_both() -> None:
    with pytest.raises(RolloutError, match=r"web\.canary\.ready or web\.full\.ready"):
        CRITERION.convert("ready", None, None)


@pytest.mark.parametrize("text", ["web.canary", "canary", "early"])
def test_a_phase_is_no_criterion_and_its_criteria_are_named(text: str) -> None:
    says = r"web\.canary is a phase; name one thing in it: web\.canary\.ready"
    with pytest.raises(RolloutError, match=says):
        CRITERION.convert(text, None, None)


def test_of_many_names_none_is_listed_that_is_not_like_it(tmp_path: Path) -> None:
    more = "".join(
        f"\n      - {{id: c{number:02}, kind: demo, says: It is}}" for number in range(20)
    )
    (tmp_path / "rollout.yaml").write_text(PLAN.format(second="full") + more, encoding="utf-8")
    with pytest.raises(
        RolloutError, match=r"nothing is called 'xyz' \(`rollout check --json` lists"
    ):
        CRITERION.convert("xyz", None, None)


def test_a_misspelt_criterion_behind_its_plan_gets_a_suggestion() -> None:
    with pytest.raises(RolloutError, match=r"did you mean `web\.errors`"):
        CRITERION.convert("web.erors", None, None)


def test_what_is_misspelt_is_said_with_what_is_meant() -> None:
    with pytest.raises(RolloutError, match="did you mean `canary`"):
        PHASE.convert("canray", None, None)


def test_completion_offers_full_names_with_their_titles() -> None:
    context = click.Context(click.Command("x"))
    argument = click.Argument(["address"])
    items = PHASE.shell_complete(context, argument, "web.c")
    assert [(one.value, one.help) for one in items] == [("web.canary", "One in ten")]
    inside = CRITERION.shell_complete(context, argument, "err")
    assert [one.value for one in inside] == ["web.canary.errors"]


def test_a_project_without_a_readable_plan_leaves_names_alone(tmp_path: Path) -> None:
    (tmp_path / "rollout.yaml").write_text("plan: [", encoding="utf-8")
    assert PHASE.convert("canary", None, None) == "canary"


def test_a_verb_with_a_name_reads_each_plan_once(monkeypatch: pytest.MonkeyPatch) -> None:
    reads: list[Path] = []

    def read(path: Path, shown: str) -> Loaded:
        reads.append(path)
        return load(path, shown)

    monkeypatch.setattr("pytest_rollout.plan.find.load", read)
    CliRunner().invoke(rollout, ["explain", "errors"])
    assert [path.name for path in reads] == ["rollout.yaml"]


def test_plans_of_another_root_are_not_taken_for_those_of_the_verb(tmp_path: Path) -> None:
    own = Project.here(str(tmp_path), None)
    other = replace(own, root=tmp_path / "elsewhere")
    with click.Context(click.Command("explain")) as context:
        context.meta[READ] = other
        assert [one.id for one in own.found] == ["web"]
        context.meta[READ] = own
        assert replace(own).found == own.found
