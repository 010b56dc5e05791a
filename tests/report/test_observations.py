"""Observations as CSV: exact, in the plan's zone, and nothing that a spreadsheet executes."""

from __future__ import annotations

import csv

from pytest_rollout.model.evidence import Hole, Sample, Seen, Slot, decode
from pytest_rollout.report.observations import to_csv

NINE_US = 1_762_783_200_000_000  # 2025-11-10T09:00:00-05:00


def seen(value: Sample | Hole, t_us: int = NINE_US, **labels: str) -> Seen:
    return Seen(Slot("latency", tuple(sorted(labels.items())), t_us), value)


def table(*observed: Seen) -> list[dict[str, str]]:
    return list(csv.DictReader(to_csv(observed, "America/New_York")))


def sample(text: str) -> Sample:
    value = decode(text)
    assert not isinstance(value, Hole)
    return value


def test_a_row_holds_time_value_and_labels() -> None:
    (row,) = table(seen(sample("0.30000000000000004"), lane="Code-API"))
    assert row == {
        "time": "2025-11-10T09:00:00-05:00",
        "series": "latency",
        "value": "0.30000000000000004",
        "count": "1",
        "missing": "",
        "lane": "Code-API",
    }


def test_each_label_has_a_column_and_rows_are_in_order_of_time() -> None:
    later = seen(sample("2"), NINE_US + 1, lane="a")
    rows = table(later, seen(sample("1"), project="b"))
    assert [(row["value"], row["lane"], row["project"]) for row in rows] == [
        ("1", "", "b"),
        ("2", "a", ""),
    ]


def test_a_ratio_has_a_row_for_bad_and_one_for_good() -> None:
    rows = table(seen(sample('{"bad": 2, "of": 300}')))
    assert {row["value"]: row["count"] for row in rows} == {"1": "2", "0": "298"}


def test_what_could_not_be_read_says_why_and_has_no_value() -> None:
    (row,) = table(seen(Hole("the target was away", 3)))
    assert (row["value"], row["count"], row["missing"]) == ("", "3", "the target was away")


def test_no_cell_begins_like_a_formula() -> None:
    for hostile in ("=1+1", "+1", "-1", "@SUM(A1)", "\t=1"):
        (row,) = table(seen(sample("-5"), note=hostile))
        assert row["note"].startswith("'")
        assert row["value"] == "-5", "a number stays one"


def test_no_cell_drives_a_terminal() -> None:
    (row,) = table(seen(sample("1"), note="\x1b[2J\u202e"))
    assert "\x1b" not in row["note"]
    assert "\u202e" not in row["note"]
