"""Whether a process of before still runs, on the machine where it does."""

from __future__ import annotations

import os
import platform
from pathlib import Path


def this_process() -> tuple[str, int, str]:
    """Return host, process id and begin of this process, as :func:`runs` knows it again."""
    pid = os.getpid()
    return platform.node(), pid, _began(pid)


def runs(host: str, pid: int, began: str) -> bool:
    """Whether a process runs here now; a later one of the same id is another."""
    return host == platform.node() and bool(began) and _began(pid) == began


def _began(pid: int) -> str:
    """Return when a process began, in ticks of this machine; empty where that is not known."""
    try:
        stat = Path(f"/proc/{pid}/stat").read_text(encoding="utf-8", errors="replace")
    except OSError:
        return ""
    return stat.rpartition(")")[2].split()[19]
