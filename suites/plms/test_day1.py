"""Day 1: the invariants timer, the Ops API, the failure drill, and the way back."""

from __future__ import annotations

import os
import re
from datetime import UTC, datetime, time, timedelta
from pathlib import Path

import httpx
import pytest

from pytest_rollout import Observe, RolloutError, Stage, run_checker
from suites.plms.scenarios.deployment import (
    INVALID,
    PARTS,
    SERVICE,
    TIMER,
    Deployed,
    FailureDrill,
    TakenBack,
    ask,
)
from suites.plms.views import host as hosts
from suites.plms.views.host import TAG, ZONE, Host, needs, newest, run, tag_on_origin
from suites.plms.views.portfolio import observe_slot

pytestmark = pytest.mark.day1


# Entry: is what day 0 left as expected?


@pytest.mark.criterion("release-is-tagged")
def test_origin_has_the_tag(host: Host) -> None:
    assert tag_on_origin(host.release), f"the origin has no tag {TAG}"


@pytest.mark.criterion("backup-at-hand")
def test_a_backup_can_be_restored(host: Host, tmp_path: Path) -> None:
    hosts.restored(newest(host.backups, "registry_*.db"), tmp_path)


@pytest.mark.criterion("units-verified")
@pytest.mark.parametrize("unit", [SERVICE, TIMER])
def test_systemd_accepts_the_unit(host: Host, unit: str) -> None:
    needs("systemd-analyze")
    done = run("systemd-analyze", "verify", host.release / "deployment/systemd" / unit)
    complaints = [line for line in done.stderr.splitlines() if "plms-invariants" in line]
    assert not complaints, f"systemd complains: {'; '.join(complaints)}"
    assert done.returncode == 0, f"systemd-analyze verify exits {done.returncode}: {done.stderr}"


@pytest.mark.criterion("invariants-hold")
def test_invariants_hold_before_the_drill(host: Host) -> None:
    run_checker([host.checker, "--db", host.registry, "--strict", "--json"]).demand()


# The timer


@pytest.mark.criterion("unit-files-installed")
@pytest.mark.parametrize("unit", [SERVICE, TIMER])
def test_installed_unit_is_that_of_the_release(deployed: Deployed, unit: str) -> None:
    installed = deployed.host.units / unit
    assert installed.is_file(), f"{unit} is not installed"
    released = deployed.host.release / "deployment/systemd" / unit
    assert installed.read_bytes() == released.read_bytes(), f"{unit} is not that of the release"


@pytest.mark.criterion("log-dir-writable")
def test_job_can_write_its_logs(deployed: Deployed) -> None:
    logs = deployed.host.logs
    assert logs.is_dir(), "the log directory is absent"
    user = ask(deployed.host, "show", SERVICE, "--property=User", "--value") or "root"
    assert logs.owner() == user, f"the directory is {logs.owner()}'s, the job runs as {user}"
    assert logs.stat().st_mode & 0o200, "its owner may not write to the log directory"


@pytest.mark.criterion("timer-enabled")
def test_timer_is_enabled(deployed: Deployed) -> None:
    said = ask(deployed.host, "is-enabled", TIMER)
    assert said == "enabled", f"the timer is {said}, not enabled"


@pytest.mark.criterion("timer-active")
def test_timer_is_active(deployed: Deployed) -> None:
    said = ask(deployed.host, "is-active", TIMER)
    assert said == "active", f"the timer is {said}, not active"


@pytest.mark.criterion("timer-next-run-0200")
def test_timer_elapses_at_two(deployed: Deployed, phase: Stage) -> None:
    words = ["--property=NextElapseUSecRealtime", "--timestamp=utc", "--value"]
    said = ask(deployed.host, "show", TIMER, *words)
    assert said, "the timer does not elapse"
    elapse = datetime.strptime(said, "%a %Y-%m-%d %H:%M:%S UTC").replace(tzinfo=UTC)
    begin = phase.window[0].astimezone(ZONE)
    due = datetime.combine(begin + timedelta(days=begin.time() >= time(2)), time(2), ZONE)
    late = elapse - due
    assert timedelta() <= late <= timedelta(minutes=6), (
        f"the timer elapses at {elapse.astimezone(ZONE)}, not at {due}"
    )


@pytest.mark.criterion("timer-timezone-et")
@pytest.mark.parametrize("host_zone", ["UTC", "Asia/Tokyo", "America/New_York"])
@pytest.mark.parametrize("day", ["2025-11-08", "2026-07-01"])
def test_timer_means_new_york(deployed: Deployed, host_zone: str, day: str) -> None:
    needs("systemd-analyze")
    text = (deployed.host.units / TIMER).read_text(encoding="utf-8")
    (calendar,) = re.findall(r"^OnCalendar=(.*)$", text, re.MULTILINE)
    done = run(
        *("systemd-analyze", "calendar", f"--base-time={day} 15:00:00 UTC", calendar),
        env={**os.environ, "TZ": host_zone, "LC_ALL": "C"},
    )
    found = re.search(r"(\d{4}-\d\d-\d\d \d\d:\d\d:\d\d) UTC$", done.stdout, re.MULTILINE)
    if not found:
        raise RolloutError(f"systemd-analyze gives no time for {calendar!r}: {done.stderr}")
    elapse = datetime.fromisoformat(found[1]).replace(tzinfo=UTC).astimezone(ZONE)
    stated = re.search(r"\d\d:\d\d:\d\d", calendar)
    assert stated, f"{calendar!r} states no time"
    assert f"{elapse:%H:%M:%S}" == stated[0], (
        f"on a host in {host_zone} {calendar!r} elapses at {elapse:%H:%M:%S} in New York"
    )


# The Ops API


@pytest.mark.criterion("api-listening")
def test_api_accepts_connections(deployed: Deployed, phase: Stage) -> None:
    address, port = deployed.address
    assert deployed.connects, f"nobody listens on {address}:{port}"
    assert phase.embedded or port == 6100, f"the API listens on {port}, not on 6100"


@pytest.mark.criterion("healthz-200")
def test_health_answers_200(deployed: Deployed) -> None:
    status = deployed.health.status
    assert status == httpx.codes.OK, f"health answers {status or 'nothing'}, not 200"


@pytest.mark.criterion("healthz-status-ok")
def test_health_says_ok(deployed: Deployed) -> None:
    said = deployed.health.body.get("status")
    assert said == "ok", f"health says {said!r}, not 'ok'"


@pytest.mark.parametrize(
    "part", [pytest.param(part, marks=pytest.mark.criterion(f"healthz-{part}")) for part in PARTS]
)
def test_dependency_is_there(deployed: Deployed, part: str) -> None:
    said = deployed.health.body.get(part)
    assert said is True, f"health says {part} is {said}"


@pytest.mark.criterion("healthz-detects-outage")
@pytest.mark.parametrize("part", PARTS)
def test_health_notices_an_outage(taken_back: TakenBack, part: str) -> None:
    during, after = taken_back.outages[part].during, taken_back.outages[part].after
    assert during.status != httpx.codes.OK, f"health answers 200 while {part} is gone"
    assert during.body.get("status") != "ok", f"health says ok while {part} is gone"
    assert during.body.get(part) is False, f"health says {part} is {during.body.get(part)}"
    assert after.body.get(part) is True, f"{part} is back, health says {after.body.get(part)}"


# The failure drill


def _planted(deployed: Deployed) -> FailureDrill:
    """The drill; raises RolloutError where nothing was planted: then it proves nothing."""
    if deployed.drill.row is None:
        raise RolloutError("no row could be planted, so nothing is known of what would be noticed")
    return deployed.drill


@pytest.mark.criterion("drill-row-accepted")
def test_registry_takes_the_row(deployed: Deployed) -> None:
    drill = _planted(deployed)
    new = {row: drill.planted[row] for row in drill.planted.keys() - drill.before.keys()}
    assert list(new) == [drill.row], f"the drill planted {new or 'nothing'}"
    assert all(INVALID in run for run in new.values()), f"the planted row is {new}"


@pytest.mark.criterion("drill-detected")
def test_job_fails_with_the_row(deployed: Deployed) -> None:
    failed = _planted(deployed).failed
    assert failed, "the job left no record"
    assert failed.status == "FAIL", f"the job says {failed.status}, not FAIL"
    assert failed.exit_status == 1, f"the checker exits {failed.exit_status}, not 1"


@pytest.mark.criterion("drill-tagged")
def test_failed_run_is_on_record_as_a_drill(deployed: Deployed) -> None:
    failed, cleaned = deployed.drill.failed, deployed.drill.cleaned
    assert failed, "the job left no record"
    assert cleaned, "the job left no record"
    assert (failed.trigger, failed.drill) == ("manual", True), f"the failed run is {failed}"
    assert not cleaned.drill, f"the run after the clean-up is {cleaned}"


@pytest.mark.criterion("drill-slack-alert")
def test_slack_says_fail(deployed: Deployed) -> None:
    drill = _planted(deployed)
    said = [message.text for message in drill.messages if message.service == "slack"]
    assert drill.alerts, f"no message to Slack says FAIL; there were {said}"


@pytest.mark.criterion("drill-slack-details")
def test_slack_says_what_is_wrong(deployed: Deployed) -> None:
    said = " ".join(alert.text for alert in _planted(deployed).alerts)
    missing = [word for word in ("999", "run_kind", INVALID) if word not in said]
    assert not missing, f"the alert {said!r} does not say {missing}"


@pytest.mark.criterion("drill-slack-latency")
def test_slack_is_quick(deployed: Deployed, observe: Observe) -> None:
    drill = _planted(deployed)
    for alert in drill.alerts[:1]:
        assert drill.failed, "the job left no record"
        observe("alert_latency", (alert.at - drill.failed.ended_at).total_seconds(), at=alert.at)


@pytest.mark.parametrize(
    ("service", "wanted"),
    [
        pytest.param("mail", "subject", marks=pytest.mark.criterion("drill-email-alert")),
        pytest.param(
            "pagerduty", "event_action", marks=pytest.mark.criterion("drill-pagerduty-incident")
        ),
    ],
)
def test_failure_reaches(deployed: Deployed, service: str, wanted: str) -> None:
    found = [message for message in _planted(deployed).messages if message.service == service]
    told = [one.body[wanted] for one in found if "FAIL" in one.text]
    assert told, f"{len(found)} messages by {service}, none says FAIL"
    if service == "pagerduty":
        assert told[0] == "trigger", f"the event is {told[0]!r}, it opens no incident"


@pytest.mark.criterion("drill-cleanup-complete")
def test_planted_row_is_gone(deployed: Deployed) -> None:
    left = {row: run for row, run in deployed.drill.after.items() if INVALID in run}
    assert not left, f"the clean-up left {left}"


@pytest.mark.criterion("drill-cleanup-no-collateral")
def test_nothing_else_is_gone(deployed: Deployed) -> None:
    drill = deployed.drill
    lost = {row: run for row, run in drill.before.items() if drill.after.get(row) != run}
    assert not lost, f"the clean-up took or changed {lost}"


@pytest.mark.criterion("manual-run-ok-after-cleanup")
def test_job_is_ok_again(deployed: Deployed) -> None:
    cleaned = deployed.drill.cleaned
    assert cleaned, "the job left no record"
    assert (cleaned.status, cleaned.violations, cleaned.exit_status) == ("OK", 0, 0), (
        f"the job says {cleaned.status}, {cleaned.violations} violations, "
        f"the checker exits {cleaned.exit_status}"
    )


# The way back, on a target of its own


@pytest.mark.criterion("rollback-timer-disabled")
def test_rollback_disables_the_timer(taken_back: TakenBack) -> None:
    state = (taken_back.enabled, taken_back.active)
    assert state == ("disabled", "inactive"), f"the timer is {' and '.join(state)}"


@pytest.mark.criterion("rollback-api-stopped")
def test_rollback_stops_the_api_alone(taken_back: TakenBack) -> None:
    assert not taken_back.accepts, "the API still accepts connections"
    assert not taken_back.lost, f"the rollback took more than the API: {set(taken_back.lost)}"


@pytest.mark.criterion("rollback-db-restored")
def test_rollback_gives_the_registry_back(taken_back: TakenBack) -> None:
    assert taken_back.damaged != taken_back.backup, "the registry was not damaged before"
    differs = [
        name for name, rows in taken_back.backup.items() if taken_back.restored[name] != rows
    ]
    assert not differs, f"the restored registry differs from the backup in {differs}"


@pytest.mark.criterion("rollback-db-restored")
def test_api_reads_what_was_restored(taken_back: TakenBack) -> None:
    caps = dict(taken_back.backup["lane_configs"])
    shown = {lane: taken_back.caps.get(lane) for lane in caps}
    assert shown == caps, f"the API shows caps {shown}, the backup {caps}"


# What was done, and when


@pytest.mark.criterion("in-window")
def test_work_stays_in_the_slot(deployed: Deployed, phase: Stage, observe: Observe) -> None:
    observe_slot(phase, deployed.events, observe)
