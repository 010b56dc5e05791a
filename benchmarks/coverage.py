"""How often the judge's bounds and alarms are wrong, against how often they say they may be.

Run as ``python benchmarks/coverage.py``; with ``--write`` it also writes docs/coverage.md and
docs/coverage.svg. Every line rolls a known service out many times and counts how often what
the judge says of it is false: a bound on the wrong side of the truth, an alarm on a service
that is as good as was asked, a pass of one that is not. What is judged are the functions of
pytest_rollout.judge, on counts where they need no more. Ends with 1 where a line that claims
its level does not hold it.
"""

from __future__ import annotations

import argparse
import math
import random
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from enum import Enum
from fractions import Fraction
from functools import cache
from pathlib import Path
from statistics import NormalDist

from pytest_rollout.judge.assess import Assessed, Terms, assess
from pytest_rollout.judge.estimate import Weighted

from pytest_rollout.judge import bounds, kayenta, kernels, versus
from pytest_rollout.judge.rules import level_of
from pytest_rollout.model.evidence import Seen, Slot
from pytest_rollout.model.rule import Rule, ScopeKind
from pytest_rollout.model.verdict import Verdict
from pytest_rollout.plan.load import parse

DOCS = Path(__file__).resolve().parents[1] / "docs"
SEED = 20_251_110
ROLLOUTS = 10_000
WATCHED = 500  # samples of a phase that a guardrail watches
LOOKS = 10  # at a release that is not GO
_SLOT = Slot("m", (), 0, 0)

Rollout = Callable[[random.Random], bool]


class Claim(Enum):
    """What a line says of itself."""

    HOLDS = "holds its level"
    APPROXIMATE = "approximate"
    BROKEN = "its assumption is broken"
    CONTRAST = "not used, for contrast"


@dataclass(frozen=True)
class Line:
    """One experiment: what is judged of which service, and how often it may be wrong."""

    method: str
    service: str
    level: float
    wrong: Rollout
    claim: Claim = Claim.HOLDS

    @property
    def name(self) -> str:
        """Unlike that of any other line; its random numbers depend on it and on the seed."""
        return f"{self.method}: {self.service}"


@dataclass(frozen=True)
class Result:
    """How often a line was wrong, and the bounds of that at 99.9 %."""

    line: Line
    wrong: int
    rollouts: int

    @property
    def rate(self) -> float:
        """The share of rollouts in which it was wrong."""
        return self.wrong / self.rollouts

    @property
    def bounds(self) -> tuple[float, float]:
        """Where the true share lies, by Clopper and Pearson, each side but for 0.0005."""
        low = kernels.share_low(self.wrong, self.rollouts, 0.0005)
        return low, kernels.share_high(self.wrong, self.rollouts, 0.0005)

    @property
    def holds(self) -> bool:
        """Whether chance alone explains what is above the level."""
        return self.bounds[0] <= self.line.level

    @property
    def broken(self) -> bool:
        """Whether it claims to hold and does not."""
        return self.line.claim is Claim.HOLDS and not self.holds


def run(line: Line, rollouts: int, seed: int) -> Result:
    """Roll one line out so many times."""
    chance = random.Random(f"{seed}/{line.name}")
    return Result(line, sum(line.wrong(chance) for _ in range(rollouts)), rollouts)


def rule(text: str, *, guardrail: bool = False) -> Rule:
    """A rule as a plan states it, in flow style."""
    place = "guardrails" if guardrail else "criteria"
    more = "then: [rollback]" if guardrail else "kind: slo"
    plan = f"plan: p\nphases: [{{id: a, {place}: [{{id: b, {more}, metric: m, {text}}}]}}]\n"
    found = parse(plan, Path("p/rollout.yaml"), "rollout.yaml")
    if found.plan is None or found.problems:
        raise ValueError([str(one) for one in found.problems])
    phase = found.plan.phases[0]
    stated = phase.guardrails[0].rules[0] if guardrail else phase.criteria[0].rule
    assert stated is not None
    return stated


def values(numbers: Sequence[float]) -> Weighted:
    """Numbers as the judge holds them."""
    return [(Fraction(number), 1, _SLOT) for number in numbers]


def outcomes(good: int, bad: int) -> Weighted:
    """Good ones as 1 and bad ones as 0, by their counts."""
    return [(Fraction(1), good, _SLOT), (Fraction(0), bad, _SLOT)]


def verdict(stated: Rule, good: int, bad: int, terms: Terms, kind: ScopeKind) -> Verdict:
    """What the judge says of so many outcomes."""
    sample = tuple((value, count) for value, count, _ in outcomes(good, bad) if count)
    found = assess(stated, (), [Seen(_SLOT, sample, 0, "r")], terms, kind)
    assert isinstance(found, Assessed), found
    return found.verdict


def successes(chance: random.Random, n: int, p: float) -> int:
    """How many of n outcomes are good."""
    draw = chance.random
    return sum(draw() < p for _ in range(n))


def shares() -> Iterator[Line]:
    """The exact bound of a share; the lower one, as the upper is the lower of the others."""
    for n, p, a in (
        (20, 0.9, 0.05),
        (59, 0.95, 0.05),
        (300, 0.99, 0.05),
        (200, 0.5, 0.05),
        (1000, 0.98, 0.01),
    ):

        @cache
        def missed(good: int, n: int = n, p: float = p, a: float = a) -> bool:
            low = bounds.share_interval(good, n, a).low
            return low is not None and low > p

        def wrong(
            chance: random.Random,
            n: int = n,
            p: float = p,
            missed: Callable[[int], bool] = missed,
        ) -> bool:
            return missed(successes(chance, n, p))

        yield Line("share, Clopper-Pearson", f"{n} samples, {p:g} good", a, wrong)

    def in_bursts(chance: random.Random) -> bool:
        """Outcomes that come five at a time alike."""
        low = bounds.share_interval(5 * successes(chance, 20, 0.9), 100, 0.05).low
        return low is not None and low > Fraction(9, 10)

    name = "share, Clopper-Pearson"
    yield Line(name, "100 samples that fail in fives, 0.9 good", 0.05, in_bursts, Claim.BROKEN)


def quantiles() -> Iterator[Line]:
    """Bounds from order statistics, on times that are log-normal."""
    for take, n, upper in (("p50", 15, True), ("p95", 60, True), ("p95", 200, False)):
        cut = "<= 1" if upper else ">= 1"
        stated = rule(f'take: {take}, pass: "{cut}", confidence: 95%')
        assert stated.take.quantile is not None
        truth = Fraction(math.exp(NormalDist().inv_cdf(float(stated.take.quantile))))

        def wrong(
            chance: random.Random,
            n: int = n,
            stated: Rule = stated,
            truth: Fraction = truth,
            upper: bool = upper,
        ) -> bool:
            seen = values([chance.lognormvariate(0, 1) for _ in range(n)])
            found = bounds.interval(seen, stated.take, 0.05, None)
            assert isinstance(found, bounds.Interval)
            if upper:
                return found.high is not None and found.high < truth
            return found.low is not None and found.low > truth

        side = "upper" if upper else "lower"
        yield Line("quantile, order statistics", f"{side} bound of {take}, {n} times", 0.05, wrong)


def means() -> Iterator[Line]:
    """The betting bound of a mean within a range; values on a grid, so that counts suffice."""
    scores: dict[str, tuple[tuple[float, ...], tuple[float, ...]]] = {
        "scores of 0, 25, 50, 75 and 100": ((0, 25, 50, 75, 100), (1, 2, 3, 6, 8)),
        "nearly always 100, else 0": ((0, 100), (1, 49)),
        "nearly always 0, else 100": ((0, 100), (19, 1)),
    }
    stated = rule('take: mean, pass: ">= 1", confidence: 95%, range: [0, 100]')
    assert stated.range is not None
    for name, (grid, weights) in scores.items():
        n = 40
        pairs = zip(grid, weights, strict=True)
        truth = sum(value * weight for value, weight in pairs) / sum(weights)

        @cache
        def missed(
            counts: tuple[int, ...], grid: tuple[float, ...] = grid, truth: float = truth
        ) -> bool:
            seen = [(Fraction(v), c, _SLOT) for v, c in zip(grid, counts, strict=True) if c]
            found = bounds.interval(seen, stated.take, 0.05, stated.range)
            assert isinstance(found, bounds.Interval)
            return found.low is not None and found.low > Fraction(truth)

        def wrong(
            chance: random.Random,
            grid: tuple[float, ...] = grid,
            weights: tuple[float, ...] = weights,
            n: int = n,
            missed: Callable[[tuple[int, ...]], bool] = missed,
        ) -> bool:
            drawn = chance.choices(grid, weights, k=n)
            return missed(tuple(drawn.count(value) for value in grid))

        yield Line("mean in a range, betting", f"{n} {name}", 0.05, wrong)


def shifts() -> Iterator[Line]:
    """Hodges and Lehmann's bound of a shift; times in whole microseconds."""
    plain = rule('take: mean, pass: ">= 0", confidence: 95%, versus: {metric: o}')
    ratio = rule('take: mean, pass: ">= 0", confidence: 95%, versus: {metric: o, as: ratio}')
    normal: Callable[[random.Random], float] = lambda chance: chance.gauss(100, 10)  # noqa: E731
    skewed: Callable[[random.Random], float] = lambda chance: chance.expovariate(1)  # noqa: E731
    wide: Callable[[random.Random], float] = lambda chance: chance.gauss(100, 40)  # noqa: E731
    times: Callable[[random.Random], float] = (  # noqa: E731
        lambda chance: chance.lognormvariate(0, 1)
    )
    cases = (
        ("normal, 8 and 8, 5 apart", plain, normal, normal, 8, 8, 5.0),
        ("exponential, 20 and 20, alike", plain, skewed, skewed, 20, 20, 0.0),
        ("normal, 60 and 60, 5 apart", plain, normal, normal, 60, 60, 5.0),
        ("log-normal, 20 and 20, 1.2 times", ratio, times, times, 20, 20, 1.2),
        ("normal, 15 four times as wide as 60", plain, wide, normal, 15, 60, 0.0),
    )
    for name, stated, one, other, m, n, apart in cases:

        def wrong(
            chance: random.Random,
            stated: Rule = stated,
            one: Callable[[random.Random], float] = one,
            other: Callable[[random.Random], float] = other,
            m: int = m,
            n: int = n,
            apart: float = apart,
        ) -> bool:
            drawn = [one(chance) for _ in range(m)]
            by_ratio = stated.versus is not None and stated.versus.ratio
            new = [x * apart if by_ratio else x + apart for x in drawn]
            old = [other(chance) for _ in range(n)]
            found = versus.shift(stated, _exact(new), _exact(old), 0.05)
            assert isinstance(found, bounds.Interval)
            return found.low is not None and float(found.low) > apart + 2e-6

        claim = Claim.BROKEN if one is wide else Claim.HOLDS
        yield Line("difference of values, Hodges-Lehmann", name, 0.05, wrong, claim)


def _exact(numbers: Sequence[float]) -> Weighted:
    return [(Fraction(round(number * 1_000_000), 1_000_000), 1, _SLOT) for number in numbers]


def rate_differences() -> Iterator[Line]:
    """Newcombe's bound of a difference of shares."""
    stated = rule('take: rate, pass: ">= 0", confidence: 95%, versus: {metric: o}')
    for m, n, p, q in (
        (20, 20, 0.95, 0.95),
        (50, 50, 0.9, 0.9),
        (200, 200, 0.5, 0.5),
        (100, 100, 0.98, 0.98),
        (30, 300, 0.95, 0.99),
        (300, 30, 0.99, 0.95),
    ):
        apart = Fraction(str(p)) - Fraction(str(q))

        @cache
        def missed(good: int, other: int, m: int = m, n: int = n, apart: Fraction = apart) -> bool:
            sides = outcomes(good, m - good), outcomes(other, n - other)
            found = versus.shift(stated, *sides, 0.05)
            assert isinstance(found, bounds.Interval)
            return found.low is not None and found.low > apart

        def wrong(
            chance: random.Random,
            sizes: tuple[int, int] = (m, n),
            rates: tuple[float, float] = (p, q),
            missed: Callable[[int, int], bool] = missed,
        ) -> bool:
            pairs = zip(sizes, rates, strict=True)
            return missed(*(successes(chance, size, rate) for size, rate in pairs))

        service = f"{m} at {p:g} and {n} at {q:g}"
        yield Line("difference of rates, Newcombe", service, 0.05, wrong, Claim.APPROXIMATE)


def watched() -> Iterator[Line]:
    """Guardrails on a healthy service, looked at after each of its samples."""
    since = rule('take: rate, fail: "< 0.95", confidence: 95%', guardrail=True)
    for p in (0.95, 0.98):
        yield _watch("guardrail since the begin, e-value", since, ScopeKind.SINCE, p, 0.05)
    moving = rule(
        'take: rate, fail: "< 0.95", over: [{last: 50, need: 50}], '
        f"confidence: {{level: 95%, windows: {WATCHED - 49}}}",
        guardrail=True,
    )
    name = "guardrail over the last 50, shared out"
    yield _watch(name, moving, ScopeKind.LAST, 0.95, 0.05, window=50)

    @cache
    def exact(good: int, bad: int) -> bool:
        """Whether the exact upper bound of the share is below what is asked."""
        return kernels.binomial_cdf(good, good + bad, 0.95) <= 0.05

    bad = Claim.CONTRAST
    name = "exact bound at every look"
    yield Line(name, _service(0.95), 0.05, _watching(exact, 0.95, WATCHED, 20), bad)
    plain = rule('take: rate, fail: "< 0.95", need: 20', guardrail=True)
    yield _watch("plain threshold since the begin", plain, ScopeKind.SINCE, 0.95, 0.05, least=20)
    for p in (0.95, 0.98):
        name = "plain threshold over the last 20"
        yield _watch(name, plain, ScopeKind.LAST, p, 0.05, window=20, least=20)


def _service(p: float) -> str:
    return f"{WATCHED} samples, 0.95 asked, {p:g} good"


def _watch(
    name: str,
    stated: Rule,
    kind: ScopeKind,
    p: float,
    level: float,
    *,
    window: int = WATCHED,
    least: int = 1,
) -> Line:
    terms = Terms("UTC", float(stated.confidence.level) if stated.confidence else 0.0, watched=True)
    least = max(least, window if kind is ScopeKind.LAST else 1)

    @cache
    def trips(good: int, bad: int) -> bool:
        return verdict(stated, good, bad, terms, kind) is Verdict.FAIL

    claim = Claim.HOLDS if stated.confidence else Claim.CONTRAST
    return Line(name, _service(p), level, _watching(trips, p, window, least), claim)


def _watching(trips: Callable[[int, int], bool], p: float, window: int, least: int) -> Rollout:
    """Whether a service is ever found bad, by its newest samples, once there are enough."""

    def wrong(chance: random.Random) -> bool:
        draw = chance.random
        seen: list[bool] = []
        good = 0
        for index in range(WATCHED):
            seen.append(draw() < p)
            good += seen[-1] - (seen[index - window] if index >= window else 0)
            n = min(index + 1, window)
            if n >= least and trips(good, n - good):
                return True
        return False

    return wrong


def looked_at() -> Iterator[Line]:
    """A release a little worse than asked, looked at until it is GO."""
    stated = rule('take: rate, pass: ">= 0.9", confidence: 95%')
    for grows in (False, True):
        samples = "all samples so far" if grows else "100 new samples"
        service = f"{LOOKS} looks at {samples}, 0.9 asked, 0.8999 good"
        for halved in (True, False):
            claim = Claim.HOLDS if halved else Claim.CONTRAST
            method = "looks that halve the level" if halved else "looks that do not"
            level = 0.1 if halved else 0.05
            yield Line(method, service, level, _passing(stated, halved, grows), claim)


def _passing(stated: Rule, halved: bool, grows: bool) -> Rollout:
    @cache
    def passes(good: int, n: int, look: int) -> bool:
        terms = Terms("UTC", level_of(stated, look if halved else 1))
        return verdict(stated, good, n - good, terms, ScopeKind.RUN) is Verdict.PASS

    def wrong(chance: random.Random) -> bool:
        good = n = 0
        for look in range(1, LOOKS + 1):
            fresh = successes(chance, 100, 0.8999)
            good, n = (good + fresh, n + 100) if grows else (fresh, 100)
            if passes(good, n, look):
                return True
        return False

    return wrong


def by_kayenta() -> Iterator[Line]:
    """Kayenta's rule, which is offered and marked: how often it alarms, and what it lets pass."""

    def high(chance: random.Random, m: int, slower: float) -> bool:
        new = _exact([slower * chance.lognormvariate(0, 0.5) for _ in range(m)])
        old = _exact([chance.lognormvariate(0, 0.5) for _ in range(m)])
        found = kayenta.classify(new, old)
        assert isinstance(found, kayenta.Classified)
        return found.high and found.effect is not None and found.effect >= 1

    def again(chance: random.Random) -> bool:
        new = _exact([chance.lognormvariate(0, 0.5) for _ in range(50)])
        old = _exact([chance.lognormvariate(0, 0.5) for _ in range(50)])
        found = (kayenta.classify(new[:n], old[:n]) for n in range(5, 51, 5))
        return any(isinstance(one, kayenta.Classified) and one.high for one in found)

    contrast, alarms = Claim.CONTRAST, "Kayenta's rule, alarms"
    once: Rollout = lambda chance: high(chance, 20, 1)  # noqa: E731
    slower: Rollout = lambda chance: not high(chance, 10, 1.5)  # noqa: E731
    yield Line(alarms, "20 and 20 alike, one look", 0.01, once)
    yield Line(alarms, "5 to 50 alike, a look at each 5", 0.01, again, contrast)
    yield Line("Kayenta's rule, passes", "10 and 10, 1.5 times as slow", 0.05, slower, contrast)


def lines() -> list[Line]:
    """Every experiment, in the order of the table."""
    made = (shares, quantiles, means, shifts, rate_differences, watched, looked_at, by_kayenta)
    return [line for make in made for line in make()]


_COLUMNS = ("method", "of what", "may be wrong", "was wrong", "so between", "")


def row(result: Result) -> tuple[str, ...]:
    """One result as the cells of a table."""
    line, (low, high) = result.line, result.bounds
    answer = "holds" if result.holds else "**does not hold**"
    claim = "" if line.claim is Claim.HOLDS else f" ({line.claim.value})"
    shown = (f"{line.level:.2f}", f"{result.rate:.4f}", f"{low:.4f} and {high:.4f}")
    return (line.method, line.service, *shown, answer + claim)


def page(results: Sequence[Result], seed: int) -> str:
    """docs/coverage.md: what was found, in a table."""
    cells = [_COLUMNS, ("---",) * len(_COLUMNS), *map(row, results)]
    table = "\n".join(f"| {' | '.join(one)} |" for one in cells)
    return _PAGE.format(table=table, rollouts=f"{results[0].rollouts:,}", seed=seed)


_PAGE = """\
# Do the judge's bounds hold what they state?

Each line is a service whose truth is known, simulated {rollouts} times, and counts how often the
judge was wrong: a bound on the wrong side of the truth, an alarm on a service that is as good as
was asked, a pass of one that is not. What is simulated is the service; what judges it are the
judge's own functions. The last figures are where the true share lies, at 99.9 %; a level is not
held where all of that is above it.

```sh
python benchmarks/coverage.py --write     # some minutes on one core; seed {seed}; writes this page
```

![How often each line was wrong, as a multiple of its level](coverage.svg)

{table}

- **Independent samples** are what every bound assumes. Failures that come in fives are not: take
  one sample a burst, or observe the burst.
- **Clopper-Pearson, order statistics and betting** never fall short, and are often on the safe
  side: few samples have few possible answers, and betting holds for every distribution within the
  range.
- **Hodges and Lehmann** bound a shift. Where one side is much wider than the other, and has fewer
  samples, there is no one shift, and the bound is wrong more often than stated. Compare shares
  (`take: {{share: "< 0.5"}}`) instead.
- **Newcombe** is an approximation: on the safe side where the shares are near, short of its level
  where a large good sample is compared with a small worse one. Ask for both sides with `need`, so
  that they are about as large.
- **A guardrail with `confidence`** may be looked at after every sample. An exact bound, or a
  plain threshold, may not: each is right of one look, and wrong of a phase of looks. Over a
  moving window the level is shared out, so it hardly ever errs.
- **Looks that halve the level** add up to twice the level however many there are: 5 % at the
  first look is at most 10 % over all of them. Without halving, looking again until it is green
  works.
- **Kayenta's rule** seldom alarms without cause, because it allows a quarter of the shift on top of
  its test. For that it passes: of services that are 1.5 times as slow, judged by 10 samples a side,
  nearly all. Not finding a difference is its pass; here it would be inconclusive. It states no
  level for that: 0.05 is what a bound here would keep.
"""


def picture(results: Sequence[Result]) -> str:
    """docs/coverage.svg: each share as a multiple of its level, with its bounds."""
    left, step, top = 480, 19, 44
    height = top + step * len(results) + 16

    def place(share: float) -> float:
        return left + 110 * (2 + math.log10(max(0.01, min(share, 30))))

    parts = [
        f'<svg xmlns="http://www.w3.org/2000/svg" width="880" height="{height}" '
        'font-family="sans-serif" font-size="11">',
        '<rect width="100%" height="100%" fill="white"/>',
        '<text x="8" y="16" font-size="13">How often it was wrong, as a multiple of how often '
        "it may be</text>",
    ]
    for mark in (0.01, 0.1, 1, 10):
        x, colour = place(mark), "#333" if mark == 1 else "#ccc"
        ends = f'x1="{x:.0f}" x2="{x:.0f}" y1="{top - 8}" y2="{height - 8}"'
        parts.append(f'<line {ends} stroke="{colour}"/>')
        parts.append(f'<text x="{x:.0f}" y="{top - 12}" text-anchor="middle">{mark:g}</text>')
    for index, result in enumerate(results):
        parts += _drawn(result, top + step * index + 8, place)
    return "\n".join([*parts, "</svg>\n"])


def _drawn(result: Result, y: int, place: Callable[[float], float]) -> Iterator[str]:
    line = result.line
    colour = "#007a5e" if result.holds else "#c0392b"
    low, at, high = (
        place(x / line.level) for x in (result.bounds[0], result.rate, result.bounds[1])
    )
    name = line.name.replace("&", "&amp;").replace("<", "&lt;")
    yield f'<text x="8" y="{y + 4}">{name}</text>'
    yield f'<line x1="{low:.1f}" x2="{high:.1f}" y1="{y}" y2="{y}" stroke="{colour}"/>'
    yield f'<circle cx="{at:.1f}" cy="{y}" r="4" fill="{colour}"/>'


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the lines, print their table; 1 where one claims a level that it does not hold."""
    parser = argparse.ArgumentParser(description="How often the judge's bounds are wrong.")
    parser.add_argument("--rollouts", type=int, default=ROLLOUTS)
    parser.add_argument("--seed", type=int, default=SEED)
    parser.add_argument("--only", default="", help="lines whose name has this")
    parser.add_argument("--write", action="store_true", help="docs/coverage.md and .svg")
    asked = parser.parse_args(arguments)
    if asked.rollouts < 1:
        parser.error(f"--rollouts is {asked.rollouts}; at least 1")
    if asked.write and asked.only:
        parser.error("--write needs every line: leave out --only")
    chosen = [line for line in lines() if asked.only in line.name]
    if not chosen:
        parser.error(f"no line has {asked.only!r} in its name")
    print(f"{asked.rollouts} rollouts a line, seed {asked.seed}")
    results = []
    for line in chosen:
        before = time.perf_counter()
        results.append(run(line, asked.rollouts, asked.seed))
        method, service, *rest = row(results[-1])
        took = time.perf_counter() - before
        print(f"{method}: {service}: {', '.join(rest)} [{took:.0f} s]", flush=True)
    if asked.write:
        (DOCS / "coverage.md").write_text(page(results, asked.seed), encoding="utf-8")
        (DOCS / "coverage.svg").write_text(picture(results), encoding="utf-8")
    broken = [result.line.name for result in results if result.broken]
    print(f"claims that do not hold: {', '.join(broken) or 'none'}")
    return 1 if broken else 0


if __name__ == "__main__":
    sys.exit(main())
