"""Expressions of workflow files."""

from __future__ import annotations

from typing import Any

import pytest

from fixtures.pipeline.actions.expressions import ExpressionError, filled, holds, value

CONTEXT: dict[str, Any] = {
    "inputs": {"limit": "3", "empty": ""},
    "env": {"LIMIT": "10"},
    "github": {"event": {"schedule": "0 0 * * *"}},
}


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("--limit=${{ inputs.limit || env.LIMIT }}", "--limit=3"),
        ("--limit=${{ inputs.none || env.LIMIT }}", "--limit=10"),
        ("--limit=${{ inputs.empty || env.LIMIT }}", "--limit=10"),
        ("${{ inputs.limit }} and ${{ env.NONE }}", "3 and "),
        ("${{ 'text' }}${{ inputs.limit.none }}", "text"),
    ],
)
def test_a_text_is_filled(text: str, said: str) -> None:
    assert filled(text, CONTEXT) == said


@pytest.mark.parametrize(
    ("condition", "after_success", "after_failure"),
    [
        ("", True, False),
        ("always()", True, True),
        ("github.event.schedule != '0 0 * * *'", False, False),
        ("github.event.schedule == '0 0 * * *'", True, False),
        ("inputs.none", False, False),
    ],
)
def test_a_step_runs_after_success_unless_it_asks(
    condition: str, after_success: bool, after_failure: bool
) -> None:
    assert holds(condition, CONTEXT, failed=False) is after_success
    assert holds(condition, CONTEXT, failed=True) is after_failure


@pytest.mark.parametrize("text", ["inputs.limit ||", "(inputs.limit", "a b", "a $ b", ""])
def test_what_is_not_understood_is_said(text: str) -> None:
    with pytest.raises(ExpressionError):
        value(text, CONTEXT)
