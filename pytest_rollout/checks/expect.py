"""Whether an answer is what the plan expects, and in words where it is not."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from decimal import Decimal

from pytest_rollout.checks.answer import MOST_BYTES, Reply, Said, number, parsed
from pytest_rollout.model.check import Check, CheckMeans, Wording
from pytest_rollout.model.errors import NoValueError, RolloutError

_SHOWN = 80
_JSON_IN: Mapping[str, str] = {CheckMeans.COMMAND: "stdout", CheckMeans.HTTP: "body"}


def unmet(check: Check, answer: Reply) -> list[str]:
    """What an answer fails to be; raises RolloutError where that cannot be told."""
    expect = check.expect
    differences = list(_status(check, answer))
    for wording in expect.wordings:
        differences += _wording(wording, answer.said[wording.text])
    if expect.json is not None and not differences:
        name = _JSON_IN[check.means]
        differences += _json(expect.json, answer.said[name], name)
    if expect.value is not None:
        differences += _value(expect.value, answer)
    return differences


def status_is_good(check: Check, status: int) -> bool:
    """Whether a status is one of those expected: by default 0, or of HTTP 200 to 299."""
    if check.expect.status:
        return status in check.expect.status
    return 200 <= status < 300 if check.means is CheckMeans.HTTP else status == 0


def _status(check: Check, answer: Reply) -> Iterator[str]:
    if check.means not in _JSON_IN or status_is_good(check, answer.status):
        return
    if check.means is CheckMeans.HTTP:
        wanted = " or ".join(map(str, check.expect.status)) or "200..299"
        moved = " (redirects are not followed)" if 300 <= answer.status < 400 else ""
        yield f"{check.method} {check.text} answered {answer.status}{moved}, expected {wanted}"
        return
    wanted = " or ".join(map(str, check.expect.status)) or "0"
    last = answer.said["stderr"].text.strip().splitlines()[-1:]
    tail = f"; stderr ends: {last[0].strip()[:200]}" if last else ""
    yield f"exit status {answer.status}, expected {wanted}{tail}"


def _wording(wording: Wording, said: Said) -> Iterator[str]:
    name = wording.text
    if said.cut:
        raise RolloutError(f"{name} is longer than {MOST_BYTES} bytes, so it is not judged")
    if wording.exactly is not None and said.text.strip() != wording.exactly:
        yield f"{name} is {_short(said.text.strip())}, expected {_short(wording.exactly)}"
    for text in wording.has:
        if text not in said.text:
            yield f"{name} lacks {_short(text)}; it is {_short(said.text.strip())}"
    for text in wording.lacks:
        if text in said.text:
            yield f"{name} has {_short(text)}"
    if wording.matches and not re.search(wording.matches, said.text, re.MULTILINE):
        yield f"{name} does not match {wording.matches}; it is {_short(said.text.strip())}"


def _json(wanted: object, said: Said, name: str) -> Iterator[str]:
    """What is no JSON is not what was expected; what was cut may have been."""
    try:
        seen = parsed(said, name)
    except RolloutError as error:
        if said.cut:
            raise
        yield str(error)
        return
    yield from _unlike(wanted, seen, name)


def _unlike(wanted: object, seen: object, where: str) -> Iterator[str]:
    """Where JSON differs from what is wanted; an object may have more keys, nothing else more."""
    if isinstance(wanted, Mapping):
        if not isinstance(seen, Mapping):
            yield f"{where} is {_short(seen)}, expected an object"
            return
        for key, value in wanted.items():
            inside = f"{where}.{key}"
            if key in seen:
                yield from _unlike(value, seen[key], inside)
            else:
                yield f"{inside} is absent, expected {_short(value)}"
    elif isinstance(wanted, tuple):
        if not isinstance(seen, list) or len(seen) != len(wanted):
            yield f"{where} is {_short(seen)}, expected {_short(list(wanted))}"
            return
        for place, (wanted_item, seen_item) in enumerate(zip(wanted, seen, strict=True)):
            yield from _unlike(wanted_item, seen_item, f"{where}.{place}")
    elif not _same(wanted, seen):
        yield f"{where} is {_short(seen)}, expected {_short(wanted)}"


def _same(wanted: object, seen: object) -> bool:
    """Equality of JSON scalars: 1 is 1.0, and neither is true."""
    if isinstance(wanted, bool) or isinstance(seen, bool) or wanted is None or seen is None:
        return wanted is seen
    if isinstance(wanted, str) or isinstance(seen, str):
        return wanted == seen if type(wanted) is type(seen) else False
    return wanted == seen


def _value(wanted: object, answer: Reply) -> Iterator[str]:
    """Whether the one value of a query equals a text or a number."""
    if len(answer.readings) != 1:
        raise NoValueError(_several(len(answer.readings)))
    seen = answer.readings[0].value
    if seen is None:
        raise NoValueError("the query gave NULL")
    if isinstance(seen, float):
        seen = Decimal(repr(seen))
    if isinstance(wanted, (int, Decimal)) and not isinstance(wanted, bool):
        seen = number(seen, "the query")
    if not _same(wanted, seen):
        yield f"the query gave {_short(seen)}, expected {_short(wanted)}"


def _several(many: int) -> str:
    return (
        f"the query gave {many} rows where one value is needed" if many else "the query gave no row"
    )


def _short(value: object) -> str:
    text = str(value) if isinstance(value, (int, Decimal)) else repr(value)
    if isinstance(value, bool) or value is None:
        text = {True: "true", False: "false", None: "null"}[value]
    return text if len(text) <= _SHOWN else f"{text[: _SHOWN - 3]}..."
