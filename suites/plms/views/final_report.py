"""The final report as the suite reads it: its header, sections and tables."""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import Path

REPORT = "docs/PRDs/PLMS_Rollout_Report_v1.0.md"
_SECTION = re.compile(r"^## (.+)$", re.MULTILINE)
_FIELD = re.compile(r"^- ([^:]+): (.+)$", re.MULTILINE)


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


def number(text: str) -> float:
    """The first number in a text."""
    digits = re.search(r"-?\d+(?:\.\d+)?", text)
    assert digits, f"{text!r} holds no number"
    return float(digits[0])
