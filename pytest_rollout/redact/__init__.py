"""What may never get out: secrets in a text are replaced before it is stored or shown.

A text is redacted whole and cut afterwards, so that no half of a secret is left at an edge.
:func:`learn` says which values of the environment are secret; shapes are known beforehand.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Mapping
from contextlib import suppress
from threading import Lock
from typing import Any

from pytest_rollout.redact import shapes, values
from pytest_rollout.redact.providers import Span
from pytest_rollout.redact.shapes import MARK
from pytest_rollout.redact.values import Needle

__all__ = [
    "MARK",
    "Known",
    "cap",
    "cap_apart",
    "hide",
    "hide_bytes",
    "hide_in",
    "learn",
    "unmistakable",
]

_MOVING = "PYTEST_CURRENT_TEST"  # another one for each test
_ROUNDS = 8
_SHORT, _MOST_SHORT = 200, 4_096  # characters of texts that are remembered, and how many are
_LEAST = 5  # characters of a secret that anything here knows
_MOST = 16_000_000  # characters that are looked at; what follows is dropped
_TAIL = 65_536  # no secret is longer, so none is cut in two by dropping so much more


class KnownSecrets:
    """The secrets of one process: those that its environment has held so far."""

    def __init__(self, environ: Mapping[str, str] | None = None) -> None:
        self._values: set[str] = set()
        self._last: dict[Any, Any] = {}  # the environment, when it was looked at last
        self._lock = Lock()
        self._short: dict[str, str] = {}  # names and labels come again and again
        self.needles: tuple[Needle, ...] = ()
        self._edges: tuple[tuple[str, str], ...] = ()
        if environ is not None:
            self.learn(environ)

    def learn(self, environ: Mapping[str, str]) -> None:
        """Remember what is secret in an environment; what was secret once stays so."""
        # As the environment holds it: of ``os.environ`` undecoded. It is asked for at each test.
        raw: Mapping[Any, Any] = getattr(environ, "_data", environ)
        moving = getattr(environ, "encodekey", str)(_MOVING)
        last = self._last
        if moving in raw:
            last[moving] = raw[moving]
        else:
            last.pop(moving, None)
        if raw == last:
            return
        with self._lock:
            now = {name: value for name, value in environ.items() if name != _MOVING}
            self._last = dict(raw)
            new = set(values.secrets(now)) - self._values
            if new:
                self._values |= new
                needles = values.needles(self._values)
                self._edges, self.needles = values.edges(needles), needles
                self._short = {}

    def hide(self, text: str) -> str:
        """A text without secrets; the same text where it holds none."""
        if len(text) < _LEAST:
            return text
        if len(text) > _SHORT:
            return self._hidden(text)
        short = self._short  # what is learned meanwhile begins another one
        if text not in short:
            if len(short) >= _MOST_SHORT:
                short.clear()
            short[text] = self._hidden(text)
        return short.get(text) or self._hidden(text)

    def _hidden(self, text: str) -> str:
        if len(text) > _MOST:
            text = f"{text[: _MOST - _TAIL]}… ({len(text):,} characters)"
        for _ in range(_ROUNDS):
            secrets = self._whole(text) or self._parts(text)
            if not secrets:
                break
            text = _without(text, secrets)
        return text

    def _whole(self, text: str) -> list[Span]:
        secrets = [span for _, span in shapes.spans(text)]
        return secrets + list(values.spans(text, self.needles, runs_on=False))

    def _parts(self, text: str) -> list[Span]:
        """What is left of a secret that somebody cut or joined to something else."""
        secrets = list(values.spans(text, self.needles, runs_on=True))
        return secrets + list(values.torn(text, self._edges))

    def hide_bytes(self, data: bytes) -> bytes:
        """A file's bytes without secrets: every shape in text, only known values in other files.

        What is no text keeps its length, so that it can still be read.
        """
        wide = data[:2] in (b"\xff\xfe", b"\xfe\xff")
        how = ("utf-16", "strict") if wide else ("utf-8", "surrogateescape")
        if wide or b"\0" not in data:
            with suppress(UnicodeDecodeError):
                text = data.decode(*how)
                hidden = self.hide(text)
                data = data if hidden == text else hidden.encode(*how)
        return self._overwritten(data)

    def _overwritten(self, data: bytes) -> bytes:
        masked = bytearray(data)
        for needle in (needle for needle in self.needles if not needle.whole_word):
            for encoding in ("utf-8", "utf-16-le", "utf-16-be"):
                raw = needle.text.encode(encoding, "replace")
                place = data.find(raw)
                while place >= 0:
                    masked[place : place + len(raw)] = b"*" * len(raw)
                    place = data.find(raw, place + len(raw))
        return bytes(masked)

    def unmistakable(self, text: str) -> Iterator[tuple[str, int]]:
        """What in a text can be nothing but a secret, and where: shapes and known values."""
        for shape, (start, _) in shapes.spans(text, sure=True):
            yield shape.name, start
        for needle in self.needles:
            if not (needle.whole_word or needle.runs_on) and needle.text in text:
                yield "the value of a secret variable", text.index(needle.text)


def _without(text: str, secrets: list[Span]) -> str:
    pieces: list[str] = []
    done = 0
    for start, end in sorted(secrets):
        if start >= done:
            pieces += (text[done:start], MARK)
        done = max(done, end)
    return "".join((*pieces, text[done:]))


_known = KnownSecrets()
learn = _known.learn
hide = _known.hide
hide_bytes = _known.hide_bytes
unmistakable = _known.unmistakable


def hide_in(value: Any) -> Any:
    """A value of JSON whose texts, keys too, are without secrets; others stay as they are."""
    if isinstance(value, str):
        return hide(value)
    if isinstance(value, Mapping):
        return {hide_in(key): hide_in(inner) for key, inner in value.items()}
    if isinstance(value, list | tuple):
        return type(value)(map(hide_in, value)) if type(value) in (list, tuple) else value
    return value


def cap_apart(text: str, most: int) -> str:
    """As :func:`cap`, but two texts that differ stay different: a long one ends with its digest."""
    hidden = hide(text)
    if len(hidden) <= most:
        return hidden
    digest = hashlib.sha256(hidden.encode("utf-8", "surrogatepass")).hexdigest()
    return f"{hidden[:most]}… ({len(hidden):,} characters, sha256 {digest[:12]})"


def cap(text: str, most: int) -> str:
    """A redacted text of at most so many characters, and how many there were."""
    text = hide(text)
    if len(text) <= most:
        return text
    said = f"… ({len(text):,} characters)"
    return f"{text[: most - len(said)]}{said}"
