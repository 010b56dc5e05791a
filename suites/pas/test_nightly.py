"""Job cards of a night: many at once, with one key and with keys of their own."""

from __future__ import annotations

from collections import Counter

import pytest

from pytest_rollout import Observe
from suites.pas.scenarios.nights import Nights, task_of

pytestmark = pytest.mark.pas_nightly

CONFLICT = 409  # while the first call with a key is under way


@pytest.mark.criterion("one-key-one-task")
def test_one_key_makes_one_task(nights: Nights, observe: Observe) -> None:
    known = [task.text("task_id") for task in nights.retried.each("tasks")]
    for answers in nights.rounds:
        told = {task_of(answer) for answer in answers} - {None}
        odd = [a.status_code for a in answers if a.status_code not in (200, CONFLICT)]
        assert not odd, f"calls with one key are answered {odd[:3]}"
        assert told, "nobody is told a task"
        first = [a for a in answers if a.is_success and a.json().get("idempotent_replay") is False]
        assert len(first) == 1, f"{len(first)} of {len(answers)} calls are told to be the first"
        observe("tasks_of_key", len(told))
    assert len(known) == len(nights.rounds), f"{len(nights.rounds)} keys made {len(known)} tasks"


@pytest.mark.criterion("burst-kept")
def test_each_card_is_kept_once(nights: Nights, observe: Observe) -> None:
    kept = Counter(task.text("task_id") for task in nights.kept.each("tasks"))
    told = [task_of(answer) for answer in nights.burst]
    for task in told:
        observe("card_lost", task is None or kept[task] != 1)
    assert len(set(told)) == len(told), "two cards were told the same task"
    assert kept.total() == len(told), f"{len(told)} cards made {kept.total()} tasks"
