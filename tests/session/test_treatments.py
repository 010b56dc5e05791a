"""What happens to awkward evidence: each row of the table in docs/explanation/ledger.md is true."""

from __future__ import annotations

import textwrap
from collections.abc import Callable
from pathlib import Path

import pytest

from pytest_rollout.model.evidence import Hole, decode
from pytest_rollout.model.verdict import Verdict
from tests.judge.worlds import AT, NINE, SECOND, judged, samples, seen, watched
from tests.session.project import Project

CAPPED = 'metric: m, take: max, pass: "< 10"'
LATEST = 'metric: m, over: [{span: 5m}], take: max, pass: "< 10"'
BEGUN = 'metric: m, over: [{since: begin}], take: max, pass: "< 10"'
GUARD = 'metric: m, take: max, fail: ">= 10"'
INSTANT = (AT - NINE) // SECOND


def verdict(rule: str, *observed: object, **more: object) -> str:
    """The verdict of a rule over what was seen, one a minute, or as given."""
    given = [one if hasattr(one, "slot") else seen(one, n) for n, one in enumerate(observed)]
    return judged(rule, given, **more).verdict.value  # type: ignore[arg-type]


def not_finite() -> None:
    for lost, why in (
        ("NaN", "no finite number was measured"),
        ("Infinity", "Infinity is not a number to judge"),
        ("1e1001", "1e1001 is not a number to judge"),
    ):
        assert decode(lost) == Hole(why, 1)
        assert verdict(CAPPED, 1, lost) == "inconclusive"
        assert verdict(CAPPED, 99, lost) == "fail"


def not_readable() -> None:
    for lost in ('{"bad": 3, "of": 2}', "[[1", "{}"):
        hole = decode(lost)
        assert isinstance(hole, Hole)
        assert hole.n is None
        assert verdict(CAPPED, 1, lost) == "inconclusive"


def twice_the_same() -> None:
    finding = judged(CAPPED, [seen(1, 5), seen(1, 5, recorded=9)])
    assert (finding.verdict, finding.samples) == (Verdict.PASS, 1)


def twice_and_different() -> None:
    assert verdict(CAPPED, seen(1, 5), seen(2, 5)) == "inconclusive"


def before() -> None:
    assert verdict(CAPPED, seen(99, -86_400)) == "fail"
    assert verdict(BEGUN, seen(99, -1), seen(1, 0)) == "pass"
    assert verdict(LATEST, seen(99, INSTANT - 300), seen(1, INSTANT)) == "pass"


def ahead() -> None:
    for rule in (CAPPED, LATEST, BEGUN):
        assert verdict(rule, seen(1, INSTANT), seen(99, INSTANT + 60)) == "inconclusive"
        assert verdict(rule, seen(1, INSTANT), seen(1, INSTANT + 60)) == "inconclusive"
    future = [seen(1, 0), seen(99, INSTANT + 60)]
    assert watched(GUARD, future) == "blind"
    assert watched(GUARD, future, at_us=AT + 60 * SECOND) == "tripped"
    assert watched(GUARD, [seen(99, 0), seen(1, INSTANT + 60)]) == "tripped"


def late() -> None:
    good = samples(*[1] * 5)
    assert watched(GUARD, [*good, seen(99, 30, run="r2", recorded=900)]) == "tripped"
    assert watched(GUARD, [seen(99, 30), seen(1, 30, run="r2", recorded=900)]) == "tripped"


def absent() -> None:
    assert verdict(CAPPED) == "missing"
    each = 'metric: m, each: {lane: [A, B]}, take: max, pass: "< 10"'
    assert verdict(each, seen(1, 0, lane="A")) == "missing"


def too_few() -> None:
    assert verdict(CAPPED.replace("take", "need: 3, take"), 1, 1) == "inconclusive"
    assert verdict(CAPPED.replace("take", "need: 3, take"), 99, 99) == "inconclusive"


def errors(project: Project, body: str) -> str:
    """The verdict of `errors` where its test has another body, in a run of its own."""
    path = project.root / "suites/demo/test_canary.py"
    head, mark, _ = path.read_text().partition("def test_errors(observe):\n")
    path.write_text(f"import datetime\n{head}{mark}{textwrap.indent(body, '    ')}\n")
    project.run("-m", "canary", "--tb=no")
    return project.verdicts()["errors"]


ENOUGH = "for n in range(3): observe('errors', 0, at=n)\n"
RAN = {
    "the same time and labels several times in one check": (
        "for _ in range(3): observe('errors', 0, at=5)",
        "pass",
    ),
    "observed where nothing is a number (text, none)": (
        f"{ENOUGH}observe('errors', None)",
        "error",
    ),
    "a time without an offset, or beyond the calendar": (
        f"{ENOUGH}observe('errors', 0, at=1e30)",
        "error",
    ),
    "a label of more than 500 characters": (
        "for n in range(3): observe('errors', 0, at=5, user='x' * 600 + str(n))",
        "pass",
    ),
    "more than 50 labels, an attachment of more than 10 MB": (
        f"{ENOUGH}observe.attach('x', b'x' * 10_000_001)",
        "error",
    ),
    "text that is no Unicode": (
        "for n in range(3): observe('errors', 0, at=n, user='\\ud800')\n"
        "observe.attach('\\ud800', '\\ud800')",
        "pass",
    ),
}
JUDGED: dict[str, Callable[[], None]] = {
    "NaN, infinity, a number beyond 10^1000": not_finite,
    "a stored value that cannot be read, an impossible ratio": not_readable,
    "recorded twice, same value": twice_the_same,
    "recorded twice, different values": twice_and_different,
    "event time before the run or the begin": before,
    "event time after the moment of judging": ahead,
    "recorded late": late,
    "no sample, or an expected group absent": absent,
    "fewer than `need`": too_few,
}
ELSEWHERE = {  # rows that tests of their own hold, by their file and name
    "a watch that is not sealed, or was killed": (
        "evidence/test_watches.py::test_a_watch_that_was_killed_is_holes_and_loses_nothing"
    ),
    "a watch got no answer": ("cli/test_watch.py::test_an_answer_that_is_not_to_be_had_is_blind"),
    "older than the criterion's `max_age`, else the environment's": (
        "judge/test_deciding.py::test_evidence_older_than_max_age_is_a_hole"
    ),
    "a run that never finished": (
        "judge/test_deciding.py::test_a_run_without_its_seal_is_all_holes"
    ),
    "reported twice by a check": (
        "evidence/test_world.py::test_an_item_is_as_good_as_its_worst_report_whichever_came_last"
    ),
    "a bound check that was to run and never reported": (
        "judge/test_deciding.py::test_a_check_that_never_reported_holds_whatever_its_severity"
    ),
    "a run that SIGINT or SIGTERM ended": (
        "evidence/test_settlements.py::test_what_ended_counts_and_the_rest_is_unknown_for_as_long_as_the_rule_reaches"
    ),
    "an earlier run in reach of a rule that never finished, lost a worker, or whose check never"
    " reported": (
        "evidence/test_world.py::test_a_run_that_was_killed_before_it_recorded_anything_is_not_forgotten"
    ),
    "observed by a property of Hypothesis that holds": (
        "session/test_hypothesis.py::test_what_a_property_observes_counts_when_it_holds"
    ),
    "observed by a property of Hypothesis that fails": (
        "session/test_hypothesis.py::test_what_it_observes_while_failing_is_a_hole"
    ),
    "a distribution whose counts are no whole numbers": (
        "session/runs/test_checks.py::test_counts_of_a_distribution_are_whole"
    ),
    "observed in a child process of a check": (
        "session/runs/test_checks.py::test_what_a_child_observes_is_never_lost_in_silence"
    ),
    "observed while no test runs": (
        "session/test_interruptions.py::test_an_observation_that_comes_too_late_holds"
    ),
    "a release that holds a secret": ("session/test_secrets.py::test_a_release_that_says_a_secret"),
    "a reference target, or HTTP mocked by respx, outside `embedded`": (
        "judge/test_deciding.py::test_a_reference_target_is_worth_nothing_elsewhere"
    ),
    "a value of more than 64 MB, an answer of more than 5,000,000 rows": (
        "evidence/test_ledger.py::test_a_value_that_is_too_large_is_neither_written_nor_read"
    ),
}


@pytest.mark.parametrize("row", JUDGED)
def test_what_the_judge_makes_of_it(row: str) -> None:
    JUDGED[row]()


@pytest.mark.parametrize("row", RAN)
def test_what_a_run_makes_of_it(project: Project, row: str) -> None:
    body, wanted = RAN[row]
    assert errors(project, body) == wanted


def test_the_table_has_these_rows_and_no_other() -> None:
    root = Path(__file__).parents[2]
    text = (root / "docs/explanation/ledger.md").read_text(encoding="utf-8")
    table = text.partition("| what happens | treatment | verdict |\n")[2].partition("\n\n")[0]
    rows = [line.split(" | ")[0].removeprefix("| ") for line in table.splitlines()[1:]]
    assert sorted(rows) == sorted([*JUDGED, *RAN, *ELSEWHERE])
    for place in ELSEWHERE.values():
        file, _, name = place.partition("::")
        assert f"def {name}(" in (root / "tests" / file).read_text(encoding="utf-8")
