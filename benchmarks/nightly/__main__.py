"""The command: prints how often nightly rules are wrong, and how soon they find a slowdown.

Run as ``python -m benchmarks.nightly``; ``--quick`` takes a tenth of the series.
"""

from __future__ import annotations

import argparse
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any

from benchmarks.nightly.rules import Cusum, OneValue, Ours, Watch
from benchmarks.nightly.trial import Noise, Result, tried
from pytest_rollout.model.rule import Nightly

SEED = 20_251_110
SERIES = 20_000
QUICK = 10


@dataclass(frozen=True)
class Line:
    """One row of the table."""

    name: str
    make: Callable[[], Watch]
    noise: Noise = field(default_factory=Noise)
    pinned: int = 30
    pairs: bool = False
    fresh: bool = False

    def result(self, series: int, seed: int) -> Result:
        """Return what comes of it."""
        more = {"pinned": self.pinned, "pairs": self.pairs, "fresh": self.fresh}
        return tried(self.make, self.noise, series, seed, **more)  # type: ignore[arg-type]


def ours(**changes: Any) -> Callable[[], Watch]:
    """Return what makes our rule, with some keys of its own."""
    return lambda: Ours(Nightly(**changes))


PEERS = (
    Line("one value outside the .99 t prediction interval (Bencher's)", lambda: OneValue(0.01)),
    Line("the same, two nights in a row", lambda: OneValue(0.01, 2)),
    Line("one value, the error of the pinned mean left out", lambda: OneValue(0.01, plain=True)),
    Line("the same, two nights in a row", lambda: OneValue(0.01, 2, plain=True)),
    Line("CUSUM k 1.25 h 3", lambda: Cusum(1.25, 3)),
    Line("CUSUM k 1 h 3", lambda: Cusum(1, 3)),
)
OURS = (
    Line("ours: confirm 1, latest 3 (the default)", ours()),
    Line("ours: confirm 2", ours(confirm=2)),
    Line("ours: 60 pinned nights", ours(), pinned=60),
    Line("ours: 20 pinned nights", ours(), pinned=20),
    Line("ours: confirm 0", ours(confirm=0)),
    Line("ours: latest 1, another release each night", ours(latest=1), fresh=True),
    Line(
        "ours: latest 1, confirm 2, another release each night",
        ours(latest=1, confirm=2),
        fresh=True,
    ),
)
OTHERWISE = (
    *(
        Line(
            f"{common:.0%} of the noise common to a night{pairs * ', pinned in pairs'}",
            ours(),
            Noise(common=common),
            pairs=bool(pairs),
        )
        for common in (0.25, 0.5, 1.0)
        for pairs in (0, 1)
    ),
    Line("noise that grows with the figure", ours(), Noise(grows=True)),
    Line("pinned in pairs, nothing in common", ours(), pairs=True),
    Line("heavy tails (t with 5 degrees)", ours(), Noise(law="t5")),
    Line("one run in 50 far worse", ours(), Noise(law="spikes")),
    Line("one run in 50 far worse, Bencher's", lambda: OneValue(0.01), Noise(law="spikes")),
)
TABLES = {
    "Noise of 3 % from night to night, normal": (*PEERS, *OURS),
    "Ours where the noise is another": OTHERWISE,
}


def rows(series: int, seed: int) -> Iterator[str]:
    """Yield the tables as markdown."""
    for title, lines in TABLES.items():
        yield f"\n{title}, {series} series:\n"
        yield "| rule | false alarms a year | 5 % found in 3 nights | 8 % | more runs a night |"
        yield "| --- | --- | --- | --- | --- |"
        for line in lines:
            one = line.result(series, seed)
            found = " | ".join(f"{share:.2f}" for share in one.found.values())
            alarms = f"{one.alarms:.3f} ± {2 * one.wrong:.3f}"
            yield f"| {line.name} | {alarms} | {found} | {one.asked:.2f} |"


def main(arguments: Sequence[str] | None = None) -> int:
    """Print the tables."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.nightly", description=__doc__)
    parser.add_argument("--series", type=int, default=SERIES)
    parser.add_argument("--seed", type=int, default=SEED)
    parser.add_argument("--quick", action="store_true")
    asked = parser.parse_args(arguments)
    began = time.process_time()
    for row in rows(asked.series // (QUICK if asked.quick else 1), asked.seed):
        print(row, flush=True)
    print(f"\n{time.process_time() - began:.0f} s of one core, seed {asked.seed}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
