"""The text file for Prometheus: parsed by its own rules, one answer is 1."""

from __future__ import annotations

import re

import pytest

from pytest_rollout.model.verdict import Answer
from pytest_rollout.report.prometheus import to_prometheus
from tests.report import report_decisions as given
from tests.report.report_hostile import hostile

SAMPLE = re.compile(r'^(\w+)\{((?:\w+="(?:[^"\\\n]|\\.)*",?)+)\} (\S+)$')


def samples(text: str) -> list[tuple[str, dict[str, str], float]]:
    """Each sample; fails on a line that is none and no comment."""
    found = []
    for line in text.splitlines():
        if line.startswith("# "):
            continue
        match = SAMPLE.match(line)
        assert match, line
        labels = dict(re.findall(r'(\w+)="((?:[^"\\]|\\.)*)"', match[2]))
        found.append((match[1], labels, float(match[3])))
    return found


@pytest.mark.parametrize("answer", Answer)
def test_one_answer_is_1(answer: Answer) -> None:
    found = {
        labels["answer"]: value
        for name, labels, value in samples(to_prometheus(given.decision(answer)))
        if name == "rollout_decision"
    }
    assert found == {one.value: float(one is answer) for one in Answer}


def test_criteria_are_counted_by_verdict() -> None:
    decision = given.no_go()
    found = {
        labels["verdict"]: value
        for name, labels, value in samples(to_prometheus(decision))
        if name == "rollout_criteria"
    }
    assert sum(found.values()) == len(decision.criteria)
    assert found["fail"] == sum(one.verdict.value == "fail" for one in decision.criteria)


def test_the_value_is_that_of_the_worst_group() -> None:
    found = {
        labels["criterion"]: value
        for name, labels, value in samples(to_prometheus(given.decision(criteria=(CAPS,))))
        if name == "rollout_value"
    }
    assert found["caps-enforced"] == 2


def test_a_drill_says_so_and_hostile_words_break_no_line() -> None:
    assert all("drill" in labels for _, labels, _ in samples(to_prometheus(given.drill())))
    assert samples(to_prometheus(hostile()))


CAPS = given.CAPS
