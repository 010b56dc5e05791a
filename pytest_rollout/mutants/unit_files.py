"""Changes of systemd's unit files: commands, flags, calendars, environment and other settings."""

from __future__ import annotations

import re
from collections.abc import Iterator

from pytest_rollout.mutants import schedules, values
from pytest_rollout.mutants.edits import Edit, flags_of

_SECTION = re.compile(r"^\[([^\]\n]+)\][ \t]*$")
_SETTING = re.compile(r"^([A-Za-z]\w*)[ \t]*=[ \t]*((?:[^\n]*\\\n)*[^\n]*)\n?", re.MULTILINE)
_WORDS_ONLY = ("Description", "Documentation")  # for people, as comments are
_PREFIX = re.compile(r"(?:[-@:+!|]+(?=/))?")  # of the path of what is run
_VARIABLE = re.compile(r"""(["']?)([A-Za-z_]\w*)=((?:(?!\1\s)[^\n"'])*)\1""")


def of_unit(text: str) -> Iterator[Edit]:
    """Yield the changes of a unit file, each within the section and the setting it is of."""
    section, at = "", 0
    while at < len(text):
        line_end = text.find("\n", at) + 1 or len(text)
        heading = _SECTION.match(text[at:line_end].rstrip("\n"))
        setting = _SETTING.match(text, at)
        if heading:
            section = heading[1]
        elif setting:
            if setting[1] not in _WORDS_ONLY:
                scope = f"{section}.{setting[1]}"
                yield Edit(at, setting.end(), "", "setting dropped", scope)
                for edit in _of_setting(setting[1], setting[2]):
                    yield edit.moved(setting.start(2), scope)
            line_end = setting.end()
        at = max(line_end, at + 1)


def _of_setting(name: str, value: str) -> Iterator[Edit]:
    if name.startswith("Exec"):
        yield from _of_command(value)
    elif name == "OnCalendar":
        yield from schedules.calendar(value)
    elif name == "Environment":
        for variable in _VARIABLE.finditer(value):
            for edit in values.of_value(variable[3]):
                yield edit.moved(variable.start(3))
    else:
        yield from values.of_value(value)


def _of_command(value: str) -> Iterator[Edit]:
    """The changes of what a unit runs: nothing instead, a flag less, other measures."""
    prefix = _PREFIX.match(value)
    start = prefix.end() if prefix else 0
    if value[start:].strip():
        yield Edit(start, len(value.rstrip()), "/bin/true", "command")
    yield from flags_of(value)
    words = value.find(" ", start)
    if words > 0:
        yield from (edit.moved(words) for edit in values.inside(value[words:]))
