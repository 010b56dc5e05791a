"""What the runs wrote down of themselves, and what a ledger holds when it is read behind its back.

Neither uses the ledger's own code: the tables are walked from end to end, without an index.
"""

from __future__ import annotations

import json
import shutil
import sqlite3
import tempfile
import time
from collections.abc import Callable, Sequence
from contextlib import closing
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from tests.campaign.inside import stored
from tests.campaign.project import Shape

_MOST = 500
_FILES = ("", "-wal", "-journal")  # -shm is made anew by whoever opens first


def note(side: Path, child: str, what: str, **facts: object) -> None:
    """Write a line on behalf of those who strike."""
    line = {"t": time.monotonic_ns(), "role": "parent", "child": child, "what": what, **facts}
    with (side / "witness.jsonl").open("a", encoding="utf-8") as file:
        file.write(json.dumps(line) + "\n")


@dataclass(frozen=True)
class Line:
    """One fact."""

    t: int
    role: str
    what: str
    child: str
    facts: dict[str, Any]


class Witness:
    """The lines of one case, those of the runs before it among them."""

    def __init__(self, side: Path) -> None:
        self.lines: list[Line] = []
        file = side / "witness.jsonl"
        for text in file.read_text(encoding="utf-8").splitlines() if file.exists() else []:
            data = json.loads(text)
            self.lines.append(Line(data["t"], data["role"], data["what"], data["child"], data))

    def of(self, child: str, what: str) -> list[Line]:
        """The lines of one kind that the processes of a run wrote."""
        return [line for line in self.lines if (line.child, line.what) == (child, what)]

    def pids(self, child: str, role: str) -> list[int]:
        """The processes of a role."""
        what = "up" if role == "target" else "configure"
        return [int(one.facts["pid"]) for one in self.of(child, what) if one.role == role]

    def committed(self, child: str | None = None) -> list[Line]:
        """The records whose writing returned, of one run or of all."""
        return [
            line for line in self.lines if line.what == "committed" and child in (None, line.child)
        ]

    def run_of(self, child: str) -> str | None:
        """The name that a run has in the ledger; None where it never came so far."""
        runs = [one.facts["run"] for one in self.committed(child) if one.facts["kind"] == "run"]
        return str(runs[0]) if runs else None

    def child_of(self, run: object) -> str | None:
        """The run of that name in the ledger."""
        found = [one.child for one in self.committed() if one.facts["run"] == run]
        return found[0] if found else None

    def when(self, child: str, kind: str) -> int | None:
        """When the first record of a kind was committed."""
        return next((o.t for o in self.committed(child) if o.facts["kind"] == kind), None)

    def unfinished(self, child: str, shape: Shape, bad: str) -> str | None:
        """Why a run did not execute everything, as its own processes saw it."""
        left = shape.expected(bad) - {line.facts["item"] for line in self.of(child, "done")}
        if left:
            return f"{len(left)} tests did not come to their end"
        batches = [one for one in self.committed(child) if one.facts["kind"] == "batch"]
        if len(batches) < len(shape.items):
            return f"only {len(batches)} of {len(shape.items)} batches were committed"
        started = {line.role for line in self.of(child, "configure")}
        ended = {line.role for line in self.of(child, "sessionfinish")}
        if started - ended:
            return f"{', '.join(sorted(started - ended))} never ended"
        if shape.served:
            asked = [o for o in self.of(child, "answered") if o.facts["path"] == "/version"]
            if len(asked) < 2:
                return "the target was not there at the end"
        return None


@dataclass
class Raw:
    """The rows of a ledger's file, found by walking it."""

    records: dict[int, dict[str, object]] = field(default_factory=dict)
    texts: dict[str, str] = field(default_factory=dict)
    orphans: int = 0  # observations of no record
    unreadable: str | None = None

    @classmethod
    def read(cls, ledger: Path) -> Raw:
        """Read a copy, so that nothing is repaired by looking."""
        raw = cls()
        with tempfile.TemporaryDirectory(prefix="rollout-raw-") as folder:
            for tail in _FILES:
                if Path(f"{ledger}{tail}").is_file():
                    shutil.copy(f"{ledger}{tail}", f"{folder}/ledger.db{tail}")
            if not Path(folder, "ledger.db").exists():
                raw.unreadable = "there is no file"
                return raw
            with closing(sqlite3.connect(Path(folder, "ledger.db"))) as db:
                raw._walk(db)
        return raw

    def _walk(self, db: sqlite3.Connection) -> None:
        db.text_factory = bytes
        query = "SELECT sequence FROM records NOT INDEXED ORDER BY +sequence"
        rows = self._try(lambda: db.execute(query).fetchall())
        # Where a page of the table is broken, what stands on the others can still be had.
        for sequence in range(1, _MOST) if rows is None else (row[0] for row in rows):
            found = self._try(stored, db, sequence)
            if found is not None and found["kind"] != "None":
                self.records[sequence] = found
        query = "SELECT digest, text FROM texts NOT INDEXED"
        texts = self._try(lambda: db.execute(query).fetchall()) or []
        self.texts = {repr(digest): repr(text) for digest, text in texts}
        orphans = "SELECT count(*) FROM observations WHERE batch NOT IN (SELECT sequence FROM"
        count = self._try(lambda: db.execute(f"{orphans} records NOT INDEXED)").fetchone()[0])
        self.orphans = count or 0

    def _try(self, read: Callable[..., Any], *given: object) -> Any:
        try:
            return read(*given)
        except (sqlite3.Error, ValueError, TypeError, OverflowError) as error:
            self.unreadable = str(error)
            return None

    def holds(self, run: str, kind: str) -> bool:
        """Whether there is a record of a kind of a run."""
        return any((o["run"], o["kind"]) == (run, kind) for o in self.records.values())

    def lacks(self, line: Line) -> bool:
        """Whether a committed record is gone, or not what it was."""
        found = self.records.get(int(line.facts["sequence"]))
        known = [key for key in ("hash", "row", "seen") if key in line.facts]
        return found is None or any(found[key] != line.facts[key] for key in known)

    def altered(self, witness: Witness, child: str | None = None) -> list[Line]:
        """The committed records of a run, or of all, that are no longer what they were."""
        return [one for one in witness.committed(child) if self.lacks(one)]

    def just_cut(self, witness: Witness, gone: Sequence[Line]) -> bool:
        """Whether just the end of the chain is gone, grown anew or not.

        Nobody can see that without an anchor that was noted before.
        """
        last = {one.facts["sequence"]: one for one in witness.committed()}
        cut = min(int(one.facts["sequence"]) for one in gone)
        whole = not self.unreadable and not self.orphans
        here = [last.get(sequence) for sequence in self.records if sequence >= cut]
        return whole and all(one is not None and not self.lacks(one) for one in here)

    def last_run(self) -> str | None:
        """The run whose first record is the newest one."""
        runs = [one for one in self.records.values() if one["kind"] == "run"]
        return str(runs[-1]["run"]) if runs else None
