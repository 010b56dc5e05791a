"""Day 1: the invariants checker, rule by rule, and the timer that starts it every night."""

from __future__ import annotations

import os
import re
import shlex
from datetime import UTC, date, datetime, time, timedelta
from pathlib import Path

import pytest

from pytest_rollout import RolloutError, Stage
from suites.plms.scenarios.checker_rules import RULES, CheckerTried, counted_by, unlike
from suites.plms.scenarios.deployment import SERVICE, TIMER, TimerDeployed, ask
from suites.plms.scenarios.failure_drill import FailureDrill
from suites.plms.views.host import ZONE, Host, needs, run
from suites.plms.views.units import Unit, elapses, span

pytestmark = pytest.mark.day1


# The checker


@pytest.mark.criterion("checker-proves-each-rule")
@pytest.mark.parametrize("rule", RULES)
def test_checker_notices_each_violation(checker_tried: CheckerTried, rule: str) -> None:
    broken = RULES[rule]
    wrong = unlike(checker_tried.strict[rule], broken.ways)
    assert not wrong, (
        f"over {len(broken.ways)} rows that break the rule that {broken.says}: {wrong}"
    )


@pytest.mark.criterion("checker-proves-each-rule")
@pytest.mark.parametrize("flags", ["", "--strict"])
def test_checker_adds_up_all_rules_that_it_is_asked_for(
    checker_tried: CheckerTried, flags: str
) -> None:
    asked = [rule for rule in RULES.values() if flags or not rule.strict]
    checked = checker_tried.all_strict if flags else checker_tried.all_plain
    wrong = unlike(checked, [way for rule in asked for way in rule.ways])
    assert not wrong, f"with every rule broken, asked {flags or 'without --strict'}: {wrong}"


@pytest.mark.criterion("checker-proves-each-rule")
@pytest.mark.parametrize("over", ["clean", "clean_strict", "sound"])
def test_checker_finds_nothing_where_nothing_is_wrong(
    checker_tried: CheckerTried, over: str
) -> None:
    checked = getattr(checker_tried, over)
    wrong = unlike(checked, ())
    assert not wrong, f"over rows that break no rule: {wrong}: {'; '.join(checked.details)}"


@pytest.mark.criterion("checker-proves-each-rule")
def test_each_rule_has_a_check_that_tells_of_it(checker_tried: CheckerTried) -> None:
    """What panels and people read of an answer: which check failed, and how often."""
    of_rule: dict[str, str] = {}
    for rule, checked in checker_tried.strict.items():
        counted = counted_by(checked)
        failed = {name: count for name, count in counted.items() if count}
        due = len(RULES[rule].ways)
        assert list(failed.values()) == [due], (
            f"{due} rows break the rule that {RULES[rule].says}: its checks count {failed}"
        )
        (of_rule[rule],) = failed
        others = [detail for detail in checked.details if of_rule[rule] not in detail]
        assert not others, f"it counts them as {of_rule[rule]} and says {others[:3]}"
    assert len(set(of_rule.values())) == len(RULES), f"rules share a check: {of_rule}"
    lax = counted_by(checker_tried.all_plain)
    due_lax = {of_rule[name]: len(rule.ways) for name, rule in RULES.items() if not rule.strict}
    seen = {name: count for name, count in lax.items() if count}
    assert seen == due_lax, f"without --strict its checks count {seen}, there are {due_lax}"


# The timer


@pytest.mark.criterion("unit-files-installed")
@pytest.mark.parametrize("unit", [SERVICE, TIMER])
def test_installed_unit_is_that_of_the_release(timer_deployed: TimerDeployed, unit: str) -> None:
    host = timer_deployed.host
    installed = host.units / unit
    assert installed.is_file(), f"{unit} is not installed"
    released = host.release / "deployment/systemd" / unit
    assert installed.read_bytes() == released.read_bytes(), f"{unit} is not that of the release"
    over = [path.name for path in sorted((host.units / f"{unit}.d").glob("*.conf"))]
    assert not over, f"{unit} is overridden by {', '.join(over)}, which the release does not have"


@pytest.mark.criterion("unit-runs-the-job")
def test_unit_executes_the_job_of_the_release(timer_deployed: TimerDeployed) -> None:
    host, unit = timer_deployed.host, Unit.read(timer_deployed.host.units, SERVICE)
    commands = unit.values("Service.ExecStart")
    assert len(commands) == 1, f"{SERVICE} executes {list(commands)}, not the job alone"
    program, *words = shlex.split(commands[0])
    job = host.release / "scripts/run_invariants.sh"
    assert _is_path(host, program, job), f"{SERVICE} executes {program}, not {job}"
    assert os.access(job, os.X_OK), f"{job} cannot be executed"
    assert words in ([], ["--trigger", "timer"]), f"{SERVICE} gives the job {' '.join(words)!r}"
    folder = unit.value("Service.WorkingDirectory")
    assert _is_path(host, folder, host.release), (
        f"{SERVICE} works in {folder or '/'}, not in {host.release}"
    )


@pytest.mark.criterion("unit-runs-the-job")
def test_unit_gives_the_channels_and_asks_for_nothing_more(timer_deployed: TimerDeployed) -> None:
    host, unit = timer_deployed.host, Unit.read(timer_deployed.host.units, SERVICE)
    files = [file.removeprefix("-") for file in unit.values("Service.EnvironmentFile")]
    assert [_is_path(host, file, host.alerting) for file in files] == [True], (
        f"{SERVICE} reads {files}, not {host.alerting}"
    )
    stated = unit.values("Service.Environment")
    assert not stated, f"{SERVICE} states variables that the release's job does not need: {stated}"
    keeps = [
        name for name in unit.settings if re.search(r"\.(Condition|Assert|Exec(?!Start$))", name)
    ]
    assert not keeps, f"{SERVICE} may not start, or does more: {', '.join(keeps)}"
    hides = [name for name in unit.settings if name.endswith("SuccessExitStatus")]
    assert not hides, f"{SERVICE} calls a failed check a success: {', '.join(hides)}"


def _is_path(host: Host, said: str, path: Path) -> bool:
    """Whether a path that a unit says is this one, as it is seen from here."""
    root = host.units.parents[2]  # above etc/systemd/system
    return path in (Path(said), root / said.lstrip("/"))


@pytest.mark.criterion("log-dir-writable")
def test_job_can_write_its_logs(timer_deployed: TimerDeployed) -> None:
    logs = timer_deployed.host.logs
    assert logs.is_dir(), "the log directory is absent"
    user = ask(timer_deployed.host, "show", SERVICE, "--property=User", "--value") or "root"
    assert logs.owner() == user, f"the directory is {logs.owner()}'s, the job runs as {user}"
    assert logs.stat().st_mode & 0o200, "its owner may not write to the log directory"


@pytest.mark.criterion("log-dir-writable")
def test_job_left_its_logs(drilled: FailureDrill) -> None:
    assert drilled.logs, "the job left no log in the log directory"
    for which, job in (("with the row", drilled.failed), ("after the clean-up", drilled.cleaned)):
        if job.record:
            status = job.record.status
            told = [name for name, text in drilled.logs.items() if status in text]
            assert told, f"no log of {', '.join(drilled.logs)} tells of the {status} {which}"


@pytest.mark.criterion("timer-enabled")
def test_timer_is_enabled(timer_deployed: TimerDeployed) -> None:
    done = run(timer_deployed.host.systemctl, "is-enabled", TIMER)
    said = done.stdout.strip()
    assert said == "enabled", f"the timer is {said or done.stderr}, not enabled"
    assert done.returncode == 0, f"systemctl says that it is enabled, and exits {done.returncode}"
    link = timer_deployed.host.units / "timers.target.wants" / TIMER
    assert link.is_symlink(), f"no {link.name} in timers.target.wants: a reboot does not start it"
    assert link.readlink().name == TIMER, f"timers.target.wants starts {link.readlink()}"


@pytest.mark.criterion("timer-enabled")
def test_a_night_that_a_reboot_takes_is_caught_up(timer_deployed: TimerDeployed) -> None:
    said = Unit.read(timer_deployed.host.units, TIMER).value("Timer.Persistent", "false")
    assert said in ("true", "yes", "1", "on"), (
        f"Persistent is {said}: a night in which the host was down would have no run"
    )


@pytest.mark.criterion("timer-active")
def test_timer_is_active(timer_deployed: TimerDeployed) -> None:
    done = run(timer_deployed.host.systemctl, "is-active", TIMER)
    said = done.stdout.strip()
    assert said == "active", f"the timer is {said or done.stderr}, not active"
    assert done.returncode == 0, f"systemctl says that it is active, and exits {done.returncode}"


@pytest.mark.criterion("timer-next-run-0200")
def test_timer_elapses_at_two(timer_deployed: TimerDeployed, phase: Stage) -> None:
    words = ["--property=NextElapseUSecRealtime", "--timestamp=utc", "--value"]
    said = ask(timer_deployed.host, "show", TIMER, *words)
    assert said, "the timer does not elapse"
    elapse = datetime.strptime(said, "%a %Y-%m-%d %H:%M:%S UTC").replace(tzinfo=UTC)
    begin = phase.window[0].astimezone(ZONE)
    due = datetime.combine(begin + timedelta(days=begin.time() >= time(2)), time(2), ZONE)
    late = elapse - due
    assert timedelta() <= late <= timedelta(minutes=6), (
        f"the timer elapses at {elapse.astimezone(ZONE)}, not at {due}"
    )


@pytest.mark.criterion("timer-next-run-0200")
@pytest.mark.parametrize("first", ["2025-11-09", "2026-03-01", "2026-10-26"])
def test_timer_elapses_every_night_at_two(timer_deployed: TimerDeployed, first: str) -> None:
    (calendar,) = _calendars(timer_deployed.host)
    begin = date.fromisoformat(first)
    nights = [begin + timedelta(days=number) for number in range(15)]
    # In spring the clock leaves out one 02:00.
    due = [at for at in (datetime.combine(n, time(2), ZONE) for n in nights) if _is_shown(at)]
    base = datetime.combine(begin - timedelta(days=1), time(12), ZONE)
    seen = elapses(calendar, base, len(due))
    assert len(seen) == len(due), f"{calendar!r} elapses {len(seen)} times in {len(due)} nights"
    wrong = [at for at in seen if at not in [is_due.astimezone(UTC) for is_due in due]]
    left_out = [at for at in due if at.astimezone(UTC) not in seen and at < seen[-1]]
    shown = [f"{at.astimezone(ZONE):%a %Y-%m-%d %H:%M}" for at in (*wrong[:1], *left_out[:1])]
    assert not shown, (
        f"{calendar!r} elapses {len(wrong)} times when it should not, and leaves out "
        f"{len(left_out)} nights; the first of each: {', '.join(shown)}"
    )


@pytest.mark.criterion("timer-next-run-0200")
def test_timer_starts_the_job_and_at_no_other_time(timer_deployed: TimerDeployed) -> None:
    unit = Unit.read(timer_deployed.host.units, TIMER)
    _calendars(timer_deployed.host)
    others = [name for name in unit.settings if re.fullmatch(r"Timer\.On(?!Calendar$)\w+", name)]
    assert not others, f"the timer also elapses by {', '.join(others)}"
    started = unit.value("Timer.Unit", SERVICE)
    assert started == SERVICE, f"the timer starts {started}, not {SERVICE}"
    late = span(unit.value("Timer.RandomizedDelaySec", "0"))
    late += span(unit.value("Timer.AccuracySec", "1min"))
    assert late <= timedelta(minutes=6), f"the timer may elapse {late} late, allowed is 0:06:00"


def _calendars(host: Host) -> tuple[str, ...]:
    """The calendar of the timer; raises AssertionError unless it is one."""
    calendars = Unit.read(host.units, TIMER).values("Timer.OnCalendar")
    assert len(calendars) == 1, f"the timer elapses by {list(calendars)}, not by one calendar"
    return calendars


def _is_shown(at: datetime) -> bool:
    """Whether a clock of the zone ever reads this time."""
    return at.astimezone(UTC).astimezone(ZONE).replace(tzinfo=None) == at.replace(tzinfo=None)


@pytest.mark.criterion("timer-timezone-et")
@pytest.mark.parametrize("host_zone", ["UTC", "Asia/Tokyo", "America/New_York"])
@pytest.mark.parametrize("day", ["2025-11-08", "2026-07-01"])
def test_timer_means_new_york(timer_deployed: TimerDeployed, host_zone: str, day: str) -> None:
    needs("systemd-analyze")
    (calendar,) = _calendars(timer_deployed.host)
    done = run(
        *("systemd-analyze", "calendar", f"--base-time={day} 15:00:00 UTC", calendar),
        env={**os.environ, "TZ": host_zone, "LC_ALL": "C"},
    )
    match = re.search(r"(\d{4}-\d\d-\d\d \d\d:\d\d:\d\d) UTC$", done.stdout, re.MULTILINE)
    if not match:
        raise RolloutError(f"systemd-analyze gives no time for {calendar!r}: {done.stderr}")
    elapse = datetime.fromisoformat(match[1]).replace(tzinfo=UTC).astimezone(ZONE)
    stated = re.search(r"\d\d:\d\d:\d\d", calendar)
    assert stated, f"{calendar!r} states no time"
    assert f"{elapse:%H:%M:%S}" == stated[0], (
        f"on a host in {host_zone} {calendar!r} elapses at {elapse:%H:%M:%S} in New York"
    )
