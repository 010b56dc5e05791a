"""The wheel in a fresh environment, as a user has it: nothing of the repository is at hand."""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.packaging.conftest import ROOT, said

pytestmark = [pytest.mark.slow, pytest.mark.nightly]

Environment = Callable[[str], Path]

PLAN = """\
plan: disk
timezone: UTC
phases:
  - id: canary
    owners: [sre]
    criteria:
      - {id: room, gate: entry, kind: operational, says: There is room on the disk}
      - id: quick
        kind: slo
        says: Ten small files are written within a second
        metric: seconds
        take: max
        pass: "< 1"
        need: 10
"""
TESTS = """\
import shutil, time
import pytest

pytestmark = pytest.mark.canary

@pytest.mark.criterion("room")
def test_room(tmp_path):
    assert shutil.disk_usage(tmp_path).free > 0

@pytest.mark.criterion("quick")
def test_quick(tmp_path, observe):
    for number in range(10):
        begun = time.perf_counter()
        (tmp_path / str(number)).write_text("x")
        observe("seconds", time.perf_counter() - begun)
"""
RECEIVING = """
import smtplib, httpx, pytest_rollout
from pytest_rollout import Alertmanager, Grafana, Prometheus, Receivers, serve_grafana

with Receivers() as receivers:
    httpx.post(receivers.slack.url, json={"text": "it trips"})
    with smtplib.SMTP("127.0.0.1", receivers.mail.port) as relay:
        relay.sendmail("a@example.org", "b@example.org", "Subject: it trips\\n\\nnow")
    for channel in ("slack", "mail"):
        print(channel, len(receivers.messages(channel)))
serve_grafana(Grafana("Ops", None, None))
print(pytest_rollout.__file__)
"""


def _disk(folder: Path) -> Path:
    place = folder / "suites/disk"
    place.mkdir(parents=True)
    (place / "rollout.yaml").write_text(PLAN, encoding="utf-8")
    (place / "test_disk.py").write_text(TESTS, encoding="utf-8")
    return folder


def test_a_plan_without_targets_is_decided_by_the_bare_wheel(
    environment: Environment, tmp_path: Path
) -> None:
    programs, folder = environment(""), _disk(tmp_path)
    assert "no problems" in said([programs / "rollout", "check"], folder)
    shown = said([programs / "pytest", "-m", "canary"], folder)
    assert shown.splitlines()[-1] == "GO: disk.canary/entry GO, disk.canary/exit GO"
    assert "disk.canary.quick" in said(
        [programs / "rollout", "explain", "disk.canary.quick"], folder
    )
    said([programs / "rollout", "verify"], folder)
    said([programs / "rollout", "status"], folder)


def test_the_bare_wheel_brings_no_extra(environment: Environment) -> None:
    programs = environment("")
    listed = json.loads(said([programs / "pip", "list", "--format=json"]))
    names = {one["name"].lower() for one in listed} - {"pip", "setuptools"}
    direct = {"click", "httpx", "jinja2", "pytest", "pytest-rollout", "pyyaml", "tzdata"}
    below = {"anyio", "certifi", "h11", "httpcore", "idna", "iniconfig", "markupsafe", "packaging"}
    assert names - {"sniffio", "typing_extensions"} == direct | below | {"pluggy", "pygments"}


def test_what_a_plan_serves_names_the_extra_that_serves_it(
    environment: Environment, tmp_path: Path
) -> None:
    shutil.copytree(ROOT / "examples/web", tmp_path, dirs_exist_ok=True)
    command = f"{environment('')}/pytest -m canary; test $? -ne 0"
    assert "pip install 'pytest-rollout[targets]'" in said(["sh", "-c", command], tmp_path)
    shown = said(["sh", "-c", f"{environment('')}/rollout check || true"], tmp_path)
    assert "pip install 'pytest-rollout[targets]'" in shown


def test_the_example_rehearses_with_the_extra(environment: Environment, tmp_path: Path) -> None:
    programs = environment("[targets]")
    shutil.copytree(ROOT / "examples/web", tmp_path, dirs_exist_ok=True)
    shown = said([programs / "pytest", "-m", "canary"], tmp_path)
    assert shown.splitlines()[-1] == "GO: web.canary/entry GO, web.canary/exit GO"
    said([programs / "rollout", "check"], tmp_path)
    said([programs / "rollout", "decide", "web.canary", "--env", "embedded"], tmp_path)


def test_receivers_and_monitoring_are_in_the_wheel(
    environment: Environment, tmp_path: Path
) -> None:
    shown = said([environment("[targets,receivers]") / "python", "-c", RECEIVING], tmp_path)
    *counted, where = shown.splitlines()
    assert counted == ["slack 1", "mail 1"]
    assert "site-packages" in where
