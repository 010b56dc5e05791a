"""Playing many cases, in processes of their own, in the order of their numbers."""

from __future__ import annotations

import multiprocessing
import shutil
import tempfile
import time
from collections import deque
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import Future, ProcessPoolExecutor
from pathlib import Path

from tests.campaign.draw import Case, draw
from tests.campaign.project import SHAPES
from tests.campaign.scene import Outcome, Scene, Workshop
from tests.campaign.workshop import build

_MOST = 1.5  # of the cases that were asked for: those that came too late do not count


def campaign(
    seed: int,
    wanted: int,
    jobs: int,
    *,
    only: Sequence[int] = (),
    keep: bool = False,
    minutes: float = 60,
    said: Callable[[Outcome], object] = id,
    kinds: Sequence[str] = (),
    shapes: Sequence[str] = tuple(SHAPES),
) -> list[Outcome]:
    """Play cases until as many interruptions have landed, at most half as many more.

    ``only`` names the numbers to be played; ``keep`` leaves their folders; ``said`` hears of
    each as it comes. After so many minutes it ends with what it has.
    """
    until = time.monotonic() + 60 * minutes
    numbers = list(only) or range(int(wanted * _MOST) + 1)
    cases = [draw(seed, number, kinds, shapes) for number in numbers]
    folder = Path(tempfile.mkdtemp(prefix="rollout-campaign-"))
    found: list[Outcome] = []
    try:
        shop = build(folder, [case.template for case in cases])
        for outcome in _played(cases, shop, jobs):
            found.append(outcome)
            said(outcome)
            enough = sum(one.landed for one in found) >= wanted and not only
            if enough or time.monotonic() > until:
                break
    finally:
        if not keep:
            shutil.rmtree(folder, ignore_errors=True)
    return found


def _played(cases: Sequence[Case], shop: Workshop, jobs: int) -> Iterator[Outcome]:
    context = multiprocessing.get_context("spawn")
    with ProcessPoolExecutor(jobs, mp_context=context) as pool:
        waiting: deque[Future[Outcome]] = deque()
        for case in cases:
            waiting.append(pool.submit(_play, case, shop))
            if len(waiting) > 2 * jobs:  # no more than that is played in vain
                yield waiting.popleft().result()
        while waiting:
            yield waiting.popleft().result()


def _play(case: Case, shop: Workshop) -> Outcome:
    folder = shop.folder / f"case-{case.index}"
    try:
        outcome = Scene(case, shop, folder).play()
    except Exception as error:  # a broken case is told with its number, and breaks no other
        outcome = Outcome(case.index, case.kind.name, case.words())
        outcome.broken.append(f"campaign: {type(error).__name__}: {error}")
    outcome.folder = str(folder)
    return outcome
