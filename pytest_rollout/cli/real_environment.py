"""Which environment a verb is about, by one rule for all of them, and what runs there."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence

from pytest_rollout.cli.project import Project
from pytest_rollout.cli.saying import say
from pytest_rollout.evidence.records import RecordKind
from pytest_rollout.late_dataclass import dataclass
from pytest_rollout.model.errors import (
    OptionError,
    ReferenceTargetError,
    RolloutError,
    UnknownNameError,
)
from pytest_rollout.model.evidence import ReleaseFact
from pytest_rollout.model.plan import EMBEDDED, Address, Gate, Plan
from pytest_rollout.plan.reader import nearest
from pytest_rollout.targets.identity import identify


@dataclass(frozen=True, slots=True)
class Shown:
    """The environment that a verb shows."""

    name: str
    because: str = ""  # why the rehearsal is, though --env did not name it

    def note(self, subject: str) -> None:
        """Say on standard error that a rehearsal is shown, where nobody asked for it by name."""
        if self.because:
            say(
                f"{subject}: {self.because}, so this is the rehearsal ({self.name}); --env shows "
                "another one",
                err=True,
            )


def environment_of(plan: Plan, given: str | None) -> str:
    """The environment of that name; else the plan's only real one, or the rehearsal without one.

    This is the rule of every verb. Raises OptionError where a plan has several real ones, and
    UnknownNameError for a name that it does not have.
    """
    real = [name for name in plan.environments if name != EMBEDDED]
    if given is None and len(real) > 1:
        raise OptionError("--env", f"say which ({nearest('', real)})")
    if given is None:
        return real[0] if real else EMBEDDED
    if given not in plan.environments:
        known = list(plan.environments)
        why = f"{plan.id} has no environment `{given}` ({nearest(given, known)})"
        raise UnknownNameError(why, "environment", given, known)
    return given


def real_environment(plan: Plan, given: str | None, *, embedded: str) -> str:
    """The same, for verbs about a real environment; ``embedded`` says why the rehearsal is none.

    Raises RolloutError.
    """
    if given == EMBEDDED:
        raise RolloutError(embedded)
    name = environment_of(plan, given)
    if name == EMBEDDED:
        raise RolloutError(f"{plan.id} states no environment but the rehearsal: {embedded}")
    return name


def shown_environment(project: Project, given: str | None, where: Sequence[Address]) -> Shown:
    """The same, for verbs that only show what is on record of some phases or gates of one plan.

    Where nothing at all is on record of them in the real environment, the rehearsal is shown,
    and :meth:`Shown.note` says so.
    """
    plans = (loaded.plan for loaded in project.found if loaded.id == where[0].plan)
    plan = next((plan for plan in plans if plan is not None), None)
    if given is not None:
        unknown = plan is not None and given not in plan.environments
        if plan and unknown and not (project.has_ledger and _on_record(project, given, where)):
            project.environment(given, [plan])
        return Shown(given)
    if plan is None:
        return Shown(EMBEDDED, f"the plan {where[0].plan} cannot be read")
    name = environment_of(plan, None)
    if name == EMBEDDED or not project.has_ledger or _on_record(project, name, where):
        return Shown(name)
    return (
        Shown(EMBEDDED, f"nothing is on record in {name}")
        if _on_record(project, EMBEDDED, where)
        else Shown(name)
    )


def shown_environments(
    project: Project, given: str | None, plans: Iterable[Plan]
) -> Mapping[str, Shown]:
    """The same for several plans, by their ids: each has environments of its own."""
    return {
        plan.id: shown_environment(
            project, given, [plan.address(phase.id) for phase in plan.phases]
        )
        for plan in plans
    }


def named_by_all(shown: Iterable[Shown]) -> str | None:
    """The one environment that all plans are shown in, or None."""
    names = {environment.name for environment in shown}
    return names.pop() if len(names) == 1 else None


def _on_record(project: Project, environment: str, where: Iterable[Address]) -> bool:
    """Whether a run asked for one of the gates, or something happened in their phases."""
    for address in where:
        happened = (RecordKind.EVENT, address.plan, address.name, environment)
        gates = [address] if address.gate else [address.at(gate) for gate in Gate]
        asked = (project.ledger.runs(str(gate), environment) for gate in gates)
        if any(any(True for _ in runs) for runs in asked):
            return True
        if any(True for _ in project.ledger.oldest(*happened)):
            return True
    return False


def identified(
    project: Project, plan: Plan, environment: str, when: str = "now"
) -> ReleaseFact | None:
    """What the target says of its release; None where the plan does not say where to read it.

    Raises RolloutError where a reference target answers.
    """
    if plan.release is None:
        return None
    fact = identify(when, plan, plan.environments[environment], project.root)
    if fact.reference:
        raise ReferenceTargetError(
            f"the target answers as a reference target ({fact.reference}), "
            f"which is worth nothing in {environment}"
        )
    return fact


def release_now(project: Project, plan: Plan, environment: str, *, why: str) -> str | None:
    """The release that the target runs; raises RolloutError where it cannot say."""
    fact = identified(project, plan, environment)
    if fact is not None and fact.error:
        raise RolloutError(f"the release could not be read, and {why}: {fact.error}")
    return fact.release if fact else None
