"""Two runs of the suite's own task graphs side by side, looked at until both have ended."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from functools import cached_property

from pytest_rollout import LiveTarget, Reported, Stage, every, reported, scenario
from suites.pas.views.graph import Node, at_work, by_id, layered
from suites.pas.views.pas import ENDED, Pas

STEP_S, LIMIT = 2, timedelta(minutes=6)
SHARES, FEW = (0.01, 0.05), 0.0001
CAP_USD = 5.0  # of one of the runs, which never takes so much


@dataclass(frozen=True)
class Look:
    """What the service said at one time: the portfolio, and the runs that this is about."""

    at: datetime
    portfolio: Reported
    runs: Mapping[str, Reported]  # of the suite
    others: Sequence[Reported] = ()  # of other projects with runs that are not over
    steady: bool = True  # the same portfolio before and after the runs were read

    @cached_property
    def working(self) -> dict[str, int]:
        """How many tasks run, by lane, counted from the runs themselves."""
        return at_work([*self.runs.values(), *self.others])


@dataclass(frozen=True)
class Sent:
    """A run of the suite: what was handed in, and which task each card became."""

    run: str
    nodes: tuple[Node, ...]
    tasks: Mapping[str, str]  # the id that the service gave, by the node's name
    rehearsals: Mapping[float, Reported]
    few: Reported  # a rehearsal of so few units that lanes are left out
    started: Reported
    weight: float
    capped: bool  # whether it has a budget


@dataclass(frozen=True)
class Work:
    """Two runs, and every look at them."""

    pas: Pas
    idle: Look
    sent: Sequence[Sent]
    looks: Sequence[Look]
    receipts: tuple[int, int] = (0, 0)  # that the service counted before and after
    embedded: bool = True
    ended: Mapping[str, Reported] = field(default_factory=dict)

    def seen(self, sent: Sent) -> list[dict[str, Reported]]:
        """The tasks of a run at each look, by the names of its nodes."""
        return [self.named(sent, look.runs[sent.run]) for look in self.looks]

    def named(self, sent: Sent, status: Reported) -> dict[str, Reported]:
        """The tasks of one answer by the names of the nodes."""
        tasks = by_id(status)
        missing = [name for name, task in sent.tasks.items() if task not in tasks]
        assert not missing, f"run {sent.run} no longer has the tasks of {missing[:5]}"
        return {name: tasks[task] for name, task in sent.tasks.items()}


@scenario(effect="change")
def work(phase: Stage) -> Work:
    """Two graphs are handed in, one with children first, rehearsed, started twice and executed."""
    target = phase.target("pas")
    pas = Pas(target.client)
    if phase.embedded:
        _settle(pas, target)
    idle = look(pas, target.clock.now(), ())
    before = pas.get("/health").whole("total_receipts")
    sent = [_hand_in(pas, "backward", 0, 1.0), _hand_in(pas, "forward", LAYERS_APART, 3.0)]
    names = [graph.run for graph in sent]
    looks = []
    for now in every(target.clock, STEP_S, until=target.clock.now() + LIMIT):
        looks.append(look(pas, now, names))
        if all(status.text("status") in ENDED for status in looks[-1].runs.values()):
            break
    after = pas.get("/health").whole("total_receipts")
    ended = {name: pas.status(name) for name in names}
    return Work(pas, idle, sent, looks, (before, after), phase.embedded, ended)


LAYERS_APART = 20  # so that both runs together have at least six tasks in each lane


def _hand_in(pas: Pas, why: str, offset: int, weight: float) -> Sent:
    """Hand in a graph, rehearse it, start it, and start it once more."""
    nodes, run = layered(offset), pas.new_run(why)
    tasks: dict[str, str] = {}
    if why == "backward":  # the sender chooses the ids, and sends what needs others before them
        for node in reversed(nodes):
            said = reported(pas.submit(run, node.lane, node.deps, task_id=node.name))
            tasks[node.name] = said.text("task_id")
    else:
        for node in nodes:
            deps = [tasks[name] for name in node.deps]
            tasks[node.name] = reported(pas.submit(run, node.lane, deps)).text("task_id")
    rehearsals = {
        share: reported(pas.control("simulate", run, rehearsal_pct=share, stratified=True))
        for share in SHARES
    }
    few = reported(pas.control("simulate", run, rehearsal_pct=FEW, stratified=False))
    capped = why == "forward"
    caps = {"budget_caps": {"usd": CAP_USD}} if capped else {}
    started = pas.start(run, weight=weight, **caps)
    pas.control("start", run)  # again, under another key: refused or the same, never twice
    return Sent(run, nodes, tasks, rehearsals, few, started, weight, capped)


def look(pas: Pas, at: datetime, names: Sequence[str]) -> Look:
    """Look at the portfolio and at every run that has not ended."""
    first = pas.portfolio()
    runs = {name: pas.status(name) for name in names}
    listed = [run.text("run_id") for run in first.each("runs") if _going(run)]
    others = [pas.status(name) for name in listed if name not in runs]
    again = pas.portfolio()
    steady = first.inner("running_tasks") == again.inner("running_tasks")
    return Look(at, again, runs, others, steady)


def _going(run: Reported) -> bool:
    return run.text("status") in ("executing", "paused")


def _settle(pas: Pas, target: LiveTarget) -> None:
    """Let the runs of other scenarios come to their end."""
    for _ in every(target.clock, 20, until=target.clock.now() + LIMIT):
        if not pas.portfolio().whole("active_runs"):
            return
