"""A decision as in-toto statements, for tools that know nothing of rollouts. Pure.

Four predicates tell the same decision to different readers: a SLSA verification summary (the
portable yes or no), a simple verification result (what holds), a test result (the run), and the
whole decision under a type of our own. Only a GO that may count is ever PASSED: HOLD, NO-GO and
ROLLBACK are FAILED, and so is every rehearsal, drill and partial run.

Sources: https://slsa.dev/spec/v1.1/verification_summary, https://github.com/in-toto/attestation
(spec/v1, predicates svr v0.2 and test-result v0.1).
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Any

from pytest_rollout.model.coding import encode
from pytest_rollout.model.decision import Decision
from pytest_rollout.model.errors import RolloutError
from pytest_rollout.model.finding import SubjectKind
from pytest_rollout.model.plan import EMBEDDED
from pytest_rollout.model.verdict import Answer, Verdict
from pytest_rollout.report.controls import by_control
from pytest_rollout.report.stored import plain

STATEMENT = "https://in-toto.io/Statement/v1"
SUMMARY = "https://slsa.dev/verification_summary/v1"
RESULT = "https://in-toto.io/attestation/svr/v0.2"
TESTS = "https://in-toto.io/attestation/test-result/v0.1"
DECISION = "urn:pytest-rollout:decision:2"
VERIFIER = "urn:pytest-rollout"

_DIGESTS = (  # of a release that names itself by one
    ("sha256", re.compile(r"(?:.*@)?sha256:([0-9a-f]{64})")),
    ("sha512", re.compile(r"(?:.*@)?sha512:([0-9a-f]{128})")),
    ("gitCommit", re.compile(r"([0-9a-f]{40})")),
)
_WARNED = (Verdict.WARN, Verdict.WAIVED)
_NOT_SAID = (Verdict.MISSING, Verdict.INCONCLUSIVE, Verdict.ERROR, Verdict.HOLD)


def statements(decision: Decision, *, overridden: bool = False) -> list[dict[str, Any]]:
    """Return the statements of a decision, one a predicate.

    ``overridden`` says in them that people let the change pass against the decision, which stays
    what it is. Raises RolloutError where the release is unknown: a statement is of something.
    """
    subject = [_subject(decision)]
    predicates = (
        (SUMMARY, {**_summary(decision), **_flags(decision, overridden=overridden)}),
        (RESULT, _result(decision)),
        (TESTS, _tests(decision)),
        (DECISION, {**plain(decision, decision.timezone), **_unsaid(decision)}),
    )
    return [
        {"_type": STATEMENT, "subject": subject, "predicateType": type_, "predicate": predicate}
        for type_, predicate in predicates
    ]


def passed(decision: Decision) -> bool:
    """Whether others may take a decision for a yes."""
    counts = not (decision.drill or decision.partial or decision.environment == EMBEDDED)
    return counts and decision.answer is Answer.GO


def resource_uri(decision: Decision) -> str:
    """Return what a verifier of the summary expects as its resource: gate and environment."""
    return f"urn:pytest-rollout:gate:{decision.address}:{decision.environment}"


def _subject(decision: Decision) -> dict[str, Any]:
    """The release by its digest; one that names none is digested by its name."""
    release = decision.release
    if release is None:
        raise RolloutError(
            f"the decision of {decision.address} is of no known release, and a statement is of "
            "one; say in the plan where the target names it (`release:`)"
        )
    for algorithm, pattern in _DIGESTS:
        matched = pattern.fullmatch(release)
        if matched:
            return {"name": release, "digest": {algorithm: matched[1]}}
    named = hashlib.sha256(release.encode()).hexdigest()
    return {
        "name": release,
        "digest": {"sha256": named},
        "annotations": {f"{VERIFIER}:digest-of": "name"},
    }


def _summary(decision: Decision) -> dict[str, Any]:
    yes = passed(decision)
    return {
        "verifier": _verifier(decision),
        "timeVerified": _utc(decision.decided_at),
        "resourceUri": resource_uri(decision),
        "policy": _policy(decision),
        "inputAttestations": [encode(entry) for entry in decision.inputs],
        "verificationResult": "PASSED" if yes else "FAILED",
        "verifiedLevels": ["ROLLOUT_GO"] if yes else ["FAILED"],
        f"{VERIFIER}:decision": decision.answer.value,
        f"{VERIFIER}:counts": encode(decision.counts),
    }


def _flags(decision: Decision, *, overridden: bool) -> dict[str, Any]:
    """What an admission policy may want to know beside the yes or no."""
    valid_until = decision.valid_until
    return {
        f"{VERIFIER}:valid-until": _utc(valid_until) if valid_until else None,
        f"{VERIFIER}:partial": bool(decision.partial),
        f"{VERIFIER}:drill": decision.drill is not None,
        f"{VERIFIER}:rehearsal": decision.environment == EMBEDDED,
        f"{VERIFIER}:conditions": len(decision.conditions),
        **({f"{VERIFIER}:override": True} if overridden else {}),
    }


def _result(decision: Decision) -> dict[str, Any]:
    address = decision.address
    own = re.sub(r"[^A-Z0-9]+", "_", str(address).upper())
    return {
        "verifier": {**_verifier(decision), "policies": [_policy(decision)]},
        "timeCreated": _utc(decision.decided_at),
        "properties": ["ROLLOUT_GO", f"ROLLOUT_{own}"] if passed(decision) else [],
    }


def _tests(decision: Decision) -> dict[str, Any]:
    result = "FAILED"
    if passed(decision):
        result = "WARNED" if decision.conditions else "PASSED"
    return {
        "result": result,
        "configuration": [_policy(decision)],
        "passedTests": _ids(decision, (Verdict.PASS,)),
        "warnedTests": _ids(decision, _WARNED),
        "failedTests": _ids(decision, (Verdict.FAIL,)),
        **_unsaid(decision),
    }


def _unsaid(decision: Decision) -> dict[str, Any]:
    """Criteria that neither passed nor failed: no list of the others' predicates takes them."""
    return {
        f"{VERIFIER}:unsettledTests": _ids(decision, _NOT_SAID),
        f"{VERIFIER}:missingTests": _ids(decision, (Verdict.MISSING,)),
        f"{VERIFIER}:skippedChecks": _not_run(decision),
        f"{VERIFIER}:controls": {
            group.name: {finding.id: finding.verdict.value for finding in group.findings}
            for group in by_control(decision)
        },
        f"{VERIFIER}:waivedTests": _ids(decision, (Verdict.WAIVED,)),
        f"{VERIFIER}:notApplicableTests": _ids(decision, (Verdict.NOT_APPLICABLE,)),
    }


def _ids(decision: Decision, verdicts: Sequence[Verdict]) -> list[str]:
    return [finding.id for finding in decision.criteria if finding.verdict in verdicts]


def _not_run(decision: Decision) -> list[str]:
    """The checks that did not run, or were skipped: nothing was seen of them."""
    parts = (part for finding in decision.criteria for part in finding.parts)
    return [
        part.subject.ref
        for part in parts
        if part.subject.kind is SubjectKind.CHECK and part.verdict is Verdict.MISSING
    ]


def _verifier(decision: Decision) -> dict[str, Any]:
    """Who decided, and with what: read from the decision, so that the same one says the same."""
    versions = {f"{VERIFIER}:{name}": of for name, of in decision.versions.items()}
    own = {
        f"{VERIFIER}:judge": decision.judge,
        f"{VERIFIER}:schema": str(decision.schema),
        f"{VERIFIER}:zone-data": decision.zone_data,
    }
    return {"id": VERIFIER, "version": {**versions, **own}}


def _policy(decision: Decision) -> dict[str, Any]:
    return {
        "uri": f"urn:pytest-rollout:plan:{decision.plan}",
        "digest": {"sha256": decision.plan_digest},
    }


def _utc(at: str) -> str:
    return datetime.fromisoformat(at).astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
