"""Runs that are started by hand, and what each of them wrote to GitHub."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import timedelta
from typing import Any, TypeVar

from pytest_rollout import NoValueError, RolloutError, Stage, TooLittleError, reported, scenario
from suites.pipeline.views.hub import Hub
from suites.pipeline.views.journal import ASSIGNED, COPILOT, TRIAGE, Run
from suites.pipeline.views.runs import BOT, Log, artifact
from suites.pipeline.views.schedules import ASSIGN, PROCESS
from suites.pipeline.views.telemetry import Record, read_run

PATIENCE = timedelta(minutes=90)
STEP = timedelta(seconds=60)
QUIET = 0.028  # days from midnight on: 00:40, when no schedule is due for an hour
ASSIGNED_MARK = "<!-- pipeline:assigned -->"
T = TypeVar("T")
Parts = Mapping[str, frozenset[object]]  # what the pipeline wrote, part by part


def written(hub: Hub) -> Parts:
    """What stands on GitHub by the pipeline's own hand: labels, guidance, comments, branches."""
    issues = hub.issues()
    comments = [row for row in hub.pages("/issues/comments") if row["user"]["login"] == BOT]
    return {
        "labels and assignees": frozenset(
            event for issue in issues.values() for event in issue.events if event.actor == BOT
        ),
        "bodies": frozenset((issue.number, issue.body) for issue in issues.values()),
        "comments": frozenset((row["id"], row["body"], row["updated_at"]) for row in comments),
        "branches": frozenset(row["name"] for row in hub.pages("/branches")),
    }


def differing(before: Parts, after: Parts) -> dict[str, bool]:
    """Whether each part is otherwise than before."""
    return {part: before[part] != after[part] for part in before}


def start(phase: Stage, hub: Hub, name: str, **inputs: str) -> Run:
    """A run that is started by hand, once it has ended.

    Raises TooLittleError where another workflow ran meanwhile, because nobody could then tell
    which of the two wrote what.
    """
    clock = phase.target("github").clock
    begun = clock.now()
    body = {"ref": "main", "inputs": inputs}
    answer = hub.ask("POST", f"/actions/workflows/{name}/dispatches", json=body)
    if not answer.is_success:
        raise RolloutError(
            f"{name} was not started by hand: {answer.status_code} {answer.text:.99}"
        )
    told = reported(answer)
    said = reported(hub.at(told.text("run_url")))
    if (said["id"], said["html_url"]) != (told["workflow_run_id"], told["html_url"]):
        raise RolloutError(f"{name} was started by hand, and {told} is not of the run {said['id']}")
    while clock.now() < begun + PATIENCE:
        clock.advance(STEP.total_seconds())
        new = hub.runs(created=f">={begun:%Y-%m-%dT%H:%M:%SZ}")
        mine = [run for run in new if run.id == said["id"]]
        if mine and mine[0].ended:
            others = [run.file for run in new if run.id != mine[0].id]
            if others:
                raise TooLittleError(f"{', '.join(others)} ran at the same time; try again")
            return mine[0]
    raise NoValueError(f"{name} was started by hand, and no run of it ended in {PATIENCE}")


def wait(hub: Hub, label: str) -> int:
    """How many open issues of the pipeline carry a label."""
    return sum(1 for _ in hub.pages("/issues", labels=label, state="open"))


def moved_in(hub: Hub, run: Run, label: str) -> frozenset[int]:
    """The issues that got a label from the pipeline while a run lasted, read off newest events."""
    issues = set()
    for event in hub.events():
        if event.at < run.begun:
            break
        if (event.kind, event.subject, event.actor) == ("labeled", label, BOT):
            issues.add(event.issue)
    return frozenset(issues)


@dataclass
class Trials:
    """What came of trials that follow each other; one that broke takes down what reads it."""

    _done: dict[str, Any] = field(default_factory=dict)
    _broken: dict[str, Exception] = field(default_factory=dict)

    def attempt(self, name: str, trial: Callable[[], object]) -> None:
        """Do a trial and keep what came of it."""
        try:
            self._done[name] = trial()
        except Exception as error:  # kept, and raised by the check that reads it
            self._broken[name] = error

    def outcome(self, name: str, kind: type[T]) -> T:
        """What came of a trial; raises what it raised."""
        if name in self._broken:
            raise self._broken[name]
        if name not in self._done:
            raise NoValueError(f"nobody tried {name}")
        done = self._done[name]
        assert isinstance(done, kind)
        return done


@dataclass(frozen=True)
class Compared:
    """What a run wrote, and whether the one after it, which may, wrote anything."""

    wrote: Mapping[str, bool]
    next_one_wrote: bool
    told: tuple[Record, ...] = ()  # its telemetry, where that was read


@dataclass(frozen=True)
class Counted:
    """How many issues a run took while how many waited: those it moved, and those that failed."""

    run: Run
    took: int
    waiting: int
    failed: int
    moved: frozenset[int]
    told: tuple[Record, ...]  # its telemetry
    said: Mapping[int, str] = field(default_factory=dict)  # results by issue, as its log has them
    kept: int = 0  # lines of its artifact of telemetry

    @classmethod
    def of(cls, run: Run, moved: Iterable[int], told: Sequence[Record], waiting: int) -> Counted:
        """What a run did, by GitHub's events and by what its telemetry says of failures."""
        there = frozenset(moved)
        failed = {r.issue or 0 for r in told if r.event == "item" and r.result == "failed"}
        return cls(run, len(there | failed), waiting, len(failed), there, tuple(told))


_BECOMES = {ASSIGN: (TRIAGE, ASSIGNED), PROCESS: (ASSIGNED, COPILOT)}


def counted(phase: Stage, hub: Hub, name: str, *, fail: int = 0, **inputs: str) -> Counted:
    """Count a run; so many of the oldest issues that wait fail in it."""
    waits, becomes = _BECOMES[name]
    waiting = sorted(row["number"] for row in hub.pages("/issues", labels=waits, state="open"))
    for number in waiting[:fail]:
        phase.operate("github", "fail-item", issue=number)
    run = start(phase, hub, name, **inputs)
    told = read_run(phase.file("telemetry"), run.id)
    kept = artifact(hub, run, "telemetry").get(f"{run.id}.jsonl", b"")
    done = Counted.of(run, moved_in(hub, run, becomes), told, len(waiting))
    return replace(done, said=Log.of(hub, run).results, kept=len(kept.splitlines()))


@scenario(effect="change", own_target=True)
def assigned_by_hand(phase: Stage) -> Trials:
    """Assignment with thirty issues waiting: dry, three times for real, and with nothing left.

    In the second one an issue fails, which counts as well. A fourth one is told other settings.
    """
    hub, trials = Hub.of(phase), Trials()
    phase.operate("github", "days", days=QUIET)
    drain(phase, hub, ASSIGN, TRIAGE)  # a dry run of before may have written to what waits
    phase.operate("github", "seed-issues", count=30, state="triage")

    def dry_run() -> Compared:
        before = written(hub)
        start(phase, hub, ASSIGN, dry_run="true")
        dry = differing(before, written(hub))
        between = written(hub)
        counts.append(counted(phase, hub, ASSIGN))
        return Compared(dry, any(differing(between, written(hub)).values()))

    def limits() -> list[Counted]:
        while len(counts) < 3:
            counts.append(counted(phase, hub, ASSIGN, fail=int(len(counts) == 1)))
        return counts

    def inputs() -> Counted:
        phase.operate("github", "seed-issues", count=8, state="triage")
        return counted(phase, hub, ASSIGN, limit="3", verbose="false", statistics="false")

    counts: list[Counted] = []
    trials.attempt("dry run", dry_run)
    trials.attempt("limits", limits)
    trials.attempt("inputs", inputs)
    trials.attempt("comments", lambda: _comments(hub))
    trials.attempt("again", lambda: _again(phase, hub, ASSIGN, TRIAGE))
    return trials


def _comments(hub: Hub) -> Counter[int]:
    """How many comments of assignment each issue has."""
    return Counter(
        int(row["issue_url"].rpartition("/")[2])
        for row in hub.pages("/issues/comments")
        if row["user"]["login"] == BOT and row["body"].startswith(ASSIGNED_MARK)
    )


def drain(phase: Stage, hub: Hub, name: str, waits: str) -> None:
    """Run until nothing waits any more."""
    for _ in range(6):
        if not wait(hub, waits):
            return
        start(phase, hub, name)


def _again(phase: Stage, hub: Hub, name: str, waits: str) -> Compared:
    """Run once more over what is done already."""
    drain(phase, hub, name, waits)
    before = written(hub)
    run = start(phase, hub, name)
    told = tuple(read_run(phase.file("telemetry"), run.id))
    return Compared(differing(before, written(hub)), next_one_wrote=True, told=told)
