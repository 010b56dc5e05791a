"""Whether a target held all users of a load at once: then it is slow, not who makes the load."""

from __future__ import annotations

from collections.abc import Mapping

from pytest_rollout.load.schedule import in_flight
from pytest_rollout.model.load import LoadProfile, LoadRecord

_NEARLY_ALL = 95  # of 100: between two requests a user waits for none


def held(profile: LoadProfile, record: LoadRecord) -> Mapping[str, int]:
    """Return how many users there were, where all of them waited for the target at once.

    It is a fact of reasons that say why planned arrivals did not start in time; else nothing.
    """
    if not record.open_loop or profile.offer.rate is None:
        return {}
    slots = in_flight(profile)
    return {"held": slots} if record.most_users * 100 >= slots * _NEARLY_ALL else {}
