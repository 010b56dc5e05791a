"""The four automatic triggers of a rollback, each just not met and then just met."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from pytest_rollout import NoValueError, RolloutError, Stage, scenario
from suites.pipeline.views.agreement import strange_ending
from suites.pipeline.views.channels import heard, posts, text_of
from suites.pipeline.views.hub import Hub
from suites.pipeline.views.journal import ASSIGNED, COPILOT, TRIAGE
from suites.pipeline.views.on_main import Version, versions
from suites.pipeline.views.schedules import ASSIGN, DAILY, LIVE, PROCESS
from suites.pipeline.views.telemetry import Record, read_all

MINUTE = timedelta(minutes=1)
ENOUGH = timedelta(minutes=6)  # five minutes are allowed


@dataclass(frozen=True)
class Trial:
    """What the controller did on both sides of a condition."""

    trigger: str
    below: str  # what was so, in words
    off_below: frozenset[str]  # workflows without a schedule then
    above: str
    off_above: frozenset[str]
    caused: datetime  # when the condition was met
    switched_off: tuple[Version, ...]  # the versions of main that took the schedules out
    told: tuple[str, ...]  # what the channel heard of a rollback
    refused: tuple[Record, ...] = ()  # calls that GitHub refused for the limit, by telemetry

    @property
    def delay(self) -> timedelta | None:
        """How long after its cause the last schedule was out; None where one is not."""
        if self.off_above != set(LIVE) or not self.switched_off:
            return None
        return max(version.at for version in self.switched_off) - self.caused


def without_schedule(hub: Hub) -> dict[str, Version]:
    """The live workflows that have no schedule any more, with the version that took it out."""
    stopped = {}
    for name in LIVE:
        since = None
        for version in versions(hub, name):
            if version.file.crons:
                break
            since = version
        if since:
            stopped[name] = since
    return stopped


def tried(
    phase: Stage, trigger: str, below: tuple[str, frozenset[str]], above: str, caused: datetime
) -> Trial:
    """What there is to say of a trigger once its condition was met."""
    off = without_schedule(Hub.of(phase))
    told = tuple(text_of(message) for message in posts(heard(phase, caused - MINUTE), "rollback: "))
    return Trial(trigger, *below, above, frozenset(off), caused, tuple(off.values()), told)


def _started(phase: Stage) -> None:
    """Let the first day begin until all three schedules are active; raises NoValueError else."""
    clock = phase.target("github").clock
    clock.to(phase.window[0] + 10 * MINUTE)
    off = without_schedule(Hub.of(phase))
    if off:
        raise NoValueError(f"{', '.join(off)} has no schedule to switch off")


def not_met(phase: Stage, what: str) -> tuple[str, frozenset[str]]:
    """What was so while a condition was not met, and the workflows that were off all the same."""
    return what, frozenset(without_schedule(Hub.of(phase)))


@scenario(effect="disrupt", own_target=True)
def rate_used_up(phase: Stage) -> Trial:
    """One request is left, and then none."""
    clock = phase.target("github").clock
    _started(phase)
    clock.to(phase.window[0] + timedelta(hours=1, minutes=40))
    phase.operate("github", "rate", remaining=1)
    clock.to(phase.window[0] + timedelta(hours=1, minutes=46))
    below = not_met(phase, "one request is left")
    clock.to(phase.window[0] + timedelta(hours=1, minutes=49, seconds=50))
    phase.operate("github", "rate", remaining=0)
    caused = clock.now()
    clock.advance(ENOUGH.total_seconds())
    trial = tried(phase, "rate-limit", below, "no request is left", caused)
    told = read_all(phase.file("telemetry"))
    return replace(trial, refused=tuple(r for r in told if r.event == "rate_limited"))


@scenario(effect="disrupt", own_target=True)
def runs_failing(phase: Stage) -> Trial:
    """Of an assignment's runs in six hours one of two fails, and then two of three."""
    clock, begin = phase.target("github").clock, phase.window[0]
    phase.operate("github", "fail-runs", workflow=ASSIGN, count=2, ok_first=1)
    _started(phase)
    clock.to(begin + timedelta(hours=3, minutes=10))
    below = not_met(phase, "one of two runs failed")
    clock.to(begin + timedelta(hours=4, minutes=12))
    hub = Hub.of(phase)
    runs = [r for r in hub.runs() if r.file == ASSIGN and r.ended and r.begun >= begin]
    failed = [run for run in runs if run.conclusion == "failure"]
    if len(failed) < 2 or len(runs) != 3:
        told = ", ".join(run.conclusion for run in runs)
        raise NoValueError(f"two of three runs were to fail, and they ended in {told}")
    if wrong := strange_ending(hub, failed[0].id):
        raise RolloutError(f"run {failed[0].id} failed: {wrong}")
    return tried(phase, "failure-rate", below, "two of three runs failed", failed[1].ended or begin)


@scenario(effect="disrupt", own_target=True)
def processing_failing(phase: Stage) -> Trial:
    """One run of processing fails and one of two of assignment, and then processing again."""
    clock, begin = phase.target("github").clock, phase.window[0]
    phase.operate("github", "fail-runs", workflow=PROCESS, count=2)
    phase.operate("github", "fail-runs", workflow=ASSIGN, count=1, ok_first=1)
    _started(phase)
    clock.to(begin + timedelta(hours=3, minutes=10))
    below = not_met(phase, "one run of processing failed, and one of two of assignment")
    clock.to(begin + timedelta(hours=4, minutes=12))
    caused = _second_failure(phase, PROCESS)
    return tried(phase, "failure-rate", below, "both runs of processing failed", caused)


@scenario(effect="disrupt", own_target=True)
def daily_failing(phase: Stage) -> Trial:
    """The daily run is started by hand and fails, and then once more."""
    clock, hub = phase.target("github").clock, Hub.of(phase)
    phase.operate("github", "fail-runs", workflow=DAILY, count=2)
    _started(phase)
    below = ("", frozenset[str]())
    for what in ("one daily run failed", ""):
        path = f"/actions/workflows/{DAILY}/dispatches"
        hub.ask("POST", path, json={"ref": "main"}).raise_for_status()
        clock.advance(10 * 60)
        below = not_met(phase, what) if what else below
    caused = _second_failure(phase, DAILY)
    return tried(phase, "failure-rate", below, "both daily runs failed", caused)


def _second_failure(phase: Stage, file: str) -> datetime:
    """When the second run of a workflow failed; raises NoValueError where that did not happen."""
    begin, runs = phase.window[0], Hub.of(phase).runs()
    told = [run for run in runs if run.file == file and run.ended and run.created >= begin]
    failed = [run.ended for run in told if run.conclusion == "failure" and run.ended]
    if len(failed) < 2:
        ends = ", ".join(run.conclusion for run in told)
        raise NoValueError(f"two runs of {file} were to fail, and they ended in {ends or 'none'}")
    return failed[1]


@scenario(effect="disrupt", own_target=True)
def states_conflicting(phase: Stage) -> Trial:
    """An assigned issue keeps its triage label, and then another one is with Copilot as well."""
    clock, begin, hub = phase.target("github").clock, phase.window[0], Hub.of(phase)
    _started(phase)
    clock.to(begin + timedelta(hours=1))
    said = phase.operate("github", "seed-issues", count=2, state="assigned")
    drifting, conflicting = (int(number) for number in said["issues"])
    _label(hub, drifting, TRIAGE)
    clock.to(begin + timedelta(hours=1, minutes=59))
    if not _ended_after(hub, begin + timedelta(hours=1)):
        raise NoValueError("no run ended while the issue drifted, so nobody looked at it")
    below = not_met(phase, "an assigned issue has its triage label as well")
    _label(hub, conflicting, COPILOT)
    planted = clock.now()
    clock.advance(10 * 60)
    ended = _ended_after(hub, planted)
    if not ended:
        raise NoValueError("no run ended after an issue got two states, so nobody looked at it")
    above = f"an issue is {ASSIGNED} and {COPILOT} at once"
    return tried(phase, "corruption", below, above, min(ended))


def _label(hub: Hub, issue: int, label: str) -> None:
    hub.described("issues", "add_labels", issue_number=issue, labels=[label])


def _ended_after(hub: Hub, moment: datetime) -> list[datetime]:
    return [run.ended for run in hub.runs() if run.ended and run.ended > moment]
