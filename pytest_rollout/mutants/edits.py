"""Changes of a text, and the mutants of a file that they make."""

from __future__ import annotations

import hashlib
import re
from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import replace

from pytest_rollout.late_dataclass import dataclass
from pytest_rollout.model.mutants import Mutant

_SHOWN = 160  # characters of a changed line
_AROUND = 60  # characters before a change that is far to the right


class UnreadableError(ValueError):
    """A text is not what its file's name says; ``line`` is where, from 1."""

    def __init__(self, problem: str, line: int) -> None:
        super().__init__(problem)
        self.line = line


@dataclass(frozen=True, slots=True)
class Edit:
    """A piece of a text, and what may stand there instead."""

    start: int
    end: int
    replacement: str
    operator: str
    scope: str = ""  # the function, section or keys around it

    def moved(self, by: int, scope: str = "") -> Edit:
        """The same change of a longer text, in which this text begins at a character."""
        return replace(self, start=self.start + by, end=self.end + by, scope=scope or self.scope)

    def of(self, text: str) -> str:
        """The text with the change."""
        return text[: self.start] + self.replacement + text[self.end :]


def apply(text: str, mutant: Mutant) -> str:
    """Return the text of a file with a mutant in it.

    Raises ValueError where the text is not the one that the mutant was made of.
    """
    if text[mutant.start : mutant.end] != mutant.replaced:
        raise ValueError(f"{mutant.file} has changed since its mutants were made")
    return text[: mutant.start] + mutant.replacement + text[mutant.end :]


def as_mutants(file: str, text: str, edits: Iterable[Edit]) -> Iterator[Mutant]:
    """Yield a mutant for each different change of a file, in the order of their places."""
    seen: set[tuple[int, int, str]] = set()
    equals: Counter[tuple[str, str, str]] = Counter()
    for edit in sorted(edits, key=lambda edit: (edit.start, edit.end, edit.replacement)):
        place = (edit.start, edit.end, edit.replacement)
        replaced = text[edit.start : edit.end]
        if place in seen or replaced == edit.replacement:
            continue
        seen.add(place)
        first, last = _lines_around(text, edit)
        lines = text[first:last]
        changed = text[first : edit.start] + edit.replacement + text[edit.end : last]
        key = (edit.scope, _joined(lines), _joined(changed))
        equals[key] += 1
        at = edit.start - first
        yield Mutant(
            id=f"{file}:{_digest(file, *key, str(equals[key]))}",
            file=file,
            line=text.count("\n", 0, edit.start) + 1,
            operator=edit.operator,
            before=_shortened(lines, at),
            after=_shortened(changed, at),
            start=edit.start,
            end=edit.end,
            replacement=edit.replacement,
            replaced=replaced,
            last_line=text.count("\n", 0, max(edit.start, edit.end - 1)) + 1,
        )


def _lines_around(text: str, edit: Edit) -> tuple[int, int]:
    """Where the changed lines begin and end, without their last newline."""
    first = text.rfind("\n", 0, edit.start) + 1
    last = text.find("\n", max(edit.start, edit.end - 1))
    return first, max(edit.end, len(text) if last < 0 else last)


def _joined(lines: str) -> str:
    return " ".join(lines.split())


def _shortened(lines: str, at: int) -> str:
    """Changed lines as one, with the change in what is shown of them."""
    joined = _joined(lines)
    if len(joined) <= _SHOWN:
        return joined
    place = len(_joined(lines[:at]))
    start = max(0, min(place - _AROUND, len(joined) - _SHOWN))
    end = start + _SHOWN
    return f"{'…' if start else ''}{joined[start:end]}{'…' if end < len(joined) else ''}"


def _digest(*parts: str) -> str:
    text = "\0".join(parts).encode("utf-8", "surrogatepass")
    return hashlib.sha256(text).hexdigest()[:12]


def flags_of(words: str, base: int = 0) -> Iterator[Edit]:
    """Yield the changes that take one flag from the words of a command, alone or with its value."""
    for flag in re.finditer(r"(?<=\S)[ \t]+(--?[A-Za-z][\w-]*(=\S+)?)(?=\s|$)", words):
        yield Edit(base + flag.start(), base + flag.end(), "", "flag dropped")
        value = re.compile(r"[ \t]+(?![-|&;<>\\])\S+").match(words, flag.end())
        if value and not flag[2]:
            yield Edit(base + flag.start(), base + value.end(), "", "flag dropped")
