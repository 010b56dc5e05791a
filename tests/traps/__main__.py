"""`python -m tests.traps`: write the page of traps from real runs; with --full, run the matrix."""

from __future__ import annotations

import argparse
import os
import sys
import time
from collections.abc import Sequence
from concurrent.futures import ProcessPoolExecutor

from tests.traps.catalogue import HONEST, TRAPS
from tests.traps.choice import Run, matrix
from tests.traps.page import PAGE, Row, known, rows, written
from tests.traps.run import Result, spring
from tests.traps.trap import GO


def _sprung(run: Run) -> Result:
    return spring(*run)


def _full(jobs: int, ids: Sequence[str]) -> int:
    """Every trap and every honest run in every mode and with both sets of plugins."""
    runs = [run for run in matrix([*TRAPS, *HONEST]) if not ids or run[0].id in ids]
    began, wrong, false = time.monotonic(), 0, 0
    with ProcessPoolExecutor(jobs) as pool:
        for result in pool.map(_sprung, runs):
            faults = result.faults()
            wrong += bool(faults)
            false += result.says_go and result.trap.answer != GO
            if faults:
                print(f"{result}: {'; '.join(faults)}", flush=True)
    seconds = time.monotonic() - began
    print(f"{len(TRAPS)} traps and {len(HONEST)} honest runs, {len(runs)} runs in {seconds:.0f} s")
    print(f"false GO: {false}; not as the catalogue says: {wrong}")
    return 1 if wrong else 0


def _page(jobs: int, ids: Sequence[str]) -> int:
    """Every trap anew, or only these, and the others as the page has them."""
    kept = known() if ids else {}
    anew = [trap for trap in TRAPS if trap.id in ids or " ".join(trap.says.split()) not in kept]
    with ProcessPoolExecutor(jobs) as pool:
        kept |= {
            " ".join(t.says.split()): r for t, r in zip(anew, pool.map(rows, anew), strict=True)
        }
    found: list[Row] = [kept[" ".join(trap.says.split())] for trap in TRAPS]
    PAGE.write_text(written(found), encoding="utf-8")
    print(f"{PAGE}: {len(found)} traps")
    return 0


def main() -> int:
    """The command."""
    parser = argparse.ArgumentParser(prog="python -m tests.traps", description=__doc__)
    parser.add_argument("ids", nargs="*", help="only these traps")
    parser.add_argument("--full", action="store_true", help="run the matrix; write nothing")
    parser.add_argument("--jobs", type=int, default=os.cpu_count() or 1, help="at a time")
    given = parser.parse_args()
    return _full(given.jobs, given.ids) if given.full else _page(given.jobs, given.ids)


if __name__ == "__main__":
    sys.exit(main())
