"""The reviewed lists of the asked plans, and what they say should run."""

from __future__ import annotations

from collections.abc import Container, Iterator

from pytest_rollout.model.errors import Problem, RolloutError
from pytest_rollout.model.plan import Address
from pytest_rollout.plan import bindings
from pytest_rollout.session.request import Request


class Lists:
    """The list beside each asked plan that has one: the items of its criteria."""

    def __init__(self, request: Request) -> None:
        self._request = request
        self._listed: dict[str, dict[str, tuple[str, ...]]] = {}

    def read(self) -> Iterator[Problem | RolloutError]:
        """Read them; what is wrong with one is an offence."""
        root = self._request.root
        for plan in {plan.id: plan for plan, _ in self._request.asked}.values():
            file = root / plan.path
            stated = {
                plan.address(phase.id).full(criterion.id) for phase, criterion in plan.criteria()
            }
            try:
                listed = bindings.listed(file, root)
                if listed is not None:
                    shown = file.with_name(bindings.NAME).relative_to(root)
                    yield from bindings.unknown(file, stated, shown.as_posix())
            except RolloutError as error:
                yield error
                continue
            if listed is not None:
                self._listed[plan.id] = listed

    def compare(
        self, expected: dict[str, list[str]], left_out: Container[str], notes: list[str]
    ) -> list[str]:
        """Expect what a list says and was not left out, note what it does not say.

        Return what is absent.
        """
        absent: list[str] = []
        for address in self._request.gates:
            listed = self._listed.get(address.plan)
            if listed is None:
                continue
            for name in self._criteria_of(address):
                bound, wanted = expected.get(name, []), listed.get(name, ())
                here, there = set(bound), set(wanted)
                missing = [item for item in wanted if item not in here and item not in left_out]
                absent += missing
                new = [item for item in bound if item not in there]
                notes += (f"{name}: {item} is not in {bindings.NAME}" for item in new)
                if missing:
                    expected[name] = [*bound, *missing]
        return absent

    def _criteria_of(self, address: Address) -> list[str]:
        """The full ids of the criteria of an asked gate."""
        return [
            plan.address(phase.id).full(criterion.id)
            for plan, phase in self._request.asked
            if (plan.id, phase.id) == (address.plan, address.phase)
            for criterion in phase.criteria
            if criterion.gate is address.gate
        ]
