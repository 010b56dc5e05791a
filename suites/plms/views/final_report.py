"""The final report as the suite reads it: its header, sections and tables."""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import date, datetime
from pathlib import Path

REPORT = "docs/PRDs/PLMS_Rollout_Report_v1.0.md"
_SECTION = re.compile(r"^## (.+)$", re.MULTILINE)
# As `- Date: 2025-11-14` or, as in the plan's template, `**Date**: November 14, 2025`.
_FIELD = re.compile(r"^(?:- )?\*{0,2}([^:*|\n]+?)\*{0,2}:\*{0,2} +(.+)$", re.MULTILINE)
_SIGN_OFF = re.compile(r"^## Sign-Off", re.MULTILINE)
_DAY = re.compile(r"\d{4}-\d\d-\d\d|[A-Z][a-z]+ \d{1,2}, \d{4}")
_CHANGE = re.compile(r"^- ([^:]+): (\S+) (?:→|->|to) (\S+)(?: \((.+)\))?$", re.MULTILINE)
_NO = re.compile(
    r"\b(?:not|never|rejected|refused|declined|pending|withdrawn|objects?)\b", re.IGNORECASE
)


@dataclass(frozen=True, slots=True)
class Written:
    """The text of a report, cut into what it says."""

    text: str

    @classmethod
    def read(cls, path: Path) -> Written:
        """A report; raises AssertionError where there is none."""
        assert path.is_file(), f"there is no report at {path.name}"
        return cls(path.read_text(encoding="utf-8"))

    @property
    def header(self) -> dict[str, str]:
        """The fields before the first section."""
        return dict(_FIELD.findall(_SECTION.split(self.text, maxsplit=1)[0]))

    @property
    def signed_text(self) -> str:
        """What people sign: all that stands above the signatures."""
        return _SIGN_OFF.split(self.text, maxsplit=1)[0].strip()

    @property
    def changes(self) -> list[Change]:
        """What was tuned, from a table or a list; a row that lacks a cell is left out."""
        told = [Change(*row[:4]) for row in self.table("Tuning Changes") if len(row) >= 4]
        listed = _CHANGE.findall(self.section("Tuning Changes"))
        every = [*told, *(Change(*fields) for fields in listed)]
        return [c for c in every if c.item and c.before and c.after and c.reason]

    @property
    def tells_of_no_change(self) -> bool:
        """Whether it states that nothing was tuned."""
        said = self.section("Tuning Changes").strip().strip("-* ").lower()
        return bool(re.match(r"(none|no (change|tuning))\b", said))

    def section(self, name: str) -> str:
        """The text of a section; empty where there is none."""
        parts = _SECTION.split(self.text)
        return dict(zip(parts[1::2], parts[2::2], strict=True)).get(name, "")

    def lines(self, name: str) -> list[str]:
        """The lines of a section that say something."""
        return [line for line in self.section(name).splitlines() if line.strip()]

    def fields(self, name: str) -> dict[str, str]:
        """The fields of a section."""
        return dict(_FIELD.findall(self.section(name)))

    def table(self, name: str) -> list[list[str]]:
        """The rows of a section's table, without its head."""
        lines = [line for line in self.section(name).splitlines() if line.startswith("|")]
        return [[cell.strip() for cell in line.strip("|").split("|")] for line in lines[2:]]


@dataclass(frozen=True, slots=True)
class Change:
    """A setting that was tuned, as the report tells it."""

    item: str  # as it is written
    before: str
    after: str
    reason: str

    @property
    def setting(self) -> str:
        """What was changed: ``cap of LANE``, ``calibration_alpha`` or ``test_pass_rate``."""
        said = self.item.lower()
        if "cap" in said:
            lane = re.search(r"[A-Z][A-Za-z]*-[A-Z][A-Za-z]*|Narrative", self.item)
            return f"cap of {lane[0]}" if lane else self.item
        if "alpha" in said or "\N{GREEK SMALL LETTER ALPHA}" in said or "learning rate" in said:
            return "calibration_alpha"
        return "test_pass_rate" if "pass_rate" in said or "threshold" in said else self.item


@dataclass(frozen=True, slots=True)
class Signature:
    """What stands behind a role in the sign-off."""

    name: str
    word: str  # what it says beside name and day
    day: date | None

    @classmethod
    def of(cls, text: str) -> Signature:
        """A signature, as ``Erin Engelhardt, approved, 2025-11-14``."""
        return cls(re.split(r"[,(]", text)[0].strip(), word_of(text), day_of(text))

    @property
    def amiss(self) -> str:
        """Why it is no approval; empty where it is one."""
        if self.word.casefold() == "approved":
            return ""
        if re.search(r"\bapproved\b", self.word, re.IGNORECASE) and not _NO.search(self.word):
            return f"{self.name} approved with a reservation: {self.word!r} (due: approved)"
        return f"{self.name} did not approve: {self.word or 'no word'!r} (due: approved)"


def word_of(text: str) -> str:
    """What a signature says between the name and the day, and after the day."""
    _, *said = re.split(r"[,(]", _DAY.sub("", text), maxsplit=1)
    return " ".join(" ".join(said).split()).strip(" ,;.()-")


def day_of(text: str) -> date | None:
    """The first day in a text, as 2025-11-14 or November 14, 2025; None where there is none."""
    written = _DAY.search(text)
    for form in ("%Y-%m-%d", "%B %d, %Y") if written else ():
        try:
            return datetime.strptime(written[0] if written else "", form).date()
        except ValueError:
            continue
    return None


def days_of(text: str) -> list[date]:
    """Every day in a text, in its order."""
    return [day for written in _DAY.findall(text) if (day := day_of(written))]


def number(text: str) -> float:
    """The first number in a text."""
    digits = re.search(r"-?\d+(?:\.\d+)?", text)
    assert digits, f"{text!r} holds no number"
    return float(digits[0])
