"""The code index refreshed once, and followed over some commits."""

from __future__ import annotations

import time
import uuid
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

import httpx
import pytest

from pytest_rollout import LiveTarget, Reported, Stage, scenario
from suites.pas.views.committing import Committed, commit
from suites.pas.views.index import Index
from suites.pas.views.lines import lines
from suites.pas.views.source import Source, Spot

STORAGE = "artifacts/lightrag_code_index"
COMMITS = 6  # five that add or change a name, and one that takes it away
_ARRIVES_S = 4.0  # that a hook in the background may take to ask
_STEP_S, _LOOKS = 5, 36  # three minutes of the index's clock


@dataclass(frozen=True, slots=True)
class Indexed:
    """The index after it was asked to refresh, and the commit that it should be of."""

    index: Index
    source: Source
    checkout: Path
    answer: httpx.Response  # to the refresh
    snapshot: httpx.Response
    at: datetime  # by the clock of the index


@scenario(effect="change")
def indexed(phase: Stage) -> Indexed:
    """The index is asked to read the checkout's last commit."""
    checkout = phase.file("checkout")
    index = Index(phase.target("index").client)
    answer = index.client.post("/refresh")
    snapshot = index.client.get("/snapshot")
    at = phase.target("pas").clock.now() if phase.embedded else datetime.now(UTC)
    return Indexed(index, Source.at(checkout), checkout, answer, snapshot, at)


@dataclass(frozen=True, slots=True)
class Step:
    """One commit of the storm, what it caused and when it could be seen."""

    committed: Committed
    refreshes: int  # requests to refresh until the next commit
    seconds: float | None  # of the index's clock until it could be seen; None: it could not
    at: datetime


@scenario(effect="change")
def storm(
    phase: Stage, indexed: Indexed, tmp_path_factory: pytest.TempPathFactory
) -> Sequence[Step]:
    """Six commits, one after the other; each is asked for until it is seen."""
    name = f"rollout_probe_{uuid.uuid4().hex[:8]}"
    file, log = f"{name}.py", tmp_path_factory.mktemp("storm") / "commit.log"
    target, requests = phase.target("pas"), phase.file("requests") / "index.jsonl"
    done: list[tuple[Committed, int, float | None, datetime]] = []
    for number in range(COMMITS):
        last = number == COMMITS - 1
        text = None if last else "\n" * number + f"def {name}() -> int:\n    return {number}\n"
        before, began = refreshes(requests), target.clock.now()
        committed = commit(indexed.checkout, {file: text}, f"Probe the code index, {number}", log)
        _arrived(requests, before, patient=all(seen is not None for *_, seen, _ in done))
        expected = [] if last else [Spot(file, number + 1)]
        seen = _visible(target, indexed.index, name, expected, began)
        done.append((committed, before, seen, began))
    counts = [before for _, before, _, _ in done] + [_settled(requests)]
    return [
        Step(committed, counts[number + 1] - before, seen, at)
        for number, (committed, before, seen, at) in enumerate(done)
    ]


def refreshes(requests: Path) -> int:
    """How many requests to refresh the index got so far."""
    if not requests.is_file():
        return 0
    asked = lines(requests, "access log of the index")
    return sum(_is_refresh(request) for request in asked)


def _is_refresh(request: Reported) -> bool:
    return request.text("method") == "POST" and request.text("path") == "/refresh"


def _arrived(requests: Path, before: int, *, patient: bool) -> None:
    """Wait for the hook's request, which is sent in the background; shortly once one was missed."""
    until = time.monotonic() + (_ARRIVES_S if patient else 0.3)
    while refreshes(requests) == before and time.monotonic() < until:
        time.sleep(0.05)


def _settled(requests: Path) -> int:
    """The requests to refresh, once a second one would have come too."""
    time.sleep(0.5)
    return refreshes(requests)


def _visible(
    target: LiveTarget, index: Index, name: str, expected: Sequence[Spot], began: datetime
) -> float | None:
    """How long it takes until a name is where it should be."""
    now = target.clock.now()
    for _ in range(_LOOKS):
        if index.spots("where_defined", name) == expected:
            return (now - began).total_seconds()
        now = target.clock.advance(_STEP_S)
    return None
