"""The end of the rollout: a week at 100 percent, the shadow week beside it, the final table."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import cached_property
from pathlib import Path

from pytest_rollout import Reported, Stage, scenario
from suites.eros.views import journal
from suites.eros.views.journal import GIVEN_UP, Run
from suites.eros.views.said import not_done
from suites.eros.views.service import Service

WEEK = timedelta(days=7)


@dataclass(frozen=True)
class Finished:
    """A rollout that is through."""

    service: Service
    now: datetime
    repository: Path
    reports: Path
    table: Path

    @cached_property
    def runs(self) -> Sequence[Run]:
        """Runs of v5 for creators that ended in the last seven days."""
        since = self.now - WEEK
        ran = journal.served(journal.runs(self.service, since=since - GIVEN_UP, pipeline="v5"))
        if not ran:
            not_done("v5 served nobody in the last week", "see what ran")
        return [run for run in ran if run.ended >= since]

    @cached_property
    def tool_calls(self) -> Mapping[str, int]:
        """Calls of each run of v5, as the tool server counts them itself."""
        counted = self.service.get("/mcp", since=self.now - WEEK - GIVEN_UP).inner("runs")
        return {run: sum(calls.values()) for run, calls in counted.items()}

    @cached_property
    def compared(self) -> Sequence[tuple[datetime, Run, Run]]:
        """Each comparison: when, and the runs of v4 and v5."""
        comparisons = self.service.get("/comparisons").each("comparisons")
        if not comparisons:
            not_done("v4 and v5 were never compared", "see the shadow week")
        moments = [comparison.moment("at") for comparison in comparisons]
        since, until = min(moments) - timedelta(days=1), max(moments)
        journal_ = journal.runs(self.service, since=since, until=until)
        by_id = {run.run_id: run for run in journal_}
        pairs = []
        for at, comparison in zip(moments, comparisons, strict=True):
            runs = [by_id.get(comparison.inner(name).text("run_id")) for name in ("v4", "v5")]
            if runs[0] is not None and runs[1] is not None:
                pairs.append((at, runs[0], runs[1]))
        return pairs

    @property
    def pairs(self) -> Sequence[tuple[Run, Run]]:
        """Runs of v4 and v5 of the same request; both succeeded."""
        return [(old, new) for _, old, new in self.compared if old.ok and new.ok]

    @property
    def v4(self) -> Sequence[Run]:
        """Runs of v4 beside which v5 ran: the baseline."""
        return [old for _, old, _ in self.compared]


@scenario()
def finished(phase: Stage) -> Finished:
    """Every phase has passed, and people close the rollout; elsewhere it is read.

    On the last day two runs fail, so that it matters what counts as a success.
    """
    phase.operate("eros", "rollout", before="final")
    for creator in ("alexia", "gia_adams"):  # half an hour apart: the rollback stays quiet
        phase.operate("eros", "disturb", pipeline="v5", creator=creator, fails="raise")
    phase.operate("eros", "days", count=1)
    phase.operate("eros", "close")
    service = Service(phase.target("eros").client)
    files = (phase.file(name) for name in ("repository", "reports", "final"))
    return Finished(service, phase.now(), *files)


def calls_of(run: Run) -> int:
    """The tool calls that a run says it made."""
    return run.said.whole("mcp_calls")


def agents_of(run: Run) -> Sequence[Reported]:
    """The agents that a run called."""
    return run.said.each("agents")
