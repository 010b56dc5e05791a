"""Nightly: many job cards at the same time, with one key and with keys of their own."""

from __future__ import annotations

import uuid
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from threading import Barrier

import httpx

from pytest_rollout import Reported, Stage, reported, scenario
from suites.pas.views.executed import CAPS
from suites.pas.views.pas import Pas, full_of

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
    pas = Pas(full_of(phase))
    lanes = [*CAPS]
    retried, burst = pas.new_run("retried"), pas.new_run("at-once")
    rounds = [
        _at_once(pas, retried, [lanes[number % len(lanes)]] * AT_ONCE, uuid.uuid4().hex)
        for number in range(ROUNDS)
    ]
    some = [lanes[number % len(lanes)] for number in range(AT_ONCE)]
    answers = [answer for _ in range(CARDS // AT_ONCE) for answer in _at_once(pas, burst, some)]
    return Nights(rounds, pas.status(retried), answers, pas.status(burst))


def _at_once(pas: Pas, run: str, lanes: Sequence[str], key: str = "") -> list[httpx.Response]:
    """What cards are answered that are handed in at the same moment; each with a key, or one."""
    barrier = Barrier(len(lanes))

    def wait_and_call(lane: str) -> httpx.Response:
        barrier.wait(_WAIT_S)
        return pas.submit(run, lane, key=key)

    with ThreadPoolExecutor(len(lanes)) as pool:
        return [*pool.map(wait_and_call, lanes)]


def task_of(response: httpx.Response) -> str | None:
    """The task that an answer tells; None where it tells none."""
    said = reported(response)
    return said.text("task_id") if response.status_code == httpx.codes.OK else None
