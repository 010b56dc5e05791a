"""What a target's answer says, field by field: what is missing or odd is told in words."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import field
from datetime import datetime
from decimal import Decimal
from typing import Any

import httpx

from pytest_rollout.late_dataclass import dataclass
from pytest_rollout.model.errors import RolloutError
from pytest_rollout.model.jsonpath import at

KEY = "$key"  # of what stands in an object where a list is expected
_MOST_SHOWN = 12
_PLAIN = frozenset({str, int, float, bool, type(None)})  # what is read as it is: most values


class NotReportedError(RolloutError):
    """A target does not report a field that a check needs, or reports something odd."""

    code = "not-reported"


@dataclass(frozen=True, slots=True)
class Field:
    """Where a target keeps a field, and how it writes it."""

    path: str  # as lanes.0.depth; `$key`: the key of what stands in an object
    times: float = 1  # what a number is multiplied with
    per: float = 1  # and divided by, as 100 for percent
    words: Mapping[str, str] = field(default_factory=dict)  # its word to the one expected
    each: Mapping[str, Field] = field(default_factory=dict)  # of a list: the fields of each


Fields = Mapping[str, Field]


class Reported(dict[str, Any]):
    """An object in JSON as a target reports it; a field is looked for when it is read.

    ``said["queue_depth"]`` raises NotReportedError with the fields that are there; ``get`` gives
    None. Objects inside are Reported too. ``fields`` says where the target keeps what under
    other names; a field that it names is read from nowhere else.
    """

    def __init__(
        self, said: Mapping[str, Any], source: str, fields: Fields | None = None, place: str = ""
    ) -> None:
        fields = fields or {}
        super().__init__(
            (
                name,
                value
                if type(value) in _PLAIN
                else _read(value, name, self._at(place, name), source),
            )
            for name, value in said.items()
            if name not in fields and name != KEY
        )
        self.source = source  # as "GET /api/portfolio/status"
        self.place = place  # of this object in the answer; empty: it is the answer
        self.problem = ""  # why nothing can be read at all
        self._fields = fields
        self._there = tuple(name for name in said if name != KEY)
        for name, where in fields.items():
            self._take(said, name, where)

    @staticmethod
    def _at(place: str, name: str) -> str:
        return f"{place}.{name}" if place else name

    def _take(self, said: Mapping[str, Any], name: str, where: Field) -> None:
        try:
            value = said[KEY] if where.path == KEY else at(said, where.path)
        except (LookupError, ValueError):
            return
        read = _read(value, name, self._at(self.place, name), self.source, where)
        self[name] = read

    def __missing__(self, name: str) -> Any:
        if self.problem:
            raise NotReportedError(self.problem)
        looked = self._fields[name].path if name in self._fields else name
        where = "" if looked in (name, KEY) else f", looked for at {looked}"
        there = ", ".join(sorted(map(str, self._there))[:_MOST_SHOWN]) or "no field at all"
        has = f"{self.source}: {self.place} has {there}"
        said = has if self.place else f"{self.source} answers with {there}"
        raise NotReportedError(
            f"the target does not report {self._at(self.place, name)}{where} ({said})"
        )

    def get(self, name: str, default: Any = None) -> Any:
        """A field, or the default; raises NotReportedError where there is no answer to read."""
        if self.problem:
            raise NotReportedError(self.problem)
        return super().get(name, default)

    def _odd(self, name: str, kind: str) -> NotReportedError:
        shown = f"{self[name]!r:.60}" if self[name] is not None else "null"
        return NotReportedError(
            f"{self._at(self.place, name)} is {shown}, not {kind} ({self.source})"
        )

    def number(self, name: str) -> float:
        """A field that is a number, and finite."""
        value = self[name]
        if isinstance(value, bool) or not isinstance(value, int | float):
            raise self._odd(name, "a number")
        if not math.isfinite(value):
            raise self._odd(name, "a finite number")
        return value

    def number_or_none(self, name: str) -> float | None:
        """A field that is a number, or null where nothing can be said."""
        return None if self[name] is None else self.number(name)

    def whole(self, name: str) -> int:
        """A field that is a whole number."""
        value = self.number(name)
        if value != int(value):
            raise self._odd(name, "a whole number")
        return int(value)

    def text(self, name: str) -> str:
        """A field that is a text."""
        value = self[name]
        if not isinstance(value, str):
            raise self._odd(name, "a text")
        return value

    def flag(self, name: str) -> bool:
        """A field that is true or false."""
        value = self[name]
        if not isinstance(value, bool):
            raise self._odd(name, "true or false")
        return value

    def moment(self, name: str) -> datetime:
        """A field that is a time in ISO 8601, with a zone or an offset."""
        value = self[name]
        try:
            moment = datetime.fromisoformat(value)
        except (TypeError, ValueError):
            raise self._odd(name, "a time in ISO 8601, as 2025-11-10T14:05:00Z") from None
        if moment.tzinfo is None:
            raise self._odd(name, "a time with a zone, as 2025-11-10T14:05:00Z")
        return moment

    def inner(self, name: str) -> Reported:
        """A field that is an object."""
        value = self[name]
        if not isinstance(value, Reported):
            raise self._odd(name, "an object")
        return value

    def each(self, name: str) -> tuple[Reported, ...]:
        """A field that is a list of objects."""
        value = self[name]
        if not isinstance(value, list):
            raise self._odd(name, "a list")
        for number, item in enumerate(value):
            if not isinstance(item, Reported):
                spelled = f"{self._at(self.place, name)}[{number}]"
                raise NotReportedError(f"{spelled} is {item!r:.60}, not an object ({self.source})")
        return tuple(value)


def _read(value: Any, name: str, place: str, source: str, where: Field | None = None) -> Any:
    """A value as the suite reads it: objects and lists inside as well."""
    fields = where.each if where else {}
    if isinstance(value, Mapping) and where and fields:
        value = [
            {KEY: _key(key), **item} for key, item in value.items() if isinstance(item, Mapping)
        ]
    if isinstance(value, Mapping):
        return Reported(value, source, fields, place)
    if isinstance(value, Sequence) and not isinstance(value, str):
        inner = Field(name, each={})
        return [
            item
            if type(item) in _PLAIN
            else Reported(item, source, fields, f"{place}[{number}]")
            if isinstance(item, Mapping)
            else _read(item, name, f"{place}[{number}]", source, inner)
            for number, item in enumerate(value)
        ]
    if where is None or isinstance(value, bool):
        return value
    if isinstance(value, int | float) and (where.times, where.per) != (1, 1):
        return float(Decimal(str(value)) * Decimal(str(where.times)) / Decimal(str(where.per)))
    return where.words.get(value, value) if isinstance(value, str) else value


def _key(key: str) -> str | int:
    """The key of an object; JSON has no other keys than texts, so a number is taken for one."""
    return int(key) if key.isascii() and key.isdigit() and len(key) < 16 else key


def reported(
    response: httpx.Response, fields: Fields | None = None, *, any_status: bool = False
) -> Reported:
    """What a response says; where it is none, reading a field of it says so.

    No answer of a target makes this raise, so that one odd answer among many takes down only
    what reads it. With ``any_status`` an answer that is no success is read too.
    """
    source = f"{response.request.method} {response.request.url.path}"
    if not response.is_success and not any_status:
        return nothing(source, f"{source} answers {response.status_code}, not 200")
    try:
        said = response.json()
    except (ValueError, RecursionError):
        shown = " ".join(response.text.split())[:60]
        return nothing(source, f"{source} answers with no JSON but {shown!r}")
    if not isinstance(said, Mapping):
        kind = "a list" if isinstance(said, list) else f"{said!r:.40}"
        return nothing(source, f"{source} answers with {kind}, not with an object")
    return Reported(said, source, fields)


def nothing(source: str, problem: str) -> Reported:
    """An answer in which nothing can be read, because of a problem."""
    empty = Reported({}, source)
    empty.problem = problem
    return empty
