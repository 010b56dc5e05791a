"""The last day: what stands on record, and which of the services answer."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import httpx

from pytest_rollout import Stage, scenario
from suites.pas.views.records import Records

SERVICES = ("pas", "full", "plms", "index")


@dataclass(frozen=True)
class Finished:
    """The end of the rollout."""

    records: Records
    checkout: Path
    answers: Mapping[str, bool]  # whether each service says that it is well


@scenario()
def finished(phase: Stage) -> Finished:
    """In a rehearsal the clock goes on to the end of the last day."""
    if phase.embedded:
        phase.target("pas").clock.to(phase.window[1])
    answers = {name: _well(phase.target(name).client) for name in SERVICES}
    return Finished(Records(phase.file("records")), phase.file("checkout"), answers)


def _well(client: httpx.Client) -> bool:
    try:
        answer = client.get("/health")
    except httpx.HTTPError:
        return False
    return answer.status_code == httpx.codes.OK and answer.json().get("status") == "ok"
