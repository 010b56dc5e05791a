"""docs/explanation/traps.md: every trap, what bare pytest says of it and what the gate says."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from tests.traps.catalogue import HONEST, THEMES, TRAPS
from tests.traps.run import project
from tests.traps.trap import NOTHING, Trap
from tests.traps.unseen import UNSEEN

PAGE = Path(__file__).parents[2] / "docs/explanation/traps.md"
_MAX = 160
# The ids of runs and processes, and seconds.
_CHANGING = re.compile(r"\d{8}T\d{6}-[0-9a-f]+|(?<=\[)\d{3,}(?=\])|(?<=in )\d+\.\d+s")

_INTRO = Path(__file__).with_name("intro.md")

UNSEEN_THEME = "What cannot be seen from inside"
_UNSEEN = (
    "Nothing in the tests' process sees these. What does stands beside each: a plan can ask the "
    "system itself,\nfrom outside of any test.\n\n"
    "| situation | why | what the plan offers |\n| --- | --- | --- |\n"
)
_CELLS = 5
_HEAD = "| situation | bare pytest | JUnit | the gate says | because |\n" + "| --- " * 5 + "|\n"


@dataclass(frozen=True, slots=True)
class Row:
    """What was said of a trap."""

    bare: str
    junit: str
    gate: str
    because: str


def rows(trap: Trap) -> Row:
    """Run a trap for real, in the first of its modes, without the plugin and with it."""
    mode = trap.modes[0]
    with project(trap) as folder:
        folder.spring()
        bare = folder.bare(mode)
    with project(trap) as folder:
        folder.spring()
        ended, said = folder.gate(mode, everything=False), folder.said()
    answer = "no decision" if said.answer == NOTHING else said.answer
    return Row(
        bare=f"exit {bare.status}",
        junit=bare.junit,
        gate=f"{answer}, exit {ended.status}",
        because=_short(said.because or _last(ended.output), folder.root),
    )


def _short(text: str, root: Path) -> str:
    """A reason without what differs from run to run or from machine to machine."""
    text = text.replace(f"{root}/", "").replace(f"{PAGE.parents[1]}/", "")
    text = _CHANGING.sub("…", text).strip(" =")
    return text if len(text) <= _MAX else f"{text[:_MAX]}…"


def _last(output: str) -> str:
    """What is wrong with the plan or the call, else the last thing that a person reads."""
    lines = [line for line in output.splitlines() if line.strip(" =-")]
    errors = (line for line in lines if line.startswith("ERROR: "))
    return next(errors, lines[-1] if lines else "nothing is printed")


def written(found: Sequence[Row]) -> str:
    """The page."""
    counts = f" ({len(TRAPS)} traps; {len(HONEST)} honest runs, however odd, do)"
    intro = _INTRO.read_text(encoding="utf-8").format(counts=counts)
    return intro + "".join(_themes(iter(found))) + _unseen()


def _unseen() -> str:
    lines = [f"| {' | '.join(map(shown, (u.says, u.why, u.instead)))} |\n" for u in UNSEEN]
    return f"\n## {UNSEEN_THEME}\n\n{_UNSEEN}{''.join(lines)}"


def known() -> dict[str, Row]:
    """Return the rows that the page holds, by their situations."""
    rows_: dict[str, Row] = {}
    for line in PAGE.read_text(encoding="utf-8").splitlines():
        cells = line.removeprefix("| ").removesuffix(" |").split(" | ")
        if line.startswith("| ") and len(cells) == _CELLS:
            raw = [cell.replace("\\|", "|").replace("&lt;", "<") for cell in cells]
            rows_[raw[0]] = Row(raw[1], raw[2], raw[3].removesuffix(" *"), raw[4])
    return rows_


def _themes(found: Iterator[Row]) -> Iterator[str]:
    for theme, traps in THEMES.items():
        yield f"\n## {theme}\n\n{_HEAD}"
        for trap in traps:
            row = next(found)
            star = " *" if trap.taken else ""
            cells = (trap.says, row.bare, row.junit, row.gate + star, row.because)
            yield f"| {' | '.join(map(shown, cells))} |\n"


def shown(text: str) -> str:
    """A text as one cell of a table."""
    flat = "".join(c if c.isprintable() else "?" for c in " ".join(text.split()))
    return flat.replace("|", "\\|").replace("<", "&lt;")
