"""The code index as its clients ask it, and the suite's own answers to the same questions."""

from __future__ import annotations

import random
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TypeVar

from pytest_rollout import NoValueError, Reported
from suites.pas.views.asking import Service
from suites.pas.views.source import Source, Spot

KINDS = ("where_defined", "who_calls", "impact_set", "nearest_neighbors")
CLASS, FUNCTION = "IsolatedVecTextVectOrchestrator", "encode_texts"
NOBODY = "nobody_defines_or_calls_this_name"
_WORD = re.compile(r"[a-z]{3,}")
_LEAST_WORDS = 5  # of a docstring from which a question is made
_MANY = 12
_Any = TypeVar("_Any")


class Index(Service):
    """The service of the code index."""

    def query(self, kind: str, name: str, **more: object) -> tuple[Reported, ...]:
        """The results of a query."""
        return self.get("/query", kind=kind, name=name, **more).each("results")

    def spots(self, kind: str, name: str) -> list[Spot]:
        """Where results stand, each as often as it is named."""
        return [Spot(one.text("file"), one.whole("line")) for one in self.query(kind, name)]

    def impact(self, path: str) -> dict[str, int]:
        """The files that a file has an impact on, with their distance."""
        return {one.text("file"): one.whole("distance") for one in self.query("impact_set", path)}

    def nearest(self, words: str, k: int = 5) -> list[Spot]:
        """Where the nearest definitions stand, the best first."""
        found = self.query("nearest_neighbors", words, k=k)
        scores = [one.number("score") for one in found]
        if scores != sorted(scores, reverse=True):
            return []  # an order that is none finds nothing
        return [Spot(one.text("file"), one.whole("line")) for one in found[:k]]


@dataclass(frozen=True, slots=True)
class Question:
    """Words that a definition should be found by; its own name is not among them."""

    words: str
    answer: Spot


def questions(source: Source, most: int = _MANY) -> list[Question]:
    """Questions made of docstrings in other words' order, spread over the files."""
    counted: dict[str, int] = {}
    for one in source.definitions:
        counted[one.doc] = counted.get(one.doc, 0) + 1
    usable = [
        Question(words, one.spot)
        for one in sorted(source.definitions, key=lambda d: d.spot)
        if not one.inner and counted[one.doc] == 1 and (words := _asked(one.name, one.doc))
    ]
    if not usable:
        raise NoValueError("no definition of the checkout has a docstring to ask for")
    return _spread(usable, most)


def _asked(name: str, doc: str) -> str:
    """A docstring's words without those of the name, the last first; empty where it has too few."""
    own = set(_WORD.findall(name.lower().replace("_", " ")))
    words = [word for word in _WORD.findall(doc.lower()) if word not in own]
    return " ".join(reversed(words)) if len(set(words)) >= _LEAST_WORDS else ""


def names(source: Source, most: int = 24) -> list[str]:
    """Names that anybody can ask for, of each shape and over the files, that of the plan first."""
    inner = {one.name for one in source.definitions if one.inner}
    shapes: dict[tuple[str, bool], list[str]] = {}
    for one in sorted(source.definitions, key=lambda each: each.spot):
        if one.name not in inner and not one.name.startswith("__"):
            shapes.setdefault((one.what, one.decorated), []).append(one.name)
    each = -(-most // max(1, len(shapes)))
    found = [name for shape in shapes.values() for name in _spread(shape, each)]
    return list(dict.fromkeys([CLASS, *found]))


def called(source: Source, most: int = 12) -> list[str]:
    """Names that are called and defined, that of the plan first."""
    defined = {one.name for one in source.definitions}
    usable = sorted({one.name for one in source.calls} & defined)
    return list(dict.fromkeys([FUNCTION, *_spread(usable, most)]))


def imported(source: Source, most: int = 8) -> list[str]:
    """Files with an impact that is more than direct, others, and one that nobody imports."""
    impacts = {path: source.impact(path) for path in sorted(source.texts)}
    deep = [path for path, far in impacts.items() if max(far.values(), default=0) > 1]
    flat = [path for path, far in impacts.items() if far and path not in deep]
    alone = [path for path, far in impacts.items() if not far]
    if not deep:
        raise NoValueError("no file of the checkout is imported by one that others import")
    return [*_spread(deep, most), *flat[:2], *alone[:1]]


def _spread(items: Sequence[_Any], most: int) -> list[_Any]:
    """Some of many, the same each time."""
    return list(items) if len(items) <= most else random.Random(7).sample(list(items), most)


def right(index: Index, source: Source, kind: str, name: str) -> bool:
    """Whether the index answers a question as the source does."""
    if kind == "where_defined":
        return sorted(index.spots(kind, name)) == sorted(source.defined(name))
    if kind == "who_calls":
        return set(index.spots(kind, name)) == source.callers(name)
    if kind == "impact_set":
        return index.impact(name) == source.impact(name)
    return bool(index.nearest(name))


def by_kind(source: Source) -> Mapping[str, Sequence[str]]:
    """Questions of each kind."""
    return {
        "where_defined": names(source),
        "who_calls": called(source),
        "impact_set": imported(source),
        "nearest_neighbors": [one.words for one in questions(source)],
    }
