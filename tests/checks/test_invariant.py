"""A checker is believed only where its exit status, its status and its count agree."""

from __future__ import annotations

import json
import sys
from pathlib import Path

import pytest

from pytest_rollout import RolloutError, run_checker

WELL = {"status": "OK", "violations": 0}


def _checker(folder: Path, printed: object, exit_status: int = 0) -> list[str | Path]:
    """A program that prints something and ends."""
    text = printed if isinstance(printed, str) else json.dumps(printed)
    path = folder / "checker.py"
    path.write_text(f"import sys\nprint({text!r})\nsys.exit({exit_status})\n", encoding="utf-8")
    return [sys.executable, "-S", path]


def test_all_three_say_that_all_holds(tmp_path: Path) -> None:
    checked = run_checker(_checker(tmp_path, WELL))
    assert (checked.exit_status, checked.status, checked.violations) == (0, "OK", 0)
    assert checked.problems == ()
    checked.demand()


@pytest.mark.parametrize(
    ("printed", "exit_status", "problem"),
    [
        (WELL, 1, "the checker exits 1, not 0"),
        (WELL | {"status": "FAIL"}, 0, "its status is 'FAIL', not 'OK'"),
        (WELL | {"status": "ok"}, 0, "its status is 'ok', not 'OK'"),
        (WELL | {"violations": 2, "details": ["row 1", "row 2"]}, 0, "2 violations; row 1; row 2"),
        (WELL | {"violations": [{"check": "kind", "what": "row 7"}]}, 0, "it counts 1 violations"),
    ],
)
def test_one_that_disagrees_is_enough(
    tmp_path: Path, printed: object, exit_status: int, problem: str
) -> None:
    checked = run_checker(_checker(tmp_path, printed, exit_status))
    assert len(checked.problems) == 1
    with pytest.raises(AssertionError, match=problem):
        checked.demand()


@pytest.mark.parametrize(
    ("printed", "why"),
    [
        ("", "is no JSON"),
        ("OK", "is no JSON"),
        ({"status": "OK"}, "has no violations"),
        ({"violations": 0}, "has no status"),
        (WELL | {"violations": None}, "neither a count nor a list"),
        (WELL | {"violations": True}, "neither a count nor a list"),
        (WELL | {"violations": -1}, "neither a count nor a list"),
    ],
)
def test_no_answer_is_an_error_and_no_pass(tmp_path: Path, printed: object, why: str) -> None:
    with pytest.raises(RolloutError, match=why):
        run_checker(_checker(tmp_path, printed))


def test_a_checker_that_is_not_there_or_never_ends_is_an_error(tmp_path: Path) -> None:
    with pytest.raises(RolloutError, match="cannot start"):
        run_checker([tmp_path / "absent"])
    with pytest.raises(RolloutError, match=r"did not end within 0\.2 s"):
        run_checker([sys.executable, "-S", "-c", "import time; time.sleep(9)"], timeout_s=0.2)


def test_other_words_and_places_can_be_named(tmp_path: Path) -> None:
    printed = {"summary": {"status": "pass", "total": 0}}
    command = _checker(tmp_path, printed)
    run_checker(command, good="pass", status="summary.status", violations="summary.total").demand()
