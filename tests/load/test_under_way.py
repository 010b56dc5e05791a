"""A load whose users all waited for the target at once: it is called slow, not the generator."""

from __future__ import annotations

from typing import Any

import pytest

from pytest_rollout.load import honesty
from pytest_rollout.load.schedule import in_flight
from pytest_rollout.model.load import Offer
from pytest_rollout.report.sentences import text
from tests.load.records import COUNTED, PLANNED, RATE, SECONDS, WARM_UP, profile_of, record_of

USERS = 200
BAD: dict[str, dict[str, Any]] = {
    "not started": {"started": PLANNED * 9 // 10, "dropped": PLANNED // 10},
    "late": {"start_delay": {"300000": COUNTED}},
}


@pytest.mark.parametrize("what", BAD)
def test_a_target_that_held_all_users_is_called_slow(what: str) -> None:
    offer = Offer(SECONDS * 1_000_000, float(RATE), USERS, WARM_UP * 1_000_000)
    profile = profile_of(offer=offer)
    idle, held = (
        honesty.doubts(profile, record_of(profile, most_users=users, **BAD[what]))[0]
        for users in (USERS * 94 // 100, USERS)
    )
    assert "the target" not in text(idle, "UTC")
    ends = {
        "not started": ": all 200 users waited for the target, which is too slow for this rate",
        "late": " (all 200 users waited for the target)",
    }
    assert text(held, "UTC").endswith(ends[what])


def test_users_that_the_plan_does_not_state_are_those_that_there_may_be() -> None:
    profile = profile_of()
    record = record_of(profile, most_users=in_flight(profile), **BAD["late"])
    (reason,) = honesty.doubts(profile, record)
    assert reason.facts["held"] == in_flight(profile)
    assert honesty.doubts(profile, record_of(profile, most_users=in_flight(profile))) == ()
