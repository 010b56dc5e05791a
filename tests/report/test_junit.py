"""JUnit XML of a decision: red where the gate says no, and readable by strict readers."""

from __future__ import annotations

from xml.etree.ElementTree import Element, fromstring

import pytest

from pytest_rollout.model.decision import Decision
from pytest_rollout.model.verdict import Answer
from pytest_rollout.report.junit import to_junit
from tests.report import report_decisions as given
from tests.report.report_hostile import hostile

# What the schemas of Jenkins' xUnit plugin and of GitLab's parser let each element have.
ATTRIBUTES = {
    "testsuites": set(),
    "testsuite": {
        *("name", "tests", "failures", "errors", "skipped", "time", "timestamp", "hostname"),
    },
    "properties": set(),
    "property": {"name", "value"},
    "testcase": {"name", "classname", "time"},
    "failure": {"type", "message"},
    "error": {"type", "message"},
    "skipped": {"message"},
    "system-out": set(),
}


def read(decision: Decision) -> Element:
    return fromstring(to_junit(decision))


def cases(decision: Decision) -> dict[str, str]:
    """Each case by name, with what became of it."""
    found = {}
    for case in read(decision).iter("testcase"):
        tags = [one.tag for one in case if one.tag != "system-out"]
        found[case.attrib["name"]] = tags[0] if tags else "passed"
    return found


@pytest.mark.parametrize("answer", Answer)
def test_the_case_of_the_gate_is_red_unless_it_is_go(answer: Answer) -> None:
    red = {Answer.GO: "passed", Answer.HOLD: "error"}.get(answer, "failure")
    assert cases(given.decision(answer))["gate"] == red


def test_a_hard_criterion_is_red_and_a_soft_one_is_not() -> None:
    decision = given.no_go()
    found = cases(decision)
    for one in decision.criteria:
        slug = one.id.rpartition(".")[2]
        word = one.verdict.value
        if one.severity != "hard":
            assert found[slug] in ("passed", "skipped"), slug
        elif word in ("fail", "hold"):
            assert found[slug] == "failure", slug
        elif word in ("error", "missing", "inconclusive"):
            assert found[slug] == "error", slug
    assert {"failure", "error", "passed"} <= set(found.values())


def test_a_tripped_guardrail_is_red() -> None:
    decision = given.rollback()
    tripped = next(one for one in decision.guardrails if one.state.value == "tripped")
    assert cases(decision)[tripped.id.rpartition(".")[2]] == "failure"


def test_counts_agree_with_the_cases() -> None:
    suite = next(read(given.no_go()).iter("testsuite"))
    found = list(cases(given.no_go()).values())
    assert int(suite.attrib["tests"]) == len(list(suite.iter("testcase")))
    assert int(suite.attrib["failures"]) == found.count("failure")
    assert int(suite.attrib["errors"]) == found.count("error")
    assert int(suite.attrib["skipped"]) == found.count("skipped")


def test_elements_have_only_what_the_schemas_know() -> None:
    for decision in (given.no_go(), given.rollback(), given.held_partial(), given.drill()):
        for element in read(decision).iter():
            assert set(element.attrib) <= ATTRIBUTES[element.tag], element.tag
        suite = next(read(decision).iter("testsuite"))
        assert next(iter(suite)).tag == "properties"


def test_properties_carry_the_decision() -> None:
    decision = given.drill()
    found = {one.attrib["name"]: one.attrib["value"] for one in read(decision).iter("property")}
    assert found["rollout.decision"] == decision.answer.value
    assert found["rollout.substance"] == decision.substance_digest
    assert found["rollout.drill"] == decision.drill


def test_hostile_words_stay_words() -> None:
    text = to_junit(hostile())
    fromstring(text)
    assert not any(mark in text for mark in ("\x1b", "\x00", "\x9b", "<img"))
