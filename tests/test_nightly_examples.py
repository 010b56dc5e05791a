"""examples/nightly: cron, a systemd timer and a workflow, each read by its own tool."""

from __future__ import annotations

import re
import shlex
import shutil
import subprocess
import sys
from datetime import UTC, datetime
from pathlib import Path
from zoneinfo import ZoneInfo

import click
import pytest
import yaml
from cronsim import CronSim, CronSimError

from pytest_rollout.cli import rollout
from pytest_rollout.model.rule import Nightly
from pytest_rollout.plan.load import parse
from pytest_rollout.soundness.remarks import remarks

FOLDER = Path(__file__).parents[1] / "examples/nightly"
COMMAND = "rollout load shop.nightly --env staging --confirm"
UNITS = ("rollout-nightly.service", "rollout-nightly-failed.service", "rollout-nightly.timer")
SYSTEMD = shutil.which("systemd-analyze")
NOON = datetime(2025, 11, 10, 12, tzinfo=UTC)


def text(name: str) -> str:
    return (FOLDER / name).read_text(encoding="utf-8")


def analyzed(*arguments: str) -> subprocess.CompletedProcess[str]:
    assert SYSTEMD
    command = [SYSTEMD, *arguments]
    return subprocess.run(command, capture_output=True, text=True, timeout=60, check=False)


def test_the_plan_is_sound_and_says_what_the_rule_comes_to() -> None:
    loaded = parse(text("rollout.yaml"), FOLDER / "rollout.yaml", "rollout.yaml")
    assert loaded.problems == ()
    assert loaded.plan is not None
    (criterion,) = loaded.plan.phases[0].criteria
    assert criterion.rule is not None
    assert criterion.rule.nightly == Nightly()
    (told,) = remarks(loaded.plan)
    assert not told.grave


@pytest.mark.parametrize("name", ["crontab", "rollout-nightly.service", "nightly.yml"])
def test_each_makes_the_load_with_one_confirming_run(name: str) -> None:
    assert COMMAND in text(name)


def schedule() -> str:
    """The five fields of the crontab's one line."""
    (line,) = [line for line in text("crontab").splitlines() if re.match(r"[\d*]", line)]
    return " ".join(line.split()[:5])


def test_cron_runs_it_each_night_at_a_quarter_past_one() -> None:
    assert "CRON_TZ=Europe/Berlin" in text("crontab")
    runs = CronSim(schedule(), NOON.astimezone(ZoneInfo("Europe/Berlin")))
    assert [next(runs).isoformat()[:16] for _ in range(2)] == [
        "2025-11-11T01:15",
        "2025-11-12T01:15",
    ]
    with pytest.raises(CronSimError):
        CronSim(schedule().replace("15", "75"), NOON)


@pytest.mark.slow
def test_the_line_of_cron_is_silent_where_it_is_go_and_tells_the_rest(tmp_path: Path) -> None:
    (line,) = [line for line in text("crontab").splitlines() if re.match(r"[\d*]", line)]
    (tmp_path / ".venv/bin").mkdir(parents=True)
    (tmp_path / ".rollout").mkdir()
    program = tmp_path / ".venv/bin/rollout"
    command = line.split(maxsplit=5)[5].replace("/srv/shop", str(tmp_path))
    for status, said in ((0, ""), (11, "HOLD load shop.nightly\n")):
        program.write_text(f'#!/bin/sh\necho HOLD "$1" "$2"\nexit {status}\n', encoding="utf-8")
        program.chmod(0o755)
        done = subprocess.run(
            ["sh", "-c", command], capture_output=True, text=True, timeout=20, check=False
        )
        assert (done.returncode, done.stdout) == (status, said)


@pytest.mark.slow
def test_systemd_reads_the_units(tmp_path: Path) -> None:
    for name in UNITS:
        unit = text(name).replace("/srv/shop/.venv/bin/rollout", "/bin/true")
        (tmp_path / name).write_text(unit, encoding="utf-8")
    done = analyzed("verify", "--man=no", *(str(tmp_path / name) for name in UNITS))
    assert (done.returncode, _of_ours(done.stderr)) == (0, [])
    wrong = tmp_path / UNITS[2]
    wrong.write_text(text(UNITS[2]).replace("01:15", "25:15"), encoding="utf-8")
    assert _of_ours(analyzed("verify", "--man=no", str(wrong)).stderr)


def _of_ours(said: str) -> list[str]:
    return [line for line in said.splitlines() if "rollout-nightly" in line]


@pytest.mark.slow
def test_the_timer_elapses_each_night_at_a_quarter_past_one() -> None:
    (moment,) = re.findall(r"^OnCalendar=(.*)$", text(UNITS[2]), re.M)
    done = analyzed("calendar", "--iterations=2", moment)
    assert done.returncode == 0
    assert len(re.findall(r"(?:Next elapse|Iter. #2|Iteration #2).*\d", done.stdout)) == 2
    assert analyzed("calendar", moment.replace("01", "25", 1)).returncode != 0


@pytest.mark.slow
def test_the_workflow_fits_its_schema(tmp_path: Path) -> None:
    command = [sys.executable, "-m", "check_jsonschema"]
    command += ["--builtin-schema", "vendor.github-workflows"]
    path = tmp_path / "nightly.yml"
    for good in (True, False):
        path.write_text(text("nightly.yml").replace("runs-on", "runs-on" if good else "runs_on"))
        done = subprocess.run([*command, str(path)], capture_output=True, timeout=60, check=False)
        assert (done.returncode == 0) is good


def test_the_workflow_runs_at_night_and_never_two_at_once() -> None:
    document = yaml.safe_load(text("nightly.yml"))
    (entry,) = document[True]["schedule"]  # YAML reads `on` as true
    assert next(CronSim(entry["cron"], NOON)).hour == 0
    assert document["concurrency"]["cancel-in-progress"] is False


def commands() -> list[list[str]]:
    """The words after `rollout` in every example."""
    found = []
    for name in ("crontab", "nightly.yml", *UNITS[:2]):
        for words in re.findall(r"\.venv/bin/rollout ([^|>\n)']+?)(?: 2>&1)?[|>\n)']", text(name)):
            found.append(shlex.split(words))
    return found


@pytest.mark.parametrize("words", commands(), ids=" ".join)
def test_a_command_has_a_verb_and_options_that_there_are(words: list[str]) -> None:
    group = click.Context(rollout)
    verb = rollout.get_command(group, words[0])
    assert verb is not None
    verb.make_context(words[0], list(words[1:]), parent=group)
