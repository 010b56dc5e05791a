"""The guidance in an issue's body: its five sections, its references, and what was left in it."""

from __future__ import annotations

import re
from dataclasses import dataclass

PARTS = {  # section of the body, by the part of the rubric
    "persona": "Persona",
    "objectives": "Objectives",
    "inputs": "Inputs",
    "deliverables": "Deliverables",
    "acceptance": "Acceptance criteria",
}
ABOUT_THE_PAGE = ("objectives", "inputs")
TYPE = "workflow::policy-brief"  # of issues that the suite makes
_BEGIN, _END = "<!-- guidance:begin -->", "<!-- guidance:end -->"
_SECTION = re.compile(r"^### +(.+?) *$", re.MULTILINE)
_REFERENCE = re.compile(r"^- (Branch|File): `([^`]+)`", re.MULTILINE)
_CODE = re.compile(r"```.*?```|~~~.*?~~~|`[^`\n]*`", re.DOTALL)
_REMNANT = re.compile(
    r"\bTODO\b|\bTBD\b|\{\{.*?\}\}|\[placeholder\]|<[A-Z][A-Z0-9_]*(?: [A-Z0-9_]+)*>"
)
_PAGE = re.compile(r"https?://[^\s)>\]]+")
_BARE = re.compile(r"[\s…\-*.]*")


@dataclass(frozen=True, slots=True)
class Guidance:
    """What a body says."""

    sections: dict[str, str]  # the text of each part that is filled
    branch: str  # empty where none is named
    file: str

    @property
    def complete(self) -> bool:
        """Whether each of the five parts has text of its own."""
        return len(self.sections) == len(PARTS)


def read_guidance(body: str) -> Guidance:
    """The guidance of a body; without its marks there is none."""
    _, _, rest = body.partition(_BEGIN)
    text, ended, _ = rest.partition(_END)
    if not ended:
        return Guidance({}, "", "")
    references = dict(_REFERENCE.findall(text))
    text = _REFERENCE.sub("", text)
    headings = list(_SECTION.finditer(text))
    ends = [heading.start() for heading in headings[1:]] + [len(text)]
    written = {
        heading[1]: text[heading.end() : end].strip()
        for heading, end in zip(headings, ends, strict=True)
    }
    sections = {
        part: written[title]
        for part, title in PARTS.items()
        if title in written and not _BARE.fullmatch(written[title])
    }
    return Guidance(sections, references.get("Branch", ""), references.get("File", ""))


def finding(body: str) -> str:
    """What stands in a body before its guidance: what monitoring wrote."""
    return body.partition(_BEGIN)[0]


def page_of(body: str) -> str:
    """The page that a finding names; empty where it names none."""
    named = _PAGE.search(finding(body))
    return named[0].rstrip(".,;:") if named else ""


def off_its_page(body: str) -> list[str]:
    """The sections, of those that say what is to be done, that do not name the finding's page."""
    page = re.escape(page_of(body).partition("://")[2])
    named = re.compile(rf"{page}(?![\w/-])")
    sections = read_guidance(body).sections
    return [part for part in ABOUT_THE_PAGE if not named.search(sections.get(part, ""))]


def remnants(body: str) -> list[str]:
    """Placeholder texts in a body, outside of code."""
    return _REMNANT.findall(_CODE.sub("", body))


def emptied(body: str) -> str:
    """A body whose guidance has its five headings, and nothing below any of them."""
    before, _, rest = body.partition(_BEGIN)
    text, _, after = rest.partition(_END)
    headings = "\n".join(f"### {title}" for title in _SECTION.findall(text))
    return f"{before}{_BEGIN}\n{headings}\n{_END}{after}"


def guided(branch: str, file: str, objectives: str = "- Sum the page up") -> str:
    """The body of an issue as processing leaves it."""
    return f"""Found at https://example.org/news/1

<!-- guidance:begin -->
## Specialist guidance
### Persona
Policy analyst
### Objectives
{objectives}
### Inputs
- The page
### Deliverables
- A brief of one page
### Acceptance criteria
- The brief names its sources

- Branch: `{branch}`
- File: `{file}`
<!-- guidance:end -->
"""
