"""Where something stands in JSON: names and places, as ``lanes.0.depth`` or ``["a.b"].p95``."""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Mapping, Sequence

Steps = tuple[str, ...]
RULE = 'write lanes.0.depth, and names with dots as ["http.server.requests"].p95'
_MOST_SHOWN = 12
_PLAIN = re.compile(r"""[^.\[\]"'\s]+""")
_QUOTED = re.compile(r"""\[\s*("(?:[^"\\]|\\.)*"|'[^']*')\s*\]""")
_PLACE = re.compile(r"\[\s*([0-9]+)\s*\]")


class NothingThereError(LookupError):
    """JSON holds nothing at a path; it says up to where the path leads, and what is there."""

    def __init__(self, path: str, there: str, keys: str | None = None) -> None:
        super().__init__(f"holds nothing at {path}; {there}")
        self.path = path
        self.there = there
        self.keys = keys  # of the object where it would stand, in words; None: it is no object


def parse(text: str) -> Steps:
    """Return the names and places of a path; raises ValueError with the rule."""
    steps: list[str] = []
    rest = text.strip().removeprefix(".")
    while rest:
        match = _QUOTED.match(rest) or _PLACE.match(rest)
        if match is None and rest.startswith("["):
            raise ValueError(f"{text!r:.80} is no path into JSON; {RULE}")
        match = match or _PLAIN.match(rest)
        after = rest[match.end() :] if match else ""
        if match is None or not re.match(r"$|\[|\.[^.]", after):
            raise ValueError(f"{text!r:.80} is no path into JSON; {RULE}")
        steps.append(_named(match))
        rest = after.removeprefix(".")
    if not steps:
        raise ValueError(f"{text!r:.80} is no path into JSON; {RULE}")
    return tuple(steps)


def _named(match: re.Match[str]) -> str:
    if match.re is _PLAIN:
        return match[0]
    if match.re is _PLACE or match[1].startswith("'"):
        return match[1].strip("'")
    try:
        return str(json.loads(match[1]))
    except ValueError as error:
        raise ValueError(f"{match[0]!r:.80} is no name in quotes; {RULE}") from error


def spelled(steps: Iterable[str]) -> str:
    """Return the path of some names and places; :func:`parse` reads it back."""
    text = ""
    for step in steps:
        if _PLAIN.fullmatch(step):
            text += f".{step}" if text else step
        else:
            text += f"[{json.dumps(step, ensure_ascii=False)}]"
    return text


def at(value: object, path: str) -> object:
    """Return what stands at a path; an empty one is all of it.

    Raises NothingThereError with the path so far, and with the keys that are there.
    """
    steps = parse(path) if path else ()
    for number, step in enumerate(steps, 1):
        inside = _inside(value, step)
        if not inside:
            where = spelled(steps[: number - 1]) or "the top"
            keys = _keys(value) if isinstance(value, Mapping) else None
            raise NothingThereError(spelled(steps[:number]), f"{where} {_there(value)}", keys)
        (value,) = inside
    return value


def _inside(value: object, step: str) -> tuple[object, ...]:
    if isinstance(value, Mapping):
        return (value[step],) if step in value else ()
    if isinstance(value, Sequence) and not isinstance(value, str):
        place = int(step) if step.isascii() and step.isdigit() and len(step) < 10 else len(value)
        return tuple(value[place : place + 1])
    return ()


def _there(value: object) -> str:
    """Return what a value holds, in words."""
    if isinstance(value, Mapping):
        return f"has {_keys(value)}" if value else "is an object without keys"
    if isinstance(value, Sequence) and not isinstance(value, str):
        return f"is a list of {len(value)}"
    return "is no object and no list"


def _keys(value: Mapping[object, object]) -> str:
    """Return the first keys of an object, each as a path writes it."""
    names = [spelled([str(name)]) for name in value]
    shown = [name if len(name) <= 60 else f"{name[:57]}..." for name in names[:_MOST_SHOWN]]
    more = f" and {len(names) - _MOST_SHOWN} more" if len(names) > _MOST_SHOWN else ""
    return f"{', '.join(shown)}{more}"
