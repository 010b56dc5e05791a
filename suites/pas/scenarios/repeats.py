"""Job cards that are sent again: under their own keys, and under new ones."""

from __future__ import annotations

import uuid
from dataclasses import dataclass

from pytest_rollout import Reported, Stage, reported, scenario
from suites.pas.views.lanes import LANES
from suites.pas.views.pas import Pas

REPEATS = 2


@dataclass(frozen=True)
class Card:
    """A card, what it became, and what became of it when it was sent again."""

    first: Reported
    again: tuple[Reported, ...]
    other_key: Reported
    other_body: int  # the status of another card under its key


@dataclass(frozen=True)
class Repeated:
    """The cards of a run, and how many tasks the run had in the end."""

    cards: tuple[Card, ...]
    tasks_total: int
    tasks: frozenset[str]


@scenario(effect="change")
def repeated(phase: Stage) -> Repeated:
    """For each lane a card is sent three times under one key, and once under another."""
    pas = Pas(phase.target("pas").client)
    run = pas.new_run("repeats")
    cards = []
    for lane in LANES:
        key = uuid.uuid4().hex
        first = reported(pas.submit(run, lane, key=key))
        again = tuple(reported(pas.submit(run, lane, key=key)) for _ in range(REPEATS))
        other = reported(pas.submit(run, lane, key=uuid.uuid4().hex))
        odd = pas.submit(run, lane, key=key, budget_usd=4.5).status_code
        cards.append(Card(first, again, other, odd))
    status = pas.status(run)
    tasks = frozenset(task.text("task_id") for task in status.each("tasks"))
    return Repeated(tuple(cards), status.whole("tasks_total"), tasks)
