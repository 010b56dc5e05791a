"""What somebody may do about what stands against a change: who, and with which command."""

from __future__ import annotations

from collections.abc import Callable, Mapping

from pytest_rollout.late_dataclass import dataclass
from pytest_rollout.model.finding import Fact, Finding, Reason
from pytest_rollout.model.plan import Address, Gate, Plan
from pytest_rollout.report import sentences


@dataclass(frozen=True, slots=True)
class Asked:
    """The gate that is not clear, and where."""

    plan: Plan
    address: Address
    environment: str

    def run(self, phase: str, gate: Gate | str | None) -> str:
        """The command that decides a gate of this plan."""
        stated = self.plan.phase(phase)
        chosen = stated.chosen if stated else f"-m {phase}"
        asked = f" --rollout-gate {gate}" if gate else ""
        return f"`pytest {chosen} --rollout-env {self.environment}{asked}`"

    @property
    def again(self) -> str:
        """The command that decides this gate."""
        return self.run(self.address.phase, self.address.gate)


Facts = Mapping[str, Fact]


def advice_on(asked: Asked, finding: Finding) -> str:
    """Return what to do about a finding that holds a change back; empty where nothing is known."""
    reason = finding.reason
    inner = reason.facts.get("reason")
    if reason.code == "clear.not-as-long" and isinstance(inner, Reason):
        reason = inner
    says = _ADVICE.get(reason.code)
    return says(asked, reason.facts) if says else ""


def _decide_first(asked: Asked, _: Facts) -> str:
    rehearsed = "a rehearsal clears no change (--env embedded asks about one)"
    return f"{asked.again} decides it; {rehearsed}"


def _decide_anew(asked: Asked, _: Facts) -> str:
    return f"{asked.again} decides it anew"


def _explain(asked: Asked, facts: Facts) -> str:
    """What helps where the decision is no GO; empty where its sentence says it."""
    given, causes = facts.get("given"), facts.get("causes")
    if isinstance(given, Reason):
        join = f"`rollout join {asked.address} --env {asked.environment}`"
        return (
            f"{sentences.text(given, asked.plan.timezone)}: it counts from the next run on "
            f"({asked.again}), or {join} decides the last run anew"
        )
    stated = asked.plan.phase(asked.address.phase)
    slugs: list[str] = []
    if stated is not None:
        slugs += (criterion.id for criterion in stated.criteria)
        slugs += (guardrail.id for guardrail in stated.guardrails)
    ids = {asked.address.full(slug) for slug in slugs}
    listed = causes if isinstance(causes, tuple) else ()
    subjects = [str(reason.facts["subject"]) for reason in listed if isinstance(reason, Reason)]
    commands = [
        f"`rollout explain {subject} --env {asked.environment}`"
        for subject in subjects
        if subject in ids
    ]
    return f"{' and '.join(commands)} says what it needs" if commands else ""


def _sign(asked: Asked, facts: Facts) -> str:
    if not facts.get("holders"):
        return f"name somebody with the role {facts['role']} in roles.yaml beside the plan"
    command = f"rollout sign {asked.address} --as {facts['role']} --env {asked.environment}"
    return f"`{command} --key FILE`"


def _sign_for(asked: Asked, facts: Facts) -> str:
    command = f"`rollout sign {asked.address} --as {facts['role']} --env {asked.environment}"
    return f"only {facts['person']} can take that back: {command} --key FILE`"


def _reset(asked: Asked, facts: Facts) -> str:
    where = f"--env {asked.environment} --by NAME --reason WHY"
    return f"`rollout reset {facts['guardrail']} {where}`, once it is understood"


def _put_back(asked: Asked, facts: Facts) -> str:
    return f"put the guardrail back under its name, or {_reset(asked, facts)}"


def _resume(asked: Asked, _: Facts) -> str:
    where = f"--env {asked.environment} --says WHY --by NAME"
    return f"`rollout record {asked.address.name} resume {where}` lifts it"


def _begin_anew(asked: Asked, _: Facts) -> str:
    where = f"--env {asked.environment}"
    begin = f"`rollout begin {asked.address.name} {where} --by NAME`"
    record = f"`rollout record {asked.address.name} change {where} --says WHAT --by NAME`"
    return f"{begin}, once its entry is clear; or {record}, once the change is out again"


def _revalidate(asked: Asked, facts: Facts) -> str:
    gate = Address.parse(f"{asked.plan.id}.{facts['gate']}")
    return f"{asked.run(gate.phase, gate.gate)} decides it anew"


def _required(asked: Asked, facts: Facts) -> str:
    gate = Address.parse(str(facts["gate"]))
    if gate.plan == asked.plan.id:
        return f"{asked.run(gate.phase, gate.gate)} decides it; a waiver of it needs an approver"
    return f"`pytest -m {gate.phase} --rollout-env {asked.environment}` decides it, in {gate.plan}"


def _reread(asked: Asked, _: Facts) -> str:
    names = ", ".join(asked.plan.environments[asked.environment].targets)
    return f"see that {names or 'the target'} answers, then ask again"


_ADVICE: Mapping[str, Callable[[Asked, Facts], str]] = {
    "gate.never-asked": _decide_first,
    "run.unfinished": lambda a, f: f"wait for it, or {_decide_anew(a, f)}",
    "run.undecided": _decide_anew,
    "clear.other-ledger": lambda *_: (
        "name that ledger with --ledger; `rollout report GATE` writes this one's own decision"
    ),
    "ledger.damaged": lambda *_: "`rollout verify` says what is wrong; put back a whole ledger",
    "gate.no": _explain,
    "clear.differs": _decide_anew,
    "clear.asked-otherwise": _decide_anew,
    "clear.decided-too-long-ago": _decide_anew,
    "clear.decided-ahead": lambda *_: "set the clock of this machine, or of the one that judged",
    "clear.other-configuration": lambda a, f: f"{_decide_anew(a, f)}, with what runs now",
    "clear.before-begin": _decide_anew,
    "clear.before-end": _decide_anew,
    "clear.before-rollback": _decide_anew,
    "clear.before-trip": _decide_anew,
    "clear.no-since": _decide_anew,
    "clear.other-release": lambda a, f: f"{_decide_anew(a, f)}, for the release that runs now",
    "clear.other-address": _decide_anew,
    "clear.failed-since": _decide_anew,
    "clear.overlapped": _decide_anew,
    "clear.overlapped-unfinished": lambda a, f: f"wait for it, or {_decide_anew(a, f)}",
    "release.unreadable": _reread,
    "clear.tripped": _reset,
    "clear.tripped-unstated": _put_back,
    "clear.blind": _reset,
    "clear.held": _resume,
    "begin.rolled-back": _begin_anew,
    "clear.revalidate": _revalidate,
    "clear.requires": _required,
    "clear.requires-other-release": _required,
    "signature.missing": _sign,
    "signature.objection": _sign_for,
    "waiver.expired": lambda *_: "a new waiver, in waivers.yaml, takes an author and an approver",
    "clear.waiver-changed": _decide_anew,
    "clear.waiver-over": _decide_anew,
}
