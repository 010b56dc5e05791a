"""What the command says: without secrets and without what could drive a terminal."""

from __future__ import annotations

import json
import re
import shutil
import sys
import textwrap
from collections.abc import Iterator

import click

from pytest_rollout.redact import hide, hide_in
from pytest_rollout.report.terminal_text import plain

_LEAST_WIDTH = 60
_COMMAND = re.compile("`[^`]+`")
_TOGETHER = "\N{NO-BREAK SPACE}"


def say(text: str, *, err: bool = False, whole: bool = False) -> None:
    """One line for people; on a terminal as several that are no wider, unless it is ``whole``."""
    line = plain(hide(text))
    breaks = not whole and (sys.stderr if err else sys.stdout).isatty()
    width = max(_LEAST_WIDTH, shutil.get_terminal_size().columns) if breaks else 0
    for part in fitted(line, width):
        click.echo(part, err=err)


def fitted(line: str, width: int) -> Iterator[str]:
    """Yield a line broken between words, and in no command; 0 breaks none."""
    if len(line) <= width or not width:
        yield line
        return
    indent = " " * (len(line) - len(line.lstrip()) + 4)
    whole = _COMMAND.sub(lambda command: command[0].replace(" ", _TOGETHER), line)
    parts = textwrap.wrap(
        whole,
        width,
        subsequent_indent=indent,
        break_long_words=False,
        break_on_hyphens=False,
        replace_whitespace=False,
    )
    yield from (part.replace(_TOGETHER, " ") for part in parts)


def say_json(data: object) -> None:
    """One line for programs, on standard output."""
    click.echo(json.dumps(hide_in(data)))
