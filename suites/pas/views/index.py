"""The code index as its clients ask it, and the suite's own answers to the same questions."""

from __future__ import annotations

import random
import re
import time
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import TypeVar

import httpx

from pytest_rollout import NoValueError, Reported, reported
from suites.pas.views.asking import Service
from suites.pas.views.source import Source, Spot

KINDS = ("where_defined", "who_calls", "impact_set", "nearest_neighbors")
CLASS, FUNCTION = "IsolatedVecTextVectOrchestrator", "encode_texts"
NOBODY = "nobody_defines_or_calls_this_name"
_WORD = re.compile(r"[a-z]{3,}")
_LEAST_WORDS = 5  # of a docstring from which a question is made
_MANY = 12
_Any = TypeVar("_Any")
QUERIES = 220  # 55 of each kind
NEVER_MS = 86_400_000.0  # a day, of an answer that is wrong or none
Answer = set[tuple[str, int]] | None  # None: any that is not empty


class Index(Service):
    """The service of the code index."""

    def query(self, kind: str, name: str, **more: object) -> tuple[Reported, ...]:
        """The results of a query."""
        return self.get("/query", kind=kind, name=name, **more).each("results")

    def spots(self, kind: str, name: str) -> list[Spot]:
        """Where results stand, each as often as it is named."""
        return [
            Spot(result.text("file"), result.whole("line")) for result in self.query(kind, name)
        ]

    def impact(self, path: str) -> dict[str, int]:
        """The files that a file has an impact on, with their distance."""
        return {
            result.text("file"): result.whole("distance")
            for result in self.query("impact_set", path)
        }

    def nearest(self, words: str, k: int = 5) -> list[Spot]:
        """Where the nearest definitions stand, the best first."""
        results = self.query("nearest_neighbors", words, k=k)
        scores = [result.number("score") for result in results]
        if scores != sorted(scores, reverse=True):
            return []  # an order that is none finds nothing
        return [Spot(result.text("file"), result.whole("line")) for result in results[:k]]


@dataclass(frozen=True, slots=True)
class Question:
    """Words that a definition should be found by; its own name is not among them."""

    words: str
    answer: Spot


def questions(source: Source, most: int = _MANY) -> list[Question]:
    """Questions made of docstrings in other words' order, spread over the files."""
    counted: dict[str, int] = {}
    for definition in source.definitions:
        counted[definition.doc] = counted.get(definition.doc, 0) + 1
    usable = [
        Question(words, definition.spot)
        for definition in sorted(source.definitions, key=lambda d: d.spot)
        if not definition.inner
        and counted[definition.doc] == 1
        and (words := _asked(definition.name, definition.doc))
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
    inner = {definition.name for definition in source.definitions if definition.inner}
    shapes: dict[tuple[str, bool], list[str]] = {}
    for definition in sorted(source.definitions, key=lambda each: each.spot):
        if definition.name not in inner and not definition.name.startswith("__"):
            shapes.setdefault((definition.what, definition.decorated), []).append(definition.name)
    each = -(-most // max(1, len(shapes)))
    chosen = [name for shape in shapes.values() for name in _spread(shape, each)]
    return list(dict.fromkeys([CLASS, *chosen]))


def called(source: Source, most: int = 12) -> list[str]:
    """Names that are called and defined, that of the plan first."""
    defined = {definition.name for definition in source.definitions}
    usable = sorted({call.name for call in source.calls} & defined)
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
        "nearest_neighbors": [question.words for question in questions(source)],
    }


def mixed(source: Source) -> Iterator[tuple[str, str, Answer]]:
    """Queries of all kinds in turn, with their answers; None: any that is not empty."""
    asked = by_kind(source)
    answers: dict[tuple[str, str], Answer] = {}
    for name in asked["where_defined"]:
        answers["where_defined", name] = {(s.file, s.line) for s in source.defined(name)}
    for name in asked["who_calls"]:
        answers["who_calls", name] = {(s.file, s.line) for s in source.callers(name)}
    for name in asked["impact_set"]:
        answers["impact_set", name] = {*source.impact(name).items()}
    for number in range(QUERIES):
        kind = KINDS[number % len(KINDS)]
        name = asked[kind][number // len(KINDS) % len(asked[kind])]
        yield kind, name, answers.get((kind, name))


def _said(said: object) -> set[tuple[str, int]]:
    """The places, or the files and distances, that an answer names; empty where it has none."""
    results = said.get("results") if isinstance(said, dict) else None
    objects = [result for result in results or () if isinstance(result, dict)]
    return {
        (str(result.get("file")), int(result.get("line") or result.get("distance") or 0))
        for result in objects
    }


def answered(client: httpx.Client, kind: str, name: str, due: Answer) -> float:
    """The milliseconds until a query was answered; a day where the answer is wrong or none."""
    began = time.perf_counter()
    response = client.get("/query", params={"kind": kind, "name": name})
    took = 1000 * (time.perf_counter() - began)
    said = _said(reported(response))
    return took if (said == due if due is not None else said) else NEVER_MS
