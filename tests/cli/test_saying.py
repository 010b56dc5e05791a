"""Lines for people: on a terminal broken between words, and in no command."""

from __future__ import annotations

import sys

import pytest

from pytest_rollout.cli.saying import fitted, say

LONG = "  no   trips: " + "the guardrail tripped because errors were too many " * 2
COMMAND = "`rollout reset shop.canary.error-rate --env prod --by NAME --reason WHY`"


def test_a_long_line_is_broken_between_words_and_what_follows_is_indented() -> None:
    first, *rest = fitted(LONG.rstrip(), 60)
    assert [len(part) <= 60 for part in (first, *rest)] == [True] * (len(rest) + 1)
    assert all(part.startswith("      ") and part[6] != " " for part in rest)
    assert " ".join(part.strip() for part in (first, *rest)) == LONG.strip()


def test_a_command_stays_in_one_line_to_be_copied() -> None:
    parts = list(fitted(f"  1. canary: sre (Ada): fix the cause, then {COMMAND}, and look", 60))
    assert any(COMMAND in part for part in parts)
    assert len(parts) > 1


def test_in_a_pipe_nothing_is_broken(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    say(LONG)
    assert len(capsys.readouterr().out.splitlines()) == 1
    monkeypatch.setenv("COLUMNS", "70")
    monkeypatch.setattr(sys.stdout, "isatty", lambda: True, raising=False)
    say(LONG)
    assert max(map(len, capsys.readouterr().out.splitlines())) <= 70
