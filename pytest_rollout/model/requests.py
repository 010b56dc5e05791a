"""Which requests of HTTP change something: by their method, but for those stated to only read."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping

from pytest_rollout.late_dataclass import dataclass

LOOKING = ("GET", "HEAD", "OPTIONS", "TRACE")
# What frameworks take for the method in the place of the request's own.
_OVERRIDES = ("x-http-method-override", "x-http-method", "x-method-override")
RULE = "write a method and a path, as POST /search; * stands for one part of a path"
_STATED = re.compile(r"([A-Za-z]+)\s+(/[^\s?#]*)")
# Another path than it seems to be: servers read an escaped slash or dot as a plain one.
_DISGUISED = re.compile(r"%2e|%2f|%5c|\\|//|/\.\.?(/|$)", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class ReadingRequest:
    """A request that only reads, although its method might change something."""

    method: str
    path: str  # below the target's address; * is one part of it

    @classmethod
    def parse(cls, text: str) -> ReadingRequest:
        """Read ``POST /search``; raises ValueError with the rule."""
        match = _STATED.fullmatch(text.strip())
        if match is None or _DISGUISED.search(match[2]):
            raise ValueError(f"{text!r:.80} is no request; {RULE}")
        method = match[1].upper()
        if method in LOOKING:
            raise ValueError(f"{method} {match[2]} only reads anyway; leave it out")
        return cls(method, match[2])

    def matches(self, method: str, path: str) -> bool:
        """Return whether a request is such a one; a path in disguise is none."""
        parts = (re.escape(part).replace(r"\*", "[^/]+") for part in self.path.split("/"))
        fits = re.fullmatch("/".join(parts), path)
        return method == self.method and fits is not None and not _DISGUISED.search(path)

    def __str__(self) -> str:
        return f"{self.method} {self.path}"


def methods_of(method: str, headers: Mapping[str, str]) -> tuple[str, ...]:
    """Return the methods that a request may be taken for: its own, and those of its headers."""
    named = (value.strip() for name, value in headers.items() if name.lower() in _OVERRIDES)
    return tuple(
        dict.fromkeys(method_name.upper() for method_name in (method, *named) if method_name)
    )


def changes(methods: Iterable[str], path: str, reads: Iterable[ReadingRequest] = ()) -> bool:
    """Return whether a request to a path without its query may change something.

    ``methods`` is what it may be taken for: one that is neither harmless nor stated is enough.
    """
    stated = tuple(reads)
    return any(
        method not in LOOKING
        and not any(reading_request.matches(method, path) for reading_request in stated)
        for method in methods
    )
