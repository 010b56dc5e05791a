"""What keeps the code index fresh: the hook of git, and the line of the crontab."""

from __future__ import annotations

import os
import re
import shlex
import uuid
from collections.abc import Mapping, Sequence
from pathlib import Path
from urllib.parse import parse_qsl

import pytest

from pytest_rollout import NoValueError, Observe, Reported, Stage
from suites.pas.scenarios.hooks import OTHERS, PROGRAMS, CronTried, HooksTried
from suites.pas.scenarios.indexing import Indexed, Step
from suites.pas.views.committing import MOST_S, commit
from suites.pas.views.lines import arrived
from suites.pas.views.running import bare, call
from suites.pas.views.source import Source, git
from suites.pas.views.told import Told

pytestmark = pytest.mark.pas_phase1

MANAGER = f"{PROGRAMS}/vector_manager.py"
SLOT_S = 300.0
_PATIENCE_S = 20.0  # in a rehearsal, in which a manager has nothing to wait for
_FIELDS = 5
_EVERY_FIFTH = {str(minute) for minute in range(0, 60, 5)}


@pytest.mark.criterion("hook-installed")
def test_git_finds_a_hook_to_run(phase: Stage) -> None:
    checkout = phase.file("checkout")
    hook = checkout / git(checkout, "rev-parse", "--git-path", "hooks/post-commit").strip()
    assert hook.is_file(), "git has no post-commit hook where it looks for it"
    assert os.access(hook, os.X_OK), "the post-commit hook may not be executed, so git ignores it"
    assert hook.read_bytes().startswith(b"#!"), "the post-commit hook does not say what runs it"


@pytest.mark.criterion("hook-triggers-refresh")
def test_each_commit_asks_for_one_refresh(storm: Sequence[Step], observe: Observe) -> None:
    for step in storm:
        observe("refreshes_not_one", step.refreshes != 1, at=step.at)
    failed = [step.committed.said for step in storm if step.committed.status != 0]
    assert not failed, f"{len(failed)} commits failed: {failed[0]:.200}"


@pytest.mark.criterion("hook-triggers-refresh")
def test_the_access_log_says_who_asked_for_what(phase: Stage, indexed: Indexed) -> None:
    """As it stands there for a query that names itself, and for one that is refused."""
    agent, now = f"suite-{uuid.uuid4().hex}", phase.target("pas").clock.now()
    headers = {"User-Agent": agent, "Idempotency-Key": agent}
    for kind in ("where_defined", "no-such-kind"):
        indexed.index.client.get("/query", params={"kind": kind, "name": "a b"}, headers=headers)
    log = arrived(
        phase.file("requests") / "index.jsonl",
        "access log of the index",
        lambda entries: sum(entry["agent"] == agent for entry in entries) >= 2,
    )
    mine = [line for line in log if line["agent"] == agent]
    said = [tuple(line[name] for name in ("method", "path", "status", "key")) for line in mine]
    due = [("GET", "/query", status, agent) for status in (200, 422)]
    assert said == due, f"two queries are logged as {said}"
    asked = dict(parse_qsl(mine[0].text("query")))
    assert asked == {"kind": "where_defined", "name": "a b"}, f"a query is logged as {asked}"
    off = abs((mine[0].moment("at") - now).total_seconds())
    assert off < 60 or not phase.embedded, f"it is logged {off:g} s off its time"


@pytest.mark.criterion("refresh-within-2-min")
def test_what_a_commit_adds_is_soon_found(storm: Sequence[Step], observe: Observe) -> None:
    for step in storm:
        if step.seconds is not None:
            observe("commit_to_visible_s", step.seconds, at=step.at)
    lost = sum(step.seconds is None for step in storm)
    assert not lost, f"what {lost} of {len(storm)} commits changed was not seen in three minutes"


@pytest.mark.criterion("hook-tolerates-outage")
def test_a_commit_succeeds_without_the_index(hooks_tried: HooksTried) -> None:
    for name, outage in hooks_tried.outages.items():
        done = outage.committed
        assert done.status == 0, f"{name}: the commit ended with {done.status}: {done.said:.200}"
        assert done.seconds < MOST_S, f"{name}: the commit took {done.seconds:.1f} s"
        assert outage.hinted is not False, (
            f"{name}: nobody is told that the code index was not refreshed"
        )
    assert hooks_tried.commits == 1 + len(hooks_tried.older), "a commit is not in the history"


@pytest.mark.criterion("hook-preserves-existing", "hook-tolerates-outage")
def test_the_older_hook_still_runs(hooks_tried: HooksTried) -> None:
    assert set(hooks_tried.older) == {1}, f"the older hook ran {hooks_tried.older} times"
    assert hooks_tried.asked == 1, f"beside it the index was asked {hooks_tried.asked} times"


# The crontab


def _lines(phase: Stage, home: Path) -> list[str]:
    """The lines of the crontab that start the vector manager."""
    done = call("crontab -l", phase.file("crontab"), "-l", environ=bare(home)).demand()
    return [line for line in done.text.splitlines() if MANAGER in line and not line.startswith("#")]


@pytest.mark.criterion("vector-manager-scheduled")
def test_the_manager_is_started_every_five_minutes(
    phase: Stage, tmp_path_factory: pytest.TempPathFactory
) -> None:
    lines = _lines(phase, tmp_path_factory.mktemp("cron"))
    assert len(lines) == 1, f"{len(lines)} lines of the crontab start the vector manager"
    minutes, *others = lines[0].split()[:_FIELDS]
    every_fifth = minutes in ("*/5", "0-59/5", "0/5") or set(minutes.split(",")) == _EVERY_FIFTH
    assert every_fifth, f"it is started at the minutes {minutes}"
    assert others == ["*"] * 4, f"it is not started at each hour of each day: {others}"
    folder = re.search(r"\bcd\s+(\S+)", lines[0])
    assert folder, f"the line does not say where it runs: {lines[0]}"
    where = Path(shlex.split(folder[1])[0])
    assert where.samefile(phase.file("checkout")), f"it runs in {where}, not in the checkout"


@pytest.mark.criterion("crontab-preserved", "vector-manager-scheduled")
def test_other_jobs_stay(crontabs_tried: Mapping[str, CronTried], observe: Observe) -> None:
    tell = Told(observe)
    for name, tried in crontabs_tried.items():
        assert tried.done.status == 0, f"{name}: {tried.done.in_words()}"
        lost = sum(line not in tried.after for line in tried.before)
        ours = sum(MANAGER in line for line in tried.after)
        more = len(tried.after) - len(set(tried.after))
        tell("crontab_lines_off", lost + abs(ours - 1) + more, tried=name)
    order = [line for line in crontabs_tried["others"].after if line in OTHERS]
    assert order == list(OTHERS), f"the other lines have another order: {order}"
    tell.none_bad("lines of the crontab were lost or are there twice")


@pytest.mark.criterion("vector-manager-runs", "vector-manager-scheduled")
@pytest.mark.effect("change")
def test_the_manager_ends(
    phase: Stage, indexed: Indexed, tmp_path_factory: pytest.TempPathFactory, observe: Observe
) -> None:
    home = tmp_path_factory.mktemp("manager")
    lines = _lines(phase, home)
    if not lines:
        raise NoValueError("no line of the crontab starts the vector manager")
    command = lines[0].split(None, _FIELDS)[_FIELDS]
    checkout, file = phase.file("checkout"), f"rollout_missed_{uuid.uuid4().hex[:8]}.py"
    for text in ("MISSED = 1\n", None):  # a commit of which no hook told the index, and its end
        commit(checkout, {file: text}, "Probe the manager", home / "commit.log", hooks=False)
        said = _managed(command, home, observe, patient=not phase.embedded)
        source = Source.at(checkout)
        assert said.number("coverage") >= 0.98, f"it says a coverage of {said['coverage']:g}"
        assert said.flag("refreshed"), f"it found nothing to do, and {source.commit} was missed"
        assert said["drift"] == [file] or text is None, (
            f"what drifted is said to be {said['drift']}"
        )
        assert indexed.index.get("/snapshot").text("sha") == source.commit, (
            f"it leaves an index that is not of {source.commit}"
        )
    again = _managed(command, home, observe, patient=not phase.embedded)
    assert again.flag("fresh"), "it says of an index that it has just refreshed that it is old"


def _managed(command: str, home: Path, observe: Observe, *, patient: bool) -> Reported:
    """What the manager says that the crontab's command starts."""
    within = SLOT_S + 10 if patient else _PATIENCE_S
    name = "the line of the crontab"
    done = call(name, "/bin/sh", "-c", command, environ=bare(home), within=within)
    assert done.status is not None, f"the vector manager still runs after {done.seconds:.0f} s"
    observe("manager_s", done.seconds)
    return done.said()
