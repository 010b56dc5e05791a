"""Which requests of HTTP change something: by their method, but for those stated to only read."""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass

LOOKING = ("GET", "HEAD", "OPTIONS", "TRACE")
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
        found = _STATED.fullmatch(text.strip())
        if found is None or _DISGUISED.search(found[2]):
            raise ValueError(f"{text!r:.80} is no request; {RULE}")
        method = found[1].upper()
        if method in LOOKING:
            raise ValueError(f"{method} {found[2]} only reads anyway; leave it out")
        return cls(method, found[2])

    def matches(self, method: str, path: str) -> bool:
        """Return whether a request is such a one; a path in disguise is none."""
        parts = (re.escape(part).replace(r"\*", "[^/]+") for part in self.path.split("/"))
        fits = re.fullmatch("/".join(parts), path)
        return method == self.method and fits is not None and not _DISGUISED.search(path)

    def __str__(self) -> str:
        return f"{self.method} {self.path}"


def changes(methods: Iterable[str], path: str, reads: Iterable[ReadingRequest]) -> bool:
    """Return whether a request may change something.

    ``methods`` are its own and those that its headers put in its place: any of them may count.
    """
    stated = tuple(reads)
    return any(
        method.upper() not in LOOKING
        and not any(one.matches(method.upper(), path) for one in stated)
        for method in methods
    )
