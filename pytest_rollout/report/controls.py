"""The criteria of a decision by the controls that they are evidence for."""

from __future__ import annotations

from collections.abc import Sequence

from pytest_rollout.late_dataclass import dataclass
from pytest_rollout.model.decision import Decision
from pytest_rollout.model.finding import Finding
from pytest_rollout.model.verdict import Verdict, worst


@dataclass(frozen=True, slots=True)
class ControlGroup:
    """A control with the criteria that name it, worst first."""

    name: str
    findings: tuple[Finding, ...]

    @property
    def verdict(self) -> Verdict:
        """The worst verdict of its criteria; one that does not apply weighs nothing."""
        verdicts = [finding.verdict for finding in self.findings]
        applied = [verdict for verdict in verdicts if verdict is not Verdict.NOT_APPLICABLE]
        return worst(applied) if applied else Verdict.NOT_APPLICABLE


def by_control(decision: Decision) -> tuple[ControlGroup, ...]:
    """Return the controls that criteria of a decision name, by their names."""
    names = sorted({name for finding in decision.criteria for name in finding.controls})
    return tuple(ControlGroup(name, _named(name, decision.criteria)) for name in names)


def _named(name: str, findings: Sequence[Finding]) -> tuple[Finding, ...]:
    mine = (finding for finding in findings if name in finding.controls)
    return tuple(sorted(mine, key=lambda finding: finding.verdict.rank))
