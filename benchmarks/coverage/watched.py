"""What is looked at again and again: guardrails, and releases until they are GO."""

from __future__ import annotations

import random
from collections.abc import Callable, Iterator, Sequence
from functools import cache

from benchmarks.coverage.line import Claim, Line, Trial
from benchmarks.coverage.services import rule, successes, verdict
from pytest_rollout.judge import kernels
from pytest_rollout.judge.rules import level_of
from pytest_rollout.judge.tally import Terms
from pytest_rollout.model.rule import Rule
from pytest_rollout.model.verdict import Verdict

WATCHED = 500  # samples of a phase that a guardrail watches
LOOKS = 10  # at a release that is not GO

Trips = Callable[[int, int], bool]  # of good and bad ones


def since(asked: float) -> Rule:
    """Return a guardrail that watches a share since the begin."""
    return rule(f'take: rate, fail: "< {asked:g}", confidence: 95%', guardrail=True)


def moving(asked: float, last: int, samples: int) -> Rule:
    """Return a guardrail over so many last of a phase's samples."""
    windows = samples - last + 1
    return rule(
        f'take: rate, fail: "< {asked:g}", over: [{{last: {last}, need: {last}}}], '
        f"confidence: {{level: 95%, windows: {windows}}}",
        guardrail=True,
    )


def tripping(stated: Rule) -> Trips:
    """Return whether the judge trips a guardrail at so many good and bad ones."""
    level = float(stated.confidence.level) if stated.confidence else 0.0
    terms = Terms("UTC", level, watched=True)
    scope = stated.scopes[0]
    return lambda good, bad: verdict(stated, good, bad, terms, scope) is Verdict.FAIL


def fewest_bad(trips: Trips, most: int) -> list[int]:
    """Return the fewest bad ones with which 0, 1, ... ``most`` samples trip; n + 1 where none do.

    More bad ones trip as well, and more good ones need no fewer bad ones.
    """
    fewest = 1
    every = [1]
    for n in range(1, most + 1):
        while fewest <= n and not trips(n - fewest, fewest):
            fewest += 1
        every.append(fewest)
    return every


def first_trip(
    chance: random.Random,
    fewest: Sequence[int],
    shares: Sequence[float],
    window: int = 0,
    *,
    need: int = 1,
    after: int = 0,
) -> int | None:
    """Return after how many samples a service trips, None where it does not.

    ``shares`` is the chance of each sample to be good; ``window`` is how many of the last ones
    are looked at, 0 for all, and ``need`` how many there must be. Looks up to the sample
    ``after`` are not counted.
    """
    draw = chance.random
    seen: list[bool] = []
    bad = 0
    window = window or len(shares)
    for index, share in enumerate(shares):
        seen.append(draw() >= share)
        bad += seen[-1] - (seen[index - window] if index >= window else 0)
        n = min(index + 1, window)
        if bad >= fewest[n] and n >= need and index >= after:
            return index + 1
    return None


def dropping(healthy: float, worse: float, samples: int) -> list[float]:
    """Return the shares of good ones of a service that gets worse at half time."""
    half = samples // 2
    return [healthy] * half + [worse] * (samples - half)


def _watching(
    trips: Trips, asked: float, truth: float, worse: float, need: int = 1, samples: int = WATCHED
) -> tuple[str, str, Callable[[random.Random], Trial]]:
    """Return the words and the trial of a guardrail since the begin."""
    healthy, ill = [truth] * samples, [worse] * samples
    fewest = cache(lambda: fewest_bad(trips, samples))  # only where the line is run

    def trial(chance: random.Random) -> Trial:
        wrong = first_trip(chance, fewest(), healthy, need=need) is not None
        return Trial(wrong, first_trip(chance, fewest(), ill, need=need) is not None)

    return f"{samples} samples, {asked:g} asked, {truth:g} good", f"{worse:g} good", trial


def _moving(
    trips: Trips, asked: float, truth: float, worse: float, window: int
) -> tuple[str, str, Callable[[random.Random], Trial]]:
    """Return the words and the trial of a guardrail over the last samples.

    What it should find is a drop at half time, at a look after that.
    """
    healthy, ill = [truth] * WATCHED, dropping(truth, worse, WATCHED)
    half = WATCHED // 2
    fewest = cache(lambda: fewest_bad(trips, window))

    def trial(chance: random.Random) -> Trial:
        wrong = first_trip(chance, fewest(), healthy, window, need=window)
        right = first_trip(chance, fewest(), ill, window, need=window, after=half)
        return Trial(wrong is not None, right is not None)

    service = f"{WATCHED} samples, {asked:g} asked, {truth:g} good"
    return service, f"a drop to {worse:g} at half time", trial


def guardrails() -> Iterator[Line]:
    """Guardrails on a healthy service, looked at after each of its samples; and on a worse one."""
    anchored = tripping(since(0.95))
    name = "guardrail since the begin, e-value"
    for truth, worse in ((0.95, 0.92), (0.98, 0.9)):
        service, finds, trial = _watching(anchored, 0.95, truth, worse)
        yield Line(name, service, 0.05, finds, trial)
    rarely = tripping(since(0.99))
    service, finds, trial = _watching(rarely, 0.99, 0.99, 0.98, samples=2000)
    yield Line(name, service, 0.05, finds, trial)
    blocks = tripping(moving(0.95, 50, WATCHED))
    service, finds, trial = _moving(blocks, 0.95, 0.95, 0.88, 50)
    yield Line("guardrail over the last 50, blocks", service, 0.05, finds, trial)


def contrasts() -> Iterator[Line]:
    """What is right of one look, and wrong of many."""

    def exact(good: int, bad: int) -> bool:
        """Whether the exact upper bound of the share is below what is asked."""
        return kernels.binomial_cdf(good, good + bad, 0.95) <= 0.05

    service, finds, trial = _watching(exact, 0.95, 0.95, 0.92, need=20)
    yield Line("exact bound at every look", service, 0.05, finds, trial, Claim.CONTRAST)
    plain = tripping(rule('take: rate, fail: "< 0.95", need: 20', guardrail=True))
    service, finds, trial = _watching(plain, 0.95, 0.95, 0.92, need=20)
    yield Line("plain threshold since the begin", service, 0.05, finds, trial, Claim.CONTRAST)
    for truth in (0.95, 0.98):
        service, finds, trial = _moving(plain, 0.95, truth, 0.88, 20)
        yield Line("plain threshold over the last 20", service, 0.05, finds, trial, Claim.CONTRAST)


def looked_at() -> Iterator[Line]:
    """A release a little worse than asked, looked at until it is GO; and a good one."""
    for grows in (False, True):
        samples = "all samples so far" if grows else "100 new samples"
        service = f"{LOOKS} looks at {samples}, 0.9 asked, 0.8999 good"
        for halved in (True, False):
            claim = Claim.HOLDS if halved else Claim.CONTRAST
            method = "looks that halve the level" if halved else "looks that do not"
            level = 0.1 if halved else 0.05
            trial = _passing(grows=grows, halved=halved)
            yield Line(method, service, level, "0.96 good", trial, claim)


def _passing(*, grows: bool, halved: bool) -> Callable[[random.Random], Trial]:
    stated = rule('take: rate, pass: ">= 0.9", confidence: 95%')

    @cache
    def passes(good: int, n: int, look: int) -> bool:
        terms = Terms("UTC", level_of(stated, look if halved else 1))
        return verdict(stated, good, n - good, terms, stated.scopes[0]) is Verdict.PASS

    def ever(chance: random.Random, share: float) -> bool:
        good = n = 0
        for look in range(1, LOOKS + 1):
            fresh = successes(chance, 100, share)
            good, n = (good + fresh, n + 100) if grows else (fresh, 100)
            if passes(good, n, look):
                return True
        return False

    return lambda chance: Trial(ever(chance, 0.8999), ever(chance, 0.96))
