"""What a watch writes into the ledger: runs of its own kind, a batch at each look, and events.

A long watch is a row of runs, each sealed when the next begins: what is sealed counts at the
gate as any other run's evidence, and a watch that is killed loses no more than its last one.
"""

from __future__ import annotations

import platform
import secrets
import time
from collections.abc import Iterable, Mapping
from dataclasses import replace
from datetime import UTC, datetime
from importlib.metadata import version

from pytest_rollout.evidence.bodies import (
    Body,
    Process,
    RunStart,
    Seal,
    StoredEvent,
    Watching,
)
from pytest_rollout.evidence.ledger import Draft, Ledger
from pytest_rollout.evidence.records import Batch, Observation, seal_digest
from pytest_rollout.evidence.run_facts import seen_in
from pytest_rollout.late_dataclass import dataclass
from pytest_rollout.model.evidence import Head, ReleaseFact, Seen
from pytest_rollout.model.plan import Address
from pytest_rollout.watching.poll import Sample

ITEM = "rollout watch"


@dataclass(frozen=True, slots=True)
class Watched:
    """What is watched, where, by which text of the plan."""

    address: Address
    environment: str
    series: tuple[str, ...]
    plan_digest: str
    texts: Mapping[str, str]  # of the plan and the files beside it, by digest
    beside: Mapping[str, str]  # name to digest
    targets: Mapping[str, str] | None = None  # where each is, where that is known
    process: Process | None = None  # that watches

    @property
    def phase(self) -> str:
        """The phase's full name."""
        return self.address.name


class Recording:
    """Writes the runs of one watch; raises LedgerError where the ledger fails."""

    def __init__(self, ledger: Ledger, watched: Watched) -> None:
        self.ledger = ledger
        self.watched = watched
        self.run = ""
        self.seen: list[Seen] = []  # by the run that is open
        self.started = 0.0

    def begin(self, fact: ReleaseFact | None) -> None:
        """A run of the watch begins."""
        self.run = f"{datetime.now(UTC):%Y%m%dT%H%M%S}-watch-{secrets.token_hex(3)}"
        self.seen, self.started = [], time.monotonic()
        for digest, text in self.watched.texts.items():
            self.ledger.keep_text(digest, text)
        self._append(self._facts())
        self._release(fact)

    def beat(self, samples: Iterable[Sample]) -> None:
        """A look: what was seen at it, which may be nothing."""
        seen_us = now_us()
        address, taken = self.watched.address, list(samples)
        rows = tuple(
            Observation(
                address.plan,
                address.phase,
                sample.metric,
                sample.labels,
                sample.t_us,
                seen_us,
                seq if sample.seq is None else sample.seq,
                sample.value,
            )
            for seq, sample in enumerate(taken)
        )
        batch = Batch(ITEM, self.watched.phase, (), rows)
        head = self.ledger.append_batch(self.run, self.watched.environment, batch, "watch")
        self.seen += seen_in(self.ledger.rows_of(head.sequence), self.run)

    def seal(self, fact: ReleaseFact | None, problems: Iterable[str] = ()) -> None:
        """The run ended by itself: what it saw is evidence from now on."""
        self._release(fact)
        hashes = self.ledger.hashes_of(self.run)
        self._append(Seal(tuple(problems), len(hashes), seal_digest(hashes)))

    def event(self, event: StoredEvent) -> Head:
        """Something happened; of no run, so that it is on record whatever becomes of them."""
        watched = self.watched
        where = (watched.address.plan, watched.phase, watched.environment)
        return self.ledger.append(Draft(event, "", *where))

    def _facts(self) -> RunStart:
        plan = self.watched.address.plan
        return RunStart(
            watch=Watching(self.watched.phase, self.watched.series),
            plans={plan: self.watched.plan_digest},
            beside={plan: dict(self.watched.beside)},
            targets={} if self.watched.targets is None else {plan: dict(self.watched.targets)},
            gates=(),
            partial=(),
            drill=None,
            process=self.watched.process,
            configured={},
            zone_data="",
            versions={
                "python": platform.python_version(),
                "pytest-rollout": version("pytest-rollout"),
            },
        )

    def _release(self, fact: ReleaseFact | None) -> None:
        if fact is None:  # the plan does not say where it is read
            return
        self._append(replace(fact, watch=True), self.watched.phase)

    def _append(self, body: Body, subject: str = "") -> None:
        plan = self.watched.address.plan if subject else ""
        self.ledger.append(Draft(body, self.run, plan, subject, self.watched.environment))


def now_us() -> int:
    """This moment, in microseconds since the epoch."""
    return time.time_ns() // 1000
