"""Which part of an answer is the release: a name, or an error in words that says what was there."""

from __future__ import annotations

import json
import re
from typing import NoReturn

from pytest_rollout.model.errors import RolloutError
from pytest_rollout.model.jsonpath import NothingThereError, at
from pytest_rollout.model.plan import FactSource
from pytest_rollout.redact import hide
from pytest_rollout.targets.fact_sources import Answer

_MAX_RELEASE = 200
_SHOWN = 60


class _Fraction(str):
    """A number of JSON with a fraction or an exponent, as it is written."""

    __slots__ = ()


def release_name(answer: Answer, source: FactSource) -> str:
    """Return the release that an answer names; raises RolloutError."""
    text = _part(_text(answer, source), answer, source).strip()
    if not text:
        raise RolloutError(f"{answer.who} names no release: its text is empty")
    if len(text) > _MAX_RELEASE:
        why = f"it is longer than {_MAX_RELEASE} characters ({_start(text)})"
        raise RolloutError(f"{answer.who} names no release: {why}")
    if hide(text) != text:  # what is stored would not tell it from another one
        raise RolloutError(f"{answer.who} names a release that holds a secret")
    return text


def chosen(answer: Answer, source: FactSource) -> object:
    """Return what of an answer is a fact that may be of any shape; raises RolloutError.

    Pages are JSON. What commands print is, where it can be read so, and else a text.
    """
    text = source.header or source.variable or source.matches
    if text and source.json is None:
        return _part(answer.text, answer, source)
    try:
        value: object = json.loads(answer.text)
    except (ValueError, RecursionError):
        if source.command and source.json is None:
            return answer.text.strip()
        _no_json(answer)
    named = _at(value, source.json or "", answer)
    return _part(named, answer, source) if source.matches and isinstance(named, str) else named


def _text(answer: Answer, source: FactSource) -> str:
    if source.json is not None:
        return _of_json(answer, source.json)
    if source.asks_target and not source.header:
        start = answer.text.lstrip()[:20].lower()
        if answer.page or start.startswith(("<!doctype", "<html")):
            why = f"it begins with {_start(answer.text)}"
            raise RolloutError(f"{answer.who} answers a page, not a release: {why}")
    return answer.text


def _of_json(answer: Answer, path: str) -> str:
    try:
        value = json.loads(answer.text, parse_float=_Fraction, parse_constant=_Fraction)
    except (ValueError, RecursionError):
        _no_json(answer)
    named, place = _at(value, path, answer), f"`{path}`" if path else "the top"
    if named is None:
        raise RolloutError(f"the JSON of {answer.who} is null at {place}, which names no release")
    if isinstance(named, _Fraction):
        raise RolloutError(
            f"the JSON of {answer.who} has the number {named:.40} at {place}, and 1.10 and 1.1 "
            "are the same number: let it answer a text"
        )
    if isinstance(named, int) and not isinstance(named, bool):
        return str(named)
    if not isinstance(named, str):
        kinds = {bool: "true or false", dict: "an object", list: "a list"}
        kind = kinds.get(type(named), "no text")
        raise RolloutError(f"the JSON of {answer.who} has {kind} at {place}, which is no release")
    return named


def _at(value: object, path: str, answer: Answer) -> object:
    try:
        return at(value, path)
    except NothingThereError as error:
        if error.keys is None:
            raise RolloutError(f"the JSON of {answer.who} {error}") from None
        raise RolloutError(
            f"the JSON of {answer.who} has no key `{error.path}` "
            f"(the keys that are there: {error.keys or 'none'})"
        ) from None


def _no_json(answer: Answer) -> NoReturn:
    if not answer.text.strip():
        raise RolloutError(f"{answer.who} answers nothing, where JSON is expected")
    raise RolloutError(f"{answer.who} answers no JSON: it begins with {_start(answer.text)}")


def _part(text: str, answer: Answer, source: FactSource) -> str:
    """Return the part of a text that counts."""
    if not source.matches:
        return text
    match = re.search(source.matches, text)
    if match is None:
        why = f"nothing in {_start(text)} matches {source.matches}"
        raise RolloutError(f"{answer.who} names no release: {why}")
    names = match.re.groupindex
    group = names.get("release", 1 if match.re.groups else 0)
    part: str | None = match[group]
    if not part:
        why = f"the group of {source.matches} is empty in {_start(text)}"
        raise RolloutError(f"{answer.who} names no release: {why}")
    return part


def _start(text: str) -> str:
    start = " ".join(hide(text[:2_000]).split())
    return f"`{start[:_SHOWN]}{'...' if len(start) > _SHOWN else ''}`"
