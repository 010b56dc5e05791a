"""A decision as in-toto statements, read by in-toto's bindings and the seven steps of SLSA."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest
from google.protobuf import json_format
from in_toto_attestation.predicates.test_result.v0 import test_result_pb2
from in_toto_attestation.predicates.vsa.v1 import vsa_pb2
from in_toto_attestation.v1 import statement_pb2
from in_toto_attestation.v1.statement import Statement

from pytest_rollout.model.decision import Decision
from pytest_rollout.model.errors import RolloutError
from pytest_rollout.model.verdict import Answer, Verdict
from pytest_rollout.report.statements import DECISION, RESULT, SUMMARY, TESTS, statements
from tests.report import report_decisions as given

COMMIT = "0123456789abcdef0123456789abcdef01234567"


def by_type(decision: Decision) -> dict[str, dict[str, Any]]:
    return {str(one["predicateType"]): one for one in statements(decision)}


def go(**changes: Any) -> Decision:
    return given.decision(Answer.GO, **{"environment": "prod", "release": COMMIT, **changes})


@pytest.mark.parametrize("type_", [SUMMARY, RESULT, TESTS, DECISION])
def test_every_statement_is_one_of_in_toto(type_: str) -> None:
    text = json.dumps(by_type(go())[type_])
    parsed = json_format.Parse(text, statement_pb2.Statement())
    Statement.copy_from_pb(parsed).validate()
    assert parsed.predicate_type == type_
    assert dict(parsed.subject[0].digest) == {"gitCommit": COMMIT}


def summary_of(decision: Decision) -> Any:
    """The summary's predicate as in-toto's own bindings read it; unknown fields are ignored.

    The bindings take `verifiedLevels` for one text, where the specification has a list.
    """
    predicate = by_type(decision)[SUMMARY]["predicate"]
    text = json.dumps({key: predicate[key] for key in predicate if key != "verifiedLevels"})
    empty = vsa_pb2.VerificationSummary()
    return json_format.Parse(text, empty, ignore_unknown_fields=True)


def verified(decision: Decision, release: str, resource: str) -> bool:
    """Steps 2 to 7 of how a SLSA verification summary is verified; 1 is the signature."""
    statement = by_type(decision)[SUMMARY]
    summary = summary_of(decision)
    return (
        release in statement["subject"][0]["digest"].values()
        and statement["predicateType"] == SUMMARY
        and summary.verifier.id == "urn:pytest-rollout"
        and summary.resource_uri == resource
        and summary.verification_result == "PASSED"
        and "ROLLOUT_GO" in statement["predicate"]["verifiedLevels"]
    )


def test_a_go_of_a_real_environment_is_verified() -> None:
    decision = go()
    resource = f"urn:pytest-rollout:gate:{decision.address}:prod"
    assert verified(decision, COMMIT, resource)
    assert not verified(decision, COMMIT[::-1], resource)
    assert not verified(decision, COMMIT, resource.replace("prod", "staging"))


NEVER: list[Callable[[], Decision]] = [
    lambda: given.decision(Answer.HOLD, environment="prod"),
    lambda: given.decision(Answer.NO_GO, environment="prod"),
    lambda: replace(given.rollback(), environment="prod"),
    lambda: go(environment="embedded"),
    lambda: go(drill="slow"),
    lambda: go(partial=("-k leaves checks out",)),
]


@pytest.mark.parametrize("make", NEVER)
def test_nothing_but_a_go_that_counts_is_passed(make: Callable[[], Decision]) -> None:
    decision = replace(make(), release=COMMIT)
    told = by_type(decision)
    summary = told[SUMMARY]["predicate"]
    assert summary["verificationResult"] == "FAILED"
    assert summary["verifiedLevels"] == ["FAILED"]
    assert summary["urn:pytest-rollout:decision"] == decision.answer.value
    assert told[RESULT]["predicate"]["properties"] == []
    assert told[TESTS]["predicate"]["result"] == "FAILED"


def test_the_test_result_names_every_criterion_once_where_it_belongs() -> None:
    verdicts = [Verdict.PASS, Verdict.WARN, Verdict.FAIL, Verdict.MISSING, Verdict.WAIVED]
    verdicts += [Verdict.ERROR, Verdict.INCONCLUSIVE, Verdict.HOLD, Verdict.NOT_APPLICABLE]
    first = given.PASSING[0]
    criteria = tuple(replace(first, id=f"p.a.{v.value}", verdict=v) for v in verdicts)
    predicate = by_type(go(criteria=criteria))[TESTS]["predicate"]
    empty = test_result_pb2.TestResult()
    parsed = json_format.Parse(json.dumps(predicate), empty, ignore_unknown_fields=True)
    assert list(parsed.passed_tests) == ["p.a.pass"]
    assert list(parsed.warned_tests) == ["p.a.warn", "p.a.waived"]
    assert list(parsed.failed_tests) == ["p.a.fail"]
    unsettled = ["p.a.missing", "p.a.error", "p.a.inconclusive", "p.a.hold"]
    assert predicate["urn:pytest-rollout:unsettledTests"] == unsettled
    assert predicate["urn:pytest-rollout:notApplicableTests"] == ["p.a.not_applicable"]


def test_conditions_of_a_go_are_a_warning() -> None:
    owed = (given.owed(given.PASSING[0]),)
    assert by_type(go())[TESTS]["predicate"]["result"] == "PASSED"
    assert by_type(go(conditions=owed))[TESTS]["predicate"]["result"] == "WARNED"


@pytest.mark.parametrize(
    ("release", "digest"),
    [
        ("sha256:" + "a" * 64, {"sha256": "a" * 64}),
        ("shop@sha256:" + "b" * 64, {"sha256": "b" * 64}),
        (COMMIT, {"gitCommit": COMMIT}),
    ],
)
def test_a_release_that_is_a_digest_is_the_subject_itself(
    release: str, digest: dict[str, str]
) -> None:
    (subject,) = by_type(go(release=release))[SUMMARY]["subject"]
    assert subject == {"name": release, "digest": digest}


def test_a_release_by_name_says_that_its_name_was_digested() -> None:
    (subject,) = by_type(go(release="1.4.0"))[SUMMARY]["subject"]
    assert subject["annotations"] == {"urn:pytest-rollout:digest-of": "name"}
    assert subject["digest"] != by_type(go(release="1.4.1"))[SUMMARY]["subject"][0]["digest"]


def test_an_unknown_release_cannot_be_attested() -> None:
    with pytest.raises(RolloutError, match=r"no known release.*`release:`"):
        statements(go(release=None))
