"""Strokes against the ledger's files, while they are in use or at rest."""

from __future__ import annotations

import os
import random
import shutil
import sqlite3
import subprocess
import tempfile
from collections.abc import Iterator
from contextlib import closing, contextmanager, suppress
from pathlib import Path

_TAILS = ("", "-wal", "-shm")
EDITS = (
    "DELETE FROM records WHERE sequence = {record}",
    "DELETE FROM records WHERE sequence > {record}",
    "DELETE FROM records WHERE run = (SELECT run FROM records WHERE sequence = {record})",
    "DELETE FROM observations WHERE id = {seen}",
    "DELETE FROM observations WHERE batch = (SELECT batch FROM observations WHERE id = {seen})",
    "DELETE FROM observations",
    "DELETE FROM texts",
    "UPDATE texts SET text = text || '#'",
    "UPDATE texts SET text = replace(text, 'need: 3', 'need: 1')",
    "UPDATE records SET body = replace(body, '\"fail\"', '\"pass\"')",
    "UPDATE records SET body = replace(body, 'missing', 'pass') || ' '",
    "UPDATE records SET body = '{{}}' WHERE sequence = {record}",
    "UPDATE records SET body = x'00ff' WHERE sequence = {record}",
    "UPDATE records SET at_us = at_us - 86400000000 WHERE sequence = {record}",
    "UPDATE records SET at_us = 'soon' WHERE sequence = {record}",
    "UPDATE records SET run = run || 'x' WHERE sequence = {record}",
    "UPDATE records SET kind = 'batch' WHERE sequence = {record}",
    "UPDATE records SET kind = 'event' WHERE kind IN ('run', 'stop')",
    "UPDATE records SET environment = 'prod' WHERE sequence >= {record}",
    "UPDATE records SET hash = previous WHERE sequence = {record}",
    "UPDATE records SET words = NULL WHERE sequence = {record}",
    "UPDATE records SET words = '' WHERE kind = 'run'",
    "UPDATE records SET sequence = sequence + 1000 WHERE sequence >= {record}",
    "UPDATE observations SET value = '0'",
    "UPDATE observations SET value = '-1' WHERE id = {seen}",
    "UPDATE observations SET metric = 'other' WHERE id = {seen}",
    "INSERT INTO observations SELECT id + 10000, batch, plan, phase, metric, labels, t_us,"
    " seen_us, 9, value FROM observations WHERE id = {seen}",
    "INSERT INTO records SELECT sequence + 10000, kind, run, plan, subject, environment, at_us,"
    " body, previous, hash, words, first_sequence, first_previous, first_hash FROM records"
    " WHERE sequence = {record}",
)


class ImpossibleHereError(Exception):
    """This machine does not let us do that."""


def strike_bytes(ledger: Path, chance: random.Random) -> str:
    """Random bytes over one to three places of the ledger's files."""
    said = []
    for _ in range(chance.randint(1, 3)):
        there = [tail for tail in _TAILS if _size(Path(f"{ledger}{tail}"))]
        if not there:
            break
        path = Path(f"{ledger}{chance.choice(there)}")
        size = _size(path)
        length = chance.choice([1, 16, 512, 4096])
        where = chance.choice([chance.randrange(size), chance.randrange(min(size, 100))])
        if chance.random() < 0.3:
            where, length = where // 4096 * 4096, 4096
        with path.open("r+b") as file:
            file.seek(where)
            file.write(chance.randbytes(min(length, size - where)))
        said.append(f"{length} bytes at {where} of {path.name}")
    return "; ".join(said)


def strike_rows(ledger: Path, chance: random.Random) -> str:
    """One edit or deletion, through sqlite3."""
    with closing(sqlite3.connect(ledger, timeout=10)) as db:
        records = [row[0] for row in db.execute("SELECT sequence FROM records")] or [0]
        seen = [row[0] for row in db.execute("SELECT id FROM observations")] or [0]
        # The newest records are those that matter most.
        near = chance.choice([records, records[-12:]])
        edit = chance.choice(EDITS).format(record=chance.choice(near), seen=chance.choice(seen))
        with suppress(sqlite3.IntegrityError):  # the store itself refuses it
            db.execute(edit)
            db.commit()
    return edit


def strike_cut(ledger: Path, chance: random.Random) -> str:
    """The file, or its log, ends too early."""
    there = [tail for tail in ("", "", "-wal") if _size(Path(f"{ledger}{tail}"))]
    if not there:
        return "there was no file"
    path = Path(f"{ledger}{chance.choice(there)}")
    size = int(_size(path) * chance.random())
    if chance.random() < 0.4:
        size = size // 4096 * 4096
    os.truncate(path, size)
    return f"{path.name} cut to {size} bytes"


def strike_older(ledger: Path, chance: random.Random, older: Path) -> str:
    """An older copy in the file's place: moved there, or written over it."""
    if not older.exists():
        return "there was no older copy"
    if chance.random() < 0.5:
        fresh = ledger.with_name("restored.db")
        shutil.copy(older, fresh)
        fresh.replace(ledger)
        how = "moved into its place"
    else:
        ledger.parent.mkdir(exist_ok=True)
        ledger.write_bytes(older.read_bytes())
        how = "written over it"
    for tail in ("-wal", "-shm"):
        if chance.random() < 0.5:
            Path(f"{ledger}{tail}").unlink(missing_ok=True)
    return f"an older copy was {how}"


def fill(folder: Path, left: int) -> str:
    """Fill a small file system, all but a few bytes."""
    filler = folder / "filler"
    with filler.open("ab") as file:
        for size in (65536, 4096, 512, 1):
            with suppress(OSError):
                while True:
                    os.write(file.fileno(), b"x" * size)
    with filler.open("r+b") as file:
        file.truncate(max(0, _size(filler) - left))
    return f"the disk is full but for {left} bytes"


@contextmanager
def small_disk(folder: Path, size: str = "3m") -> Iterator[Path]:
    """A file system of its own; raises ImpossibleHereError where none can be mounted."""
    folder.mkdir(parents=True, exist_ok=True)
    _root("mount", "-t", "tmpfs", "-o", f"size={size}", "tmpfs", str(folder))
    try:
        yield folder
    finally:
        _root("umount", "-l", str(folder))


def freeze(ledger: Path) -> None:
    """Forbid writing to the ledger's folder and files, open ones too."""
    _root("chattr", "+i", *_all(ledger))


def thaw(ledger: Path) -> None:
    """Allow it again."""
    with suppress(ImpossibleHereError):
        _root("chattr", "-i", *_all(ledger))


def _all(ledger: Path) -> list[str]:
    there = [Path(f"{ledger}{tail}") for tail in _TAILS]
    return [str(path) for path in (ledger.parent, *there) if path.exists()]


@contextmanager
def read_only(folder: Path) -> Iterator[None]:
    """A folder on which nothing can be written, by root neither."""
    if os.geteuid():
        modes = {path: path.stat().st_mode for path in (folder, *folder.rglob("*"))}
        for path in modes:
            path.chmod(0o555 if path.is_dir() else 0o444)
        try:
            yield
        finally:
            for path, mode in modes.items():
                path.chmod(mode)
        return
    _root("mount", "--bind", str(folder), str(folder))
    try:
        _root("mount", "-o", "remount,ro,bind", str(folder))
        yield
    finally:
        _root("umount", "-l", str(folder))


def possible() -> dict[str, bool]:
    """What this machine lets us do: mounting, and making files immutable."""
    with tempfile.TemporaryDirectory(prefix="rollout-possible-") as name:
        folder = Path(name)
        mounts = flags = False
        with suppress(ImpossibleHereError), small_disk(folder / "disk", "64k"):
            mounts = True
        (folder / "ledger.db").write_bytes(b"x")
        with suppress(ImpossibleHereError):
            freeze(folder / "ledger.db")
            flags = True
        thaw(folder / "ledger.db")
    return {"mounts": mounts, "flags": flags}


def _size(path: Path) -> int:
    return path.stat().st_size if path.is_file() else 0


def _root(*command: str) -> None:
    try:
        done = subprocess.run(command, capture_output=True, text=True, timeout=20, check=False)
    except OSError as error:
        raise ImpossibleHereError(str(error)) from error
    if done.returncode:
        raise ImpossibleHereError(done.stderr.strip() or f"{command[0]} failed")
