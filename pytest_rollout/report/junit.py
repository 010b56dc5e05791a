"""A decision as JUnit XML: a case for each criterion and guardrail, and one for the gate.

The gate's case fails wherever the answer is not GO, so that a CI server shows what was decided. The
file keeps to the schema that Jenkins' xUnit plugin and GitLab read.
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime
from xml.etree.ElementTree import Element, SubElement, indent, tostring

from pytest_rollout.late_dataclass import dataclass
from pytest_rollout.model.decision import Decision
from pytest_rollout.model.finding import Finding
from pytest_rollout.model.plan import Severity
from pytest_rollout.model.story import NO_STORY
from pytest_rollout.model.verdict import Answer, State, Verdict
from pytest_rollout.report import sentences, text
from pytest_rollout.report.blockers import blockers

_FAILURES = (Verdict.FAIL, Verdict.HOLD)
_ERRORS = (Verdict.ERROR, Verdict.MISSING, Verdict.INCONCLUSIVE)


@dataclass(frozen=True, slots=True)
class Case:
    """One test case: what became of it, and what is said of it."""

    name: str
    outcome: str = ""  # failure, error or skipped; empty: it passed
    kind: str = ""  # of a failure or error
    message: str = ""
    said: tuple[str, ...] = ()  # lines below it


def to_junit(decision: Decision) -> str:
    """Return the decision as JUnit XML."""
    cases = [_gate(decision), *_findings(decision)]
    counts = {name: sum(case.outcome == name for case in cases) for name in _OUTCOMES}
    root = Element("testsuites")
    suite = SubElement(
        root,
        "testsuite",
        name=text.clean(f"rollout {decision.address}"),
        tests=str(len(cases)),
        failures=str(counts["failure"]),
        errors=str(counts["error"]),
        skipped=str(counts["skipped"]),
        time="0",
        hostname="rollout",
    )
    suite.attrib |= _stamp(decision.decided_at)
    properties = SubElement(suite, "properties")
    for name, value in _properties(decision):
        SubElement(properties, "property", name=name, value=text.cut(value))
    for case in cases:
        _add(suite, case, text.clean(str(decision.address)))
    indent(root)
    return f'<?xml version="1.0" encoding="utf-8"?>\n{tostring(root, encoding="unicode")}\n'


_OUTCOMES = ("failure", "error", "skipped")


def _stamp(instant: str) -> dict[str, str]:
    """A time in UTC without zone and fraction, as the schema has it; none where it is no time."""
    try:
        at = datetime.fromisoformat(instant).astimezone(UTC)
        return {"timestamp": at.strftime("%Y-%m-%dT%H:%M:%S")}
    except ValueError:
        return {}


def _properties(decision: Decision) -> Iterator[tuple[str, str]]:
    yield "rollout.decision", decision.answer.value
    yield "rollout.environment", decision.environment
    yield "rollout.release", decision.release or "unknown"
    yield "rollout.run", decision.run
    yield "rollout.substance", decision.substance_digest
    if decision.drill:
        yield "rollout.drill", decision.drill
    if decision.partial:
        yield "rollout.partial", "; ".join(decision.partial)


def _gate(decision: Decision) -> Case:
    if decision.answer is Answer.GO:
        return Case("gate", said=(text.title(decision),))
    causes = blockers(decision, NO_STORY)
    said = tuple(
        ": ".join(filter(None, (blocker.id, blocker.says, blocker.because))) for blocker in causes
    )
    outcome = "error" if decision.answer is Answer.HOLD else "failure"
    return Case("gate", outcome, decision.answer.value, text.title(decision), said)


def _findings(decision: Decision) -> Iterator[Case]:
    for finding in decision.criteria:
        yield _criterion(finding, decision.timezone)
    for finding in decision.guardrails:
        yield _guardrail(finding, decision.timezone)


def _criterion(finding: Finding, zone: str) -> Case:
    name, said = finding.id.rpartition(".")[2], sentences.text(finding.reason, zone)
    if finding.verdict is Verdict.NOT_APPLICABLE:
        return Case(name, "skipped", message=said)
    whole = f"{finding.says}: {said}" if finding.says else said
    if finding.severity == Severity.HARD:
        if finding.verdict in _FAILURES:
            return Case(name, "failure", finding.verdict.value, said, (whole,))
        if finding.verdict in _ERRORS:
            return Case(name, "error", finding.verdict.value, said, (whole,))
    # What is soft or optional does not hold the gate up, so it is no failure of the build.
    return Case(name, said=(f"{finding.severity} {text.word(finding.verdict)}: {whole}",))


def _guardrail(finding: Finding, zone: str) -> Case:
    name, said = finding.id.rpartition(".")[2], sentences.text(finding.reason, zone)
    whole = f"{finding.says}: {said}" if finding.says else said
    if finding.state is State.TRIPPED:
        return Case(name, "failure", "tripped", said, (whole,))
    if finding.state is State.BLIND:
        return Case(name, "error", "blind", said, (whole,))
    return Case(name, said=(f"{finding.state.value}: {whole}",))


def _add(suite: Element, case: Case, gate: str) -> None:
    element = SubElement(suite, "testcase", name=text.clean(case.name), classname=gate, time="0")
    if case.outcome == "skipped":
        SubElement(element, "skipped", message=text.cut(case.message))
    elif case.outcome:
        given = {"type": case.kind, "message": text.cut(case.message)}
        SubElement(element, case.outcome, given).text = _lines(case.said)
    elif case.said:
        SubElement(element, "system-out").text = _lines(case.said)


def _lines(said: tuple[str, ...]) -> str:
    """Lines without characters that XML cannot hold."""
    return "\n".join(map(text.cut, said))
