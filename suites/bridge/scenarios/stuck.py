"""A thread that makes no progress, and what the bridge says of it."""

from __future__ import annotations

from dataclasses import dataclass

from pytest_rollout import Stage
from suites.bridge.views.exposition import scrape
from suites.bridge.views.service import Bridge

TURNS = 12  # of twenty to the block: more than half


@dataclass(frozen=True)
class Stuck:
    """The gauge of stuck threads around one that got stuck, and around one that did not."""

    before: float
    busy: float  # after a thread with as many turns, of which some were progress
    stuck: float  # after a thread without any
    freed: float  # after that one made progress

    def problem(self) -> str:
        """What is wrong with the gauge; empty where it follows its cause."""
        seen = (self.busy - self.before, self.stuck - self.busy, self.freed - self.stuck)
        return "" if seen == (0, 1, -1) else f"it changed by {seen}, not by (0, 1, -1)"


def stuck(phase: Stage) -> Stuck:
    """Two agents take turns in two threads: in one of them they get somewhere."""
    bridge, client = Bridge.of(phase), phase.target("bridge").client
    crew = [bridge.agent(f"stuck-{name}", "executor") for name in "ab"]

    def turns(thread: str, progress: int) -> None:
        for number in range(TURNS):
            kind = "progress" if progress and number % progress == 0 else "message"
            sent = crew[number % 2].send(thread, f"turn {number}", kind=kind, wake=False)
            sent.raise_for_status()

    def look() -> float:
        return scrape(client).sum("stuck_threads")

    threads = [crew[0].opened(title, [crew[1].name], lane="autonomous") for title in ("a", "b")]
    seen = [look()]
    turns(threads[0], 4)
    seen.append(look())
    turns(threads[1], 0)
    seen.append(look())
    crew[0].send(threads[1], "that is it", kind="progress", wake=False).raise_for_status()
    return Stuck(seen[0], seen[1], seen[2], look())
