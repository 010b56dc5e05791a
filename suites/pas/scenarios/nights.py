"""Nightly: many job cards at the same time, with one key and with keys of their own."""

from __future__ import annotations

import uuid
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from threading import Barrier

import httpx

from pytest_rollout import Reported, Stage, reported, scenario
from suites.pas.views.executed import CAPS
from suites.pas.views.pas import Pas

ROUNDS, AT_ONCE, CARDS = 8, 20, 160
_WAIT_S = 30


@dataclass(frozen=True, slots=True)
class Nights:
    """Rounds of calls with one key, and a burst of calls with a key each; their runs."""

    rounds: Sequence[Sequence[httpx.Response]]
    retried: Reported  # the run of the rounds
    burst: Sequence[httpx.Response]
    kept: Reported  # the run of the burst


@scenario(effect="change", own_target=True)
def nights(phase: Stage) -> Nights:
    """Twenty callers wait for each other, then all call at once."""
    pas = Pas(phase.target("full").client)
    lanes = [*CAPS]
    retried, burst = pas.new_run("retried"), pas.new_run("at-once")
    rounds = []
    for number in range(ROUNDS):
        key, lane = uuid.uuid4().hex, lanes[number % len(lanes)]
        rounds.append(
            _at_once(AT_ONCE, lambda _, key=key, lane=lane: pas.submit(retried, lane, key=key))
        )
    answers: list[httpx.Response] = []
    for begin in range(0, CARDS, AT_ONCE):
        answers += _at_once(
            AT_ONCE, lambda n, b=begin: pas.submit(burst, lanes[(b + n) % len(lanes)])
        )
    return Nights(rounds, pas.status(retried), answers, pas.status(burst))


def _at_once(many: int, call: Callable[[int], httpx.Response]) -> list[httpx.Response]:
    """What so many calls are answered that are made at the same moment."""
    barrier = Barrier(many)

    def wait_and_call(number: int) -> httpx.Response:
        barrier.wait(_WAIT_S)
        return call(number)

    with ThreadPoolExecutor(many) as pool:
        return [*pool.map(wait_and_call, range(many))]


def task_of(response: httpx.Response) -> str | None:
    """The task that an answer tells; None where it tells none."""
    said = reported(response)
    return said.text("task_id") if response.status_code == httpx.codes.OK else None
