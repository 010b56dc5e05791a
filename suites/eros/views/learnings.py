"""LEARNINGS.md as the suite reads it: its entries, and what its statistics say of them."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import date

FILE = "LEARNINGS.md"
ACTIVE = ("HIGH", "MEDIUM", "LOW")  # the sections of what counts, the surest first
DEPRECATED, STATISTICS = "Deprecated", "Statistics"
SOURCES = ("validation", "user", "performance")
FIGURES = {
    "by_confidence": tuple(name.lower() for name in ACTIVE),
    "by_source": SOURCES,
}
_ENTRY = re.compile(r"- (L-\d+) \((\w+), (\d{4}-\d\d-\d\d)\): (.+)")
_FIGURES = re.compile(r"(\w+): \{(.*)\}")
_FIGURE = re.compile(r"(\w+): (\d+)")

Figures = Mapping[str, Mapping[str, int]]


@dataclass(frozen=True, slots=True)
class Learning:
    """One entry."""

    id: str
    source: str
    day: date
    text: str
    section: str

    @property
    def active(self) -> bool:
        """Whether it counts."""
        return self.section in ACTIVE


@dataclass(frozen=True, slots=True)
class Learnings:
    """The whole file."""

    entries: tuple[Learning, ...]
    said: Figures  # by the statistics
    problems: tuple[str, ...]  # of its structure

    @property
    def active(self) -> list[Learning]:
        """The entries that count."""
        return [entry for entry in self.entries if entry.active]

    @property
    def counted(self) -> dict[str, dict[str, int]]:
        """The figures that the statistics should give."""
        sections = Counter(entry.section.lower() for entry in self.active)
        sources = Counter(entry.source for entry in self.active)
        return {
            "by_confidence": {name: sections[name] for name in FIGURES["by_confidence"]},
            "by_source": {name: sources[name] for name in SOURCES},
        }

    def find(self, id_: str) -> Learning | None:
        """The entry of an id."""
        return next((entry for entry in self.entries if entry.id == id_), None)

    @property
    def mismatches(self) -> dict[str, str]:
        """Each figure of the statistics (as by_source.user), with what is wrong; empty: nothing."""
        return {
            f"{block}.{name}": _unlike(self.said.get(block, {}).get(name), count)
            for block, figures in self.counted.items()
            for name, count in figures.items()
        }


def _unlike(said: int | None, counted: int) -> str:
    if said == counted:
        return ""
    return f"the statistics say {'nothing' if said is None else said}, there are {counted}"


def parsed(text: str) -> Learnings:
    """The file in a text; what is wrong with its structure is told, and the rest is read."""
    section, seen = "", set()
    entries: list[Learning] = []
    said: dict[str, dict[str, int]] = {}
    problems: list[str] = []
    for line in text.splitlines():
        if line.startswith("## "):
            section = line.removeprefix("## ").strip()
            seen.add(section)
        elif section == STATISTICS and (block := _FIGURES.fullmatch(line.strip())):
            said[block[1]] = figures(block[2])
        elif section in (*ACTIVE, DEPRECATED) and line.startswith("- "):
            entry = _entry(line, section)
            entries += [entry] if entry else []
            problems += [] if entry else [f"no entry: {line!r:.80}"]
    problems += [
        f"no section {name}" for name in (STATISTICS, *ACTIVE, DEPRECATED) if name not in seen
    ]
    problems += _lacking(said)
    twice = [id_ for id_, count in Counter(entry.id for entry in entries).items() if count > 1]
    problems += [f"{id_} stands there twice" for id_ in twice]
    return Learnings(tuple(entries), said, tuple(problems))


def figures(text: str) -> dict[str, int]:
    """The figures in what stands between the braces: high: 2, medium: 8."""
    return {name: int(number) for name, number in _FIGURE.findall(text)}


def _entry(line: str, section: str) -> Learning | None:
    match = _ENTRY.fullmatch(line.rstrip())
    if not match or match[2] not in SOURCES:
        return None
    try:
        return Learning(match[1], match[2], date.fromisoformat(match[3]), match[4], section)
    except ValueError:
        return None


def _lacking(said: Figures) -> Iterator[str]:
    for block, names in FIGURES.items():
        lacking = [name for name in names if name not in said.get(block, {})]
        if lacking:
            yield f"{block} of the statistics lacks {', '.join(lacking)}"
