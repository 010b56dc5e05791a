"""Phase 4, the old pipeline: it stays thirty days, is marked, and goes only then."""

from __future__ import annotations

import ast
from collections.abc import Sequence

import pytest

from pytest_rollout import Observe, Stage
from suites.eros.scenarios.at_noon import observe_later
from suites.eros.scenarios.old_pipeline import Asked, Old, code, judged
from suites.eros.views.contract import demand_answer
from suites.eros.views.said import not_done
from suites.eros.views.service import Service

pytestmark = pytest.mark.cutover


@pytest.mark.criterion("v4-available-30d")
def test_the_kill_switch_gives_a_schedule_of_v4(thirty_days: Old, observe: Observe) -> None:
    for tried in thirty_days.tries:
        wrong = tried.pipeline != "v4" or not tried.items or bool(tried.broken)
        observe("v4_unavailable", wrong, day=str(tried.day), got=tried.pipeline)
    if thirty_days.off is not None:
        observe_later(thirty_days.off, observe, "v4_unavailable")


@pytest.mark.criterion("v4-available-30d")
def test_the_code_of_v4_is_there(phase: Stage) -> None:
    found = code(phase.file("repository"), "python/v4")
    assert found, "python/v4 is not in the repository"
    defined = [node for path in found for node in ast.parse(path.read_text()).body]
    assert defined, "python/v4 holds no code"


@pytest.mark.criterion("v4-marked-deprecated")
def test_each_entry_point_of_v4_is_marked(phase: Stage, observe: Observe) -> None:
    found = code(phase.file("repository"), "python/v4")
    if not found:
        not_done("python/v4 is not in the repository", "see v4-available-30d")
    for path in found:
        for node in ast.parse(path.read_text(encoding="utf-8")).body:
            kinds = ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef
            if isinstance(node, kinds) and not node.name.startswith("_"):
                marked = any("deprecated" in _name(mark) for mark in node.decorator_list)
                observe("entry_point_unmarked", not marked, name=f"{path.stem}.{node.name}")


def _name(decorator: ast.expr) -> str:
    called = decorator.func if isinstance(decorator, ast.Call) else decorator
    return ast.unparse(called)


@pytest.mark.criterion("v4-removal-condition")
def test_removal_is_decided_by_thirty_stable_days(
    phase: Stage, old_removed: Sequence[Asked] | None, observe: Observe
) -> None:
    service = Service(phase.target("eros").client)
    demand_answer("/v4", service.get("/v4"))
    for said, due in judged(service):
        wrong = said.flag("removable") != due
        observe("removal_wrongly_decided", wrong, days=str(said.number("stable_days")))

    for asked in old_removed or ():
        wrong = asked.allowed != asked.due or bool(asked.unsaid)
        observe("removal_wrongly_decided", wrong, day=str(asked.day), since=asked.since)
