"""Day 1: what day 0 left, the Ops API, and the way back."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

import httpx
import pytest

from pytest_rollout import NotReportedError, Observe, Reported, Stage, run_checker
from suites.plms.scenarios.deployment import (
    PARTS,
    SERVICE,
    TIMER,
    ApiDeployed,
    Health,
    Outage,
    TakenBack,
    TimerDeployed,
)
from suites.plms.scenarios.failure_drill import FailureDrill
from suites.plms.views import host as hosts
from suites.plms.views.host import TAG, Host, needs, newest, run, tag_on_origin
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


# The Ops API


@pytest.mark.criterion("api-listening")
def test_api_accepts_connections(api_deployed: ApiDeployed, phase: Stage) -> None:
    address, port = api_deployed.address
    assert api_deployed.connects, f"nobody listens on {address}:{port}"
    assert phase.embedded or port == 6100, f"the API listens on {port}, not on 6100"


@pytest.mark.criterion("healthz-200")
def test_health_answers_200(api_deployed: ApiDeployed) -> None:
    status = api_deployed.health.status
    assert status == httpx.codes.OK, f"health answers {status or 'nothing'}, not 200"


@pytest.mark.criterion("healthz-status-ok")
def test_health_says_ok(api_deployed: ApiDeployed) -> None:
    said = _said(api_deployed.health, "status")
    assert said == "ok", f"health says {said!r}, not 'ok'"


EACH_PART = pytest.mark.parametrize(
    "part", [pytest.param(part, marks=pytest.mark.criterion(f"healthz-{part}")) for part in PARTS]
)


@EACH_PART
def test_dependency_is_there(api_deployed: ApiDeployed, part: str) -> None:
    said = _said(api_deployed.health, part)
    assert said is True, f"health says {part} is {said}"


@EACH_PART
def test_health_says_so_while_a_dependency_is_gone(
    outages: Mapping[str, Outage] | None, part: str
) -> None:
    if outages is None:
        return  # nobody takes it away from a real service
    during = outages[part].during
    said = _said(during, part)
    assert said is False, f"{part} is gone, and health says {part} is {said}"
    word, answer = _said(during, "status"), during.status or "nothing"
    assert word != "ok", f"{part} is gone, and health says ok"
    words = f"{part} is gone, and health answers {answer}"
    assert during.status >= httpx.codes.INTERNAL_SERVER_ERROR, words


@pytest.mark.criterion("healthz-db")
def test_api_reads_the_registry(api_deployed: ApiDeployed) -> None:
    shown = {lane: api_deployed.caps.get(lane) for lane in api_deployed.stored}
    assert api_deployed.stored, "the registry has no lanes"
    assert shown == api_deployed.stored, (
        f"the API shows the caps {shown}, the registry has {api_deployed.stored}"
    )


@pytest.mark.criterion("healthz-detects-outage")
@pytest.mark.parametrize("part", PARTS)
def test_health_notices_an_outage(taken_back: TakenBack, part: str) -> None:
    during, after = taken_back.outages[part].during, taken_back.outages[part].after
    assert during.status >= httpx.codes.INTERNAL_SERVER_ERROR, (
        f"health answers {during.status or 'nothing'} while {part} is gone"
    )
    assert during.body.get("status") != "ok", f"health says ok while {part} is gone"
    for other in PARTS:
        said = _said(during, other)
        assert said is (other != part), f"while {part} is gone health says {other} is {said}"
    assert after.status == httpx.codes.OK, f"{part} is back, health answers {after.status}"
    said = {name: _said(after, name) for name in ("status", *PARTS)}
    assert said == {"status": "ok", **dict.fromkeys(PARTS, True)}, (
        f"{part} is back, health says {said}"
    )


def _said(health: Health, name: str) -> object:
    """What health says of a part; raises NotReportedError where it says nothing of it."""
    if name not in health.body and not isinstance(health.body, Reported):
        raise NotReportedError(f"nobody answered, so nothing is known of {name}")
    return health.body[name]


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
    tables = ", ".join(differs)
    assert not differs, f"the restored registry differs from the newest backup in {tables}"


@pytest.mark.criterion("rollback-db-restored")
def test_api_reads_what_was_restored(taken_back: TakenBack) -> None:
    caps = dict(taken_back.backup["lane_configs"])
    shown = {lane: taken_back.caps.get(lane) for lane in caps}
    assert shown == caps, f"the API shows caps {shown}, the backup {caps}"


# What was done, and when


@pytest.mark.criterion("in-window")
def test_work_stays_in_the_slot(
    timer_deployed: TimerDeployed,
    api_deployed: ApiDeployed,
    drilled: FailureDrill,
    phase: Stage,
    observe: Observe,
) -> None:
    events = {*timer_deployed.events, *api_deployed.events, *drilled.events}
    observe_slot(phase, sorted(events, key=lambda event: event.at), observe)
