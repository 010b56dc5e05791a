"""What the suite reads of a host: each reader fails, or errs, where there is nothing to read."""

from __future__ import annotations

import json
import sqlite3
from contextlib import closing
from pathlib import Path

import pytest

from pytest_rollout import RolloutError, read_inbox
from suites.plms.views import host as hosts
from suites.plms.views.host import Host


@pytest.fixture
def host(tmp_path: Path) -> Host:
    """A host on which nothing is."""
    return Host(tmp_path.joinpath)


def test_a_missing_program_is_named_with_its_package(monkeypatch: pytest.MonkeyPatch) -> None:
    hosts.needs("git")
    monkeypatch.setenv("PATH", "")
    with pytest.raises(RolloutError, match=r"systemd-analyze is not installed: .* install systemd"):
        hosts.needs("systemd-analyze")


def test_git_says_why_it_refuses(host: Host) -> None:
    host.release.mkdir()
    with pytest.raises(RolloutError, match=r"git rev-parse in the checkout: .*not a git repo"):
        hosts.git(host.release, "rev-parse", "HEAD")


def test_the_newest_backup_is_that_of_its_name(tmp_path: Path) -> None:
    for stamp in ("20251031_200000", "20251107_202000"):
        (tmp_path / f"plms_logs_{stamp}.tar.gz").touch()
    found = hosts.newest(tmp_path, "plms_logs_*.tar.gz")
    assert hosts.stamped(found).isoformat() == "2025-11-07T20:20:00-05:00"
    with pytest.raises(AssertionError, match="there is no registry_"):
        hosts.newest(tmp_path, "registry_*.db")


@pytest.mark.parametrize("kept", [0.5, 0.999])
def test_a_cut_off_backup_is_no_backup(tmp_path: Path, kept: float) -> None:
    backup = tmp_path / "registry_20251107_202000.db"
    with closing(sqlite3.connect(backup)) as db, db:
        db.execute("CREATE TABLE t (x)")
        db.executemany("INSERT INTO t VALUES (?)", [("some text",)] * 5_000)
    (tmp_path / "out").mkdir()
    hosts.restored(backup, tmp_path / "out")
    backup.write_bytes(backup.read_bytes()[: int(backup.stat().st_size * kept)])
    with pytest.raises(AssertionError, match=r"registry_20251107_202000\.db"):
        hosts.restored(backup, tmp_path / "out")


@pytest.mark.parametrize("value", ["", "your_routing_key"])
def test_a_placeholder_is_no_key(host: Host, value: str) -> None:
    host.alerting.write_text(f"PD_ROUTING_KEY={value}\nALERT_EMAIL=a@example.com\n")
    assert hosts.configured(host, "ALERT_EMAIL") == "a@example.com"
    for name in ("PD_ROUTING_KEY", "SLACK_WEBHOOK_URL"):
        with pytest.raises(RolloutError, match=f"{name} is not configured"):
            hosts.configured(host, name)


def test_an_inbox_is_empty_until_something_arrives(host: Host) -> None:
    assert read_inbox(host.inbox) == ()
    line = {"service": "slack", "channel": "#plms-ops", "at": "2025-11-08T15:20:00+00:00"}
    host.inbox.write_text(json.dumps(line | {"body": {"text": "Prüfung"}}) + "\n")
    (message,) = read_inbox(host.inbox)
    assert "Prüfung" in message.text
    assert hosts.job_runs(host) == []


def test_a_digest_follows_every_row(host: Host) -> None:
    with closing(sqlite3.connect(host.registry)) as db:
        db.execute("CREATE TABLE t (x)")
        before = hosts.digest(host.registry)
        with db:
            db.execute("INSERT INTO t VALUES (1)")
        assert hosts.digest(host.registry) != before


def test_a_place_that_nobody_configured_takes_what_reads_it(tmp_path: Path) -> None:
    def place(name: str) -> Path:
        if name == "inbox":
            raise RolloutError("target inbox: the environment variable PLMS_INBOX is not set")
        return tmp_path / name

    host = Host(place)
    assert host.release == tmp_path / "release"
    with pytest.raises(RolloutError, match="PLMS_INBOX is not set"):
        _ = host.inbox


def test_a_registry_that_is_none_is_said(tmp_path: Path) -> None:
    broken = tmp_path / "registry.db"
    broken.write_text("no database at all, and long enough to look like one" * 40)
    with pytest.raises(RolloutError, match=r"registry\.db cannot be read: file is not a database"):
        hosts.contents(broken)
