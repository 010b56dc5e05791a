"""Names of phases and criteria as people type them: short where one thing alone can be meant."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import suppress

import click
from click.shell_completion import CompletionItem

from pytest_rollout.cli.project import READ, Project
from pytest_rollout.model.errors import RolloutError, UnknownNameError
from pytest_rollout.model.plan import Criterion, Guardrail, Phase, Plan
from pytest_rollout.plan.reader import nearest

_MOST_NAMED, _MOST_LISTED = 5, 20


class Name(click.ParamType):  # type: ignore[type-arg]  # generic only since click 8.5
    """A phase, a gate, or a criterion or guardrail, completed to its full name.

    What nothing of the project is called by is left as it is: the verb says what is wrong.
    """

    name = "address"

    def __init__(self, *, criteria: bool = False) -> None:
        self._criteria = criteria

    def convert(self, value: str, param: click.Parameter | None, ctx: click.Context | None) -> str:
        """Return the full name; raises RolloutError where several things are called so."""
        plans = _plans(ctx)
        text, slash, gate = value.partition("/")
        if any(text == name for name in self._full(plans)):
            return value
        short = sorted({full for full, called in self._called(plans) if text in called})
        if len(short) > 1:
            why = f"{value!r} may be {' or '.join(short[:_MOST_NAMED])}: say which"
            raise RolloutError(why, code="address", address=value)
        if short:
            return f"{short[0]}{slash}{gate}"
        if self._criteria:
            self._not_a_phase(plans, text)
        if plans and self._is_short(plans, text):
            dots = text.count(".")
            known = {
                name
                for full, called in self._called(plans)
                for name in (full, *called)
                if name.count(".") == dots
            }
            kind = "criterion" if self._criteria else "phase"
            lists = "rollout check --json" if self._criteria else "rollout status"
            many = f"`{lists}` lists all {len(known)}" if len(known) > _MOST_LISTED else ""
            why = f"nothing is called {text!r} ({nearest(text, known, many)})"
            raise UnknownNameError(why, kind, text, known)
        return value

    def _is_short(self, plans: Sequence[Plan], text: str) -> bool:
        """Whether a name that nothing is called by was meant to be a short one."""
        if self._criteria and any(text.startswith(f"{plan.id}.") for plan in plans):
            return text.count(".") == 1
        if any(text == plan.id or text.startswith(f"{plan.id}.") for plan in plans):
            return False
        return text.count(".") <= self._criteria

    def shell_complete(
        self, ctx: click.Context, param: click.Parameter, incomplete: str
    ) -> list[CompletionItem]:
        """Return the names that begin so, each with its title."""
        items = self._described(_plans(ctx))
        beginning = [item for item in items if item.value.startswith(incomplete)]
        return beginning or [item for item in items if incomplete in item.value]

    def _full(self, plans: Sequence[Plan]) -> Iterator[str]:
        yield from (item.value for item in self._described(plans))

    def _described(self, plans: Sequence[Plan]) -> list[CompletionItem]:
        return [
            CompletionItem(full, help=says)
            for plan in plans
            for phase in plan.phases
            for full, says in self._of(plan, phase)
        ]

    def _of(self, plan: Plan, phase: Phase) -> Iterator[tuple[str, str]]:
        address = plan.address(phase.id)
        if self._criteria:
            stated: list[Criterion | Guardrail] = [*phase.criteria, *phase.guardrails]
            yield from ((address.full(guardrail.id), guardrail.says) for guardrail in stated)
        else:
            yield address.name, phase.title

    def _called(self, plans: Sequence[Plan]) -> Iterator[tuple[str, set[str]]]:
        """Each full name with what it may be called for short."""
        for plan in plans:
            for phase in plan.phases:
                for full, _ in self._of(plan, phase):
                    if self._criteria:
                        slug = full.rpartition(".")[2]
                        yield full, {slug, f"{phase.id}.{slug}", f"{plan.id}.{slug}"}
                    else:
                        yield full, {phase.id, *phase.marks}

    def _not_a_phase(self, plans: Sequence[Plan], text: str) -> None:
        called = Name()._called(plans)
        meant = [phase for phase, names in called if text in (phase, *names)]
        if len(meant) == 1:
            inside = [name for name in self._full(plans) if name.startswith(f"{meant[0]}.")]
            more = f" and {len(inside) - _MOST_NAMED} more" if len(inside) > _MOST_NAMED else ""
            listed = f"{', '.join(inside[:_MOST_NAMED])}{more}"
            why = f"{meant[0]} is a phase; name one thing in it: {listed}"
            raise RolloutError(why, code="address", address=text)


def _plans(ctx: click.Context | None) -> Sequence[Plan]:
    """The plans of the project that is asked for; none where they cannot be read."""
    root = ctx.params.get("root") if ctx is not None else None
    with suppress(RolloutError, OSError, click.ClickException):
        project = Project.here(root if isinstance(root, str) else None, None)
        plans = project.plans
        if ctx is not None:
            ctx.meta[READ] = project  # the verb need not read the same files again
        return plans
    return ()


PHASE = Name()
CRITERION = Name(criteria=True)
