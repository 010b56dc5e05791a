"""Day 3 of PLMS in environment prod, against the same application started by hand."""

from __future__ import annotations

import os
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path

import httpx
import pytest

from tests.plms.proxy import stripping
from tests.plms.rehearsal import ROOT, Rehearsal, rehearse


@dataclass(frozen=True, slots=True)
class ByHand:
    """PLMS as somebody started it."""

    url: str
    proxied: str
    registry: Path

    def rehearse(self, folder: Path, *arguments: str, url: str | None = None) -> Rehearsal:
        """Judge it as prod."""
        environ = {"PLMS_URL": url or self.proxied, "PLMS_REGISTRY": str(self.registry)}
        return rehearse(folder, "--rollout-env=prod", *arguments, **environ)


def free_port() -> int:
    """A loopback port that nobody listens on."""
    with closing(socket.create_server(("127.0.0.1", 0))) as listener:
        return int(listener.getsockname()[1])


@pytest.fixture(scope="module")
def by_hand(tmp_path_factory: pytest.TempPathFactory) -> Iterator[ByHand]:
    """PLMS on a port of its own, with a proxy that hides what it is."""
    folder = tmp_path_factory.mktemp("prod")
    port = free_port()
    command = [sys.executable, "-m", "uvicorn", "fixtures.plms:app", "--port", str(port)]
    process = subprocess.Popen(
        command,
        cwd=folder,
        env={**os.environ, "PYTHONPATH": str(ROOT)},
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    url = f"http://127.0.0.1:{port}"
    try:
        wait_for(url)
        with stripping(url) as proxied:
            yield ByHand(url, proxied, folder / "registry.db")
    finally:
        process.terminate()
        process.wait(10)


def wait_for(url: str, path: str = "/version") -> None:
    until = time.monotonic() + 20
    while time.monotonic() < until:
        try:
            httpx.get(f"{url}{path}").raise_for_status()
        except httpx.TransportError:
            time.sleep(0.1)
        else:
            return
    raise TimeoutError(f"nothing answers at {url}")


@pytest.mark.parametrize("parallel", [[], ["-n2"]], ids=["plain", "n2"])
def test_the_entry_gate_is_decided(by_hand: ByHand, tmp_path: Path, parallel: list[str]) -> None:
    run = by_hand.rehearse(tmp_path, *parallel)
    assert run.status == 0, run.output
    assert run.last_line == "GO: plms.day3/entry GO"
    decision = run.decision("entry", "prod")
    assert decision["release"] == "plms-v1.0.0"
    assert decision["environment"] == "prod"
    assert "plms runs plms-v1.0.0" in run.output
    assert not (tmp_path / "report/plms/prod/day3/exit").exists()


def test_a_reference_target_is_worth_nothing_there(by_hand: ByHand, tmp_path: Path) -> None:
    run = by_hand.rehearse(tmp_path, url=by_hand.url)
    assert run.status == 11
    assert "answers as a reference target (plms)" in run.output


def test_changes_are_refused_before_the_phase_was_begun(by_hand: ByHand, tmp_path: Path) -> None:
    run = by_hand.rehearse(tmp_path, "--rollout-gate=exit")
    assert run.status == 11
    assert "two_projects has effect change, refused in prod: plms.day3 has not begun" in run.output
    assert "burst has effect disrupt, refused in prod" in run.output
    assert httpx.get(f"{by_hand.url}/api/portfolio/status").json()["projects"] == []


def test_changes_are_refused_when_nothing_is_asked(by_hand: ByHand, tmp_path: Path) -> None:
    command = [sys.executable, "-m", "pytest", "--rollout-env=prod", "-p", "no:cacheprovider"]
    done = subprocess.run(
        [*command, "suites/plms/test_day3.py::test_runs_overlap"],
        cwd=ROOT,
        env={**os.environ, "PLMS_URL": by_hand.proxied, "PLMS_REGISTRY": str(by_hand.registry)},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 1
    assert "two_projects has effect change, refused in prod" in done.stdout


def test_a_refused_connection_is_an_error_with_the_address(tmp_path: Path) -> None:
    url = f"http://127.0.0.1:{free_port()}"
    run = rehearse(
        tmp_path, "--rollout-env=prod", PLMS_URL=url, PLMS_REGISTRY=str(tmp_path / "none.db")
    )
    assert run.status == 11
    decision = run.decision("entry", "prod")
    assert decision["decision"] == "HOLD"
    healthy = next(one for one in decision["criteria"] if one["id"].endswith("target-healthy"))
    assert healthy["verdict"] == "error"
    assert f"GET {url}/api/ops/healthz" in healthy["reason"]["text"]
    assert "refused" in healthy["reason"]["text"]
    assert "Traceback" not in run.output


def test_an_unset_address_is_an_error_that_names_the_variable(tmp_path: Path) -> None:
    run = rehearse(tmp_path, "--rollout-env=prod", PLMS_URL="", PLMS_REGISTRY="")
    assert run.status == 11
    assert "the environment variable PLMS_URL is not set" in run.output
