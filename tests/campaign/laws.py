"""The laws, checked from outside after each case."""

from __future__ import annotations

import hashlib
import io
import json
import re
import shutil
from collections.abc import Iterator, Sequence
from contextlib import redirect_stderr, redirect_stdout
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from pytest_rollout.cli import main
from tests.campaign.child import Child
from tests.campaign.project import Shape
from tests.campaign.witness import Line, Raw, Witness


@dataclass(frozen=True)
class Said:
    """What the command answered."""

    status: int
    out: str
    err: str
    broke: str = ""

    @property
    def data(self) -> Any:
        """Its JSON; nothing where it gave none, or only said what is wrong."""
        data = json.loads(self.out) if self.out.startswith("{") else {}
        return None if not data or "error" in data else data


def rollout(root: Path, ledger: Path, *arguments: str) -> Said:
    """The `rollout` command in this process: the same function that the script calls."""
    out, err = io.StringIO(), io.StringIO()
    status, broke = 0, ""
    try:
        with redirect_stdout(out), redirect_stderr(err):
            main([*arguments, "--root", str(root), "--ledger", str(ledger)])
    except SystemExit as ended:
        status = ended.code if isinstance(ended.code, int) else 1
    except BaseException as error:  # the law is that there is none
        broke = f"{type(error).__name__}: {error}"
    return Said(status, out.getvalue(), err.getvalue(), broke)


@dataclass
class Bench:
    """A case's project, as the laws look at it."""

    root: Path
    ledger: Path
    side: Path
    shape: Shape
    bad: dict[str, str]  # what is bad about each run's tests, by the run's name
    altered: bool = False  # the ledger was struck in a way that may lose what was committed
    broken: list[str] = field(default_factory=list)  # laws, with what broke them
    answers: list[str] = field(default_factory=list)

    @property
    def witness(self) -> Witness:
        """What was written down so far."""
        return Witness(self.side)

    def no_right(self, witness: Witness, child: str, gate: str, raw: Raw | None) -> str | None:
        """Why a gate of a run may not be GO; None where it may. Without a gate: all of them."""
        bad = self.bad.get(child, "")
        if bad and gate in ("", self.shape.bad_gate()):
            return f"its tests are bad ({bad})"
        left = witness.unfinished(child, self.shape, bad)
        if left:
            return left
        run = str(witness.run_of(child))
        if raw is None or raw.unreadable:
            sealed = witness.when(child, "seal") is not None
        else:
            sealed = raw.holds(run, "seal") or witness.when(child, "seal") is not None
        return None if sealed else "it was never sealed"

    def law(self, name: str, said: str) -> None:
        """Note that a law was broken."""
        self.broken.append(f"{name}: {said}")


def check_child(bench: Bench, child: Child, *, storage: bool) -> None:
    """What a run itself answered."""
    witness, name = bench.witness, child.name
    status = child.process.returncode
    exited = any(one.facts["act"] == "exit" for one in witness.of(name, "struck"))
    if child.hung:
        bench.law("hung", f"{name} did not end by itself")
    if child.stragglers:
        bench.law("left behind", f"{name} left {child.stragglers} processes")
    if child.said_go or (status == 0 and not exited):
        why = bench.no_right(witness, name, "", None)
        if why is None and child.struck_at is not None:
            why = _altered_before(bench, witness, child)
        if why:
            bench.law("false GO", f"{name} answered GO ({status}), but {why}")
    output = child.output
    if storage and ("Traceback (most recent" in output or "INTERNALERROR" in output):
        bench.law("traceback", f"{name} showed one: {output[-600:]}")


def _altered_before(bench: Bench, witness: Witness, child: Child) -> str | None:
    sealed = witness.when(child.name, "seal")
    if not bench.altered or sealed is None or (child.struck_at or 0) > sealed:
        return None
    mine = {int(one.facts["sequence"]) for one in witness.committed(child.name) if one.t <= sealed}
    gone = mine & set(_numbers(Raw.read(bench.ledger).altered(witness, child.name)))
    return f"records {sorted(gone)} were altered before it was sealed" if gone else None


def check(bench: Bench) -> str:
    """All that can be seen from outside once nothing runs; what the last gate stands at."""
    witness, raw = bench.witness, Raw.read(bench.ledger)
    damaged = raw.altered(witness)
    if not bench.altered:
        _nothing_lost(bench, witness, raw, damaged)
    _attachments(bench)
    shown = [_status(bench, witness, raw)]
    for gate in bench.shape.gates:
        shown.append(_decided(bench, witness, raw, gate))
    _reports(bench, witness)
    _verified(bench, witness, raw, damaged)
    return shown[-1]


def _numbers(lines: Sequence[Line]) -> list[int]:
    return [int(one.facts["sequence"]) for one in lines]


def _nothing_lost(bench: Bench, witness: Witness, raw: Raw, damaged: Sequence[Line]) -> None:
    if raw.unreadable and witness.committed():
        bench.law("unreadable", f"sqlite itself: {raw.unreadable}")
    if damaged:
        bench.law("evidence lost", f"committed records {_numbers(damaged)[:9]} are gone or changed")
    if raw.orphans:
        bench.law("evidence lost", f"{raw.orphans} observations belong to no record")


def _attachments(bench: Bench) -> None:
    for path in (bench.ledger.parent / "attachments").glob("?" * 64):
        if hashlib.sha256(path.read_bytes()).hexdigest() != path.name:
            bench.law("evidence lost", f"attachment {path.name[:12]} is not what it was")


def _run(bench: Bench, *arguments: str) -> Said:
    """A verb, which always answers with words and a known status."""
    said = rollout(bench.root, bench.ledger, *arguments)
    shown = f"rollout {' '.join(arguments)}"
    if said.broke or "Traceback" in said.out + said.err:
        bench.law("traceback", f"{shown}: {said.broke or said.err}")
    elif said.status not in (0, 4, 10, 11, 12):
        bench.law("traceback", f"{shown} ended with {said.status}: {said.err}")
    elif said.status == 4 and len(said.err.strip().splitlines()) != 1:
        bench.law("one message", f"{shown} said {said.err!r}")
    elif said.status == 4 and not bench.altered and not _nothing_asked(said.err):
        bench.law("unreadable", f"{shown}: {said.err.strip()}")
    return said


def _nothing_asked(err: str) -> bool:
    """Whether the message is about a run that was never made, not about the ledger."""
    return bool(re.search(r"no full run has asked|there is no ledger", err))


def _go(bench: Bench, witness: Witness, raw: Raw, run: object, gate: str, where: str) -> None:
    """GO was answered of a run: it must have a right to it, and be the newest."""
    child = witness.child_of(run)
    if child is None:
        return bench.law("false GO", f"{where}: nobody knows run {run}")
    why = bench.no_right(witness, child, gate, raw)
    seal = witness.when(child, "seal") or 0  # what comes later is no evidence of the run
    gone = [one for one in raw.altered(witness, child) if one.t <= seal]
    if gone:
        why = f"its records {_numbers(gone)[:9]} are gone or changed"
    newest = raw.last_run()
    if why is None and newest not in (None, str(run)):
        why = f"run {newest} is newer"
    if why:
        bench.law("false GO", f"{where}: GO of run {child}, but {why}")
    return None


def _status(bench: Bench, witness: Witness, raw: Raw) -> str:
    said = _run(bench, "status", "--json")
    for row in said.data["phases"] if said.data else []:
        for gate in ("entry", "exit"):
            if row[gate]["decision"] == "GO":
                full = f"demo.{row['phase']}/{gate}"
                _go(bench, witness, raw, row[gate]["run"], full, f"status of {full}")
    return "answered" if said.data else "refused"


def _decided(bench: Bench, witness: Witness, raw: Raw, gate: str) -> str:
    said = _run(bench, "decide", gate, "--json")
    answer = said.data["decision"] if said.data else "refused"
    if said.data and answer == "GO":
        _go(bench, witness, raw, said.data["run"], gate, f"decide {gate}")
    elif said.status == 0:
        bench.law("false GO", f"decide {gate} ended with 0 and said {answer}")
    if gate not in (bench.shape.gates[0], bench.shape.bad_gate()):
        return str(answer)  # two of the gates tell all that clearing can tell
    cleared = _run(bench, "clear", gate, "--json")
    if cleared.status == 0:
        gone = raw.altered(witness)
        if gone and not raw.just_cut(witness, gone):
            bench.law("false GO", f"clear {gate} in a ledger that is not whole")
        _go(bench, witness, raw, raw.last_run(), gate, f"clear {gate}")
    return str(answer)


def _reports(bench: Bench, witness: Witness) -> None:
    """A written decision may be of an earlier run; a GO in it must have been right."""
    for path in (bench.root / "rollout-report").glob("**/decision.json"):
        try:
            data = json.loads(path.read_text(encoding="utf-8"))
        except ValueError:
            bench.law("unreadable", f"{path.name} of {path.parent.name} was half written")
            continue
        child = witness.child_of(data["run"])
        gate = f"{data['plan']}.{data['phase']}/{data['gate']}"
        why = bench.no_right(witness, child, gate, None) if child else "nobody knows the run"
        if data["decision"] == "GO" and why:
            bench.law("false GO", f"{path.parent.name}/{path.name} of {child}: {why}")


def keep_anchors(bench: Bench) -> None:
    """Keep the written decisions where the next run does not write over them."""
    kept = bench.side / "anchors"
    kept.mkdir(exist_ok=True)
    for number, path in enumerate((bench.root / "rollout-report").glob("**/decision.json")):
        shutil.copy(path, kept / f"{number}.json")


def _verified(bench: Bench, witness: Witness, raw: Raw, damaged: Sequence[Line]) -> None:
    anchors = list(_anchors(bench))
    given = [part for path, _, _ in anchors for part in ("--anchor", str(path))]
    said = _run(bench, "verify", "--json", *given)
    problems = said.data["problems"] if said.data else [said.err]
    if not bench.altered:
        if said.data and problems:
            bench.law("unreadable", f"verify finds damage: {problems[:3]}")
        return
    if problems or not damaged:
        return
    gone = {(one.facts["run"], one.facts["sequence"]) for one in damaged}
    if not raw.just_cut(witness, damaged) or gone & {(run, place) for _, run, place in anchors}:
        shown = _numbers(damaged)[:9]
        bench.law("undetected", f"verify says whole, but records {shown} are not")


def _anchors(bench: Bench) -> Iterator[tuple[Path, str, int]]:
    """The written decisions, of which run they are and which record they note."""
    written = [*(bench.root / "rollout-report").glob("**/decision.json")]
    for path in sorted([*written, *(bench.side / "anchors").glob("*.json")]):
        try:
            data = json.loads(path.read_text(encoding="utf-8"))
            yield path, str(data["run"]), int(data["ledger"]["sequence"])
        except (ValueError, KeyError):
            continue
