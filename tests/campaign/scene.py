"""Playing one case: a project is made, struck, looked at, and run again undisturbed."""

from __future__ import annotations

import hashlib
import os
import shutil
import signal
import time
from collections.abc import Mapping
from contextlib import ExitStack, suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from tests.campaign import storage
from tests.campaign.child import Child, Gate, pid_of, start
from tests.campaign.draw import Case
from tests.campaign.laws import Bench, check, check_child, keep_anchors
from tests.campaign.project import SHAPES, Shape, write
from tests.campaign.witness import Raw, note

_AHEAD_S = 10 * 365 * 86400
_BACK_S = (60, 3600, 86400, 400 * 86400, 20 * 365 * 86400)
_SIGNALS = {"kill -9": signal.SIGKILL, "SIGTERM": signal.SIGTERM, "SIGINT": signal.SIGINT}


@dataclass(frozen=True)
class Workshop:
    """What all cases share: templates, how long a run takes, what the machine allows."""

    folder: Path
    lengths: Mapping[str, float]
    statements: Mapping[tuple[str, str], int]  # of a shape and a role
    possible: Mapping[str, bool]

    def template(self, case: Case) -> Path:
        """The project as it is before the case."""
        return template_path(self.folder, *case.template)


def template_path(folder: Path, shape: str, prior: str) -> Path:
    """Where a template stands."""
    return folder / f"template {shape} {prior or 'nothing'}".replace(" ", "-")


@dataclass
class Outcome:
    """What came of a case."""

    index: int
    kind: str
    words: str
    landed: bool = False
    impossible: str = ""
    ended: str = ""  # how the struck run ended
    stands: str = ""  # what its exit gate was judged to be afterwards
    again: str = ""  # how the undisturbed run after it ended
    struck: str = ""
    broken: list[str] = field(default_factory=list)
    folder: str = ""
    go_left: bool = False  # the struck run was GO, rightly
    silent_zero: bool = False  # it ended with 0 and without an answer


class Scene:
    """One case, from the copy of its template to the last law."""

    def __init__(self, case: Case, shop: Workshop, folder: Path) -> None:
        self.case = case
        self.shop = shop
        self.shape: Shape = SHAPES[case.shape]
        self.side = folder / "side"
        self.root = folder / "project"
        self.outcome = Outcome(case.index, case.kind.name, case.words(), folder=str(folder))
        self.keep = ExitStack()

    def play(self) -> Outcome:
        """Do it; the machine is left as it was."""
        template = self.shop.template(self.case)
        shutil.copytree(template / "side", self.side)
        shutil.copytree(template / "project", self.root)
        with self.keep:
            try:
                self._disk()
                bench = self._bench()
                self._strike(bench)
            except storage.ImpossibleHereError as error:
                self.outcome.impossible = str(error)
                return self.outcome
            self._afterwards(bench)
        return self.outcome

    def _disk(self) -> None:
        """Where the disk is to be full, the ledger is on a small one of its own."""
        self.ledger = self.root / ".rollout" / "ledger.db"
        if self.case.kind.name != "disk full":
            return
        if not self.shop.possible["mounts"]:
            raise storage.ImpossibleHereError("no file system can be mounted")
        kept = self.root / "kept"
        if self.ledger.parent.exists():
            self.ledger.parent.rename(kept)
        self.keep.enter_context(storage.small_disk(self.ledger.parent))
        if kept.exists():
            shutil.copytree(kept, self.ledger.parent, dirs_exist_ok=True)
            shutil.rmtree(kept)

    def _bench(self) -> Bench:
        prior = self.case.template[1]
        bad = {"P1": prior.removeprefix("bad ")} if prior.startswith("bad ") else {}
        return Bench(self.root, self.ledger, self.side, self.shape, bad)

    def _strike(self, bench: Bench) -> None:
        case = self.case
        if case.after_a_run:
            before = Raw.read(self.ledger)
            self.outcome.struck = self._stroke_at_rest()
            after = Raw.read(self.ledger)
            bench.altered = True
            self.outcome.landed = before != after or "bytes" in case.kind.name
            self.outcome.ended = "at rest"
            return
        write(self.root, self.shape, case.bad)
        if case.bad:
            bench.bad |= {"R": case.bad, "S": case.bad}
        if case.kind.name == "two runs at once":
            self._two(bench)
        elif case.kind.name == "read-only before a run":
            self._on_read_only(bench)
        else:
            self._one(bench)

    def _stroke_at_rest(self) -> str:
        chance = self.case.chance("stroke")
        name = self.case.kind.name
        if name.startswith("bytes"):
            return storage.strike_bytes(self.ledger, chance)
        if name.startswith("rows"):
            return storage.strike_rows(self.ledger, chance)
        if name.startswith("file cut"):
            return storage.strike_cut(self.ledger, chance)
        return storage.strike_older(self.ledger, chance, self.side / "older.db")

    def _start(self, name: str, order: Mapping[str, Any] | None = None) -> Child:
        return start(name, self.root, self.side, self.shape, order or {})

    def _two(self, bench: Bench) -> None:
        first = self._start("R")
        time.sleep(self.case.chance("gap").uniform(0, 0.3))
        second = self._start("S")
        for child in (first, second):
            child.end()
            check_child(bench, child, storage=True)
            self._must_be_right(bench, child)
        self.outcome.landed = True
        self.outcome.ended = _how(first)

    def _must_be_right(self, bench: Bench, child: Child) -> None:
        """An undisturbed run answers what its tests honestly are."""
        good = not bench.bad.get(child.name)
        status = child.process.returncode
        if good != (status == 0 and child.said_go):
            said = child.output[-500:]
            bench.law("does not work", f"undisturbed {child.name} ended with {status}: {said}")

    def _on_read_only(self, bench: Bench) -> None:
        self.ledger.parent.mkdir(exist_ok=True)
        if not self.shop.possible["mounts"]:
            raise storage.ImpossibleHereError("no folder can be made read-only for root")
        with storage.read_only(self.ledger.parent):
            child = self._start("R")
            child.end()
            check_child(bench, child, storage=True)
            self.outcome.ended = _how(child)
            check(bench)
        if child.said_go:
            bench.law("false GO", "a run that could write nothing answered GO")
        self.outcome.landed = True

    def _one(self, bench: Bench) -> None:
        case = self.case
        gate = Gate(self.side)
        self.keep.callback(gate.close)
        child = self._start("R", self._order())
        second: Child | None = None
        if case.kind.name == "a run starts while another is killed":
            time.sleep(case.chance("gap").uniform(0, 0.4))
            second = self._start("S")
        if case.kind.act != "wait":
            child.end()
            self.outcome.landed = self._landed_inside(bench, child)
        elif case.place:
            self.outcome.landed = gate.wait(child, lambda: self._stroke(bench, child))
        else:
            self._at_a_moment(bench, child)
        child.end()
        if second is not None:
            second.end()
            check_child(bench, second, storage=False)
            self._must_be_right(bench, second)
        bench.altered = bench.altered and self.outcome.landed
        check_child(bench, child, storage=case.kind.storage)
        self._told(bench, child)

    def _order(self) -> dict[str, Any]:
        case = self.case
        if case.kind.act == "wait" and not case.place:
            return {}
        place: list[Any] | None = None
        if case.place:
            name, number = case.place
            if name == "statement":
                count = self.shop.statements.get((case.shape, case.role), 20)
                number = 1 + int(number * count)
            place = [name, int(number)]
        value = 0
        if case.kind.act == "clock":
            chance = case.chance("clock")
            ahead = "ahead" in case.kind.name
            value = chance.choice([3600, _AHEAD_S]) if ahead else -chance.choice(_BACK_S)
        elif case.kind.act == "limit":
            value = case.chance("limit").choice([0, 1000, 4096, 20_000])
        return {"role": case.role, "place": place, "act": case.kind.act, "value": value}

    def _landed_inside(self, bench: Bench, child: Child) -> bool:
        witness = bench.witness
        if self.case.kind.act == "clock" and not self.case.place:
            return bool(witness.of(child.name, "configure"))
        return bool(witness.of(child.name, "struck"))

    def _at_a_moment(self, bench: Bench, child: Child) -> None:
        until = child.started + self.case.moment * self.shop.lengths[self.case.shape]
        time.sleep(max(0.0, until - time.monotonic()))
        if self.case.role != "controller":
            pid_of(child, self.side, self.case.role)
        if child.process.poll() is None:
            self._stroke(bench, child)
            self.outcome.landed = True

    def _stroke(self, bench: Bench, child: Child) -> None:
        """What happens to the run, now."""
        child.struck_at = time.monotonic_ns()
        note(self.side, child.name, "struck", act="outside")
        name = self.case.kind.name
        bench.altered = self.case.kind.lossy
        how = next((how for word, how in _SIGNALS.items() if word in name), None)
        if name == "a run starts while another is killed":
            child.process.kill()
        elif how and name.endswith("all of them"):
            child.kill_all(how)
        elif how:
            self._signal(child, how)
        else:
            self.outcome.struck = self._stroke_in_a_run()

    def _signal(self, child: Child, how: int) -> None:
        pid = pid_of(child, self.side, self.case.role)
        with suppress(ProcessLookupError):
            if pid is not None:
                os.kill(pid, how)

    def _stroke_in_a_run(self) -> str:
        chance = self.case.chance("stroke")
        if not self.ledger.parent.exists():
            return "there was nothing yet"
        if self.case.kind.name == "disk full":
            return storage.fill(self.ledger.parent, chance.choice([0, 100, 4096, 8192, 30_000]))
        if self.case.kind.name == "read-only in a run":
            self.keep.callback(storage.thaw, self.ledger)
            storage.freeze(self.ledger)
            return "made immutable"
        if not self.ledger.exists():
            return "there was no file yet"
        try:
            return self._stroke_at_rest()
        except Exception as error:  # the file is in use, or no ledger yet
            return f"could not: {error}"

    def _told(self, bench: Bench, child: Child) -> None:
        outcome, status = self.outcome, child.process.returncode
        outcome.ended = _how(child)
        outcome.go_left = child.said_go
        outcome.silent_zero = status == 0 and not child.said_go
        if not outcome.landed and not outcome.broken:
            self._must_be_right(bench, child)

    def _afterwards(self, bench: Bench) -> None:
        self.outcome.stands = check(bench)
        keep_anchors(bench)
        storage.thaw(self.ledger)
        (self.ledger.parent / "filler").unlink(missing_ok=True)
        write(self.root, self.shape)
        others = self._others()
        before = Raw.read(self.ledger).records
        child = self._start("F")
        child.end()
        self.outcome.again = _how(child)
        check_child(bench, child, storage=True)
        if not bench.altered:
            self._must_be_right(bench, child)
        elif child.process.returncode not in (0, 4, 11):
            bench.law("does not work", f"F ended with {_how(child)}: {child.output[-500:]}")
        after = Raw.read(self.ledger).records
        gone = [number for number, record in before.items() if after.get(number) != record]
        if gone:
            bench.law("evidence lost", f"an undisturbed run lost records {gone[:9]}")
        lost = {name for name, digest in others.items() if self._others().get(name) != digest}
        if lost:
            bench.law("evidence lost", f"other files were changed: {sorted(lost)}")
        check(bench)
        self.outcome.broken = bench.broken

    def _others(self) -> dict[str, str]:
        """The files that are neither the ledger nor a report."""
        found = {}
        for path in self.root.rglob("*"):
            name = str(path.relative_to(self.root))
            if path.is_file() and "ledger.db" not in name and "report" not in name:
                found[name] = hashlib.sha256(path.read_bytes()).hexdigest()
        return found


def _how(child: Child) -> str:
    status = child.process.returncode
    if status < 0:
        return signal.Signals(-status).name
    return f"{status}{' GO' if child.said_go else ''}"
