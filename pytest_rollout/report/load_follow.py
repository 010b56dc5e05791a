"""Showing a load while it runs: a thin edge around the live view, which draws and waits."""

from __future__ import annotations

import shutil
from collections.abc import Callable, Sequence
from pathlib import Path
from time import monotonic, sleep
from typing import TextIO

from pytest_rollout.model.load import LoadRecord
from pytest_rollout.report.load_live import live, live_line
from pytest_rollout.report.load_stored import record_of
from pytest_rollout.report.load_words import LoadReport
from pytest_rollout.report.terminal import Line

EVERY_S = 0.5  # that the terminal is drawn again
LINE_EVERY_S = 10.0  # that a line is written where there is no terminal
_STYLES = {"bold": "1", "red": "31", "green": "32", "yellow": "33"}
_MOST_BYTES = 64_000_000


def read_record(path: Path) -> LoadRecord | None:
    """Return the record in a file; None where there is none yet, or none that can be read."""
    try:
        with path.open("rb") as file:
            return record_of(file.read(_MOST_BYTES))
    except (OSError, ValueError):
        return None


def follow(
    read: Callable[[], LoadReport | None],
    has_ended: Callable[[], bool],
    out: TextIO,
    *,
    clock: Callable[[], float] = monotonic,
    pause: Callable[[float], None] = sleep,
) -> None:
    """Show what ``read`` returns until the load has ended, and once more then.

    A terminal is drawn again and again; into anything else goes a line every ten seconds.
    """
    drawn = Drawing(out) if out.isatty() else None
    last = clock()
    while not has_ended():
        report = read()
        if report is not None and drawn:
            drawn.show(live(report, drawn.width))
        elif report is not None and clock() - last >= LINE_EVERY_S:
            last = clock()
            _write(out, live_line(report))
        pause(EVERY_S)
    report = read()
    if report is not None:
        drawn.show(live(report, drawn.width)) if drawn else _write(out, live_line(report))


class Drawing:
    """Lines of a terminal that are drawn in the place of those before them."""

    def __init__(self, out: TextIO) -> None:
        self._out = out
        self._height = 0

    @property
    def width(self) -> int:
        """How many columns there are, less the one in which terminals break lines."""
        return max(20, shutil.get_terminal_size().columns - 1)

    def show(self, lines: Sequence[Line]) -> None:
        """Draw lines over the last ones."""
        up = f"\x1b[{self._height}A\r" if self._height else ""
        text = "".join(f"{_styled(line)}\x1b[K\n" for line in lines)
        self._out.write(f"{up}{text}\x1b[J")
        self._out.flush()
        self._height = len(lines)


def _styled(line: Line) -> str:
    codes = ";".join(_STYLES[style] for style in line.styles if style in _STYLES)
    return f"\x1b[{codes}m{line.text}\x1b[0m" if codes else line.text


def _write(out: TextIO, line: str) -> None:
    out.write(f"{line}\n")
    out.flush()
