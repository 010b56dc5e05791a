"""The numbers that an answer gives to a rule: one, or one for each group."""

from __future__ import annotations

from collections.abc import Iterator
from decimal import Decimal

from pytest_rollout.checks.answer import Reading, Reply, number, parsed
from pytest_rollout.checks.expect import status_is_good
from pytest_rollout.checks.samples import sampled
from pytest_rollout.model.check import Check, CheckMeans
from pytest_rollout.model.errors import NoValueError, RolloutError
from pytest_rollout.model.jsonpath import NothingThereError, at
from pytest_rollout.model.rule import Rule


def labels_of(rule: Rule | None) -> tuple[str, ...]:
    """The labels by which a rule tells the values of one query apart."""
    if rule is None:
        return ()
    return tuple(dict.fromkeys([*(each.label for each in rule.each), *rule.where]))


def measured(check: Check, rule: Rule, answer: Reply) -> Iterator[Reading]:
    """The values with their labels; a group whose value is NULL is NaN, a hole in its series.

    Samples that a command prints have times of their own; there may be none yet.

    Raises NoValueError where there is no value or there are several for one place, and
    RolloutError where what came is no number.
    """
    if check.samples:
        assert status_is_good(check, answer.status)
        yield from sampled(answer.said["stdout"])
        return
    if check.means in (CheckMeans.COMMAND, CheckMeans.HTTP):
        yield Reading(_one(check, answer))
        return
    labels = labels_of(rule)
    if not answer.readings:
        raise NoValueError("the query gave nothing")
    if not labels:
        if len(answer.readings) > 1:
            many = f"{len(answer.readings)} values where one is needed"
            raise NoValueError(f"the query gave {many}; aggregate them, or state `each`")
        yield Reading(number(answer.readings[0].value, "the query"))
        return
    groups: set[tuple[tuple[str, str], ...]] = set()
    for reading in answer.readings:
        mine = {name: reading.labels[name] for name in labels if name in reading.labels}
        group = tuple(sorted(mine.items()))
        words = ", ".join(f"{name} {value}" for name, value in group) or "without a label"
        if group in groups:
            raise NoValueError(f"the query gave several values for {words}; aggregate them")
        groups.add(group)
        value = reading.value
        yield Reading(
            Decimal("NaN") if value is None else number(value, f"the query, {words},"), mine
        )


def _one(check: Check, answer: Reply) -> object:
    """The number in the output of a command or the body of an answer."""
    name = "stdout" if check.means is CheckMeans.COMMAND else "body"
    said = answer.said[name]
    assert status_is_good(check, answer.status)
    if not check.json:
        if said.cut:
            raise RolloutError(f"{name} is too long to be a number")
        return number(said.text, name)
    try:
        return number(at(parsed(said, name), check.json), f"{name}: {check.json}")
    except NothingThereError as error:
        raise NoValueError(f"{name} {error}") from None
