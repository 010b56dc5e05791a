"""The stand-up: four parts, short, with the first cause of what is refused."""

from __future__ import annotations

from dataclasses import replace

from pytest_rollout.report.standup import Standup, lines
from tests.report import report_decisions as given


def to_text(told: Standup) -> str:
    return "\n".join(lines(told))


NOTHING = Standup("Demo (demo in prod)", "Fri 07 Nov", (), (), (), ())


def test_without_anything_each_part_says_so() -> None:
    assert to_text(NOTHING).splitlines() == [
        "Demo (demo in prod)",
        "Since Fri 07 Nov: nothing on record",
        "Today: nothing is due",
        "Blockers: none",
        "Metrics: none measured",
    ]


def test_a_refused_gate_is_a_blocker_with_its_first_cause_and_how_many_more() -> None:
    decision = given.no_go()
    text = to_text(replace(NOTHING, decisions=(decision,)))
    (line,) = [line for line in text.splitlines() if line.startswith("Blockers:")]
    assert line.startswith(f"Blockers: {decision.address} NO-GO: {decision.reasons[0].id}: ")
    assert line.endswith(f", and {len(decision.reasons) - 1} more")


def test_a_go_blocks_nothing_but_what_it_owes() -> None:
    decision = given.go_with_conditions()
    text = to_text(replace(NOTHING, decisions=(decision,)))
    for owed in decision.conditions:
        assert f"{owed.id} ({owed.owner}, by {owed.due})" in text
    free = replace(decision, conditions=())
    assert "Blockers: none" in to_text(replace(NOTHING, decisions=(free,)))


def test_metrics_are_of_the_newest_decision_that_measured_one() -> None:
    old = replace(given.no_go(), decided_at="2025-11-09T10:00:00-05:00")
    new = replace(given.no_go(), decided_at="2025-11-10T10:00:00-05:00", criteria=())
    text = to_text(replace(NOTHING, decisions=(old, new)))
    slugs = [
        one.id.rpartition(".")[2] for one in old.criteria if any(p.estimate for p in one.parts)
    ]
    assert any(f"{slug} " in text.partition("Metrics:")[2] for slug in slugs)


def test_a_long_part_is_cut_and_says_by_how_much_and_what_happened_last_stays() -> None:
    many = [f"thing {number}" for number in range(10)]
    text = to_text(replace(NOTHING, happened=many, next=many))
    assert "- and 4 more" in text
    assert "- thing 9" in text.partition("Today")[0]
    assert "- thing 0" not in text.partition("Today")[0]


def test_what_does_not_fit_is_counted() -> None:
    happened = [f"event {n}" for n in range(8)]
    told = list(lines(replace(NOTHING, happened=happened)))
    assert told[1:4] == ["Since Fri 07 Nov, the last 6 of 8:", "- event 2", "- event 3"]
    assert list(lines(replace(NOTHING, happened=happened[:6])))[1] == "Since Fri 07 Nov:"
