"""Whether v5 is stable for a creator, looked at every few hours."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import datetime, timedelta

from suites.eros.views.journal import Run

STEP = timedelta(hours=6)
DAY = timedelta(hours=24)


def looks(
    runs: Sequence[Run], upsets: Sequence[datetime], begun: datetime, ended: datetime
) -> Iterator[tuple[datetime, bool]]:
    """Each look at one creator's runs, from the begin on, and whether it is unstable then.

    ``upsets`` are the times of broken gates, of rollbacks and of changes of flags.
    """
    before, at = begun, begun
    while at <= ended:
        past = [run for run in runs if run.ended <= at]
        upset = any(before < moment <= at for moment in upsets)
        silent = at - begun >= DAY and not any(run.ended > at - DAY for run in past)
        yield at, upset or silent or not figures_hold(past[-20:])
        before, at = at, at + STEP


def figures_hold(lately: Sequence[Run]) -> bool:
    """Whether the last runs, up to 20, keep success, speed and quality.

    Of 20 runs one may fail for 95 %, and one may take longer than the 95th percentile.
    """
    failed = sum(not run.ok for run in lately)
    slow = sum(run.seconds >= 120 for run in lately)
    scores = [run.quality for run in lately if run.quality is not None]
    return failed <= 1 and slow <= 1 and (not scores or sum(scores) / len(scores) >= 80)
