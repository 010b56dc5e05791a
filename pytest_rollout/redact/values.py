"""Which values of the process's environment are secret, and how they may be spelled."""

from __future__ import annotations

import html
import json
import os
import re
from base64 import b64encode
from collections.abc import Iterable, Iterator, Mapping
from urllib.parse import quote, quote_plus, unquote

from pytest_rollout.late_dataclass import dataclass
from pytest_rollout.redact.providers import Span
from pytest_rollout.redact.shapes import MARK

_SECRET = re.compile(
    r"TOKEN|SECRET|PASSW|PASSPHRASE|WEBHOOK|CREDENTIAL|DSN|JWT|COOKIE|AUTHORIZATION|BEARER"
    r"|(?:API|ACCESS|ROUTING|PRIVATE|SIGNING|ENCRYPTION|INTEGRATION|ACCOUNT)_?KEY"
    r"|(?:^|_)KEYS?(?:_|$)|_PWD$|_PASS$|_AUTH$|_SIG(?:NATURE)?$"
)
_ABOUT = re.compile(  # what such a name is followed by where the value only describes a secret
    r"_(?:FILE|PATH|DIR|SOCK|TTL|TIMEOUT|NAME|USER|USERNAME|COUNT|LENGTH|TYPE|HEADER|REGION)$"
)
_LEAST = 8  # characters; of mixed ones fewer
_LEAST_MIXED = 6
_MOST = 65_536
_WORDLIKE = 16
_CHUNK, _MOST_CHUNKS = 12, 32  # characters of a part of a secret, and how many parts
_TORN, _MOST_TORN = 4, 200  # characters of a secret that tell it at an edge, and that are looked at
_EDGE = re.compile(r"\.\.\.|…|\Z")
_REACH = 4_096
_DELIMITERS = re.compile(r"[/?#@:&]")  # at these a library cuts an address with a password in it
_BASE64 = re.compile(r"[A-Za-z0-9+/_=-]*+")


@dataclass(frozen=True, slots=True)
class Needle:
    """One spelling of a secret."""

    text: str
    whole_word: bool = False  # a password that is a plain word: hidden where it stands alone
    runs_on: bool = False  # part of a secret: what it is joined to belongs to it


def secrets(environ: Mapping[str, str]) -> Iterator[str]:
    """The secret values of an environment: by their variable's name, and passwords in addresses.

    The absolute path of a file or folder that is there only says where a secret is; a relative
    one depends on where the process stands.
    """
    for name, value in environ.items():
        upper = name.upper()
        if _SECRET.search(upper) and not _ABOUT.search(upper) and not _is_path(value):
            yield value
        if "://" in value and "@" in value:
            userinfo = value.partition("://")[2].rpartition("@")[0]
            yield userinfo
            yield userinfo.partition(":")[2]


def _is_path(value: str) -> bool:
    return os.path.isabs(value) and os.path.exists(value)  # noqa: PTH110,PTH117  # any text


def needles(values: Iterable[str]) -> tuple[Needle, ...]:
    """What to look for, longest first."""
    by_text: dict[str, Needle] = {}
    for value in values:
        whole = value.strip()
        for needle in _needles(whole) if _worth(whole) else ():
            by_text.setdefault(needle.text, needle)
        for line in filter(_worth, _lines(value)):
            by_text.setdefault(line, Needle(line, whole_word=wordlike(line)))
    return tuple(sorted(by_text.values(), key=lambda needle: -len(needle.text)))


def _lines(value: str) -> list[str]:
    return [line.strip() for line in value.splitlines()] if "\n" in value else []


def _worth(value: str) -> bool:
    if value in MARK or len(value) > _MOST:
        return False
    mixed = not value.isalpha() and not value.isdigit()
    return len(value) >= (_LEAST_MIXED if mixed else _LEAST)


def wordlike(value: str) -> bool:
    """Whether it may well stand in ordinary text: a short plain word or number."""
    plain = value.isalpha() and (value[1:].islower() or value.isupper())
    return (plain or value.isdigit()) and len(value) < _WORDLIKE


def _needles(value: str) -> Iterator[Needle]:
    if wordlike(value):
        yield Needle(value, whole_word=True)
        return
    for text in _spellings(value):
        yield Needle(text)
    for core in _base64(_raw(value)):
        yield Needle(core, runs_on=True)
    if "://" not in value:
        yield from (Needle(piece) for piece in _DELIMITERS.split(value) if _is_random(piece))
    if len(value) >= 2 * _CHUNK - 4 and not re.search(r"://|\s", value):
        for start in range(
            0, len(value) - _CHUNK + 1, max(_CHUNK // 2, len(value) // _MOST_CHUNKS)
        ):
            yield Needle(value[start : start + _CHUNK], runs_on=True)


def _is_random(piece: str) -> bool:
    """Whether a piece of a secret tells something of it, and is no word."""
    mixed = any(map(str.isdigit, piece)) and any(map(str.isalpha, piece))
    return mixed and len(piece) >= _LEAST


def _spellings(value: str) -> set[str]:
    raw = _raw(value)
    quoted = {quote(raw, safe=safe) for safe in ("", "/", "/:@", "!*'()~")} | {quote_plus(raw)}
    lower = {re.sub(r"%[0-9A-F]{2}", lambda match: match[0].lower(), text) for text in quoted}
    escaped = {json.dumps(value)[1:-1], json.dumps(value, ensure_ascii=False)[1:-1]}
    escaped |= {repr(value)[1:-1], repr(raw)[2:-1], html.escape(value), unquote(value)}
    doubled = {text.replace("\\", "\\\\") for text in escaped}
    doubled |= {json.dumps(text)[1:-1] for text in escaped}
    return {text for text in {value, *quoted, *lower, *escaped, *doubled} if _worth(text)}


def _raw(value: str) -> bytes:
    try:
        return value.encode("utf-8", "surrogateescape")
    except UnicodeEncodeError:
        return value.encode("utf-8", "surrogatepass")


def _base64(raw: bytes) -> set[str]:
    """What base64 makes of it wherever it begins, without what depends on its neighbours."""
    cores = set()
    for before, skip in ((0, 0), (1, 2), (2, 3)):
        text = b64encode(bytes(before) + raw).decode()
        core = text[skip : (before + len(raw)) * 8 // 6]
        if len(core) >= _LEAST:
            cores |= {core, core.replace("+", "-").replace("/", "_")}
    return cores


def spans(text: str, known: Iterable[Needle], *, runs_on: bool) -> Iterator[Span]:
    """Where known secrets stand in a text: whole ones, or parts with what they are joined to."""
    for needle in known:
        if needle.runs_on is not runs_on:
            continue
        place = text.find(needle.text)
        while place >= 0:
            end = place + len(needle.text)
            if not needle.whole_word or _alone(text, place, end):
                start = place
                if needle.runs_on:
                    start, end = _run(text, place, end)
                yield start, end
            place = text.find(needle.text, end)


def edges(known: Iterable[Needle]) -> tuple[tuple[str, str], ...]:
    """How whole secrets begin and end, as far as somebody may leave of them."""
    whole = (needle.text for needle in known if not (needle.whole_word or needle.runs_on))
    return tuple((text[:_MOST_TORN], text[-_MOST_TORN:]) for text in whole)


def torn(text: str, known: Iterable[tuple[str, str]]) -> Iterator[Span]:
    """Where half of a known secret stands at an edge where the text was cut."""
    for edge in _EDGE.finditer(text) if known else ():
        head, tail = edge.start(), edge.end()
        before, after = text[max(0, head - _TORN) : head], text[tail : tail + _TORN]
        for start, end in known:
            if len(before) == _TORN and before in start:
                for match in re.finditer(re.escape(before), start):
                    if text.endswith(start[: match.end()], 0, head):
                        yield head - match.end(), head
            if len(after) == _TORN and after in end:
                for match in re.finditer(re.escape(after), end):
                    if text.startswith(end[match.start() :], tail):
                        yield tail, tail + len(end) - match.start()


def _alone(text: str, start: int, end: int) -> bool:
    return not (text[start - 1 : start].isalnum() or text[end : end + 1].isalnum())


def _run(text: str, start: int, end: int) -> Span:
    """The run of base64 that a stretch belongs to."""
    first = max(0, start - _REACH)
    before = _BASE64.match(text[first:start][::-1])
    after = _BASE64.match(text, end)
    return start - (before.end() if before else 0), after.end() if after else end
