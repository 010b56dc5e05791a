"""What stands in a reason of an assertion: the whole message, in one line."""

from __future__ import annotations

from datetime import timedelta

import pytest
from hypothesis.errors import DeadlineExceeded, FlakyFailure

from pytest_rollout.model.verdict import Verdict
from pytest_rollout.session.attempts import meaning


@pytest.mark.parametrize(
    ("raised", "says"),
    [
        ("charged twice", "charged twice"),
        ("charged twice:\n  order 7\n\n  order 9", "charged twice: order 7 order 9"),
        ("charged twice\norder 7\nassert 2 == 1\n  +  where 2 = len([])", "charged twice order 7"),
        ("assert 2 == 1\n  +  where 2 = len([])", "assert 2 == 1"),
        ("", "an assertion without a message failed"),
    ],
)
def test_a_message_is_whole_and_what_pytest_adds_is_left_out(raised: str, says: str) -> None:
    assert meaning(AssertionError(raised), in_call=True) == (Verdict.FAIL, says)


def test_a_deadline_that_was_missed_once_is_named() -> None:
    late = DeadlineExceeded(timedelta(milliseconds=300), timedelta(milliseconds=200))
    flaky = FlakyFailure("Hypothesis test_x() produces unreliable results", [late])
    verdict, says = meaning(flaky, in_call=True)
    assert verdict is Verdict.INCONCLUSIVE
    assert "the first time DeadlineExceeded" in says
    assert "exceeds the deadline of 200.00ms" in says
