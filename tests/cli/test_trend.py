"""`rollout trend`: values over the nights, the noise floor, change points as a remark."""

from __future__ import annotations

import json
import random
import sys
from collections.abc import Sequence
from pathlib import Path
from xml.etree import ElementTree

import pytest
from click.testing import CliRunner, Result

from pytest_rollout.cli import rollout
from pytest_rollout.load import change_points
from pytest_rollout.load.change_points import ChangePointError
from tests.evidence.runs import PLAN, Writer, opened

DAY_US = 86_400_000_000
NIGHTLY = ', versus: {release: v1, as: nightly, baseline: 6}, pass: "<= 1.15"'
TEXT = PLAN.replace(', pass: "<= 0"', NIGHTLY).replace("take: max", "take: mean")
V1 = (100, 103, 97, 101, 99, 102)
CRITERION = "demo.canary.errors"
OTAVA = """\
#!{python}
import json, sys
from pathlib import Path
config = Path(sys.argv[sys.argv.index("--config-file") + 1]).read_text()
rows = Path(json.loads(config.partition("file: ")[2].partition("\\n")[0])).read_text().split()
change = {{"metric": "value", "index": {index}, "mean_before": "100.5", "mean_after": "150.25"}}
assert rows[0] == "time,value"
print({said})
"""


def otava(folder: Path, monkeypatch: pytest.MonkeyPatch, said: str = "", index: int = 7) -> None:
    """Put a program of that name on the path; an empty path leaves none."""
    said = said or 'json.dumps({"nights": [{"time": 1, "changes": [change]}]})'
    program = folder / "otava"
    program.write_text(OTAVA.format(python=sys.executable, said=said, index=index), "utf-8")
    program.chmod(0o755)
    monkeypatch.setattr(change_points, "program", lambda: str(program))


@pytest.fixture
def project(tmp_path: Path) -> Path:
    """A folder with a plan, and a ledger of the first nights of v1, and of nights of v2."""
    (tmp_path / "rollout.yaml").write_text(TEXT, encoding="utf-8")
    (tmp_path / "pytest.ini").write_text("[pytest]\nrollout_plans = rollout.yaml\n", "utf-8")
    with opened(str(tmp_path / "ledger.db")) as ledger:
        nights = [("v1", number, value, "") for number, value in enumerate(V1)]
        nights += [("v2", 10, 101, ""), ("v2", 11, 106, ""), ("v2", 11, 99, "b")]
        nights += [("v2", 20, 150, ""), ("v2", 20, 151, "b"), ("v2", 30, 100, "")]
        for release, number, value, again in nights:
            one = Writer(ledger, f"{release}-{number}{again}", "prod", TEXT, release=release)
            t_us = number * DAY_US + 60_000_000 * len(again)
            one.good(errors=(value, value), t_us=t_us)
    return tmp_path


def trend(project: Path, *more: str) -> Result:
    place = ["--root", str(project), "--ledger", str(project / "ledger.db"), "--env", "prod"]
    return CliRunner().invoke(rollout, ["trend", CRITERION, *place, *more])


def test_it_shows_values_the_noise_and_what_changed(
    project: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    otava(project, monkeypatch)
    told = trend(project)
    assert told.exit_code == 0, told.output
    lines = told.output.splitlines()
    assert lines[0] == "demo.canary.errors in prod: 12 runs known"
    assert "last 100, 1 alarm, 1 change point" in lines[1]
    assert lines[2] == (
        "  noise floor: 2.2 % from night to night, 2.8 % by 5 A/A pairs of neighbouring nights"
    )
    assert lines[3].startswith("  with a noise of 2.2 % from night to night it finds ")
    assert lines[4] == (
        "  change point (a remark): from 1970-01-12 on 150.2, before 100.5 (+49.5 %), run v2-11"
    )


def test_it_is_data_too(project: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    otava(project, monkeypatch)
    (one,) = json.loads(trend(project, "--json").output)["trends"]
    assert [run["value"] for run in one["runs"]][:2] == [100, 103]
    assert one["runs"][-2] == {
        **{"at": "1970-01-21", "run": "v2-20b", "release": "v2", "value": 151.0},
        **{"verdict": "fail", "reason": "nightly.worse", "why": None},
    }
    assert one["pinned"]["nights"] == 6
    assert one["pinned"]["middle"] == pytest.approx(100.3, abs=0.1)
    assert one["change_points"] == [{"run": "v2-11", "before": 100.5, "after": 150.25}]


def test_it_draws_alarms_and_what_a_second_run_cleared(
    project: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    otava(project, monkeypatch)
    assert trend(project, "--svg", str(project / "trend.svg")).exit_code == 0
    drawn = ElementTree.parse(project / "trend.svg").getroot()
    kinds = [node.get("class") for node in drawn.iter()]
    assert [kinds.count(kind) for kind in ("alarm", "confirmed", "refuted")] == [2, 2, 2]
    assert "change" in kinds
    assert "band" in kinds


def test_without_otava_it_says_so(project: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(change_points, "program", lambda: None)
    told = trend(project)
    assert told.exit_code == 0
    assert "no change points were looked for: otava is not installed" in told.output


def test_a_criterion_without_a_series_or_of_another_name_has_no_trend(project: Path) -> None:
    place = ["--root", str(project), "--ledger", str(project / "ledger.db"), "--env", "prod"]
    for name, said in (("works", "judges no series"), ("erors", "no criterion `erors`")):
        told = CliRunner().invoke(rollout, ["trend", f"demo.canary.{name}", *place])
        assert said in str(told.exception)


@pytest.mark.parametrize(
    ("said", "why"),
    [
        ("1/0", "ended with 1: ZeroDivisionError"),
        ("'nothing'", "said something else"),
        ("'{}'", "said something else"),
        ("json.dumps({'nights': [{'changes': [{'index': 1}]}]})", "said something else"),
    ],
)
def test_a_program_that_fails_is_named(
    said: str, why: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    otava(tmp_path, monkeypatch, said)
    with pytest.raises(ChangePointError, match=why):
        change_points.change_points([1.0, 2.0])


def step(at: int) -> Sequence[float]:
    drawn = random.Random(1)
    return [drawn.gauss(100, 3) * (1.1 if night >= at else 1) for night in range(60)]


@pytest.mark.nightly  # `bash tests/nightly` installs Otava
def test_otava_itself_finds_a_step() -> None:
    (found,) = change_points.change_points(step(40))
    assert found.index == 40
    assert (found.before, found.after) == pytest.approx((100, 110), abs=1.5)
