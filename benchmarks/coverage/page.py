"""docs/explanation/coverage.md: what came of the rollouts, in tables, and what to make of it."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from benchmarks.coverage.head_to_head import APART, Outcome
from benchmarks.coverage.line import Claim, Result
from benchmarks.coverage.published import EFFECTS, PUBLISHED
from benchmarks.coverage.sooner import Found, Row

_LINES = ("method", "of what", "may be wrong", "was wrong", "so between", "", "finds", "so often")
_SOONER = ("guardrail", "of what", "false alarms", *["finds"] * 4)
_PEERS = ("test", *(f"d = {effect:g}" for effect in EFFECTS), "saved at d = 0.2", "within 0.01")


def cells(result: Result) -> tuple[str, ...]:
    """Return one result as the cells of a table."""
    line, (low, high) = result.line, result.bounds
    answer = "holds" if result.holds else "**does not hold**"
    claim = "" if line.claim is Claim.HOLDS else f" ({line.claim.value})"
    shown = (f"{line.level:.2f}", f"{result.rate:.4f}", f"{low:.4f} and {high:.4f}")
    return (line.method, line.service, *shown, answer + claim, line.finds, f"{result.power:.2f}")


def sooner_cells(row: Row) -> tuple[str, ...]:
    """Return what a guardrail finds as the cells of a table."""
    false, *others = row.cells
    return (row.guardrail, row.service, f"{false.share:.3f}", *map(_finds, others))


def _finds(cell: Found) -> str:
    after = "" if cell.after is None else f" after {cell.after:.0f}"
    return f"{cell.truth:g}: {cell.share:.2f}{after}"


def peer_cells(outcome: Outcome, within: float = APART) -> tuple[str, ...]:
    """Return what a test found, and what is published of it, as the cells of a table."""
    there = PUBLISHED.get(outcome.name)
    if there is None or outcome.apart is None:
        return (f"**{outcome.name}**", *(f"{rate:.3f}" for rate in outcome.figures), "")
    pairs = zip(outcome.figures, there, strict=True)
    answer = "yes" if outcome.apart <= within else "**no**"
    return (outcome.name, *(f"{here:.3f} ({other:.3f})" for here, other in pairs), answer)


def page(
    results: Sequence[Result], soon: Sequence[Row], peers: Sequence[Outcome], runs: int, seed: int
) -> str:
    """Return docs/explanation/coverage.md."""
    return _PAGE.format(
        lines=_table(_LINES, map(cells, results)),
        sooner=_table(_SOONER, map(sooner_cells, soon)),
        peers=_table(_PEERS, map(peer_cells, peers)),
        rollouts=f"{results[0].rollouts:,}",
        runs=f"{runs:,}",
        seed=seed,
    )


def _table(head: Sequence[str], rows: Iterable[tuple[str, ...]]) -> str:
    every = [tuple(head), ("---",) * len(head), *rows]
    return "\n".join(f"| {' | '.join(row)} |" for row in every)


_PAGE = """\
# Do the judge's bounds hold what they state, and what do they find?

Each line is a service whose truth is known, simulated {rollouts} times, and counts how often the
judge was wrong: a bound on the wrong side of the truth, an alarm on a service that is as good as
was asked, a pass of one that is not. What is simulated is the service; what judges it are the
judge's own functions. "So between" is where the true share lies, at 99.9 %; a level is not
held where all of that is above it. The last two columns say what the same bound or rule is there
to find, and how often it did: a bound of the same samples that shows at least so much, an alarm
on a service that is worse, a pass of one that is good.

```sh
python -m benchmarks.coverage --write     # minutes on one core; seed {seed}; writes this page
python -m benchmarks.coverage --quick     # seconds; a fiftieth of all, and writes nothing
```

![How often each line was wrong, as a multiple of its level](coverage.svg)

{lines}

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
  plain threshold, may not: each is right of one look, and wrong of a phase of looks. They find
  more because they alarm more, on healthy services too.
- **Looks that halve the level** add up to twice the level however many there are: 5 % at the
  first look is at most 10 % over all of them. Without halving, looking again until it is green
  works.
- **Kayenta's rule** seldom alarms without cause, because it allows a quarter of the shift on top of
  its test. For that it passes: of services that are 1.5 times as slow, judged by 10 samples a side,
  nearly all. Not finding a difference is its pass; here it would be inconclusive. It states no
  level for that: 0.05 is what a bound here would keep.

## How soon a guardrail finds what is worse

At a confidence of 95 %, looked at after every sample. "0.92: 0.64 after 232" is a service of
which 0.92 is good: it trips in 0.64 of all phases, in those after 232 samples on average. Since
the begin, the chances are counted out without simulation, and the service is as bad from its
first sample. Over the last samples, {rollouts} phases are simulated in which it gets worse at half
time; only looks after that count, and samples are counted from there.

{sooner}

- **Since the begin** an e-value is the average of likelihood ratios of all shares below the one
  asked for, with most weight near it: what is only a little worse takes many samples, what is
  much worse takes few.
- **Over the last samples** the level is shared out over blocks of two windows, because windows that
  overlap alarm together. It finds a drop however long the service was well before.

## Next to what others watch with

Published, and simulated here again: 500 pairs, the old side normal with mean 1, the new one with
mean 1 + d, both with standard deviation 1; one-sided at 0.05; looked at after every pair unless
looks are named. Each cell is the share of runs that found a difference, in brackets what is
published (akurennoy/yeast, `normal.csv` at 813ac4c; the design is Schultzberg's and Ankargren's,
"Choosing a Sequential Testing Framework", 2023). At d = 0 each is a false alarm. "Saved" is the
share of the 500 pairs that an end at the alarm saves, on average over all runs. {runs} runs of
each d; 100,000 are published. R's random numbers are not repeated, so the difference of two such
shares has a standard error of up to 0.0022.

{peers}

- **pytest-rollout** is a guardrail on the differences: `take: {{share: "> 0"}}, fail: "> 0.5",
  confidence: 95%`. It counts in how many pairs the new side is higher, and nothing else: it is told
  no standard deviation, no normal distribution and no number of pairs. The others are told the
  standard deviation. So it finds less here; of outcomes that are good or bad, which is what a
  guardrail watches as a rule, counting loses nothing.
- **YEAST and group sequential tests** are told in advance how many pairs or looks there will be.
  Where that was 20 % or half too few, they alarm more often than stated: 0.07 to 0.10.
- **Linear and cubic** say how the level is spent over time: `iuse = 3` of the R package ldbounds,
  with `phi` 1 and 3.
"""
