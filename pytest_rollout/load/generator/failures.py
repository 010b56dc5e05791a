"""Failures in the words of groups: without what differs from request to request."""

from __future__ import annotations

import re
from collections.abc import Callable

_LONGEST = 160
_REMEMBERED = 1000
_VARIABLE: tuple[tuple[re.Pattern[str], str], ...] = (
    (re.compile(r"\b[a-z][a-z0-9+.-]*://\S+", re.IGNORECASE), "URL"),
    (re.compile(r"(?<=[\s'\"(=])/[^\s'\")]+"), "PATH"),
    (re.compile(r"0x[0-9a-f]+", re.IGNORECASE), "#"),
    (re.compile(r"\b[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}\b", re.IGNORECASE), "#"),
    (re.compile(r"\b(?=[0-9a-z_-]*[0-9])[0-9a-z_-]{16,}\b", re.IGNORECASE), "#"),
    (re.compile(r"\b[0-9a-f]{12,}\b", re.IGNORECASE), "#"),
    (re.compile(r"(?<![\w.])(?!\d{3}(?!\w))[0-9]+(?:\.[0-9]+)*"), "#"),  # 3 digits: a status
    (re.compile(r"\s+"), " "),
)


def normalised(failure: object) -> str:
    """Return what a failure says, so that failures of one cause say the same; no secret in it."""
    kind = type(failure).__name__ if isinstance(failure, BaseException) else ""
    text = str(failure)[:2000]
    for pattern, word in _VARIABLE:
        text = pattern.sub(word, text)
    text = text.strip()
    if kind and kind not in text and kind != "CatchResponseError":
        text = f"{kind}: {text}" if text else kind
    return text[: _LONGEST - 1] + "…" if len(text) > _LONGEST else text


def remembering() -> Callable[[object], str]:
    """Return :func:`normalised` with a memory for texts that come again and again."""
    texts: dict[tuple[type, str], str] = {}

    def says(failure: object) -> str:
        key = type(failure), str(failure)
        if key not in texts:
            if len(texts) >= _REMEMBERED:
                texts.clear()
            texts[key] = normalised(failure)
        return texts[key]

    return says
