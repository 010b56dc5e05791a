"""Documents of the checkout: files, headings with text, tables."""

from __future__ import annotations

import re
from collections.abc import Mapping
from pathlib import Path

from pytest_rollout import NoValueError
from suites.pas.views.source import git

PRD = "docs/PRDs/PRD_PAS_Project_Agentic_System.md"
PLAN = "docs/PRDs/INTEGRATION_PLAN_LCO_LightRAG_Metrics.md"
STATUS = "docs/STATUS.md"
DELIVERED = (
    PRD,
    "docs/PRDs/PRD_Addendum_LightRAG_LearningLLM_Enhanced_Metrics.md",
    "docs/PRDs/PRD_Local_Code_Operator_LCO.md",
    PLAN,
    "docs/PRDs/PLMS_7_Day_Rollout_Plan.md",
    "services/pas/__init__.py",
    "services/pas/stub/__init__.py",
    "services/pas/stub/app.py",
    "services/pas/stub/README.md",
    "cli/vp.py",
    "tests/demos/demo_pas_stub_e2e.sh",
    "tests/demos/demo_vp_pas_integration.sh",
    "Makefile",
)
MARKERS = ("services/pas/__init__.py", "services/pas/stub/__init__.py")  # may be empty
TOPICS = {  # of the requirements of PAS; each stands in a heading
    "hierarchy": r"hierarch",
    "contracts": r"\bAPI\b.*contract|contract.*\bAPI\b",
    "gates": r"quality gate",
    "rehearsal": r"rehears.*replay|replay.*rehears",
    "safety": r"safety|sandbox",
    "observability": r"observab|telemetry",
}
_FEWEST_WORDS = 12


def text(checkout: Path, name: str) -> str:
    """A document's text; raises NoValueError where it is not there."""
    path = checkout / name
    if not path.is_file():
        raise NoValueError(f"{name} is not in the checkout")
    return path.read_text(encoding="utf-8")


def sections(document: str) -> Mapping[str, str]:
    """The text below each heading of level 2, by the heading."""
    texts: dict[str, str] = {}
    heading = ""
    for line in document.splitlines():
        if line.startswith("## "):
            heading = line[3:].strip()
            texts[heading] = ""
        elif heading:
            texts[heading] += line + "\n"
    return texts


def treats(document: str, topic: re.Pattern[str]) -> bool:
    """Whether a section is about a topic, and says something of it."""
    return any(
        topic.search(heading) and len(body.split()) >= _FEWEST_WORDS
        for heading, body in sections(document).items()
    )


def requirements_lack(checkout: Path) -> list[str]:
    """The topics that the requirements of PAS do not treat; all, where git has no such document."""
    path, tracked = checkout / PRD, git(checkout, "ls-files", PRD).strip()
    said = path.read_text(encoding="utf-8") if tracked and path.is_file() else ""
    return [name for name, topic in TOPICS.items() if not treats(said, re.compile(topic, re.I))]


def table(document: str, *columns: str) -> list[dict[str, str]]:
    """The rows of the table that has these columns; raises NoValueError where there is none."""
    rows: list[dict[str, str]] = []
    names: list[str] = []
    for line in document.splitlines():
        cells = [cell.strip().strip("*").strip() for cell in line.strip().strip("|").split("|")]
        if not line.lstrip().startswith("|"):
            names = []
        elif set(columns) <= set(cells):
            names = cells
        elif names and not re.fullmatch(r"[\s|:-]+", line):
            rows.append(dict(zip(names, cells, strict=False)))
    if not rows:
        raise NoValueError(f"there is no table with the columns {', '.join(columns)}")
    return rows
