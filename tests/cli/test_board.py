"""The board: phases with their last answers, troubles first, links to reports."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from pytest_rollout.cli.board import write_board
from tests.judge.worlds import plan_of
from tests.report.report_reading import Node, page

PLAN = plan_of("    title: The first\n")
NOW = datetime(2025, 11, 10, 15, tzinfo=UTC)
UNDECIDED: dict[str, Any] = {
    "decision": None,
    "stated": 1,
    "decided_at": None,
    "reasons": [],
    "conditions": [],
    "stand_ins": [],
}
REFUSED = UNDECIDED | {
    "decision": "NO-GO",
    "decided_at": "2025-11-10T10:00:00-05:00",
    "reasons": [{"reason": {"text": "the <queue> was 12"}}],
}
ROW: dict[str, Any] = {
    "phase": "one",
    "title": "The first",
    "owners": ["sre"],
    "window": "no date",
    "opens": "open now",
    "begun": "begun 09:00 by Ada",
    "ended": "",
    "freeze": "",
    "release": "v2",
    "trips": ["p.one.deep 09:05, not reset: 12 of 10"],
    "blind": [],
    "overrides": [],
    "next": [{"urgency": "refused", "who": "sre", "do": "fix it"}],
    "entry": UNDECIDED,
    "exit": REFUSED,
}


def board(folder: Path) -> Node:
    path = write_board(folder, [(PLAN, "prod", [ROW], ["it runs v3"])], NOW)
    return page(path.read_text(encoding="utf-8"))


def test_troubles_stand_first(tmp_path: Path) -> None:
    told = [one.text for one in board(tmp_path).one("ul", class_="troubles").all("li")]
    assert told == ["DRIFT it runs v3", "TRIPPED p.one.deep 09:05, not reset: 12 of 10"]


def test_a_phase_has_its_answers_who_is_next_and_its_window(tmp_path: Path) -> None:
    (row,) = board(tmp_path).all("tr")[1:]
    cells = [one.text for one in row.all() if one.tag in ("th", "td")]
    assert cells[0] == "one The first begun 09:00 by Ada sre"
    assert cells[1] == "undecided"
    assert cells[2] == "NO-GO the <queue> was 12 2025-11-10 10:00:00 EST"
    assert cells[3:] == ["sre: fix it", "open now release v2"]


def test_a_gate_leads_to_its_report_where_there_is_one(tmp_path: Path) -> None:
    assert board(tmp_path).all("a") == []
    report = tmp_path / "p" / "prod" / "one" / "exit" / "report.html"
    report.parent.mkdir(parents=True)
    report.write_text("x", encoding="utf-8")
    assert board(tmp_path).one("a").attributes["href"] == "p/prod/one/exit/report.html"
