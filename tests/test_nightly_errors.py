"""The nightly rule by simulation: it keeps its budget of false alarms, and finds slowdowns."""

from __future__ import annotations

import math

import numpy as np
import pytest

from benchmarks.nightly import __main__ as command
from benchmarks.nightly import real, trial
from benchmarks.nightly.rules import Cusum, OneValue, Ours, Values, known
from benchmarks.nightly.trial import Machine, Noise, Result, tried
from pytest_rollout.judge.nightly import SUSPICIOUS, Limits, found, weigh
from pytest_rollout.model.rule import Nightly
from pytest_rollout.soundness.nightly import supposed

SEED = 20_251_110


def kept(result: Result, by_five: float) -> None:
    """Fail where a rule misses its budget or what it must find."""
    assert result.alarms <= 0.1
    assert result.found[8] >= 0.9
    assert result.found[5] >= by_five


@pytest.mark.slow
def test_the_default_rule_keeps_its_budget() -> None:
    kept(tried(lambda: Ours(Nightly()), Noise(), 3000, SEED), 0.3)


@pytest.mark.slow
def test_two_confirming_runs_find_five_percent_in_half_of_the_cases() -> None:
    kept(tried(lambda: Ours(Nightly(confirm=2)), Noise(), 3000, SEED), 0.5)


@pytest.mark.nightly
@pytest.mark.parametrize("grows", [False, True])
def test_it_keeps_its_budget_over_twenty_thousand_series(grows: bool) -> None:
    kept(tried(lambda: Ours(Nightly()), Noise(grows=grows), 20_000, SEED), 0.3)
    kept(tried(lambda: Ours(Nightly(confirm=2)), Noise(grows=grows), 20_000, SEED), 0.5)


@pytest.mark.slow
def test_rules_of_others_do_what_they_are_known_for() -> None:
    bencher = tried(lambda: OneValue(0.01, plain=True), Noise(), 3000, SEED)
    assert bencher.alarms == pytest.approx(3.9, abs=0.3)
    assert bencher.found[8] == pytest.approx(0.90, abs=0.02)
    twice = tried(lambda: OneValue(0.01, 2, plain=True), Noise(), 3000, SEED)
    assert twice.alarms == pytest.approx(0.09, abs=0.03)
    assert twice.found[8] == pytest.approx(0.47, abs=0.02)
    cusum = tried(lambda: Cusum(1.25, 3), Noise(), 3000, SEED)
    assert cusum.alarms == pytest.approx(0.23, abs=0.05)
    assert cusum.found[8] == pytest.approx(0.76, abs=0.02)


@pytest.mark.slow
def test_noise_that_runs_of_a_night_share_is_told_from_pairs() -> None:
    common = Noise(common=0.5)
    blind = tried(lambda: Ours(Nightly()), common, 2000, SEED)
    told = tried(lambda: Ours(Nightly()), common, 2000, SEED, pairs=True)
    assert blind.alarms > 0.25
    assert told.alarms < blind.alarms / 2


@pytest.mark.parametrize("rule", [Nightly(), Nightly(confirm=2, latest=2), Nightly(confirm=0)])
@pytest.mark.parametrize("pairs", [False, True])
def test_what_is_simulated_is_what_the_judge_does(rule: Nightly, pairs: bool) -> None:
    """Each night of a few noisy series, by arrays and by the judge's own arithmetic."""
    machine = Machine(Noise(0.03, common=0.3), 12, 12, SEED, pairs, logs=True)
    ours, judged = Ours(rule), [_Judged(rule, machine, one) for one in range(12)]
    alarms = 0
    for number in range(40):
        runs: list[Values] = []
        source = machine.night(0.1 * (number % 5 == 4))

        def more(runs: list[Values] = runs, source=source) -> Values:  # type: ignore[no-untyped-def]
            runs.append(source())
            return np.asarray((runs[-1] - machine.known.mean) / machine.known.noise)

        told = ours.night(more(), more, machine.known)
        expected = [one.night([float(run[one.series]) for run in runs]) for one in judged]
        assert told.tolist() == expected
        alarms += sum(expected)
    assert alarms


class _Judged:
    """One series, judged run by run as sessions do."""

    def __init__(self, rule: Nightly, machine: Machine, series: int) -> None:
        self.rule, self.base, self.series = rule, known(machine.known, series), series
        self.nights: list[list[float]] = []

    def night(self, runs: list[float]) -> bool:
        """Return whether a night fails, of which more runs are made while it is open."""
        for many in range(1, 2 + self.rule.confirm):
            tonight = runs[:many]
            level = 0.05 / (1 + self.rule.confirm)
            said = weigh(self.rule, self.base, [tonight, *self.nights], level)
            if not said.suspicious and said.high <= math.log(1.15):
                break
        self.nights = [tonight, *self.nights]
        return said.alarm and len(tonight) > self.rule.confirm


@pytest.mark.slow
@pytest.mark.parametrize("confirm", [1, 2])
def test_what_is_printed_beside_the_rule_is_what_comes_of_it(confirm: int) -> None:
    rule = Nightly(confirm=confirm)
    result = tried(lambda: Ours(rule), Noise(grows=True), 2000, SEED)
    for size, share in result.found.items():
        told = found(rule, supposed(rule), math.log1p(size / 100), 3)
        assert told == pytest.approx(share, abs=0.05)


def test_healthy_nights_ask_about_as_often_as_the_level_says() -> None:
    first = Ours(Nightly(latest=1))
    machine = Machine(Noise(), 4000, 30, SEED, logs=True)
    machine.tell(first)
    assert first.asked == pytest.approx(SUSPICIOUS, abs=0.02)
    assert Limits(Nightly(), 30).suspicious == pytest.approx(1.311, abs=0.001)


def test_the_command_prints_every_line(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(trial, "NIGHTS", 3)
    assert command.main(["--series", "40"]) == 0
    printed = capsys.readouterr().out
    lines = [line for table in command.TABLES.values() for line in table]
    assert [line.name for line in lines if f"| {line.name} |" not in printed] == []


def test_the_real_series_is_whole_and_our_rule_finds_its_steps() -> None:
    values = real.series()
    assert (len(values), values[0], values[10], values[-1]) == (365, 26705, 15672, 28915)
    rule = Nightly(confirm=0)
    nights = real.failed(values, 16, rule, more_is_worse=True)
    assert nights[0] == 61  # which is also a change point by Otava's own tests
    assert set(range(71, 365)) <= set(nights)
    assert not [night for night in real.failed(values, 16, rule, more_is_worse=False) if night > 60]


@pytest.mark.nightly  # `bash tests/nightly` installs Otava
@pytest.mark.parametrize(("least", "level"), real.PUBLISHED)
def test_otava_finds_in_it_what_its_own_tests_state(least: float, level: float) -> None:
    assert len(real.found(least, level)) == real.PUBLISHED[least, level]
