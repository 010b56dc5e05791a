"""The locustfiles of this project: each mix against its target, or against a stand-in."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

import pytest

from pytest_rollout.load.conduct import make
from pytest_rollout.load.histograms import quantile
from pytest_rollout.model.load import Generators, LoadProfile, LoadRecord, Offer
from pytest_rollout.targets.launch import launch
from pytest_rollout.targets.reference import Fault, Setting

ROOT = Path(__file__).parents[2]
NOW = datetime(2025, 11, 10, 14, tzinfo=UTC)
SECOND = 1_000_000
REPLAY = "replay"

pytestmark = pytest.mark.slow


@dataclass(frozen=True)
class Mix:
    """A locustfile, whom it asks, what about, and the fault that its replays notice."""

    app: str
    endpoints: set[str]
    forgets: str = "forgetful"


MIXES = {
    "plms": Mix(
        "fixtures.plms:app",
        {"start", REPLAY, "status", "metrics", "runway", "heatmap", "health", "cancel", "simulate"},
        "idem-new-run-on-replay",
    ),
    "bridge": Mix(
        "fixtures.bridge:app",
        {"open", "post", "wake", REPLAY, "read", "triggers", "join", "health"},
        "idempotency-key-ignored",
    ),
    "pas": Mix(
        "fixtures.pas:app",
        {"card", REPLAY, "start", "restart", "runs", "portfolio", "heartbeat", "receipt"},
        "pas-idem-new-task",
    ),
    "eros": Mix(
        "fixtures.eros:app",
        {"generate", REPLAY, "schedule", "monitoring", "comparisons"},
    ),
}
SHORT, *LONG = MIXES  # what is tried at night only, but for one


@contextmanager
def served(app: str, folder: Path, fault: str = "") -> Iterator[str]:
    setting = Setting(folder / "target", NOW, Fault.parse(fault) if fault else None)
    target = launch(app, setting, ROOT)
    try:
        yield target.url
    finally:
        target.stop()


def loaded(
    name: str, folder: Path, fault: str = "", seconds: float = 2.5, processes: int = 1
) -> LoadRecord:
    offer = Offer(round(seconds * SECOND), rate=150, users=200)
    by = Generators(processes)
    profile = LoadProfile(name, "", f"load/{name}.py", name, offer, seed=4, generators=by)
    with (
        served(MIXES[name].app, folder, fault) as url,
        pytest.MonkeyPatch.context() as environment,
    ):
        environment.setenv("BRIDGE_SECRET", str(folder / "target/etc/issuer.secret"))
        return make(profile, url, ROOT)


def shown(record: LoadRecord) -> dict[str, tuple[int, int]]:
    return {each.name: (each.requests, each.failures) for each in record.endpoints}


@pytest.mark.parametrize("name", MIXES)
def test_every_endpoint_of_a_mix_is_answered_and_none_fails(name: str, tmp_path: Path) -> None:
    record = loaded(name, tmp_path)
    assert record.completed, record.trouble
    assert record.errors == (), record.errors
    counts = shown(record)
    assert counts.keys() == MIXES[name].endpoints
    assert all(requests and not failures for requests, failures in counts.values()), counts


@pytest.mark.parametrize(
    "name", [SHORT, *(pytest.param(name, marks=pytest.mark.nightly) for name in LONG)]
)
def test_replays_notice_a_service_that_forgets_its_keys(name: str, tmp_path: Path) -> None:
    record = loaded(name, tmp_path, MIXES[name].forgets)
    failed = {of for of, (_, failures) in shown(record).items() if failures}
    assert failed == {REPLAY}, record.errors
    assert {error.endpoint for error in record.errors} == {REPLAY}


@pytest.mark.nightly
@pytest.mark.parametrize("name", MIXES)
def test_a_service_that_stands_still_is_seen_from_the_planned_start(
    name: str, tmp_path: Path
) -> None:
    record = loaded(name, tmp_path, "stall:stall_s=1,every_s=2", seconds=4)
    latency = [quantile(each.latency, 9, 10) or 0 for each in record.endpoints]
    assert sorted(latency)[len(latency) // 2] > 0.5 * SECOND, shown(record)


def test_a_slow_service_is_seen_at_each_endpoint(tmp_path: Path) -> None:
    record = loaded("eros", tmp_path, "slow:each_s=0.2", seconds=2)
    for each in record.endpoints:
        assert (quantile(each.service_time, 1, 10) or 0) > 0.19 * SECOND, each.name


@pytest.mark.nightly
@pytest.mark.parametrize("name", MIXES)
def test_two_processes_share_a_mix(name: str, tmp_path: Path) -> None:
    record = loaded(name, tmp_path, processes=2)
    assert record.completed, record.trouble
    assert [each.completed for each in record.generators] == [True, True]
    assert record.errors == (), record.errors
    counts = shown(record)
    assert {"replay"} < counts.keys() <= MIXES[name].endpoints
    assert sum(failures for _, failures in counts.values()) == 0
