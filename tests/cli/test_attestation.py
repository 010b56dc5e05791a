"""`rollout attestation`: what is signed, and that it never outlives its decision."""

from __future__ import annotations

import base64
import json
from pathlib import Path
from typing import Any

import pytest
from cryptography.hazmat.primitives.serialization import PrivateFormat

from tests.cli.conftest import Project
from tests.evidence.runs import EXIT, Writer
from tests.signoff.test_envelope import written

GATE = "demo.canary/exit"


@pytest.fixture
def key(tmp_path: Path) -> str:
    return str(written(tmp_path / "key", PrivateFormat.OpenSSH))


def summary(envelope: dict[str, Any]) -> dict[str, Any]:
    statement: dict[str, Any] = json.loads(base64.b64decode(envelope["payload"]))
    predicate: dict[str, Any] = statement["predicate"]
    return predicate


def decided(project: Project, run: str = "r1", environment: str = "prod", **seen: Any) -> None:
    with project.ledger() as ledger:
        Writer(ledger, run=run, environment=environment, gates=(EXIT,)).good(**seen)


def attested(project: Project, environment: str = "prod") -> Path:
    return project.root / "rollout-report/demo" / environment / "canary/exit/attestation.json"


def test_a_go_of_a_real_environment_is_attested_as_passed(project: Project, key: str) -> None:
    decided(project)
    answer = project.rollout("attestation", GATE, "--env", "prod", "--key", key, "--json")
    assert answer.status == 0
    assert (answer.json["decision"], answer.json["result"]) == ("GO", "PASSED")
    envelopes = json.loads(attested(project).read_text())["envelopes"]
    assert len(envelopes) == 4
    assert summary(envelopes[0])["verificationResult"] == "PASSED"
    assert summary(envelopes[0])["resourceUri"] == answer.json["resource"]


@pytest.mark.parametrize(
    ("environment", "seen", "decision"),
    [("embedded", {}, "GO"), ("prod", {"works": (("fail", "it broke"),)}, "NO-GO")],
)
def test_a_rehearsal_and_a_no_are_attested_as_failed(
    project: Project, key: str, environment: str, seen: dict[str, Any], decision: str
) -> None:
    decided(project, environment=environment, **seen)
    answer = project.rollout("attestation", GATE, "--env", environment, "--key", key)
    assert f"{decision}, attested as FAILED" in answer.out
    jsonl = project.rollout("attestation", GATE, "--env", environment, "--key", key, "--jsonl")
    first = json.loads(jsonl.out.splitlines()[0])
    assert summary(first)["verificationResult"] == "FAILED"


def test_an_attestation_is_gone_once_another_decision_is_reported(
    project: Project, key: str
) -> None:
    decided(project)
    project.rollout("report", GATE, "--env", "prod")
    project.rollout("attestation", GATE, "--env", "prod", "--key", key)
    project.rollout("report", GATE, "--env", "prod")
    assert attested(project).is_file(), "the same decision, reported again"
    decided(project, run="r2", works=(("fail", "it broke"),))
    project.rollout("report", GATE, "--env", "prod")
    assert not attested(project).exists()


def test_a_gate_that_was_never_decided_is_one_message(project: Project, key: str) -> None:
    decided(project)
    answer = project.rollout("attestation", "demo.canary/entry", "--env", "prod", "--key", key)
    assert answer.status == 4
    assert "no full run has asked for demo.canary/entry in prod yet" in answer.err


@pytest.mark.parametrize("name", ["summary", "result", "tests", "decision"])
def test_a_predicate_is_printed_for_another_signer(project: Project, key: str, name: str) -> None:
    decided(project)
    said = project.rollout("attestation", GATE, "--env", "prod", "--predicate", name)
    assert said.status == 0
    signed = project.rollout("attestation", GATE, "--env", "prod", "--key", key, "--jsonl")
    assert said.json in [summary(json.loads(line)) for line in signed.out.splitlines()]
    assert not attested(project).exists()


def test_without_a_key_or_a_predicate_nothing_is_signed(project: Project) -> None:
    decided(project)
    said = project.rollout("attestation", GATE, "--env", "prod")
    assert said.status == 4
    assert "--key: say which key signs, or what another signs (--predicate)" in said.err
