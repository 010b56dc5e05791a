"""Mutants rehearsed by real children: what each comes to, and that the user's tree stays."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import pytest

from pytest_rollout.model.mutants import MutantOutcome
from pytest_rollout.model.mutation import MutantResult, Weight
from pytest_rollout.model.plan import Gate
from pytest_rollout.model.verdict import Answer, Verdict
from pytest_rollout.mutants.bench import MutationSetup
from pytest_rollout.mutants.conduct import Conducted, conduct
from pytest_rollout.mutants.run_through import NotThePlantedError
from tests.mutants.site import Site

pytestmark = pytest.mark.slow

_MOST_S = 25.0
_CHANGES = {
    "hard": ("small/brewing.py", '"sweet"', '"sour"'),
    "soft": ("small/brewing.py", "7", "8"),
    "optional": ("small/brewing.py", '"brown"', '"black"'),
    "survived": ("small/brewing.py", '"faint"', '"strong"'),
    "equivalent": ("small/brewing.py", "taste():", "taste( ):"),
    "not run through": ("small/brewing.py", '"nothing"', '"anything"'),
    "error": ("small/brewing.py", "def smell", "def odour"),
    "data": ("small/settings.json", "10", "11"),
    "data that nobody reads": ("small/unread.json", "reads", "read"),
    "a program's": ("small/counting.py", "+", "-"),
    "hung": ("small/app.py", "sleep(0)", "sleep(90)"),
    "broken": ("small/app.py", "import time", "import times"),
}


@dataclass(frozen=True)
class Drilled:
    """What a drill with each kind of change came to."""

    conducted: Conducted
    by: Mapping[str, MutantResult]
    before: Mapping[str, str]
    after: Mapping[str, str]


@pytest.fixture(scope="module")
def drilled(tmp_path_factory: pytest.TempPathFactory) -> Drilled:
    site = Site.at(tmp_path_factory.mktemp("site"))
    chosen = {name: site.mutant(*change) for name, change in _CHANGES.items()}
    folder = tmp_path_factory.mktemp("workshop")
    setup = MutationSetup(site.plan, site.plan.phases, site.root, folder, 2, _MOST_S)
    equivalent = {chosen["equivalent"].id: "a space"}
    before = site.digests()
    found = conduct(setup, tuple(chosen.values()), equivalent, lambda _: None)
    ids = {mutant.id: name for name, mutant in chosen.items()}
    by = {ids[result.mutant.id]: result for result in found.results}
    return Drilled(found, by, before, site.digests())


def test_each_mutant_came_to_what_noticed_it(drilled: Drilled) -> None:
    assert {name: one.outcome for name, one in drilled.by.items()} == {
        "hard": MutantOutcome.HARD,
        "soft": MutantOutcome.SOFT,
        "optional": MutantOutcome.OPTIONAL,
        "survived": MutantOutcome.SURVIVED,
        "equivalent": MutantOutcome.EQUIVALENT,
        "not run through": MutantOutcome.NOT_RUN_THROUGH,
        "error": MutantOutcome.HARD,
        "data": MutantOutcome.HARD,
        "data that nobody reads": MutantOutcome.NOT_RUN_THROUGH,
        "a program's": MutantOutcome.HARD,
        "hung": MutantOutcome.HUNG,
        "broken": MutantOutcome.BROKEN,
    }


def test_what_noticed_is_named_with_its_gate_and_reason(drilled: Drilled) -> None:
    (trial,) = drilled.by["hard"].trials
    (notice,) = trial.notices
    assert (trial.phase, notice.id, notice.gate) == ("canary", "sweet", Gate.EXIT)
    assert (notice.weight, notice.verdict) == (Weight.HARD, Verdict.FAIL)
    assert "sour" in notice.because
    assert trial.answers == {Gate.ENTRY: Answer.GO, Gate.EXIT: Answer.NO_GO}
    (soft,) = drilled.by["soft"].trials[0].notices
    assert (soft.id, soft.weight) == ("loud", Weight.SOFT)


def test_an_error_is_told_from_a_failure(drilled: Drilled) -> None:
    assert drilled.by["error"].as_error
    assert not drilled.by["hard"].as_error


def test_only_phases_that_run_through_a_line_are_rehearsed(drilled: Drilled) -> None:
    assert [trial.phase for trial in drilled.by["survived"].trials] == ["canary"]
    assert [trial.phase for trial in drilled.by["a program's"].trials] == ["later"]
    assert [trial.phase for trial in drilled.by["data"].trials] == ["canary"]
    assert drilled.by["not run through"].trials == ()


def test_the_criteria_that_a_line_is_run_for_are_those_of_its_scenario(drilled: Drilled) -> None:
    (trial,) = drilled.by["survived"].trials
    assert set(trial.ran_through) == {"sweet", "loud", "brown", "limited"}  # and not `ready`
    (counts,) = drilled.by["a program's"].trials
    assert set(counts.ran_through) == {"counts"}


def test_why_a_mutant_did_not_start_is_said(drilled: Drilled) -> None:
    assert "times" in drilled.by["broken"].because
    assert "25 s" in drilled.by["hung"].because


def test_the_healthy_phases_are_told(drilled: Drilled) -> None:
    canary, later = drilled.conducted.phases
    assert canary.answers == {Gate.ENTRY: Answer.GO, Gate.EXIT: Answer.GO}
    assert later.answers[Gate.EXIT] is Answer.GO
    assert canary.stated[Gate.ENTRY] == ("ready",)
    assert canary.release == "v7"


def test_nothing_in_the_users_tree_is_touched(drilled: Drilled) -> None:
    assert drilled.after == drilled.before


def test_a_module_of_the_users_own_tree_stops_the_drill(tmp_path: Path) -> None:
    site = Site.at(tmp_path / "site")
    path = f"import sys\nsys.path.insert(0, {str(site.root)!r})\n"
    site.change("small/app.py", "from small import brewing", "from inner import brewing")
    site.change("small/app.py", "import json", f"{path}import json")
    (site.root / "inner").mkdir()
    (site.root / "inner/brewing.py").write_text((site.root / "small/brewing.py").read_text())
    mutant = site.mutant("inner/brewing.py", '"sweet"', '"sour"')
    setup = MutationSetup(site.plan, site.plan.phases[:1], site.root, tmp_path / "shop", 1)
    (tmp_path / "shop").mkdir()
    with pytest.raises(NotThePlantedError, match=r"^inner/brewing\.py$"):
        conduct(setup, [mutant], {}, lambda _: None)
