"""A decision with everything that explains it, and its one stored form."""

from __future__ import annotations

import dataclasses
import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from pytest_rollout.model.evidence import Head
from pytest_rollout.model.plan import Address, Gate
from pytest_rollout.model.reset import Reset
from pytest_rollout.model.verdict import Answer, Verdict
from pytest_rollout.model.waiver import Use, Waived

SCHEMA = 1
JUDGE = "1"


@dataclass(frozen=True, slots=True)
class Estimate:
    """One value taken from a slice of ``n`` opportunities."""

    value: str  # decimal text
    n: int
    at: str | None = None  # wall-clock time of the slot that decided, in the plan's zone
    low: str | None = None  # bounds at the stated confidence; None where there is none
    high: str | None = None
    method: str | None = None  # how the bounds were found
    catches: str | None = None  # what a pass would have caught, 19 times in 20
    more: str | None = None  # what would decide, where nothing is decided
    unit: str | None = None  # of value and bounds: s, where they are durations


@dataclass(frozen=True, slots=True)
class Part:
    """The finding of one group of a rule, or of one check."""

    name: str  # the group's labels in words, or the check's node id; empty: the whole
    verdict: Verdict
    because: str
    estimate: Estimate | None = None
    attempts: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Finding:
    """What was found of one criterion, guardrail or demand on the run."""

    id: str
    verdict: Verdict
    because: str
    says: str = ""
    severity: str = ""
    kind: str = ""
    allowed: str = ""  # the cuts, in the plan's words
    samples: int = 0
    parts: tuple[Part, ...] = ()


@dataclass(frozen=True, slots=True)
class Condition:
    """What a GO still asks for: of whom, and by which gate."""

    id: str
    verdict: Verdict
    because: str
    owner: str
    due: str


@dataclass(frozen=True, slots=True)
class Decision:
    """The answer of one gate."""

    address: Address
    answer: Answer
    reasons: tuple[str, ...]
    conditions: tuple[Condition, ...]
    criteria: tuple[Finding, ...]
    demands: tuple[Finding, ...]  # on the run itself: sealed, complete, of one release
    guardrails: tuple[Finding, ...]
    plan_title: str
    phase_title: str
    plan_digest: str
    environment: str
    run: str
    decided_at: str
    judged_at: str
    release: str | None
    configuration: str | None
    window: str
    looks: int
    head: Head
    partial: tuple[str, ...] = ()
    drill: str | None = None
    stand_ins: tuple[str, ...] = ()
    waivers: tuple[Waived, ...] = ()
    resets: tuple[Reset, ...] = ()
    window_instants: tuple[str, ...] = ()  # start and excluded end, as resolved then
    zone_data: str = ""
    criteria_digest: str = ""
    substance_digest: str = ""
    schema: int = SCHEMA
    judge: str = JUDGE
    notes: Mapping[str, str] = field(default_factory=dict)

    @property
    def gate(self) -> Gate:
        """Which of the phase's gates was decided."""
        assert self.address.gate is not None
        return self.address.gate


def substance(decision: Decision) -> str:
    """The digest of what a signature covers: release, criteria, verdicts, conditions, waivers."""
    data = {
        "address": str(decision.address),
        "environment": decision.environment,
        "release": decision.release,
        "answer": decision.answer.value,
        "criteria_digest": decision.criteria_digest,
        "criteria": [[finding.id, finding.verdict.value] for finding in decision.criteria],
        "guardrails": [[finding.id, finding.verdict.value] for finding in decision.guardrails],
        "conditions": [[c.id, c.owner, c.due] for c in decision.conditions],
        "waivers": [_plain(waived) for waived in decision.waivers],
        "resets": [_plain(reset) for reset in decision.resets],
    }
    return hashlib.sha256(canonical(data).encode()).hexdigest()


def canonical(data: object) -> str:
    """JSON with one spelling: sorted keys, no spaces; lone surrogates are escaped."""
    return json.dumps(data, sort_keys=True, separators=(",", ":"), ensure_ascii=True)


def to_json(decision: Decision) -> str:
    """The one stored form; reports and the ledger hold exactly these bytes."""
    return json.dumps(_document(decision), indent=2, ensure_ascii=True) + "\n"


def from_json(text: str) -> Decision:
    """The decision of a stored form; raises ValueError where it is not one."""
    data = json.loads(text)
    if data.get("schema") != SCHEMA:
        raise ValueError(f"decision schema {data.get('schema')!r}, this version reads {SCHEMA}")
    try:
        return _decision(data)
    except (KeyError, TypeError) as error:
        raise ValueError(f"not a decision: {error}") from error


def decided(body: str) -> Decision:
    """The decision in the body of its record; raises ValueError, KeyError or TypeError."""
    return from_json(json.loads(body)["document"])


def _document(decision: Decision) -> dict[str, Any]:
    address = decision.address
    return {
        "schema": decision.schema,
        "judge": decision.judge,
        "plan": address.plan,
        "plan_title": decision.plan_title,
        "plan_digest": decision.plan_digest,
        "phase": address.phase,
        "phase_title": decision.phase_title,
        "gate": decision.gate.value,
        "environment": decision.environment,
        "release": decision.release,
        "configuration": decision.configuration,
        "run": decision.run,
        "drill": decision.drill,
        "decided_at": decision.decided_at,
        "judged_at": decision.judged_at,
        "window": decision.window,
        "window_instants": list(decision.window_instants),
        "zone_data": decision.zone_data,
        "decision": decision.answer.value,
        "reasons": list(decision.reasons),
        "conditions": [_plain(condition) for condition in decision.conditions],
        "partial": list(decision.partial),
        "demands": [_finding(finding) for finding in decision.demands],
        "criteria": [_finding(finding) for finding in decision.criteria],
        "guardrails": [_finding(finding) for finding in decision.guardrails],
        "looks": decision.looks,
        "waivers": [_plain(waived) for waived in decision.waivers],
        "resets": [_plain(reset) for reset in decision.resets],
        "stand_ins": list(decision.stand_ins),
        "notes": dict(decision.notes),
        "criteria_digest": decision.criteria_digest,
        "substance_digest": decision.substance_digest,
        "ledger": _plain(decision.head),
    }


def _plain(record: Any) -> dict[str, Any]:
    data = dataclasses.asdict(record)
    if "verdict" in data:
        data["verdict"] = data["verdict"].value
    return data


def _finding(finding: Finding) -> dict[str, Any]:
    evidence = [
        {
            "name": part.name,
            "verdict": part.verdict.value,
            "because": part.because,
            "seen": _plain(part.estimate) if part.estimate else None,
            "attempts": list(part.attempts),
        }
        for part in finding.parts
    ]
    return {
        "id": finding.id,
        "severity": finding.severity,
        "kind": finding.kind,
        "says": finding.says,
        "verdict": finding.verdict.value,
        "reason": finding.because,
        "allowed": finding.allowed,
        "samples": finding.samples,
        "evidence": evidence,
    }


def _decision(data: Mapping[str, Any]) -> Decision:
    return Decision(
        address=Address(data["plan"], data["phase"], Gate(data["gate"])),
        answer=Answer(data["decision"]),
        reasons=tuple(data["reasons"]),
        conditions=tuple(
            Condition(c["id"], Verdict(c["verdict"]), c["because"], c["owner"], c["due"])
            for c in data["conditions"]
        ),
        criteria=tuple(_read_finding(item) for item in data["criteria"]),
        demands=tuple(_read_finding(item) for item in data["demands"]),
        guardrails=tuple(_read_finding(item) for item in data["guardrails"]),
        plan_title=data["plan_title"],
        phase_title=data["phase_title"],
        plan_digest=data["plan_digest"],
        environment=data["environment"],
        run=data["run"],
        decided_at=data["decided_at"],
        judged_at=data["judged_at"],
        release=data["release"],
        configuration=data["configuration"],
        window=data["window"],
        looks=data["looks"],
        head=Head(data["ledger"]["sequence"], data["ledger"]["hash"]),
        partial=tuple(data["partial"]),
        drill=data["drill"],
        stand_ins=tuple(data["stand_ins"]),
        waivers=tuple(Waived(**{**one, "use": Use(one["use"])}) for one in data["waivers"]),
        resets=tuple(Reset(**one) for one in data["resets"]),
        window_instants=tuple(data["window_instants"]),
        zone_data=data["zone_data"],
        criteria_digest=data["criteria_digest"],
        substance_digest=data["substance_digest"],
        judge=data["judge"],
        notes=data["notes"],
    )


def _read_finding(data: Mapping[str, Any]) -> Finding:
    return Finding(
        id=data["id"],
        verdict=Verdict(data["verdict"]),
        because=data["reason"],
        says=data["says"],
        severity=data["severity"],
        kind=data["kind"],
        allowed=data["allowed"],
        samples=data["samples"],
        parts=tuple(
            Part(
                name=part["name"],
                verdict=Verdict(part["verdict"]),
                because=part["because"],
                estimate=Estimate(**part["seen"]) if part["seen"] else None,
                attempts=tuple(part["attempts"]),
            )
            for part in data["evidence"]
        ),
    )
