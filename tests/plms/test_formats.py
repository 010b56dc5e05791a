"""Files that people write for PLMS: what is wrong has file, line and how it should be."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from pytest_rollout import RolloutError
from suites.plms.views.formats import FOLDER, PAGE, read_file
from tests.plms.rehearsal import ROOT

OPERATIONS: dict[str, Any] = {
    "gates": {"day0": "GO"},
    "probes": {"asked": 10, "answered": 10},
    "incidents": [],
    "before": {"caps": {"Code-API": 4}, "alpha": "0.2", "test_pass_rate": 0.95},
    "utilization": {"Code-API": 0.5},
}
AT = "2025-11-10T09:30:00-05:00"
ENTRY = {"at": AT, "kind": "case", "case": "incident", "to": ["PM"]}


def test_what_is_right_is_read(tmp_path: Path) -> None:
    path = tmp_path / "operations.json"
    path.write_text(json.dumps(OPERATIONS), encoding="utf-8")
    assert read_file(path, "operations") == OPERATIONS
    week = tmp_path / "week.jsonl"
    week.write_text(json.dumps(ENTRY) + "\n\n" + json.dumps(ENTRY) + "\n", encoding="utf-8")
    assert read_file(week, "week") == [ENTRY, ENTRY]


def _without(name: str) -> Callable[[dict[str, Any]], object]:
    return lambda data: data.pop(name)


def _put(outer: str, inner: str, value: object) -> Callable[[dict[str, Any]], object]:
    return lambda data: data[outer].update({inner: value})


BROKEN: dict[str, tuple[Callable[[dict[str, Any]], object], str]] = {
    "absent": (_without("gates"), ":1: the whole lacks gates"),
    "text for a number": (_put("probes", "asked", "many"), ":6: probes.asked is 'many', not a who"),
    "never asked": (_put("probes", "asked", 0), ":6: probes.asked is 0, the least is 1"),
    "odd gate": (_put("gates", "day0", "fine"), ":3: gates.day0 is 'fine', not one of GO, HOLD"),
    "alpha as a number": (_put("before", "alpha", 0.2), ":14: before.alpha is 0.2, not a text"),
}


@pytest.mark.parametrize("kind", BROKEN)
def test_an_offence_has_its_line(kind: str, tmp_path: Path) -> None:
    change, words = BROKEN[kind]
    data = json.loads(json.dumps(OPERATIONS))
    change(data)
    path = tmp_path / "operations.json"
    path.write_text(json.dumps(data, indent=2), encoding="utf-8")
    with pytest.raises(RolloutError) as told:
        read_file(path, "operations")
    assert f"{path}{words}" in str(told.value)
    assert PAGE in str(told.value)


@pytest.mark.parametrize(
    ("line", "words"),
    [
        ({**ENTRY, "to": "PM"}, ":2: to is 'PM', not a list; it is who was told"),
        ({"at": AT, "kind": "case", "case": "incident"}, ":2: the whole lacks to"),
        ({**ENTRY, "at": "2025-11-10"}, ":2: at is '2025-11-10', not of the form"),
        ({"kind": "case"}, ":2: the whole lacks at"),
        ("{", ":2: the line is no JSON"),
    ],
)
def test_a_line_of_the_diary_has_its_number(line: object, words: str, tmp_path: Path) -> None:
    path = tmp_path / "week.jsonl"
    text = line if isinstance(line, str) else json.dumps(line)
    path.write_text(f"{json.dumps(ENTRY)}\n{text}\n", encoding="utf-8")
    with pytest.raises(RolloutError) as told:
        read_file(path, "week")
    assert f"{path}{words}" in str(told.value)


def test_a_file_that_is_not_there_is_said_with_its_page(tmp_path: Path) -> None:
    with pytest.raises(RolloutError, match=rf"there is no review at .*{PAGE}#review"):
        read_file(tmp_path / "review.json", "review")


def test_every_format_has_a_schema_and_a_place_in_the_docs() -> None:
    page = (ROOT / PAGE).read_text(encoding="utf-8")
    kinds = sorted(path.name.removesuffix(".schema.json") for path in FOLDER.glob("*.schema.json"))
    assert len(kinds) >= 8
    for kind in kinds:
        assert f"\n## {kind}\n" in page, kind
        assert f"{kind}.schema.json" in page, kind
