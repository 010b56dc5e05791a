"""Why a run leaves with an exit status that is not its decision's, and when it does not."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator

import pytest

from pytest_rollout.model.decision import Decision
from pytest_rollout.model.verdict import Answer, worst_answer

_MOST_NAMES = 3
_KEPT = (pytest.ExitCode.INTERRUPTED, pytest.ExitCode.INTERNAL_ERROR, pytest.ExitCode.USAGE_ERROR)


def status_of(session: pytest.Session) -> int:
    """Return pytest's status; 0 where it says only that no test was collected.

    A gate may need none: files that were brought, and what people answered, are enough.
    """
    status = int(session.exitstatus)
    nothing = status == pytest.ExitCode.NO_TESTS_COLLECTED and not session.testscollected
    return 0 if nothing else status


def answered(status: int, answers: Iterable[Answer], *, foreign: bool) -> int:
    """Return pytest's status where the run itself went wrong, else that of the worst gate.

    ``foreign`` says whether failed tests, or another plugin, speak beside GO.
    """
    if status in _KEPT:
        return status
    answer = worst_answer(answers)
    if answer is not Answer.GO:
        return answer.exit_status
    return status if status != pytest.ExitCode.TESTS_FAILED or foreign else 0


def whose_status(
    config: pytest.Config,
    status: int | None,
    decisions: Collection[Decision],
    unbound: Collection[str],
) -> Iterator[str]:
    """Yield the reason of a status other than 0 where every decision is GO.

    ``unbound`` are the tests that failed and are bound to no asked gate.
    """
    if not status or {decision.answer for decision in decisions} != {Answer.GO}:
        return
    yield f"exit status {status} is not the decision's, which is GO: {_why(config, unbound)}"


def _why(config: pytest.Config, unbound: Collection[str]) -> str:
    names = sorted(unbound)
    if names:
        more = f" and {len(names) - _MOST_NAMES} more" if len(names) > _MOST_NAMES else ""
        shown = ", ".join(names[:_MOST_NAMES])
        return f"tests failed that are bound to no asked gate: {shown}{more}"
    wanted = config.getoption("cov_fail_under", None)
    of_coverage = f" (--cov-fail-under={wanted:g} is asked)" if wanted else ""
    return f"another plugin or a conftest.py asked for it{of_coverage}"
