"""Each rule finds its own samples, and looks at no others."""

from __future__ import annotations

from itertools import product
from typing import Any

import pytest

from pytest_rollout.model.evidence import Slot
from pytest_rollout.model.finding import Labels
from pytest_rollout.model.recorded import Recorded
from pytest_rollout.model.verdict import Verdict
from tests.judge.worlds import bare, plan_of, seen, world_of

_LABELS: tuple[dict[str, Any], ...] = (
    {},
    {"lane": "a"},
    {"lane": "b"},
    {"lane": "a", "node": "1"},
    {"node": "1"},
)
_SEEN = [
    seen(1, t, series, **labels)
    for t, (series, labels) in enumerate(product(("latency", "errors"), _LABELS))
]


@pytest.mark.parametrize("series", ["latency", "errors", "nothing"])
@pytest.mark.parametrize("where", [*_LABELS, {"lane": "c"}, {"zone": "a"}])
def test_what_has_some_labels_is_found_in_its_order(series: str, where: dict[str, str]) -> None:
    recorded = Recorded(_SEEN)
    for _ in range(2):
        assert list(recorded.having(series, where)) == [
            one
            for one in _SEEN
            if one.slot.series == series and where.items() <= dict(one.slot.labels).items()
        ]


def _looks_at(criteria: int, monkeypatch: pytest.MonkeyPatch) -> int:
    """How often labels are looked at where each of so many criteria has five samples of its own."""
    stated = "".join(
        f"      - {{id: c{n}, kind: load, metric: m, where: {{lane: '{n}'}}, "
        "versus: {where: {node: old}}, take: max, pass: '< 9'}\n"
        for n in range(criteria)
    )
    plan = plan_of(f"    criteria:\n{stated}")
    observed = [
        seen(1, t, lane=str(n), node=node)
        for n in range(criteria)
        for t in range(5)
        for node in ("new", *(("old",) if n == 0 else ()))
    ]
    looks: list[Slot] = []
    kept = vars(Slot)["labels"]

    def labels(slot: Slot) -> Labels:
        looks.append(slot)
        found: Labels = kept.__get__(slot)
        return found

    with monkeypatch.context() as patched:
        patched.setattr(Slot, "labels", property(labels))
        decision = bare(plan, world_of(plan, observed))
    assert {one.verdict for one in decision.criteria} == {Verdict.PASS}
    return len(looks)


def test_judging_more_criteria_of_a_series_looks_at_no_sample_more_often(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    assert _looks_at(80, monkeypatch) < 2.5 * _looks_at(40, monkeypatch)
