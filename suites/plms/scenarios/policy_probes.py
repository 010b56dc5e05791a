"""Day 5: the policy of calibration, tried with a small run of each combination."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import product
from typing import Any

from pytest_rollout import Reported, Stage, scenario
from suites.plms.scenarios.calibration import (
    learning_rate,
    setting,
    start_small,
    still_open,
)
from suites.plms.views.answers import read
from suites.plms.views.dialect import spoken
from suites.plms.views.portfolio import rows
from suites.plms.views.tables import run_row

BUDGET = {"budget_tokens": 9_100, "budget_duration_minutes": 45}  # more than a probe takes
_FIRST = 800  # the project of the first probe
CANCELLED = 798  # the project of a run that is cancelled
_SANDBOX = {"no flag": None, "flag false": False, "flag true": True}


@dataclass(frozen=True, slots=True)
class PolicyProbe:
    """A small run by what the policy asks of it."""

    kind: str
    valid: bool
    sandbox: bool | None

    @property
    def teaches(self) -> bool:
        """Whether the policy lets it teach."""
        return self.kind in ("baseline", "hotfix") and self.valid and not self.sandbox

    @property
    def criterion(self) -> str:
        """The first sentence of the policy that decides it."""
        if self.kind not in ("baseline", "hotfix"):
            return "policy-rejects-other-kinds"
        if not self.valid:
            return "policy-rejects-validation-fail"
        if self.sandbox is None:
            return "policy-sandbox-flag-defaults-false"
        return "policy-rejects-sandbox" if self.sandbox else f"policy-accepts-{self.kind}"

    @property
    def tried_anywhere(self) -> bool:
        """Whether it leaves nothing that the nightly check of a registry objects to."""
        return not (self.kind == "baseline" and self.sandbox)

    @property
    def body(self) -> dict[str, Any]:
        """What its start asks for."""
        body: dict[str, Any] = {"run_kind": self.kind, "lane_name": "Code-API", "tags": "demo"}
        body |= BUDGET
        body |= {} if self.valid else {"tests_pass": False}
        return body | ({} if self.sandbox is None else {"write_sandbox": self.sandbox})

    def __str__(self) -> str:
        flag = next(words for words, value in _SANDBOX.items() if value is self.sandbox)
        return f"the {self.kind} {'that passes' if self.valid else 'that fails'}, {flag}"


PROBES = tuple(
    PolicyProbe(kind, valid, sandbox)
    for kind, valid, sandbox in product(
        ("baseline", "hotfix", "rehearsal", "replay"), (True, False), _SANDBOX.values()
    )
)
UNKNOWN_KIND = "canary"


@dataclass(frozen=True, slots=True)
class CancelledRun:
    """What was left of a run that was cancelled while it executed."""

    run: Mapping[str, Any]
    began: str  # its status before the cancel
    priors: Sequence[Mapping[str, Any]]
    receipts: Sequence[Mapping[str, Any]]


@dataclass(frozen=True, slots=True)
class Probed:
    """What the running service learnt from each probe."""

    configured: str | None  # calibration_enabled
    alpha: float  # the rate of learning that the registry states
    told: Reported  # what the service says of itself
    runs: Mapping[PolicyProbe, Mapping[str, Any]]  # as the registry has each at the end
    still_open: set[str]
    spent: Mapping[PolicyProbe, float]  # tokens that each told to have spent, where it tells
    priors: Mapping[PolicyProbe, Sequence[Mapping[str, Any]]]  # that came from each
    unknown: int  # HTTP status of a start of a kind that nobody knows
    of_unknown: list[Mapping[str, Any]]  # priors of such a run
    cancelled: CancelledRun | None  # in a rehearsal only

    @property
    def enabled(self) -> bool:
        """Whether it calibrates, as the service says."""
        return self.told.flag("enabled")

    def of(self, criterion: str) -> list[PolicyProbe]:
        """The probes that a criterion is about."""
        return [probe for probe in self.runs if probe.criterion == criterion]


@scenario(effect="change", own_target=True)
def probed(phase: Stage) -> Probed:
    """The policy is enabled, and one small run of each combination is made."""
    plms, registry = phase.target("plms"), phase.file("registry")
    phase.operate("plms", "enable-calibration")
    tried = [probe for probe in PROBES if phase.embedded or probe.tried_anywhere]
    ids = {
        probe: start_small(phase, _FIRST + number, "probe", probe.body)
        for number, probe in enumerate(tried)
    }
    body = {"run_kind": UNKNOWN_KIND, "lane_name": "Code-API", "tags": "demo", "tasks": 1}
    key = {"Idempotency-Key": f"{phase.id}/probe/{UNKNOWN_KIND}"}
    given = spoken().body("start", body)
    unknown = plms.client.post("/api/projects/799/start", headers=key, json=given).status_code
    open_ = still_open(phase, set(ids.values()))
    prior = "SELECT * FROM estimate_versions WHERE run_id = ?"
    run = "SELECT * FROM project_runs WHERE run_id = ?"
    strange = (
        "SELECT v.id FROM estimate_versions AS v JOIN project_runs AS r USING (run_id)"
        " WHERE r.project_id = 799"
    )
    return Probed(
        configured=setting(registry, "calibration_enabled"),
        alpha=learning_rate(registry),
        told=read(plms.client.get(spoken().path("calibration")), "calibration"),
        runs={probe: next(iter(rows(registry, run, id_)), {}) for probe, id_ in ids.items()},
        still_open=open_,
        spent=dict(_spent(phase, tried)),
        priors={probe: rows(registry, prior, id_) for probe, id_ in ids.items()},
        unknown=unknown,
        of_unknown=[*rows(registry, strange)],
        cancelled=_cancelled(phase) if phase.embedded else None,
    )


def _spent(phase: Stage, tried: Sequence[PolicyProbe]) -> Iterator[tuple[PolicyProbe, float]]:
    """What the probes that may teach told to have spent once they had ended."""
    for number, probe in enumerate(tried):
        if probe.teaches:
            path = f"/api/projects/{_FIRST + number}/budget-runway"
            answer = phase.target("plms").client.get(path)
            told = read(answer, "budget-runway").get("tokens_spent") if answer.is_success else None
            if isinstance(told, int | float):
                yield probe, float(told)


def _cancelled(phase: Stage) -> CancelledRun:
    """Start a baseline that may teach, cancel it after a minute, and look after five more."""
    plms, registry = phase.target("plms"), phase.file("registry")
    body = {"run_kind": "baseline", "lane_name": "Code-API", "task_seconds": 1200, **BUDGET}
    run_id = start_small(phase, CANCELLED, "cancelled", body)
    plms.clock.advance(60)
    before = run_row(registry, run_id)
    plms.client.post(f"/api/projects/{CANCELLED}/cancel")
    plms.clock.advance(300)
    return CancelledRun(
        run=run_row(registry, run_id),
        began=before["status"],
        priors=rows(registry, "SELECT * FROM estimate_versions WHERE run_id = ?", run_id),
        receipts=rows(registry, "SELECT * FROM kpi_receipts WHERE run_id = ?", run_id),
    )
