"""Which assertions are found that cannot fail, and which modules are not even parsed."""

from __future__ import annotations

from pathlib import Path

import pytest

from pytest_rollout.session.vacuous import always_true


@pytest.mark.parametrize(
    "assertion",
    [
        "assert (it, 'message')",
        "assert(it, 'message')",
        "assert \\\n    (it, 'message')",
        "assert ((it, 'message'))",
        "assert 'it is so'",
        'assert"it is so"',
        "assert u'it is so'",
        "assert r'it is so'",
        "assert ('it is so')",
    ],
)
def test_an_assertion_that_cannot_fail_is_found_however_it_is_written(
    tmp_path: Path, assertion: str
) -> None:
    module = tmp_path / "test_it.py"
    module.write_text(f"it = False\n{assertion}\n")
    assert [problem.line for problem in always_true(module, "test_it.py")] == [2]


@pytest.mark.parametrize(
    "assertion", ["assert it", "assert ()", "assert ''", "assert b'bytes'", "assert it, 'why'"]
)
def test_any_other_assertion_is_left_alone(tmp_path: Path, assertion: str) -> None:
    module = tmp_path / "test_it.py"
    module.write_text(f"it = True\n{assertion}\n")
    assert list(always_true(module, "test_it.py")) == []
