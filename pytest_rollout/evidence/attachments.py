"""Files that are kept as evidence: beside the ledger, each under its digest."""

from __future__ import annotations

import hashlib
import os
import threading
from pathlib import Path

MAX_FILE = 10_000_000


def folder_of(ledger: Path) -> Path:
    """Where the attachments of a ledger are."""
    return ledger.parent / "attachments"


def digest_of(content: bytes) -> str:
    """The SHA-256 by which a file is kept and named."""
    return hashlib.sha256(content).hexdigest()


def keep(folder: Path, content: bytes) -> None:
    """Write a file, whole or not at all: an earlier run may rest on the same one.

    Safe from several processes and threads. Raises OSError.
    """
    path = folder / digest_of(content)
    folder.mkdir(parents=True, exist_ok=True)
    part = path.with_name(f"{path.name}.{os.getpid()}.{threading.get_ident()}.part")
    try:
        part.write_bytes(content)
        part.replace(path)
    except OSError:
        part.unlink(missing_ok=True)
        raise


def damage(folder: Path, digest: str) -> str | None:
    """What became of a file that was kept: ``is gone``, or changed; None where it is whole."""
    try:
        content = (folder / digest).read_bytes()
    except OSError:
        return "is gone"
    return None if digest_of(content) == digest else "was changed after it was attached"
