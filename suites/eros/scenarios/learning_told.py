"""What agents and users tell the service of learning, and what of it nobody can take."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import httpx

from suites.eros.views.reflecting import correction
from suites.eros.views.service import unrefused

CREATOR = "alexia"  # a page that is paid for
TOLD = ("unchanged", "corrected", "measured", "ended")  # what agents and users tell


def told(client: httpx.Client, sessions: Mapping[str, str], says: str) -> dict[str, httpx.Response]:
    """The answers to two corrections, one of which changes nothing, a measurement and an end."""
    kept = correction(says, sessions["unchanged"], changed=False)
    changed = correction(says, sessions["corrected"])
    about = {"session": sessions["measured"], "creator": CREATOR, "says": says}
    measured = {**about, "expected": 100, "actual": 131}
    return {
        "unchanged": client.post("/corrections", json=kept),
        "corrected": client.post("/corrections", json=changed),
        "measured": client.post("/performance", json=measured),
        "ended": client.post(f"/sessions/{sessions['ended']}/end"),
    }


def not_refused(
    client: httpx.Client, session: str, schedule: Sequence[Mapping[str, Any]]
) -> Iterator[str]:
    """What was told that nobody can take, and what is wrong with its refusal."""
    about = {"session": session, "creator": CREATOR}
    odd: Sequence[tuple[str, object, int]] = (
        ("/validate", {"creator": CREATOR, "schedule": schedule}, 400),
        ("/validate", {**about, "creator": "nobody", "schedule": schedule}, 404),
        ("/validate", about, 400),
        ("/validate", {**about, "schedule": [{"at": "noon"}]}, 400),
        ("/validate", {**about, "schedule": 5}, 400),
        ("/corrections", {**about, "before": 1, "says": "No word of after"}, 400),
        ("/corrections", ["no object"], 400),
        ("/corrections", {"before": 1, "after": 2, "says": "No session"}, 400),
        ("/performance", {**about, "expected": 1, "says": "Nothing measured"}, 400),
        ("/performance", {**about, "expected": 1, "actual": "many", "says": "No number"}, 400),
    )
    for path, body, status in odd:
        wrong = unrefused(client.post(path, json=body), status)
        if wrong:
            yield f"POST {path} {body!r:.80} is {wrong}"
