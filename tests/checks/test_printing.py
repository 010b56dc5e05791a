"""Programs that a `check:` starts: what they print is what the check reads, or why not."""

from __future__ import annotations

import math
from collections.abc import Iterator
from datetime import UTC, datetime
from decimal import Decimal
from pathlib import Path

import httpx
import pytest

from pytest_rollout import NoValueError, Sample, handed_on, print_series
from pytest_rollout.checks.answer import Reading, Said
from pytest_rollout.checks.samples import sampled
from pytest_rollout.model.errors import RolloutError

AT = datetime(2026, 1, 12, 2, 3, tzinfo=UTC)


def failing(error: Exception) -> Iterator[Sample]:
    yield Sample(AT, 1)
    raise error


def asked(
    capsys: pytest.CaptureFixture[str], samples: Iterator[Sample], *arguments: str
) -> tuple[int, str, str]:
    """The status of a program that prints one series, and what it printed."""
    status = print_series({"failed": None}, lambda _: samples, arguments)
    return status, *capsys.readouterr()


def test_a_check_reads_what_is_printed(capsys: pytest.CaptureFixture[str]) -> None:
    samples = [
        Sample(AT, True, {"workflow": "assignment"}),
        Sample(AT, 0.25),
        Sample(AT, None),
        Sample(AT, math.nan, {"of": "a division"}),
    ]
    status, out, err = asked(capsys, iter(samples), "failed")
    assert (status, err) == (0, "")
    first, second, *holes = sampled(Said(out, cut=False))
    assert first == Reading(Decimal(1), {"workflow": "assignment"}, AT)
    assert second == Reading(Decimal("0.25"), {}, AT)
    assert [str(hole.value) for hole in holes] == ["NaN", "NaN"]


@pytest.mark.parametrize(
    "error",
    [
        NoValueError("no run has ended"),
        httpx.ConnectError("connection refused"),
        FileNotFoundError("records.jsonl"),
    ],
)
def test_half_of_a_series_is_none_of_it(
    error: Exception, capsys: pytest.CaptureFixture[str]
) -> None:
    assert asked(capsys, failing(error), "failed") == (1, "", f"{error}\n")


@pytest.mark.parametrize("arguments", [(), ("fail",), ("failed", "failed")])
def test_a_series_is_named(arguments: tuple[str, ...], capsys: pytest.CaptureFixture[str]) -> None:
    assert asked(capsys, iter([]), *arguments) == (2, "", "name one of failed\n")


def test_a_target_is_where_the_check_says_it_is(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setenv("ROLLOUT_TARGET_ACCESS_LOG", str(tmp_path))
    assert handed_on("access-log") == str(tmp_path)
    with pytest.raises(RolloutError, match=r"no target web: say `on: \[web\]`"):
        handed_on("web")
