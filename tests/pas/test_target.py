"""The target of PAS over HTTP: the contract, keys, webhooks, restarts and the registry."""

from __future__ import annotations

import json
import shutil
import sqlite3
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest

from fixtures.pas import FAULTS
from fixtures.pas.places import lines
from fixtures.pas.plms import migrating
from fixtures.pas.plms.figures import Telling, compare
from fixtures.pas.plms.registry import Registry, insert, measured_run
from fixtures.pas.service.access import OPERATIONS
from pytest_rollout.targets.reference import Fault
from tests.pas.services import BEGIN
from tests.pas.target import Pas, serving

LOOKS = ("health", "runs-status", "portfolio-status")
CHANGES = sorted(OPERATIONS.keys() - set(LOOKS))


@pytest.fixture(scope="module")
def pas(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Pas]:
    with serving(tmp_path_factory.mktemp("pas")) as target:
        yield target


@pytest.mark.parametrize("name", FAULTS)
def test_every_fault_breaks_a_part(name: str) -> None:
    assert FAULTS.planted(Fault.parse(name)) is not None
    assert FAULTS[name].endswith(".")


def card(client: httpx.Client, run_id: str, lane: str = "Vector-Ops", **more: Any) -> None:
    body = {"project_id": 42, "run_id": run_id, "lane": lane, **more}
    client.post("/pas/v1/jobcards", json=body).raise_for_status()


def test_both_services_publish_the_same_twelve(pas: Pas) -> None:
    schemas = [client.get("/openapi.json").json() for client in (pas.stub, pas.full)]
    assert schemas[0] == schemas[1]
    assert sorted(schemas[0]["paths"]) == sorted(OPERATIONS.values())
    assert pas.full.get("/docs").status_code == 200


@pytest.mark.parametrize("operation", CHANGES)
def test_a_key_is_answered_once(pas: Pas, operation: str) -> None:
    run_id, path = f"key-{operation}", OPERATIONS[operation]
    body: dict[str, Any] = {"run_id": run_id}
    if operation in ("jobcards", "runs-start"):
        body["project_id"] = 42
    if operation == "jobcards":
        body["lane"] = "Code-Impl"
    if operation == "kpis":
        body |= {"kpi": "BLEU", "value": 0.5}
    card(pas.full, run_id)
    if operation in ("runs-pause", "runs-resume", "runs-terminate"):
        pas.full.post("/pas/v1/runs/start", json={"project_id": 42, "run_id": run_id})
    if operation == "runs-resume":
        pas.full.post("/pas/v1/runs/pause", json={"run_id": run_id})
    headers = {"Idempotency-Key": f"k-{operation}"}
    first = pas.full.post(path, json=body, headers=headers)
    before = pas.full.get("/health").json()
    second = pas.full.post(path, json=body, headers=headers)
    assert (first.status_code, second.status_code) == (200, 200)
    assert first.json() == {**second.json(), "idempotent_replay": False}
    assert second.json()["idempotent_replay"] is True
    assert pas.full.get("/health").json() == before
    third = pas.full.post(path, json={**body, "run_id": "other"}, headers=headers)
    assert third.status_code == 409


@pytest.mark.parametrize("operation", CHANGES)
def test_what_is_malformed_is_refused_in_words(pas: Pas, operation: str) -> None:
    for sent in (b"", b"[]", b"{}", b'{"run_id": 7}', b'{"run_id": "a b"}', b"[" * 90_000):
        said = pas.stub.post(OPERATIONS[operation], content=sent)
        assert said.status_code == 422, sent
        assert isinstance(said.json()["detail"], str)


@pytest.mark.parametrize(
    "payload",
    [
        '{"a": "\\ud800"}',
        '{"a": NaN}',
        '{"spend_usd": 1e400}',
        '{"a": ' + "[" * 900 + "]" * 900 + "}",
    ],
)
def test_a_payload_that_cannot_be_kept_is_refused(pas: Pas, payload: str) -> None:
    body = f'{{"project_id": 1, "run_id": "odd", "lane": "Vector-Ops", "payload": {payload}}}'
    assert pas.full.post("/pas/v1/jobcards", content=body).status_code == 422


def test_plms_is_told_once_however_often_it_fails(pas: Pas) -> None:
    pas.passes(2000)  # the runs of other tests end
    pas.operate("plms-fails", times=2)
    card(pas.full, "told")
    pas.full.post("/pas/v1/runs/start", json={"project_id": 42, "run_id": "told"})
    for _ in range(30):
        pas.passes(1)
    sent = [line for line in lines(pas.folder / "webhooks.jsonl") if line["run_id"] == "told"]
    assert [line["status"] for line in sent] == [500, 500, 200]
    assert all(line["signed"] for line in sent)
    query = "SELECT count(*) FROM estimate_versions WHERE run_id = 'told'"
    with sqlite3.connect(pas.folder / "registry.db") as db:
        assert db.execute(query).fetchone() == (1,)
        assert pas.operate("redeliver", run_id="told") == {"status": 200}
        assert db.execute(query).fetchone() == (1,)
    forged = pas.plms.post("/api/pas/webhooks", json=sent[-1]["body"])
    assert forged.status_code == 401
    assert lines(pas.folder / "webhooks.jsonl")[-1]["signed"] is False


def test_a_restart_loses_no_receipt(pas: Pas) -> None:
    card(pas.full, "kept")
    pas.full.post("/pas/v1/runs/start", json={"project_id": 42, "run_id": "kept"})
    pas.passes(10)
    before = pas.full.get("/pas/v1/runs/status?run_id=kept").json()
    told = pas.operate("restart")
    assert told["receipts_before"] == told["receipts_after"] > 0
    assert pas.full.get("/pas/v1/runs/status?run_id=kept").json() == before
    assert lines(pas.folder / "restarts.jsonl")[-1]["receipts_after"] == told["receipts_after"]


def test_metrics_add_up_to_the_rows(pas: Pas) -> None:
    told = pas.plms.get("/api/projects/42/metrics?breakdown=all").json()
    with sqlite3.connect(pas.folder / "registry.db") as db:
        query = (
            "SELECT sum(tokens_input + tokens_output + tokens_tool_use + tokens_think),"
            " sum(energy_kwh) FROM project_runs WHERE project_id = 42 AND status = 'completed'"
        )
        tokens, energy = db.execute(query).fetchone()
    assert told["tokens_total"] == tokens > 0
    assert told["energy_kwh"] == pytest.approx(energy)
    assert "tokens_ci_lower" not in told


def test_requests_are_logged_and_a_switched_off_service_answers_nothing(pas: Pas) -> None:
    pas.operate("switch-off")
    said = pas.stub.get("/health", headers={"Idempotency-Key": "k", "User-Agent": "probe"})
    pas.operate("switch-on")
    assert said.status_code == 503
    last = lines(pas.folder / "requests/pas.jsonl")[-1]
    assert (last["path"], last["status"], last["key"], last["agent"]) == (
        *("/health", 503, "k", "probe"),
    )


@pytest.fixture
def registry(tmp_path: Path) -> Registry:
    made = Registry(tmp_path / "registry.db")
    made.begin(BEGIN)
    return made


def test_a_migration_backs_up_and_is_done_once(registry: Registry) -> None:
    before = registry.runs(42)
    healthy = migrating.Migrating()
    assert migrating.migrate(registry.path, BEGIN, healthy) == 0
    assert migrating.migrate(registry.path, BEGIN + 60, healthy) == 0
    assert registry.migrated()
    assert [{name: row[name] for name in before[0]} for row in registry.runs(42)] == before
    (backup,) = (registry.path.parent / "backups").iterdir()
    assert Registry(backup).runs(42) == before
    (entry,) = lines(registry.path.with_name("migrations.jsonl"))
    assert entry["backup"] == backup.name


def test_a_migration_that_fails_changes_nothing(registry: Registry) -> None:
    with registry.changing() as db:
        db.execute("ALTER TABLE project_runs ADD COLUMN energy_kwh REAL")
    before = registry.rows("PRAGMA table_info(project_runs)")
    assert migrating.migrate(registry.path, BEGIN, migrating.Migrating()) == 1
    assert registry.rows("PRAGMA table_info(project_runs)") == before
    assert not registry.path.with_name("migrations.jsonl").exists()


def test_a_run_is_compared_with_the_last_baseline(registry: Registry) -> None:
    migrating.migrate(registry.path, BEGIN, migrating.Migrating())
    rows = [measured_run(n, BEGIN + n, kind, "own", energy=n > 1) for n, kind in _COMPARED]
    with registry.changing() as db:
        for row in rows:
            insert(db, row)
    told = compare(registry, [rows[2], rows[0]], Telling())
    assert told["baseline"] == rows[1]["run_id"]
    tokens = told["runs"][0]["metrics"]["tokens"]
    base, value = rows[1]["tokens_actual"], rows[2]["tokens_actual"]
    assert tokens["delta_pct"] == pytest.approx(100 * (value - base) / base, abs=1e-5)
    assert tokens["shown"].endswith(" %")
    nothing = compare(registry, [registry.runs(42)[0]], Telling())
    assert nothing["runs"][0]["metrics"]["energy_kwh"]["shown"] == "N/A"


_COMPARED = ((1, "baseline"), (2, "baseline"), (3, "hotfix"))


def test_the_program_migrates_any_copy(tmp_path: Path, registry: Registry) -> None:
    with serving(tmp_path / "target", "2025-11-17T15:00:00+00:00") as target:
        copy = tmp_path / "elsewhere/registry.db"
        copy.parent.mkdir()
        shutil.copy(target.folder / "registry.db", copy)
        assert not Registry(copy).migrated()
        for _ in range(2):
            done = subprocess.run([target.folder / "bin/migrate", copy], check=False)
            assert done.returncode == 0
        assert Registry(copy).migrated()
        assert not Registry(target.folder / "registry.db").migrated()
        with pytest.raises(httpx.HTTPStatusError):
            target.operate("work", runs=1)
        assert target.operate("migrate") == {"status": 0}
        assert len(target.operate("work", runs=2)["run_ids"]) == 2
        saved = json.loads((target.folder / "metrics_before.json").read_text("utf-8"))
        assert saved["with_ci"].keys() - saved["plain"].keys() == {
            *("tokens_ci_lower", "tokens_ci_upper", "duration_ci_lower", "duration_ci_upper"),
            "ci_level",
        }
