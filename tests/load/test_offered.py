"""The fingerprint of a load: another for what is offered otherwise, the same for who makes it."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from pytest_rollout.load import honesty
from pytest_rollout.load.offered import fingerprint
from pytest_rollout.model.load import LATENCY, SERIES, Generators, Law, Shape, ShapeKind
from pytest_rollout.plan.load import parse
from pytest_rollout.session import loads
from tests.load.loaded import plan_of
from tests.load.records import closed_profile, profile_of, record_of

PROFILE = profile_of()


@pytest.mark.parametrize(
    "changed",
    [
        {"locustfile": "load/other.py"},
        {"target": "other"},
        {"seed": PROFILE.seed + 1},
        {"law": next(law for law in Law if law is not PROFILE.law)},
        {"shape": Shape(ShapeKind.SPIKE, peak=2.0, lasts_us=1)},
        {"offer": replace(PROFILE.offer, rate=1.0)},
        {"offer": replace(PROFILE.offer, users=7)},
        {"offer": replace(PROFILE.offer, duration_us=1)},
        {"offer": replace(PROFILE.offer, warm_up_us=PROFILE.offer.warm_up_us + 1)},
    ],
)
def test_what_is_offered_otherwise_is_another_load(changed: dict[str, Any]) -> None:
    assert fingerprint(replace(PROFILE, **changed)) != fingerprint(PROFILE)


def test_who_makes_it_and_what_it_is_called_is_no_other_load() -> None:
    changed = replace(PROFILE, id="b", says="x", line=3, need=7, most_start_delay_us=1)
    assert fingerprint(replace(changed, generators=Generators(4))) == fingerprint(PROFILE)
    assert fingerprint(PROFILE) == "4d090b34a93c"  # as in other versions


def test_users_who_wait_for_answers_follow_no_law() -> None:
    closed = closed_profile(law=Law.EVEN)
    assert fingerprint(closed) == fingerprint(replace(closed, law=Law.POISSON))


class _Observed:
    """Keeps the labels of what was observed."""

    def __init__(self) -> None:
        self.labels: list[tuple[str, dict[str, object]]] = []

    def __call__(self, metric: str, *_: object, at: float, **labels: object) -> None:
        self.labels.append((metric, labels))

    def ratio(self, metric: str, *, bad: int, of: int, at: float, **labels: object) -> None:
        self.labels.append((metric, labels))

    distribution = __call__


def test_each_observation_says_of_which_load_it_is(monkeypatch: pytest.MonkeyPatch) -> None:
    plan = parse(plan_of(), Path("rollout.yaml"), "suites/demo/rollout.yaml").plan
    assert plan is not None
    (profile,) = plan.loads
    monkeypatch.setattr(loads, "make", lambda *_, **__: record_of(profile=profile.id))
    monkeypatch.setattr(honesty, "doubts", lambda *_: ())
    monkeypatch.setattr(honesty, "doubts_of_times", lambda *_: ())
    nothing: Any = lambda *_: None  # noqa: E731
    place = loads.Place(plan, Path(), False, lambda *_: "", lambda: 0, nothing, nothing)
    observed: Any = _Observed()
    loads.Loads(place).observe(observed, profile.id, SERIES)
    assert {metric for metric, _ in observed.labels} == set(SERIES) >= {LATENCY}
    assert {labels["offer"] for _, labels in observed.labels} == {fingerprint(profile)}
