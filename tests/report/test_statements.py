"""A decision as in-toto statements, read by in-toto's bindings and the seven steps of SLSA."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import replace
from itertools import product
from typing import Any

import pytest
from google.protobuf import json_format
from in_toto_attestation.predicates.test_result.v0 import test_result_pb2
from in_toto_attestation.predicates.vsa.v1 import vsa_pb2
from in_toto_attestation.v1 import resource_descriptor_pb2, statement_pb2
from in_toto_attestation.v1.resource_descriptor import ResourceDescriptor
from in_toto_attestation.v1.statement import Statement

from pytest_rollout.model.decision import Decision
from pytest_rollout.model.errors import RolloutError
from pytest_rollout.model.finding import Reason
from pytest_rollout.model.provenance import Bound, Input, input_of
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


_ENDS = Bound("2025-11-11T10:12:04-05:00", Reason("ends.age", {}))


@pytest.mark.parametrize("overridden", [False, True])
@pytest.mark.parametrize("answer", Answer)
def test_passed_is_said_of_a_go_that_counts_and_of_nothing_else(
    answer: Answer, overridden: bool
) -> None:
    for drill, partial, where, conditions, ends in product(
        (None, "slow"), ((), ("-k",)), ("prod", "embedded"), (False, True), ((), (_ENDS,))
    ):
        decision = given.decision(
            answer,
            release=COMMIT,
            drill=drill,
            partial=partial,
            environment=where,
            conditions=(given.owed(given.PASSING[0]),) if conditions else (),
            ends=ends,
        )
        counts = answer is Answer.GO and (drill, partial, where) == (None, (), "prod")
        text = json.dumps(statements(decision, overridden=overridden)[:3])
        assert ('"verificationResult": "PASSED"' in text) == counts
        assert ("ROLLOUT_GO" in text) == counts
        assert ('"result": "FAILED"' in text) == (not counts)
        assert text.count('"PASSED"') == (2 - conditions if counts else 0)


def test_a_summary_names_all_that_the_decision_was_made_from() -> None:
    read = (input_of("rollout-run:r1", "1" * 64), input_of("rollout-plan:plms", "2" * 64))
    predicate = by_type(go(inputs=read))[SUMMARY]["predicate"]
    for descriptor in predicate["inputAttestations"]:
        text = json.dumps(descriptor)
        parsed = json_format.Parse(text, resource_descriptor_pb2.ResourceDescriptor())
        ResourceDescriptor.copy_from_pb(parsed).validate()
    named = [
        Input(one.uri, dict(one.digest)) for one in summary_of(go(inputs=read)).input_attestations
    ]
    assert named == list(read)


def test_a_summary_says_by_what_it_was_verified_and_until_when_it_counts() -> None:
    versions = {"pytest": "9.1.0", "pytest-rollout": "0.1.0"}
    decision = go(versions=versions, ends=(_ENDS,), valid_until=_ENDS.until)
    summary = summary_of(decision)
    predicate = by_type(decision)[SUMMARY]["predicate"]
    assert predicate["verifier"]["version"] == {
        "urn:pytest-rollout:pytest": "9.1.0",
        "urn:pytest-rollout:pytest-rollout": "0.1.0",
        "urn:pytest-rollout:judge": decision.judge,
        "urn:pytest-rollout:schema": "2",
        "urn:pytest-rollout:zone-data": "2025b",
    }
    assert summary.policy.digest["sha256"] == decision.plan_digest
    assert summary.time_verified.ToJsonString() == "2025-11-10T15:12:04Z"
    assert predicate["urn:pytest-rollout:valid-until"] == "2025-11-11T15:12:04Z"
    assert predicate["urn:pytest-rollout:partial"] is False
    assert "urn:pytest-rollout:override" not in predicate
    overridden = statements(decision, overridden=True)[0]["predicate"]
    assert overridden["urn:pytest-rollout:override"] is True


def test_every_field_that_is_not_of_the_specification_is_named_by_a_uri() -> None:
    known = {"verifier", "timeVerified", "resourceUri", "policy", "inputAttestations"}
    known |= {"verificationResult", "verifiedLevels", "dependencyLevels", "slsaVersion"}
    predicate = by_type(go())[SUMMARY]["predicate"]
    assert all(key in known or key.startswith("urn:") for key in predicate)


def test_our_own_predicate_names_what_was_not_seen_and_the_controls() -> None:
    silent = given.check("test_silent", Verdict.MISSING, "skipped: no network")
    missing = replace(
        given.criterion("silent", Verdict.MISSING), parts=(silent,), controls=("SOC2-CC8.1",)
    )
    waived = replace(given.criterion("waived", Verdict.WAIVED), controls=("SOC2-CC8.1",))
    told = by_type(go(criteria=(missing, waived)))
    for predicate in (told[DECISION]["predicate"], told[TESTS]["predicate"]):
        assert predicate["urn:pytest-rollout:missingTests"] == ["plms.day3.silent"]
        assert predicate["urn:pytest-rollout:waivedTests"] == ["plms.day3.waived"]
        assert predicate["urn:pytest-rollout:skippedChecks"] == [silent.subject.ref]
        assert predicate["urn:pytest-rollout:controls"] == {
            "SOC2-CC8.1": {"plms.day3.silent": "missing", "plms.day3.waived": "waived"}
        }
    assert told[DECISION]["predicate"]["criteria"][0]["controls"] == ["SOC2-CC8.1"]


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
