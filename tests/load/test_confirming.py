"""`rollout load --confirm`: a suspicious night has the runs that its plan declares, and no more."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import pytest

from pytest_rollout.cli import load
from pytest_rollout.cli.load import PhaseRan
from pytest_rollout.cli.project import Project
from pytest_rollout.load.phase_child import Asked
from tests.judge.nights import PLAN, decision, night, pinned

ASKED = Asked(PLAN, PLAN.phases[0], "prod", Path(), "")


def ran(
    values: Sequence[int],
    monkeypatch: pytest.MonkeyPatch,
    *,
    confirm: bool = True,
    trouble: str = "",
) -> tuple[int, str]:
    """How many runs a night has whose runs take some values, and its answer."""
    made: list[PhaseRan] = []

    def run(*_: object, **__: object) -> PhaseRan:
        many = values[: len(made) + 1]
        runs = [night(0, value, f"r{n}", minutes=n) for n, value in enumerate(many)]
        made.append(PhaseRan("p.one", (decision(runs, pinned()),), trouble))
        return made[-1]

    monkeypatch.setattr(load, "_run", run)
    project = Project(Path(), (), "", Path())
    last = load._run_all(ASKED, project, confirm=confirm, quiet=True)
    assert last.decisions is made[-1].decisions
    return len(made), last.answer.value


@pytest.mark.parametrize(
    ("values", "runs", "answer"),
    [
        ((100, 500), 1, "GO"),
        ((112, 95), 2, "GO"),
        ((150, 150, 100), 2, "NO-GO"),
        ((150, 100, 100), 2, "HOLD"),
    ],
)
def test_one_more_run_is_made_where_the_night_asks_for_it(
    values: tuple[int, ...], runs: int, answer: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    many, said = ran(values, monkeypatch)
    assert (many, said.removesuffix(" with conditions")) == (runs, answer)


def test_none_is_made_where_nobody_asked_or_the_run_had_trouble(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    assert ran((112, 100), monkeypatch, confirm=False) == (1, "HOLD")
    assert ran((112, 100), monkeypatch, trouble="it broke") == (1, "HOLD")
