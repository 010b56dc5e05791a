"""A summary as a consumer verifies it: the seven steps of SLSA, with libraries that are not ours.

https://slsa.dev/spec/v1.1/verification_summary#how-to-verify. The signature is verified by
securesystemslib, statement and summary are read by the bindings of in-toto.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import pytest
from cryptography.hazmat.primitives.serialization import PrivateFormat
from google.protobuf import json_format
from in_toto_attestation.predicates.vsa.v1 import vsa_pb2
from in_toto_attestation.v1 import statement_pb2
from securesystemslib.dsse import Envelope
from securesystemslib.exceptions import VerificationError
from securesystemslib.signer import SSlibKey

from pytest_rollout.model.decision import Decision
from pytest_rollout.model.provenance import input_of
from pytest_rollout.model.verdict import Answer
from pytest_rollout.report.statements import statements
from pytest_rollout.signoff.envelope import sealed
from tests.report import report_decisions as given
from tests.signoff.test_envelope import public, written

COMMIT = "0123456789abcdef0123456789abcdef01234567"
SUMMARY = "https://slsa.dev/verification_summary/v1"
RESOURCE = "urn:pytest-rollout:gate:plms.day3/exit:prod"


@dataclass(frozen=True)
class Expected:
    """What a consumer knows beforehand."""

    key: Path
    digest: Mapping[str, str] = field(default_factory=lambda: {"gitCommit": COMMIT})
    predicate: str = SUMMARY
    verifier: str = "urn:pytest-rollout"  # that the holder of the key may speak for
    resource: str = RESOURCE
    level: str = "ROLLOUT_GO"


def refused_at(envelope: dict[str, Any], expected: Expected) -> int:
    """The step at which a consumer refuses an envelope; 0 where all seven pass."""
    key = SSlibKey.from_crypto(public(expected.key))
    try:
        read = Envelope.from_dict(json.loads(json.dumps(envelope)))
        read.verify([key], 1)
    except VerificationError:
        return 1
    payload = json.loads(read.payload)
    statement = json_format.Parse(read.payload.decode(), statement_pb2.Statement())
    if not any(dict(subject.digest) == expected.digest for subject in statement.subject):
        return 2
    if statement.predicate_type != expected.predicate:
        return 3
    known = {key: one for key, one in payload["predicate"].items() if key != "verifiedLevels"}
    empty = vsa_pb2.VerificationSummary()
    summary = json_format.Parse(json.dumps(known), empty, ignore_unknown_fields=True)
    if summary.verifier.id != expected.verifier:
        return 4
    if summary.resource_uri != expected.resource:
        return 5
    if summary.verification_result != "PASSED":
        return 6
    return 0 if expected.level in payload["predicate"]["verifiedLevels"] else 7


@pytest.fixture
def key(tmp_path: Path) -> Path:
    return written(tmp_path / "release", PrivateFormat.OpenSSH)


def summary_of(decision: Decision, key: Path) -> dict[str, Any]:
    read = (input_of("rollout-run:r1", "1" * 64),)
    return sealed(statements(replace(decision, release=COMMIT, inputs=read)), key)[0]


def test_all_seven_steps_pass_for_a_go(key: Path) -> None:
    assert refused_at(summary_of(given.decision(), key), Expected(key)) == 0


def test_each_step_refuses_what_is_not_expected(key: Path, tmp_path: Path) -> None:
    envelope = summary_of(given.decision(), key)
    good = Expected(key)
    wrong = {
        1: replace(good, key=written(tmp_path / "other", PrivateFormat.OpenSSH)),
        2: replace(good, digest={"gitCommit": COMMIT[::-1]}),
        3: replace(good, predicate="https://slsa.dev/provenance/v1"),
        4: replace(good, verifier="https://example.com/verifier"),
        5: replace(good, resource=RESOURCE.replace("prod", "staging")),
        7: replace(good, level="SLSA_BUILD_LEVEL_3"),
    }
    assert {step: refused_at(envelope, one) for step, one in wrong.items()} == {
        step: step for step in wrong
    }


@pytest.mark.parametrize("answer", [Answer.HOLD, Answer.NO_GO, Answer.ROLLBACK])
def test_no_other_answer_gets_beyond_the_sixth_step(key: Path, answer: Answer) -> None:
    assert refused_at(summary_of(given.decision(answer), key), Expected(key)) == 6


def test_no_go_of_a_drill_or_of_a_part_does_either(key: Path) -> None:
    for made in (given.decision(drill="slow"), given.decision(partial=("-k",))):
        assert refused_at(summary_of(made, key), Expected(key)) == 6
