"""The simulation of the judge's bounds, in small, and the page that it writes in full."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from pytest_rollout.judge.assess import Terms

from benchmarks import coverage
from benchmarks.coverage import Claim, Line, lines, main, page, picture, run
from pytest_rollout.judge import kernels
from pytest_rollout.model.rule import ScopeKind
from pytest_rollout.model.verdict import Verdict

PAGE = Path(__file__).parents[1] / "docs" / "coverage.md"
LINES = {line.name: line for line in lines()}
DEAR = ("60 and 60", "log-normal", "40 scores", "200 times", "in fives", "5 to 50")


def rollouts(line: Line) -> int:
    return 60 if any(word in line.name for word in DEAR) else 300


@pytest.mark.parametrize("name", [name for name, one in LINES.items() if one.claim is Claim.HOLDS])
def test_a_bound_is_not_wrong_more_often_than_it_may_be(name: str) -> None:
    result = run(LINES[name], rollouts(LINES[name]), seed=1)
    assert result.holds, result.bounds


@pytest.mark.parametrize(
    "name",
    [
        "exact bound at every look: 500 samples, 0.95 asked, 0.95 good",
        "plain threshold since the begin: 500 samples, 0.95 asked, 0.95 good",
        "plain threshold over the last 20: 500 samples, 0.95 asked, 0.98 good",
        "looks that do not: 10 looks at 100 new samples, 0.9 asked, 0.8999 good",
    ],
)
def test_what_is_not_used_is_wrong_more_often(name: str) -> None:
    assert not run(LINES[name], 300, seed=1).holds


def test_an_exact_bound_at_a_look_is_the_interval_of_the_judge() -> None:
    stated = coverage.rule('take: rate, pass: ">= 0.95", confidence: 95%')
    for bad in range(12):
        fails = kernels.binomial_cdf(100 - bad, 100, 0.95) <= 0.05
        found = coverage.verdict(stated, 100 - bad, bad, Terms("UTC", 0.05), ScopeKind.RUN)
        assert (found is Verdict.FAIL) == fails


def test_the_same_seed_gives_the_same_figures() -> None:
    line = LINES["share, Clopper-Pearson: 59 samples, 0.95 good"]
    assert run(line, 400, 5).wrong == run(line, 400, 5).wrong
    assert len({run(line, 400, seed).wrong for seed in range(5)}) > 1


def test_the_page_holds_every_line_at_ten_thousand_rollouts() -> None:
    text = PAGE.read_text(encoding="utf-8")
    rows = re.findall(r"^\| ([^|]+) \| ([^|]+) \| [\d.]+ \|", text, re.MULTILINE)
    assert [f"{method}: {service}" for method, service in rows] == list(LINES)
    assert f"seed {coverage.SEED}" in text
    results = [coverage.Result(line, 0, coverage.ROLLOUTS) for line in lines()]
    prose = page(results, coverage.SEED)
    without = [[row for row in one.splitlines() if row[:1] != "|"] for one in (text, prose)]
    assert without[0] == without[1]


def test_a_line_that_breaks_its_claim_is_said_and_ends_with_1(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    wrong = Line("bound", "of a coin", 0.05, lambda chance: chance.random() < 0.5)
    right = Line("bound", "of nothing", 0.05, lambda chance: False)
    monkeypatch.setattr(coverage, "lines", lambda: [wrong, right])
    assert main(["--rollouts", "200"]) == 1
    assert "claims that do not hold: bound: of a coin\n" in capsys.readouterr().out
    assert main(["--rollouts", "200", "--only", "nothing"]) == 0
    results = [run(line, 200, 1) for line in (wrong, right)]
    assert "**does not hold** |\n" in page(results, 1)
    assert picture(results).count("#c0392b") == 2  # its line and its dot


@pytest.mark.parametrize("arguments", [["--rollouts", "0"], ["--only", "x", "--write"]])
def test_a_wrong_use_of_the_command(arguments: list[str]) -> None:
    with pytest.raises(SystemExit, match="2"):
        main(arguments)
