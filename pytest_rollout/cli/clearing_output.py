"""The answers of clearances as people and programs read them."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Any

from pytest_rollout.cli.project import print_json
from pytest_rollout.cli.saying import say
from pytest_rollout.model.finding import Finding
from pytest_rollout.model.plan import EMBEDDED, Gate, Plan
from pytest_rollout.model.verdict import Answer, Verdict
from pytest_rollout.report import sentences
from pytest_rollout.report.clearance_advice import Asked, advice_on
from pytest_rollout.report.stored import plain
from pytest_rollout.signoff.clearance import Clearance
from pytest_rollout.signoff.moments import title

_UNSIGNED = "signature.missing"


def lines(answers: Iterable[Clearance], plan: Plan, environment: str) -> Iterator[str]:
    """Yield each demand with its answer, worst first, who can help, and each gate's answer."""
    for answer in answers:
        for finding in answer.findings:
            mark = "no " if finding.verdict.holds_back else "yes"
            mark = "waived" if finding.verdict is Verdict.WAIVED else mark
            yield f"  {mark}  {title(finding)}: {sentences.text(finding.reason, plan.timezone)}"
            helps = _advice(answer, plan, environment, finding)
            if helps:
                yield f"         -> {helps}"
        clear = "clear" if answer.answer is Answer.GO else f"NOT clear ({answer.answer.value})"
        under = " under OVERRIDE" if answer.answer is Answer.GO and overridden(answer) else ""
        yield f"{answer.address} in {environment}: {clear}{under}"
        yield from _next(answer, environment)


def _next(answer: Clearance, environment: str) -> Iterator[str]:
    """The command that a clear gate leads to; none of a rehearsal, or once the phase has ended."""
    codes = {finding.reason.code for finding in answer.findings}
    if answer.answer is not Answer.GO or environment == EMBEDDED or "clear.phase-ended" in codes:
        return
    verb = "begin" if answer.address.gate is Gate.ENTRY else "end"
    yield f"  next: rollout {verb} {answer.address.name} --env {environment} --by NAME"


def overridden(answer: Clearance) -> bool:
    """Whether people accepted something that stands against a change."""
    return any(finding.reason.code == "clear.overridden" for finding in answer.findings)


def as_plain(answer: Clearance, plan: Plan, environment: str) -> dict[str, Any]:
    """Return the clearance of a gate as JSON values."""
    address = answer.address
    helps = {
        finding.id: advice
        for finding in answer.findings
        if (advice := _advice(answer, plan, environment, finding))
    }
    return {
        "plan": address.plan,
        "phase": address.phase,
        "gate": address.gate.value if address.gate else None,
        "environment": environment,
        "answer": answer.answer.value,
        "overridden": overridden(answer),
        "findings": plain(answer.findings, plan.timezone),
        "next": helps,
    }


def refused(answer: Clearance, plan: Plan, environment: str, *, as_json: bool) -> int:
    """Say why a phase may not be begun or ended; the exit status."""
    if as_json:
        print_json({"clear": False, "gates": [as_plain(answer, plan, environment)]})
    else:
        for line in lines([answer], plan, environment):
            say(line)
    return answer.answer.exit_status


def _refused(answer: Clearance) -> bool:
    """Whether the gate itself is not GO, whatever else stands against a change."""
    own = (finding for finding in answer.findings if title(finding) == "decision")
    return any(finding.verdict.holds_back for finding in own)


def _advice(answer: Clearance, plan: Plan, environment: str, finding: Finding) -> str:
    if not finding.verdict.holds_back:
        return ""
    if finding.reason.code == _UNSIGNED and _refused(answer):
        return "to be signed once the gate is GO"
    return advice_on(Asked(plan, answer.address, environment), finding)
