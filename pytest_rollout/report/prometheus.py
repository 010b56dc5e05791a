"""A decision as a text file for Prometheus' node exporter (its textfile collector)."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import suppress
from datetime import datetime

from pytest_rollout.model.decision import Decision
from pytest_rollout.model.evidence import exact
from pytest_rollout.model.finding import Finding
from pytest_rollout.model.verdict import Answer, State, Verdict
from pytest_rollout.report.text import clean

_ESCAPES = str.maketrans({"\\": "\\\\", '"': '\\"'})
_HELP = {
    "rollout_decision": "1 for the answer of the gate, 0 for the other answers.",
    "rollout_decided_timestamp_seconds": "When the gate was decided.",
    "rollout_criteria": "Criteria of the gate by verdict.",
    "rollout_guardrails": "Guardrails of the gate by state.",
    "rollout_value": "The value that a criterion or guardrail took of its worst group.",
}


def to_prometheus(decision: Decision) -> str:
    """Return the decision in Prometheus' text format; all metrics are gauges."""
    lines: list[str] = []
    for name, rows in _metrics(decision).items():
        lines += [f"# HELP {name} {_HELP[name]}", f"# TYPE {name} gauge", *rows]
    return "\n".join(lines) + "\n"


def _metrics(decision: Decision) -> dict[str, list[str]]:
    gate = {
        "plan": decision.plan,
        "phase": decision.phase,
        "gate": decision.gate.value,
        "environment": decision.environment,
    }
    if decision.drill:
        gate["drill"] = decision.drill
    answers = [
        _sample("rollout_decision", gate | {"answer": answer.value}, int(answer is decision.answer))
        for answer in Answer
    ]
    verdicts = [
        _sample(
            "rollout_criteria",
            gate | {"verdict": verdict.value},
            sum(finding.verdict is verdict for finding in decision.criteria),
        )
        for verdict in Verdict
    ]
    states = [
        _sample(
            "rollout_guardrails",
            gate | {"state": state.value},
            sum(rail.state is state for rail in decision.guardrails),
        )
        for state in State
    ]
    return {
        "rollout_decision": answers,
        "rollout_decided_timestamp_seconds": list(_decided(decision, gate)),
        "rollout_criteria": verdicts,
        "rollout_guardrails": states,
        "rollout_value": list(_values(decision, gate)),
    }


def _decided(decision: Decision, gate: Mapping[str, str]) -> Iterator[str]:
    with suppress(ValueError):  # what another program stored may be no time
        at = datetime.fromisoformat(decision.decided_at).timestamp()
        yield _sample("rollout_decided_timestamp_seconds", gate, at)


def _values(decision: Decision, gate: Mapping[str, str]) -> Iterator[str]:
    for finding in (*decision.criteria, *decision.guardrails):
        value = _value(finding)
        if value is not None:
            named = {**gate, "criterion": finding.id.rpartition(".")[2]}
            yield _sample("rollout_value", named, value)


def _value(finding: Finding) -> float | None:
    for part in sorted(finding.parts, key=lambda part: part.verdict.rank):
        if part.estimate is not None:
            try:
                return float(exact(part.estimate.value))
            except (ValueError, OverflowError):
                return None
    return None


def _sample(name: str, labels: Mapping[str, str], value: float) -> str:
    inside = ",".join(f'{key}="{_escaped(text)}"' for key, text in labels.items())
    return f"{name}{{{inside}}} {value:.17g}"


def _escaped(text: str) -> str:
    return clean(text).translate(_ESCAPES)
