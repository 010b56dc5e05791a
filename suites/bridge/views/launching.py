"""The document of launch readiness: its head, its five items, and the evidence that they name."""

from __future__ import annotations

import re
from collections.abc import Mapping
from pathlib import Path

from suites.bridge.views import papers
from suites.bridge.views.lines import lines

# Each item of section 7 of the plan, by what its line must speak of.
ITEMS: Mapping[str, str] = {
    "functional acceptance": r"functional acceptance",
    "security checks": r"security check",
    "alerting": r"alert",
    "runbooks": r"runbook",
    "pilot sign-off": r"pilot.*sign|sign.*pilot",
}
_HEAD = re.compile(r"^\W*(Release|Revision|Run):\W*(\S+)", re.MULTILINE)
_LINK = re.compile(r"\]\(([^)\s]+)\)")


def launch_lines(text: str) -> dict[str, str]:
    """What the head of the document says: release, revision, run."""
    return {key.lower(): value.strip("`*") for key, value in _HEAD.findall(text)}


def item_problem(item: str, text: str, repository: Path, records: Path) -> str:
    """What is wrong with an item of the list; empty where it is done, with evidence."""
    items = [line for line in text.splitlines() if re.match(r"\s*[-*] \[.\]", line)]
    matching = [line for line in items if re.search(ITEMS[item], line, re.IGNORECASE)]
    if not matching:
        return "it is not in the list"
    done = [line for line in matching if re.match(r"\s*[-*] \[[xX]\]", line)]
    if len(done) < len(matching):
        return "it is not ticked"
    links = [link for line in done for link in _LINK.findall(line)]
    if not links:
        return "it names no evidence"
    absent = [link for link in links if not _exists(link, repository, records)]
    return f"{absent[0]}, its evidence, is not there" if absent else ""


def _exists(link: str, repository: Path, records: Path) -> bool:
    """Whether a link leads to a file of the repository, or to something on record."""
    path, _, anchor = link.partition("#")
    place = (repository / papers.LAUNCH).parent
    near = [(place / path).resolve(), (repository / path).resolve()]
    if records.name in Path(path).name:
        kinds = {line.text("kind") for line in lines(records, "record of people")}
        what = {str(line.get("what")) for line in lines(records, "record of people")}
        return not anchor or anchor in kinds | what
    return any(file.exists() and file.is_relative_to(repository.resolve()) for file in near)
