"""The fingerprint of what a load offers: figures of two loads are not of the same thing."""

from __future__ import annotations

import hashlib

from pytest_rollout.model.decision import canonical
from pytest_rollout.model.load import LoadProfile

_DIGITS = 12


def fingerprint(profile: LoadProfile) -> str:
    """Return the same text for the same load: what asks whom, how much, how long, and when.

    Who makes it, and what is demanded of its record, change nothing of what the target is asked.
    What stands in the locustfile is not looked at.
    """
    offer, shape = profile.offer, profile.shape
    stated = [
        ["asks", profile.locustfile, profile.target],
        ["offer", offer.duration_us, offer.rate, offer.users, offer.warm_up_us],
        ["shape", shape.kind.value, shape.over_us, shape.steps, shape.peak],
        ["again", shape.every_us, shape.lasts_us],
        ["law", profile.law.value if profile.open_loop else "", profile.seed],
    ]
    return hashlib.sha256(canonical(stated).encode()).hexdigest()[:_DIGITS]
