"""The page of traps is the catalogue: themes and situations in order, and no answer that is GO."""

from __future__ import annotations

from tests.traps.catalogue import THEMES
from tests.traps.page import PAGE, UNSEEN_THEME, shown
from tests.traps.unseen import UNSEEN


def test_the_page_lists_every_trap_in_order() -> None:
    listed: dict[str, list[str]] = {}
    for line in PAGE.read_text(encoding="utf-8").splitlines():
        if line.startswith("## "):
            rows = listed.setdefault(line.removeprefix("## "), [])
        elif line.startswith("| ") and listed and not line.startswith(("| situation", "| ---")):
            rows.append(line.removeprefix("| ").partition(" | ")[0])
    unseen = {UNSEEN_THEME: [shown(one.says) for one in UNSEEN]}
    assert listed == unseen | {
        theme: [shown(one.says) for one in traps] for theme, traps in THEMES.items()
    }


def test_no_row_of_the_page_says_go() -> None:
    rows = [line.split(" | ") for line in PAGE.read_text(encoding="utf-8").splitlines()]
    answers = [row[3] for row in rows if len(row) == 5 and row[1].startswith("exit ")]
    assert len(answers) == sum(map(len, THEMES.values()))
    assert not [one for one in answers if one.startswith("GO")]
