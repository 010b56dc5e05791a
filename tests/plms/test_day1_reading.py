"""What day 1 reads of units, of messages and of a checker: each is right, and can be wrong."""

from __future__ import annotations

import sqlite3
from contextlib import closing
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from fixtures.plms.data.registry import Registry
from pytest_rollout import Checked, RolloutError
from suites.plms.scenarios.checker_rules import RULES, Broken, unlike, write
from suites.plms.scenarios.failure_drill import environment, says_fail
from suites.plms.views.units import Unit, elapses, span

UNIT = """
[Unit]
Description=a = b
[Service]
# ExecStart=/bin/no
ExecStart=/bin/one \\
  --two
Environment=A=1 "B=two words"
EnvironmentFile=-{file}
[Timer]
Unit=x.service
"""


def test_a_unit_is_read_with_what_lies_over_it(tmp_path: Path) -> None:
    (tmp_path / "env").write_text("B=3\n#C=4\n\nD=5=6\n")
    (tmp_path / "x.service").write_text(UNIT.format(file=tmp_path / "env"))
    unit = Unit.read(tmp_path, "x.service")
    assert unit.value("Service.ExecStart").split() == ["/bin/one", "--two"]
    assert unit.value("Unit.Description") == "a = b"
    assert unit.values("Service.Unit") == ()
    assert environment(unit) == {"A": "1", "B": "3", "D": "5=6"}
    (tmp_path / "x.service.d").mkdir()
    (tmp_path / "x.service.d/over.conf").write_text("[Service]\nExecStart=\nExecStart=/bin/true\n")
    assert Unit.read(tmp_path, "x.service").values("Service.ExecStart") == ("/bin/true",)
    with pytest.raises(AssertionError, match=r"y\.service is not installed"):
        Unit.read(tmp_path, "y.service")


def test_a_calendar_is_asked_for_its_nights() -> None:
    base = datetime(2025, 10, 31, 16, tzinfo=UTC)
    nights = elapses("*-*-* 02:00:00 America/New_York", base, 3)
    assert [f"{night:%d %H:%M}" for night in nights] == ["01 06:00", "02 07:00", "03 07:00"]
    with pytest.raises(RolloutError, match="gives no time for 'nightly'"):
        elapses("nightly", base, 1)


def test_a_span_is_read_as_systemd_reads_it() -> None:
    assert (span("5m"), span("60")) == (timedelta(minutes=5), timedelta(minutes=1))
    with pytest.raises(RolloutError, match="cannot read the span 'soon'"):
        span("soon")


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("❌ FAIL: invariants", True),
        ("✅ OK: invariants, no longer FAIL", False),
        ("FAILOVER is done", False),
        ("all is well", False),
    ],
)
def test_a_failure_is_recognised_by_its_word(text: str, says: bool) -> None:
    assert says_fail(text) is says


WAYS = (Broken("", ("9901",)), Broken("", ("9902",)))


@pytest.mark.parametrize(
    ("status", "exits", "count", "details", "wrong"),
    [
        ("FAIL", 1, 2, ("a 9901", "b 9902"), ""),
        ("OK", 1, 2, ("a 9901", "b 9902"), "it says OK and exits with 1"),
        ("FAIL", 0, 2, ("a 9901", "b 9902"), "it says FAIL and exits with 0"),
        ("FAIL", 1, 3, ("a 9901", "b 9902"), "it counts 3 violations, there are 2"),
        ("FAIL", 1, 2, ("a 9901",), "it does not name 9902"),
    ],
)
def test_a_checker_is_right_in_every_word(
    status: str, exits: int, count: int, details: tuple[str, ...], wrong: str
) -> None:
    said = unlike(Checked(exits, status, count, details, "", "OK"), WAYS)
    assert said.startswith(wrong)
    assert bool(said) is bool(wrong)


def test_the_nine_rules_can_all_be_broken(tmp_path: Path) -> None:
    assert (len(RULES), sum(rule.strict for rule in RULES.values())) == (9, 3)
    path = tmp_path / "registry.db"
    Registry(path).close()
    for rule in RULES.values():
        for way in rule.ways:
            write(path, way.breaks)
    with closing(sqlite3.connect(path)) as db, db:
        db.execute("DROP TABLE kpi_receipts")
    with pytest.raises(RolloutError, match="cannot be written: no such table: kpi_receipts"):
        write(path, RULES["receipt"].ways[0].breaks)
