"""However runs are interrupted, no other decision becomes GO: with real records in a ledger."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import event, given, note, settings
from hypothesis import strategies as st

from pytest_rollout.model.decision import Decision
from pytest_rollout.model.errors import LedgerError
from pytest_rollout.model.verdict import Answer
from pytest_rollout.report.stored import to_json
from tests.judge.drawn_plans import plans
from tests.judge.histories import damages, decision_of, histories, interrupted, retold
from tests.judge.test_monotone import MANY
from tests.judge.worlds import told

SOME = settings(MANY, max_examples=max(1, MANY.max_examples // 5))  # each writes a few ledgers


BOTH = pytest.mark.parametrize("store", ["sqlite", "memory"])


@pytest.mark.slow
@BOTH
@given(data=st.data())
@SOME
def test_an_interruption_never_turns_another_decision_into_go(
    store: str, data: st.DataObject
) -> None:
    plan = data.draw(plans())
    history = data.draw(histories(plan))
    before = decision_of(plan, history, store=store)
    event(f"before: {before.answer.value}")
    for _ in range(data.draw(st.integers(1, 2))):
        how, history = data.draw(interrupted(plan, history))
        after = decision_of(plan, history, store=store)
        event(f"{how}: {before.answer.value} -> {after.answer.value}")
        if after.answer is Answer.GO:
            note(f"{how}\nbefore: {told(before)}\nafter: {told(after)}")
            assert before.answer is Answer.GO
        before = after


@pytest.mark.slow
@BOTH
@given(data=st.data())
@SOME
def test_damage_never_turns_another_decision_into_go(store: str, data: st.DataObject) -> None:
    plan = data.draw(plans())
    history = data.draw(histories(plan))
    before = decision_of(plan, history, store=store)
    change = data.draw(damages(history))
    try:
        after = decision_of(plan, history, change, store)
    except LedgerError:
        return  # the run is not in the ledger any more: no decision at all
    event(f"{before.answer.value} -> {after.answer.value}")
    assert before.answer is Answer.GO or after.answer is not Answer.GO


@pytest.mark.slow
@given(st.data())
@SOME
def test_both_stores_decide_the_same(data: st.DataObject) -> None:
    plan = data.draw(plans())
    history = data.draw(histories(plan))
    assert to_json(decision_of(plan, history, store="memory")) == to_json(
        decision_of(plan, history, store="sqlite")
    )


@given(st.data())
@SOME
def test_reports_of_workers_may_come_in_any_order_and_twice(data: st.DataObject) -> None:
    plan = data.draw(plans())
    history = data.draw(histories(plan))
    again = data.draw(retold(history))
    assert but_for_the_place(decision_of(plan, again)) == but_for_the_place(
        decision_of(plan, history)
    )


def but_for_the_place(decision: Decision) -> dict[str, Any]:
    """A decision as it is stored, without the places in the chain that it was made at and from."""
    document: dict[str, Any] = json.loads(to_json(decision))
    del document["ledger"]
    document["inputs"] = [one["uri"] for one in document["inputs"]]
    return document
