"""What is said beside a word that nobody knows."""

from __future__ import annotations

import pytest

from pytest_rollout.model.spelling import nearest


@pytest.mark.parametrize(
    ("word", "known", "says"),
    [
        ("canray", ["canary", "full"], "did you mean `canary`?"),
        (
            "ready",
            ["service-is-ready-at-last", "checkout-ready-1"],
            "did you mean `checkout-ready-1`?",
        ),
        ("day", ["long-day-of-rest"], "known: long-day-of-rest"),  # too short to stand for another
        ("x", [], "none is defined"),
    ],
)
def test_the_nearest_word_is_named(word: str, known: list[str], says: str) -> None:
    assert nearest(word, known) == says


def test_what_else_may_be_said_stands_in_place_of_the_known_words() -> None:
    assert nearest("other", ["canary"], "see the plan") == "see the plan"
