"""The nine runbooks, drilled: the disturbance is brought in, looked at, and ended as they say."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path

import httpx

from pytest_rollout import RolloutError, Stage
from suites.bridge.scenarios.disturbed import Effects
from suites.bridge.views.exposition import Between, Scrape, scrape
from suites.bridge.views.lines import lines
from suites.bridge.views.runbooks import CASES, EVENTS, Drill, drill_log, runbooks, signals

_BUSY = frozenset(  # what rises with any request shows no trouble
    (
        "http_requests_total",
        "http_request_duration_seconds",
        "messages_posted_total",
        "messages_posted_per_minute",
        "message_posts_total",
        "message_reads_total",
        "message_deliveries_total",
        "read_latency_seconds",
    )
)
_SLOW = "2.0"  # seconds, the bucket of the targets
_LABEL = re.compile(r"(\w+)=\"?([\w.-]+)\"?")


@dataclass(frozen=True)
class Seen:
    """What could be seen at a moment: metrics, how often each event was logged, probes."""

    metrics: Scrape | None
    events: Mapping[str, int]
    statuses: Mapping[str, int]

    def shows(self, name: str, earlier: Seen) -> bool:
        """Whether a signal tells of trouble that it did not tell of before."""
        bare, _, labels = name.removeprefix("GET ").partition("{")
        if bare.startswith("/"):
            return self.statuses.get(bare) != earlier.statuses.get(bare)
        if EVENTS.fullmatch(bare):
            return self.events.get(bare, 0) > earlier.events.get(bare, 0)
        if self.metrics is None or earlier.metrics is None or (bare in _BUSY and not labels):
            return False
        between = Between(earlier.metrics, self.metrics)
        if self.metrics.has(f"{bare}_bucket"):  # some took longer than the targets allow
            slow = between.rose(f"{bare}_count") - between.rose(f"{bare}_bucket", le=_SLOW)
            return slow > 0
        wanted = dict(_LABEL.findall(labels))
        return self.metrics.has(bare, **wanted) and between.rose(bare, **wanted) > 0


@dataclass
class Drilled:
    """A drill: what the log of drills says of it and, in a rehearsal, what was seen."""

    case: str
    now: datetime
    entry: Drill | None = None
    named: list[str] = field(default_factory=list)  # signals of the runbook
    looks: dict[str, Seen] = field(default_factory=dict)  # before, during, after
    met: dict[str, bool] = field(default_factory=dict)  # whether callers met it
    trouble: str = ""

    def entry_problem(self, most_days: int) -> str:
        """What is wrong with its entry in the log of drills."""
        return self.entry.problem(self.now, most_days) if self.entry else "there is no entry"

    def problems(self, most_days: int) -> dict[str, str]:
        """What is wrong with the drill, by moment."""
        problems = {
            "entry": self.entry_problem(most_days),
            "signal": self._signal_on_record(),
            "runbook": "" if self.named else "its runbook names no signal",
        }
        if not self.looks:
            return problems
        if self.trouble:
            return {**problems, "drill": self.trouble}
        shown = [
            signal
            for signal in self.named
            if self.looks["during"].shows(signal, self.looks["before"])
        ]
        named = ", ".join(self.named[:4])
        return {
            **problems,
            "disturbed": "" if self.met["during"] else "nothing was disturbed for callers",
            "symptom": "" if shown else f"none of {named} showed it",
            "before": "callers met it before it began" if self.met["before"] else "",
            "ended": "callers still meet it after the actions" if self.met["after"] else "",
            "probes": self._probes_problem(),
        }

    def _signal_on_record(self) -> str:
        """Whether the signal that was written down is one that the runbook names."""
        if self.entry is None:
            return "there is no entry"
        told = self.entry.row.text("signal").strip("`")
        known = {signal.partition("{")[0] for signal in self.named}
        right = any(re.search(rf"(?<![\w/]){re.escape(name)}(?!\w)", told) for name in known)
        return "" if right else f"{told!r} was seen, which the runbook does not name"

    def _probes_problem(self) -> str:
        after = self.looks["after"].statuses
        odd = [path for path, status in after.items() if status != 200]
        return f"{odd[0]} answers {after[odd[0]]} after the actions" if odd else ""


def drills_done(phase: Stage) -> Mapping[str, Drilled]:
    """Each of the nine, one after the other."""
    effects = Effects.of(phase)
    known = runbooks(phase.file("repository"))
    drills = {case: _drilled(phase, effects, case, known.get(case, {})) for case in CASES}
    _entries(phase, drills)
    return drills


def drills_on_record(phase: Stage) -> Mapping[str, Drilled]:
    """The drills that people did, by their log."""
    known = runbooks(phase.file("repository"))
    drills = {
        case: Drilled(case, phase.target("bridge").clock.now(), named=signals(known.get(case, {})))
        for case in CASES
    }
    _entries(phase, drills)
    return {case: drill for case, drill in drills.items() if drill.entry is not None}


def _entries(phase: Stage, drills: Mapping[str, Drilled]) -> None:
    log = drill_log(phase.file("repository"))
    for case, drill in drills.items():
        drill.entry, drill.now = log.get(case), phase.target("bridge").clock.now()


def _drilled(phase: Stage, effects: Effects, case: str, said: Mapping[str, str]) -> Drilled:
    drill = Drilled(case, phase.target("bridge").clock.now(), named=signals(said))
    try:
        drill.looks["before"], drill.met["before"] = _look(phase, said), effects.met(case)
        effects.mark()
        phase.operate("bridge", "drill", runbook=case, part="begin")
        drill.met["during"] = effects.met(case)
        drill.looks["during"] = _look(phase, said)
        phase.operate("bridge", "drill", runbook=case, part="end")
        effects.mark()
        drill.met["after"], drill.looks["after"] = effects.met(case), _look(phase, said)
    except (RolloutError, AssertionError, httpx.HTTPError) as error:  # of this drill alone
        drill.trouble = str(error)
        drill.looks.setdefault("before", Seen(None, {}, {}))
    return drill


def _look(phase: Stage, said: Mapping[str, str]) -> Seen:
    client = phase.target("bridge").client
    names = [name.removeprefix("GET ") for name in signals(said)]
    paths = {"/health", "/ready", *(name for name in names if name in ("/health", "/ready"))}
    statuses = {path: client.get(path).status_code for path in sorted(paths)}
    metrics: Scrape | None = None
    with suppress(RolloutError):
        metrics = scrape(client)
    return Seen(metrics, _events(phase.file("logs")), statuses)


def _events(folder: Path) -> Mapping[str, int]:
    counts: dict[str, int] = {}
    files: Iterable[Path] = sorted(folder.glob("*.jsonl"))
    for file in files:
        for line in lines(file, "log"):
            event = str(line.get("event"))
            counts[event] = counts.get(event, 0) + 1
    return counts
