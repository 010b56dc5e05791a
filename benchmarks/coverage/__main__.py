"""The command: rolls every line out, prints what came of it, and writes the page if asked."""

from __future__ import annotations

import argparse
import sys
import time
from collections.abc import Sequence
from itertools import chain
from pathlib import Path

from benchmarks.coverage import head_to_head, sooner
from benchmarks.coverage.bounded import means, quantiles, shares
from benchmarks.coverage.compared import by_kayenta, rate_differences, shifts
from benchmarks.coverage.head_to_head import Outcome
from benchmarks.coverage.line import Line, Result, run
from benchmarks.coverage.page import cells, page, peer_cells, sooner_cells
from benchmarks.coverage.picture import picture
from benchmarks.coverage.watched import contrasts, guardrails, looked_at

DOCS = Path(__file__).resolve().parents[2] / "docs" / "explanation"
SEED = 20_251_110
ROLLOUTS = 10_000
QUICK = 50  # times fewer of all
_MAKERS = (
    *(shares, quantiles, means, shifts, rate_differences),
    *(guardrails, contrasts, looked_at, by_kayenta),
)


def lines() -> list[Line]:
    """Return every experiment, in the order of the table."""
    return list(chain.from_iterable(make() for make in _MAKERS))


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the lines and print them; 1 where one does not hold what it claims."""
    asked = _asked(arguments)
    chosen = [line for line in lines() if asked.only in line.name]
    if not chosen:
        _parser().error(f"no line has {asked.only!r} in its name")
    print(f"{asked.rollouts} rollouts a line, seed {asked.seed}")
    results = [_timed(line, asked.rollouts, asked.seed) for line in chosen]
    soon: list[sooner.Row] = []
    peers: list[Outcome] = []
    within = head_to_head.allowed(asked.runs)
    if not asked.only:
        for row in sooner.rows(asked.rollouts, asked.seed):
            print(_joined(sooner_cells(row)), flush=True)
            soon.append(row)
        for outcome in head_to_head.outcomes(asked.runs):
            print(_joined(peer_cells(outcome, within)), flush=True)
            peers.append(outcome)
    if asked.write:
        text = page(results, soon, peers, asked.runs, asked.seed)
        (DOCS / "coverage.md").write_text(text, encoding="utf-8")
        (DOCS / "coverage.svg").write_text(picture(results), encoding="utf-8")
    broken = [result.line.name for result in results if result.broken]
    far = [peer.name for peer in peers if (peer.apart or 0) > within]
    print(f"claims that do not hold: {', '.join(broken) or 'none'}")
    print(f"published figures that are not met: {', '.join(far) or 'none'}")
    return 1 if broken or far else 0


def _timed(line: Line, rollouts: int, seed: int) -> Result:
    """Return what came of a line, printed with the time that it took."""
    before = time.perf_counter()
    result = run(line, rollouts, seed)
    print(f"{_joined(cells(result))} [{time.perf_counter() - before:.0f} s]", flush=True)
    return result


def _joined(row: tuple[str, ...]) -> str:
    return ": ".join(row[:2]) + ": " + ", ".join(row[2:])


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="python -m benchmarks.coverage", description="How often the judge's bounds are wrong."
    )
    parser.add_argument("--rollouts", type=int, default=ROLLOUTS)
    parser.add_argument("--runs", type=int, default=head_to_head.RUNS, help="next to others")
    parser.add_argument("--seed", type=int, default=SEED)
    parser.add_argument("--only", default="", help="lines whose name has this")
    parser.add_argument("--quick", action="store_true", help=f"{QUICK} times fewer of all")
    parser.add_argument(
        "--write", action="store_true", help="coverage.md and .svg in docs/explanation"
    )
    return parser


def _asked(arguments: Sequence[str] | None) -> argparse.Namespace:
    parser = _parser()
    asked = parser.parse_args(arguments)
    for name in ("rollouts", "runs"):
        if getattr(asked, name) < 1:
            parser.error(f"--{name} is {getattr(asked, name)}; at least 1")
    if asked.write and (asked.only or asked.quick):
        parser.error("--write needs every line in full: leave out --only and --quick")
    if asked.quick:
        asked.rollouts = -(-asked.rollouts // QUICK)
        asked.runs = -(-asked.runs // QUICK)
    return asked


if __name__ == "__main__":
    sys.exit(main())
