"""What a watch shows: redrawn on a terminal, else a line for each change; or JSON lines."""

from __future__ import annotations

import shutil
import sys
from typing import Any

import click

from pytest_rollout.cli.saying import say, say_json
from pytest_rollout.watching.looking import WatchLook
from pytest_rollout.watching.view import View


class WatchOutput:
    """Everything that a watch says, in the one form that was asked for."""

    def __init__(self, view: View, *, as_json: bool) -> None:
        self.as_json = as_json
        self._view = view
        self._drawn = 0
        self._redraws = not as_json and sys.stdout.isatty()

    def look(self, look: WatchLook) -> None:
        """One look."""
        changed = self._view.take(look)
        if self.as_json:
            self.json({"look": self._view.document(look)})
        elif self._redraws:
            self._draw(list(self._view.table(look)))
        else:
            for line in changed:
                say(line)

    def _draw(self, lines: list[str]) -> None:
        if self._drawn:
            click.echo(f"\x1b[{self._drawn}F\x1b[J", nl=False)
        width = shutil.get_terminal_size().columns
        for line in lines:  # one that wrapped would leave the last table standing
            say(line if len(line) < width else f"{line[: max(1, width - 2)]}…")
        self._drawn = len(lines)

    def line(self, event: str, words: str) -> None:
        """Something to say; what follows is not drawn over it."""
        self._drawn = 0
        if self.as_json:
            self.json({"event": event, "says": words})
        else:
            say(words)

    def json(self, data: dict[str, Any]) -> None:
        """One line for programs."""
        say_json(data)
