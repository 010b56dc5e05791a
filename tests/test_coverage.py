"""The simulation of the judge's bounds, in small, and the page that it writes in full."""

from __future__ import annotations

import random
import re
from pathlib import Path

import pytest

from benchmarks.coverage import __main__ as command
from benchmarks.coverage import head_to_head, rule, verdict
from benchmarks.coverage.__main__ import lines, main
from benchmarks.coverage.line import Claim, Line, Result, Trial, run
from benchmarks.coverage.page import page, peer_cells
from benchmarks.coverage.picture import picture
from benchmarks.coverage.published import PUBLISHED
from benchmarks.coverage.sooner import dropped, exactly
from benchmarks.coverage.watched import fewest_bad, first_trip, moving, since, tripping
from pytest_rollout.judge import kernels
from pytest_rollout.judge.tally import Terms
from pytest_rollout.model.rule import Scope, ScopeKind
from pytest_rollout.model.verdict import Verdict

PAGE = Path(__file__).parents[1] / "docs/explanation/coverage.md"
LINES = {line.name: line for line in lines()}

RUN = Scope(ScopeKind.RUN, 1)


@pytest.mark.slow
def test_no_claim_is_broken_and_every_published_figure_is_met(
    capsys: pytest.CaptureFixture[str],
) -> None:
    assert main(["--quick"]) == 0
    shown = capsys.readouterr().out
    assert "claims that do not hold: none\n" in shown
    assert "published figures that are not met: none\n" in shown
    for name in (*LINES, *PUBLISHED, head_to_head.OURS, "over the last 50", "since the begin"):
        assert name in shown


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
    stated = rule('take: rate, pass: ">= 0.95", confidence: 95%')
    for bad in range(12):
        fails = kernels.binomial_cdf(100 - bad, 100, 0.95) <= 0.05
        said = verdict(stated, 100 - bad, bad, Terms("UTC", 0.05), RUN)
        assert (said is Verdict.FAIL) == fails


def test_a_guardrail_since_the_begin_finds_what_is_worse() -> None:
    fewest = fewest_bad(tripping(since(0.95)), 500)
    assert exactly(fewest, 0.95).share <= 0.05
    assert exactly(fewest, 0.92).share >= 0.6
    much_worse = exactly(fewest, 0.9)
    assert much_worse.share >= 0.95
    assert much_worse.after is not None
    assert much_worse.after <= 190


def test_a_guardrail_over_the_last_samples_finds_a_drop() -> None:
    fewest = fewest_bad(tripping(moving(0.95, 50, 500)), 50)
    chance = random.Random(3)
    assert dropped(chance, fewest, (0.95, 0.95), (500, 50), 2000).share <= 0.05
    assert dropped(chance, fewest, (0.95, 0.88), (500, 50), 2000).share >= 0.78
    much_worse = dropped(chance, fewest, (0.95, 0.6), (500, 50), 300)
    assert much_worse.share == 1
    assert much_worse.after is not None
    assert 9 <= much_worse.after <= 30


def test_the_first_trip_is_at_a_look_that_counts() -> None:
    chance = random.Random(1)
    bad, good = [0.0] * 10, [1.0] * 10
    fewest = [1, 1, 1, 2]
    assert first_trip(chance, [1, *range(1, 11)], bad) == 1
    assert first_trip(chance, fewest, bad, 3) == 1
    assert first_trip(chance, fewest, bad, 3, need=3) == 3
    assert first_trip(chance, fewest, bad, 3, need=3, after=5) == 6
    assert first_trip(chance, fewest, [*bad, *good], 3, need=3, after=11) is None
    assert first_trip(chance, fewest, [*good, *bad], 3, need=3) == 12


def test_the_chance_of_a_trip_is_counted_out() -> None:
    fewest = [1, 1, 3, 2]  # of 1 sample one bad, of 2 none, of 3 two
    counted = exactly(fewest, 0.8)
    later = 0.8 * 0.2 * 0.2  # good, bad, bad; after a bad first it has tripped
    assert counted.share == pytest.approx(0.2 + later)
    assert counted.after == pytest.approx((0.2 * 1 + later * 3) / (0.2 + later))


def test_the_same_seed_gives_the_same_figures() -> None:
    line = LINES["share, Clopper-Pearson: 59 samples, 0.95 good"]
    assert run(line, 400, 5) == run(line, 400, 5)
    assert len({run(line, 400, seed).wrong for seed in range(5)}) > 1


def cells_of(text: str, section: str) -> list[list[str]]:
    """Return the cells of the table under a heading of the page."""
    part = re.split(r"^#+ ", text, flags=re.MULTILINE)
    under = next(one for one in part if one.startswith(section))
    rows = [row for row in under.splitlines() if row.startswith("| ")]
    return [[cell.strip() for cell in row.strip("|").split("|")] for row in rows[2:]]


def test_the_page_is_what_the_command_writes_in_full() -> None:
    text = PAGE.read_text(encoding="utf-8")
    rows = cells_of(text, "Do the judge's bounds hold")
    assert [f"{row[0]}: {row[1]}" for row in rows] == list(LINES)
    assert [row[6] for row in rows] == [line.finds for line in LINES.values()]
    assert f"seed {command.SEED}" in text
    results = [Result(line, 0, 0, command.ROLLOUTS) for line in lines()]
    prose = page(results, [], [], head_to_head.RUNS, command.SEED)
    without = [[row for row in one.splitlines() if row[:1] != "|"] for one in (text, prose)]
    assert without[0] == without[1]


def test_the_page_meets_what_was_asked_of_guardrails() -> None:
    text = PAGE.read_text(encoding="utf-8")
    rows = {(row[0], row[1]): row for row in cells_of(text, "How soon a guardrail")}
    begun = rows["since the begin", "500 samples, 0.95 asked"]
    assert float(begun[2]) <= 0.05
    for truth, least, latest in (("0.92", 0.6, 500.0), ("0.9", 0.95, 190.0)):
        cell = next(cell for cell in begun if cell.startswith(f"{truth}: "))
        share, after = re.findall(r": ([\d.]+) after (\d+)", cell)[0]
        assert float(share) >= least
        assert float(after) <= latest
    last = rows["over the last 50", "500 samples, 0.95 asked"]
    assert float(last[2]) <= 0.05
    assert float(next(c for c in last if c.startswith("0.88: ")).split()[1]) >= 0.8


def test_the_page_has_every_published_figure_within_a_hundredth() -> None:
    rows = cells_of(PAGE.read_text(encoding="utf-8"), "Next to what others")
    assert [row[0].strip("*") for row in rows] == [head_to_head.OURS, *PUBLISHED]
    assert [row[-1] for row in rows] == ["", *["yes"] * len(PUBLISHED)]
    for row in rows[1:]:
        for cell in row[1:-1]:
            here, there = re.findall(r"([\d.]+) \(([\d.]+)\)", cell)[0]
            assert abs(float(here) - float(there)) <= 0.011


def test_a_line_that_breaks_its_claim_is_said_and_ends_with_1(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def coin(chance: random.Random) -> Trial:
        return Trial(chance.random() < 0.5, right=False)

    wrong = Line("bound", "of a coin", 0.05, "heads", coin)
    right = Line("bound", "of nothing", 0.05, "all", lambda chance: Trial(wrong=False, right=True))
    monkeypatch.setattr(command, "lines", lambda: [wrong, right])
    assert main(["--rollouts", "200", "--only", "bound"]) == 1
    assert "claims that do not hold: bound: of a coin\n" in capsys.readouterr().out
    assert main(["--rollouts", "200", "--only", "nothing"]) == 0
    results = [run(line, 200, 1) for line in (wrong, right)]
    text = page(results, [], [], 1, 1)
    assert "**does not hold** | heads | 0.00 |\n" in text
    assert "holds | all | 1.00 |\n" in text
    assert picture(results).count("#c0392b") == 2  # its line and its dot


@pytest.mark.slow
def test_a_published_figure_that_is_not_met_is_said_and_ends_with_1(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setitem(PUBLISHED, "YEAST", (0.05, 0.44, 0.3, 1.0, 0.39))
    monkeypatch.setattr(command, "lines", lambda: list(LINES.values())[:1])
    assert main(["--quick"]) == 1
    assert "published figures that are not met: YEAST\n" in capsys.readouterr().out
    outcome = head_to_head.Outcome("YEAST", (0.05, 0.44, 0.92, 1.0), 0.39)
    assert peer_cells(outcome)[-1] == "**no**"


def test_claims_are_of_what_the_product_uses() -> None:
    held = [name for name, line in LINES.items() if line.claim is Claim.HOLDS]
    assert any("e-value" in name for name in held)
    assert any("blocks" in name for name in held)
    assert not any("plain threshold" in name for name in held)


@pytest.mark.parametrize(
    "arguments",
    [["--rollouts", "0"], ["--runs", "0"], ["--only", "x", "--write"], ["--quick", "--write"]],
)
def test_a_wrong_use_of_the_command(arguments: list[str]) -> None:
    with pytest.raises(SystemExit, match="2"):
        main(arguments)
