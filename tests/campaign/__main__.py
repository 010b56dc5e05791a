"""`python -m tests.campaign`: strike hundreds of runs at random, and check the laws after each."""

from __future__ import annotations

import argparse
import secrets
import sys
import time

from tests.campaign import report
from tests.campaign.draw import KINDS
from tests.campaign.play import campaign
from tests.campaign.scene import Outcome


def _told(outcome: Outcome) -> None:
    """A sign of life on standard error, and what is broken at once."""
    shown = "".join(f"\nBROKEN in {outcome.index}: {one}\n" for one in outcome.broken)
    sys.stderr.write(shown or ("." if outcome.landed else "-"))
    sys.stderr.flush()


def main() -> int:
    """Run it; exit status 1 where a law was broken."""
    parser = argparse.ArgumentParser(prog="python -m tests.campaign", description=__doc__)
    parser.add_argument("--count", type=int, default=500, help="interruptions that must land")
    parser.add_argument("--seed", type=int, default=secrets.randbelow(10**6))
    parser.add_argument("--jobs", type=int, default=2)
    parser.add_argument("--minutes", type=float, default=60, help="stop after that long")
    parser.add_argument("--only", type=int, action="append", default=[], help="just this case")
    parser.add_argument("--kind", choices=list(KINDS), action="append", default=[])
    given = parser.parse_args()
    began = time.monotonic()
    sys.stdout.write(f"seed {given.seed} (what is done is drawn from it; timing is the clock's)\n")
    sys.stdout.flush()
    outcomes = campaign(
        given.seed,
        given.count,
        given.jobs,
        only=given.only,
        keep=bool(given.only),
        minutes=given.minutes,
        kinds=given.kind,
        said=_told,
    )
    for line in report.lines(given.seed, outcomes, time.monotonic() - began, given.kind):
        sys.stdout.write(line + "\n")
    if given.only:
        for one in outcomes:
            sys.stdout.write(f"{one}\n")
    short = not given.only and sum(one.landed for one in outcomes) < given.count
    return int(short or any(one.broken for one in outcomes))


if __name__ == "__main__":
    sys.exit(main())
