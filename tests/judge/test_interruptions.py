"""However runs are interrupted, no other decision becomes GO: with real records in a ledger."""

from __future__ import annotations

from pathlib import Path
from tempfile import TemporaryDirectory

from hypothesis import event, given, note
from hypothesis import strategies as st

from pytest_rollout.model.verdict import Answer
from tests.judge.generated import plans
from tests.judge.histories import decision_of, histories, interrupted
from tests.judge.test_monotone import MANY


@given(st.data())
@MANY
def test_an_interruption_never_turns_another_decision_into_go(data: st.DataObject) -> None:
    plan = data.draw(plans())
    history = data.draw(histories(plan))
    with TemporaryDirectory() as folder:
        before = decision_of(plan, history, Path(folder, "0.db"))
        event(f"before: {before.answer.value}")
        for number in range(data.draw(st.integers(1, 2))):
            how, history = data.draw(interrupted(plan, history))
            after = decision_of(plan, history, Path(folder, f"{number + 1}.db"))
            event(f"{how}: {before.answer.value} -> {after.answer.value}")
            if after.answer is Answer.GO:
                note(f"{how}\nbefore: {before.reasons}\nafter: {after.reasons}")
                assert before.answer is Answer.GO
            before = after
