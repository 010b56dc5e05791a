"""The rows of `rollout status` as the board, a page in the report folder."""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime
from pathlib import Path
from typing import Any

from pytest_rollout import calendar
from pytest_rollout.model.plan import Gate, Plan
from pytest_rollout.report import board
from pytest_rollout.report.board import BoardGate, BoardRow, PlanBoard
from pytest_rollout.report.fact_words import count, wall
from pytest_rollout.report.files import gate_folder

Row = Mapping[str, Any]


def write_board(
    folder: Path,
    plans: Sequence[tuple[Plan, str, Sequence[Row], Sequence[str]]],
    now: datetime,
) -> Path:
    """Write index.html below the report folder; its path. Raises OSError.

    ``plans`` are plans with their environment, rows and drifts.
    """
    boards = [_board(folder, *given) for given in plans]
    zone = plans[0][0].timezone if plans else "UTC"
    path = folder / "index.html"
    folder.mkdir(parents=True, exist_ok=True)
    part = path.with_suffix(".part")
    part.write_text(board.to_html(boards, calendar.wall(calendar.to_us(now), zone)), "utf-8")
    part.replace(path)
    return path


def _board(
    folder: Path, plan: Plan, environment: str, rows: Sequence[Row], drifts: Sequence[str]
) -> PlanBoard:
    troubles = [*(f"DRIFT {drift}" for drift in drifts)]
    for row in rows:
        troubles += [f"TRIPPED {trip}" for trip in row["trips"]]
        troubles += [*row["blind"], *row["overrides"]]
    shown = tuple(_row(folder, plan, environment, row) for row in rows)
    return PlanBoard(plan.id, plan.title, environment, tuple(troubles), shown)


def _row(folder: Path, plan: Plan, environment: str, row: Row) -> BoardRow:
    steps = (f"{step['who']}: {step['do']}" if step["who"] else step["do"] for step in row["next"])
    window = "" if row["window"] == "no date" else row["window"]
    return BoardRow(
        phase=row["phase"],
        title=row["title"],
        state=row["freeze"] or row["begun"] or row["ended"],
        owners=", ".join(row["owners"]),
        release=row["release"] or "",
        window="; ".join(filter(None, (window, row["opens"]))),
        gates=tuple(_gate(folder, plan, environment, row, gate) for gate in Gate),
        next=tuple(steps),
    )


def _gate(folder: Path, plan: Plan, environment: str, row: Row, gate: Gate) -> BoardGate:
    facts = row[gate.value]
    if facts["decision"] is None:
        return BoardGate(gate.value, "", "" if facts["stated"] else "no criteria", "", "")
    page = folder / gate_folder(plan.id, environment, row["phase"], gate.value) / "report.html"
    decided = facts["decided_at"]
    return BoardGate(
        gate.value,
        facts["decision"],
        "; ".join(_more(facts)),
        wall(decided, plan.timezone) if decided else "",
        Path(os.path.relpath(page, folder)).as_posix() if page.is_file() else "",
    )


def _more(facts: Row) -> Iterator[str]:
    if facts["decision"] == "GO":
        if facts["conditions"]:
            yield count(len(facts["conditions"]), "condition")
    elif facts["reasons"]:
        yield facts["reasons"][0]["reason"]["text"]
    if facts["stand_ins"]:
        yield count(len(facts["stand_ins"]), "stand-in")
