"""Changes of the lines of a crontab: its fields, commands and settings."""

from __future__ import annotations

import re
from collections.abc import Iterator

from pytest_rollout.mutants import schedules, shell, values
from pytest_rollout.mutants.edits import Edit

_SETTING = re.compile(r"[ \t]*([A-Za-z_]\w*)[ \t]*=[ \t]*")


def of_crontab(text: str, *, users: bool = False) -> Iterator[Edit]:
    """Yield the changes of a crontab; with ``users`` the user stands before each command."""
    for line in re.finditer(r"[^\r\n]+", text):
        if line[0].strip() and not line[0].lstrip().startswith("#"):
            yield from (edit.moved(line.start()) for edit in _of_line(line[0], users))


def _of_line(line: str, users: bool) -> Iterator[Edit]:
    indent = len(line) - len(line.lstrip())
    schedule = schedules.CRON.match(line, indent) or schedules.WORD.match(line, indent)
    setting = _SETTING.match(line)
    if schedule is None:
        if setting:
            value = line[setting.end() :]
            yield from (edit.moved(setting.end(), setting[1]) for edit in values.of_value(value))
        return
    yield from (edit.moved(indent, "schedule") for edit in schedules.cron(line[indent:]))
    start = _behind(line, schedule.end(), 1 if users else 0)
    command = line[start:]
    yield from (edit.moved(start, "command") for edit in shell.of_shell(command))


def _behind(line: str, start: int, words: int) -> int:
    """Where the text begins behind so many words."""
    match = re.compile(rf"\s+(?:\S+\s+){{{words}}}").match(line, start)
    return match.end() if match else len(line)
