"""A decision with everything that explains it."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from dataclasses import field
from typing import Any

from pytest_rollout.late_dataclass import dataclass
from pytest_rollout.model.coding import decode, encode
from pytest_rollout.model.evidence import Head
from pytest_rollout.model.finding import Finding, Reason
from pytest_rollout.model.life import Amendment
from pytest_rollout.model.plan import Address, Gate
from pytest_rollout.model.provenance import Bound, Counts, Input, Producer
from pytest_rollout.model.reset import Reset
from pytest_rollout.model.verdict import Answer, Verdict
from pytest_rollout.model.waiver import Waived

SCHEMA = 2
JUDGE = "2"
_SAID_IN_SENTENCES = 1  # the schema before findings were data


@dataclass(frozen=True, slots=True)
class Cause:
    """One thing that the answer rests on: what stands in the way, or that nothing does."""

    id: str  # of a finding; empty: of the gate as a whole
    answer: Answer  # what the gate would be because of it alone
    reason: Reason
    state: str = ""  # of a guardrail: tripped or blind


@dataclass(frozen=True, slots=True)
class Condition:
    """What a GO still asks for: of whom, and by which gate."""

    id: str
    verdict: Verdict
    reason: Reason
    owner: str
    due: str


@dataclass(frozen=True, slots=True)
class Decision:
    """The answer of one gate. The names of the fields are the keys of decision.json."""

    plan: str
    plan_title: str
    plan_digest: str
    phase: str
    phase_title: str
    gate: Gate
    environment: str
    release: str | None
    configuration: str | None
    run: str
    drill: str | None
    decided_at: str
    judged_at: str
    timezone: str
    window: str
    window_instants: tuple[str, ...]  # start and excluded end, as resolved then
    zone_data: str
    decision: Answer
    reasons: tuple[Cause, ...]  # worst first
    conditions: tuple[Condition, ...]
    partial: tuple[str, ...]
    demands: tuple[Finding, ...]  # on the run itself: sealed, complete, of one release
    criteria: tuple[Finding, ...]
    guardrails: tuple[Finding, ...]
    looks: int
    waivers: tuple[Waived, ...]
    resets: tuple[Reset, ...]
    stand_ins: tuple[str, ...]
    criteria_digest: str
    ledger: Head
    substance_digest: str = ""
    schema: int = SCHEMA
    judge: str = JUDGE
    counts: Counts = field(default_factory=Counts)
    valid_until: str | None = None  # the last instant at which a GO counts; None: nothing ends it
    ends: tuple[Bound, ...] = ()  # what ends it, the first in front
    producer: Producer | None = None  # None: of a version that did not say
    inputs: tuple[Input, ...] = ()  # all that it was made from, by URI
    versions: Mapping[str, str] = field(default_factory=dict)  # of what ran the run
    amendments: tuple[Amendment, ...] = ()  # since the phase began
    rehearsal_only: tuple[str, ...] = ()  # checks that a real environment leaves out

    @property
    def address(self) -> Address:
        """The gate that was decided."""
        return Address(self.plan, self.phase, self.gate)

    @property
    def answer(self) -> Answer:
        """The decision itself."""
        return self.decision


@dataclass(frozen=True, slots=True)
class OtherRun:
    """What another run of a gate knows, beside the last full one."""

    run: str
    later: bool  # a partial run that began later; else one that overlapped
    decision: Decision | None  # None: it has not decided yet, or never will
    failed: tuple[tuple[str, str], ...] = ()  # criteria and reasons, where it has not decided
    why: str = ""  # it has not decided


def substance(decision: Decision) -> str:
    """Return the digest of what a signature covers: release, criteria, verdicts, conditions.

    What came later is part of it where there is some, so that older digests stay as they are.
    """
    data = {
        "address": str(decision.address),
        "environment": decision.environment,
        "release": decision.release,
        "answer": decision.answer.value,
        "criteria_digest": decision.criteria_digest,
        "criteria": [[finding.id, finding.verdict.value] for finding in decision.criteria],
        "guardrails": [[finding.id, finding.verdict.value] for finding in decision.guardrails],
        "conditions": [[c.id, c.owner, c.due] for c in decision.conditions],
        "waivers": encode(decision.waivers),
        "resets": encode(decision.resets),
        **({"amendments": encode(decision.amendments)} if decision.amendments else {}),
    }
    return hashlib.sha256(canonical(data).encode()).hexdigest()


def canonical(data: object) -> str:
    """Return JSON with one spelling: sorted keys, no spaces; lone surrogates are escaped."""
    return _canonical.encode(data)


_canonical = json.JSONEncoder(sort_keys=True, separators=(",", ":"), ensure_ascii=True)


def stored_values(text: str, *keys: str) -> dict[str, Any]:
    """Return some values of a stored form, by their keys; raises ValueError where one is not there.

    Most of a large one is evidence: where the text is laid out as it is stored, each key at the
    begin of a line of its own, only these values are read.
    """
    marks = {key: f'\n  "{key}": ' for key in keys}
    if any(text.count(mark) != 1 for mark in marks.values()):
        whole = json.loads(text)
        if not isinstance(whole, dict) or not whole.keys() >= marks.keys():
            raise ValueError(f"{' or '.join(keys)} is not there")
        return {key: whole[key] for key in keys}
    return {
        key: _reader.raw_decode(text, text.index(mark) + len(mark))[0]
        for key, mark in marks.items()
    }


_reader = json.JSONDecoder()


def from_json(text: str) -> Decision:
    """Return the decision of a stored form; raises ValueError where it is not one."""
    data = json.loads(text)
    schema = data.get("schema") if isinstance(data, dict) else None
    if schema == SCHEMA:
        return _as_decision(decode(Decision, data))
    if schema != _SAID_IN_SENTENCES:
        raise ValueError(f"decision schema {schema!r}, this version reads 1 and {SCHEMA}")
    try:
        shape = _from_sentences(data)
    except (KeyError, TypeError, AttributeError) as error:  # it takes the data apart untyped
        raise ValueError(f"not a decision: {error}") from error
    return _as_decision(decode(Decision, shape))


def _as_decision(value: object) -> Decision:
    assert isinstance(value, Decision)
    return value


def _from_sentences(data: Mapping[str, Any]) -> dict[str, Any]:
    """A stored form of schema 1, whose reasons were sentences, in today's shape."""

    def of(finding: Mapping[str, Any]) -> dict[str, Any]:
        return {**finding, "reason": _sentence(finding["reason"]), "parts": _parts(finding)}

    answer = data["decision"]
    causes = [
        {"id": "", "answer": answer, "reason": _sentence(sentence)} for sentence in data["reasons"]
    ]
    return {
        **data,
        "schema": SCHEMA,  # of the shape; `judge` still says who judged
        "timezone": "UTC",
        "reasons": causes,
        "conditions": [
            {**condition, "reason": _sentence(condition["because"])}
            for condition in data["conditions"]
        ],
        **{
            key: [of(finding) for finding in data[key]]
            for key in ("demands", "criteria", "guardrails")
        },
    }


def _sentence(text: str) -> dict[str, Any]:
    return {"code": "said", "facts": {"text": text}}


def _parts(finding: Mapping[str, Any]) -> list[dict[str, Any]]:
    return [
        {
            "subject": {"kind": "member", "ref": evidence["name"]},
            "verdict": evidence["verdict"],
            "reason": _sentence(evidence["because"]),
            "estimate": _estimate(evidence["seen"]),
            "attempts": [_attempted(attempt) for attempt in evidence["attempts"]],
        }
        for evidence in finding["evidence"]
    ]


def _attempted(text: str) -> dict[str, Any]:
    """An attempt that was one text: its verdict, and why unless it passed."""
    verdict, _, why = text.partition(": ")
    reason = _sentence(why) if why else {"code": "passed", "facts": {}}
    return {"verdict": verdict, "reason": reason}


def _estimate(estimate: Mapping[str, Any] | None) -> dict[str, Any] | None:
    if estimate is None:
        return None
    shape = {key: estimate[key] for key in ("value", "n", "low", "high", "method")}
    return {**shape, "unit": estimate["unit"] or ""}
