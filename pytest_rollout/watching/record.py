"""What a watch writes into the ledger: runs of its own kind, a batch at each look, and events.

A long watch is a row of runs, each sealed when the next begins: what is sealed counts at the
gate as any other run's evidence, and a watch that is killed loses no more than its last one.
"""

from __future__ import annotations

import platform
import secrets
import time
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from importlib.metadata import version
from typing import Any

from pytest_rollout.evidence.ledger import Ledger
from pytest_rollout.evidence.records import Batch, Draft, Observation, RecordKind, seal_digest
from pytest_rollout.model.evidence import Head, ReleaseFact, Seen, Slot, decode
from pytest_rollout.model.plan import Address
from pytest_rollout.redact import cap, hide_in
from pytest_rollout.watching.poll import Sample

_MOST_SAID = 2_000
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
        self._append(RecordKind.RUN, self._facts())
        self._release(fact)

    def beat(self, samples: Iterable[Sample]) -> None:
        """A look: what was seen at it, which may be nothing."""
        now_us = time.time_ns() // 1000
        address, taken = self.watched.address, list(samples)
        rows = tuple(
            Observation(
                address.plan,
                address.phase,
                sample.metric,
                sample.labels,
                sample.t_us,
                now_us,
                seq,
                sample.value,
            )
            for seq, sample in enumerate(taken)
        )
        batch = Batch(ITEM, self.watched.phase, (), rows)
        self.ledger.append_batch(self.run, self.watched.environment, batch, "watch")
        for row in rows:
            slot = Slot(row.metric, row.labels, row.t_us, row.seq)
            self.seen.append(Seen(slot, decode(row.value), now_us, self.run))

    def seal(self, fact: ReleaseFact | None, problems: Iterable[str] = ()) -> None:
        """The run ended by itself: what it saw is evidence from now on."""
        self._release(fact)
        records = self.ledger.of_run(self.run)
        digest = seal_digest(record.hash for record in records)
        body = {"problems": list(problems), "records": len(records), "digest": digest}
        self._append(RecordKind.SEAL, body)

    def event(self, type_: str, says: str, **facts: Any) -> Head:
        """Something happened; of no run, so that it is on record whatever becomes of them."""
        body = {"type": type_, "t_us": time.time_ns() // 1000, "says": cap(says, _MOST_SAID)}
        return event(self.ledger, self.watched, {**hide_in(facts), **body})

    def _facts(self) -> dict[str, Any]:
        plan = self.watched.address.plan
        return {
            "watch": {"phase": self.watched.phase, "series": list(self.watched.series)},
            "plans": {plan: self.watched.plan_digest},
            "beside": {plan: dict(self.watched.beside)},
            "gates": [],
            "partial": [],
            "drill": None,
            "configured": {},
            "zone_data": "",
            "versions": {
                "python": platform.python_version(),
                "pytest-rollout": version("pytest-rollout"),
            },
        }

    def _release(self, fact: ReleaseFact | None) -> None:
        if fact is None:  # the plan does not say where it is read
            return
        body = {name: hide_in(getattr(fact, name)) for name in fact.__slots__}
        self._append(RecordKind.RELEASE, body, self.watched.phase)

    def _append(self, kind: RecordKind, body: Mapping[str, Any], subject: str = "") -> None:
        plan = self.watched.address.plan if subject else ""
        self.ledger.append(Draft(kind, self.run, body, plan, subject, self.watched.environment))


def event(ledger: Ledger, watched: Watched, body: Mapping[str, Any]) -> Head:
    """Write an event of a phase that is of no run."""
    plan = watched.address.plan
    draft = Draft(RecordKind.EVENT, "", body, plan, watched.phase, watched.environment)
    return ledger.append(draft)
