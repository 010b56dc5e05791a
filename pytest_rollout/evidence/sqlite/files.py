"""Files that are kept as evidence: in a folder beside the ledger, each under its digest."""

from __future__ import annotations

import os
import threading
from pathlib import Path


def folder_of(ledger: Path) -> Path:
    """Where the attachments of a ledger are."""
    return ledger.parent / "attachments"


def note_of(ledger: Path) -> Path:
    """Where the newest records of a ledger are noted: see ``heads``."""
    return ledger.with_name(f"{ledger.name}.head")


def note_at(ledger: Path) -> str:
    """The note beside a ledger; empty where there is none that can be read."""
    try:
        return note_of(ledger).read_text(encoding="utf-8", errors="replace")
    except OSError:
        return ""


def keep_note(ledger: Path, note: str) -> None:
    """Replace the note beside a ledger; where that cannot be done the older one stays true."""
    path = note_of(ledger)
    part = path.with_name(f"{path.name}.{os.getpid()}.{threading.get_ident()}.part")
    try:
        part.write_text(note, encoding="utf-8")
        part.replace(path)
    except OSError:
        part.unlink(missing_ok=True)


def place_of(path: Path) -> tuple[int, int] | None:
    """Return which file stands at a path, by device and number; None where there is none."""
    try:
        status = path.stat()
    except OSError:
        return None
    return status.st_dev, status.st_ino


def put(folder: Path, digest: str, content: bytes) -> None:
    """Write a file, whole or not at all.

    Safe from several processes and threads. Raises OSError.
    """
    path = folder / digest
    folder.mkdir(parents=True, exist_ok=True)
    part = path.with_name(f"{path.name}.{os.getpid()}.{threading.get_ident()}.part")
    try:
        part.write_bytes(content)
        part.replace(path)
    except OSError:
        part.unlink(missing_ok=True)
        raise


def get(folder: Path, digest: str) -> bytes | None:
    """A file's bytes; None where it is gone."""
    try:
        return (folder / digest).read_bytes()
    except OSError:
        return None
