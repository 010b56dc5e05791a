"""`rollout watch`: look at a phase's guardrails again and again."""

from __future__ import annotations

import signal
import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from dataclasses import field
from datetime import UTC, datetime
from functools import partial

import click

from pytest_rollout import calendar, processes
from pytest_rollout.cli import after_trip, watch_head
from pytest_rollout.cli.after_trip import TripResponse
from pytest_rollout.cli.names import PHASE
from pytest_rollout.cli.project import Project, common, environment_option, parsed
from pytest_rollout.cli.real_environment import identified, real_environment
from pytest_rollout.cli.watch_output import WatchOutput
from pytest_rollout.evidence import opening
from pytest_rollout.evidence.bodies import Process
from pytest_rollout.evidence.phase_life import PhaseLife
from pytest_rollout.late_dataclass import dataclass
from pytest_rollout.model.errors import OptionError, RolloutError
from pytest_rollout.model.plan import Phase, Plan, Then
from pytest_rollout.model.rule import duration_words
from pytest_rollout.model.verdict import Answer, State
from pytest_rollout.plan.terms import duration_us
from pytest_rollout.report import sentences, stored
from pytest_rollout.report.fact_words import count, wall
from pytest_rollout.targets.address import addresses
from pytest_rollout.watching.looking import Looking, WatchLook
from pytest_rollout.watching.poll import Poller, sources
from pytest_rollout.watching.real_targets import RealPlace
from pytest_rollout.watching.record import Recording, Watched
from pytest_rollout.watching.rollback import Ran, Runner
from pytest_rollout.watching.state import GuardrailStanding, answer
from pytest_rollout.watching.trip_records import Trip, record_trip
from pytest_rollout.watching.view import View

_LEAST_US = 5_000_000  # that an answer may take, however often is looked


@dataclass
class _Scene:
    """What a watch works with."""

    project: Project
    plan: Plan
    phase: Phase
    environment: str
    every_us: int
    recording: Recording
    place: RealPlace
    poller: Poller
    asked: TripResponse
    shown: WatchOutput
    ended: threading.Event = field(default_factory=threading.Event)

    @property
    def name(self) -> str:
        """The phase's full name."""
        return self.plan.address(self.phase.id).name


@click.command("watch")
@click.argument("phase", type=PHASE)
@environment_option
@click.option("--every", metavar="DURATION", help="how often (default: `every` of the phase, 15s)")
@click.option("--for", "lasting", metavar="DURATION", help="how long (default: until Ctrl-C)")
@click.option(
    "--execute",
    is_flag=True,
    help="after a trip run the rollback: once confirmed, or at once where the plan says mode: auto",
)
@click.option("--yes", metavar="PHASE", help="confirm it by the phase's name, for scripts")
@click.option("--keep-going", is_flag=True, help="run later steps though one failed")
@common
def command(
    phase: str,
    environment: str | None,
    every: str | None,
    lasting: str | None,
    yes: str | None,
    root: str | None,
    ledger: str | None,
    *,
    execute: bool,
    keep_going: bool,
    as_json: bool,
) -> int:
    """Watch the guardrails of PHASE (plan.phase): ask what they ask, record it, judge it.

    A trip is recorded and told; one that rolls back or pauses ends the watch. Without --execute
    a watch changes nothing, whatever the plan says; its first line says what it does by itself.
    It ends also with Ctrl-C, with the phase and after --for. Exit status: 0 all quiet, 11
    something is blind or tripped into a pause, 12 something tripped that rolls back.
    """
    project = Project.here(root, ledger)
    address = parsed(phase)
    stated, plan = project.phase(address), project.plan(address.plan)
    if not stated.guardrails:
        raise RolloutError(f"{address.name} states no guardrail to watch")
    embedded = "a rehearsal is over when its run is: watch a real environment"
    where = real_environment(plan, environment, embedded=embedded)
    every_us = _duration("--every", every) or stated.every_us
    limit_us = _duration("--for", lasting)
    attended = not as_json and sys.stdin.isatty()
    asked = TripResponse(execute, yes, keep_going, attended)
    place = RealPlace(plan.address(stated.id).name, plan.environments[where], project.root)
    with closing(opening.to_write(project.ledger_at)) as store, closing(place):
        recording = Recording(store, _watched(project, plan, stated, where))
        limit = max(every_us, _LEAST_US)
        poller = Poller(sources(stated), place, project.root, limit, min(1.0, every_us / 4e6))
        with closing(poller):
            view = View(plan.timezone, every_us, partial(watch_head.left, plan, stated))
            shown = WatchOutput(view, as_json=as_json)
            scene = _Scene(
                *(project, plan, stated, where, every_us, recording, place, poller, asked),
                shown=shown,
            )
            return _watch(scene, limit_us).exit_status


def _duration(option: str, text: str | None) -> int | None:
    try:
        return duration_us(text) if text is not None else None
    except ValueError as error:
        raise OptionError(option, str(error)) from error


def _watched(project: Project, plan: Plan, phase: Phase, environment: str) -> Watched:
    loaded = project.loaded_plan(plan)
    texts = {loaded.digests[name]: text for name, text in loaded.beside.items()}
    return Watched(
        address=plan.address(phase.id),
        environment=environment,
        series=tuple(sorted({source.rule.metric for source in sources(phase)})),
        plan_digest=plan.digest,
        texts={plan.digest: loaded.text, **texts},
        beside=loaded.digests,
        targets=addresses(plan.environments[environment]),
        process=Process(*processes.this_process()),
    )


def _watch(scene: _Scene, limit_us: int | None) -> Answer:
    """Look until something ends it; the answer is that of the last look."""
    read = partial(identified, scene.project, scene.plan, scene.environment)
    looked_at = (scene.plan, scene.phase, scene.poller, scene.recording)
    looking = Looking(*looked_at, read, runs=_goes_on)
    with _until_signalled(scene.ended):
        looking.start()
        _head(scene, looking.release, limit_us)
        look, tripped, why = _looks(scene, looking, _ending(scene, limit_us))
        looking.end()
    scene.shown.line("end", f"the watch ended: {why}; what it saw is sealed")
    if tripped is not None:
        back = _back(scene, *tripped)
        scene.shown.line("next", after_trip.reset(tripped[0], scene.environment, back=back))
    return answer(look.found)


def _goes_on(process: Process) -> bool:
    return processes.runs(process.host, process.pid, process.began)


def _head(scene: _Scene, release: str | None, limit_us: int | None) -> None:
    """Say first what the watch does by itself, then what it looks at and where the phase stands."""
    plan, phase, where, shown = scene.plan, scene.phase, scene.environment, scene.shown
    allow = plan.environments[where].allow
    does = watch_head.by_itself(phase, scene.asked, scene.name, where, allow)
    begun = PhaseLife(scene.recording.ledger, plan.address(phase.id), where).begin()
    stands = list(
        watch_head.life(plan, phase, begun, where, datetime.now(UTC), limited=bool(limit_us))
    )
    if shown.as_json:
        facts = {"phase": scene.name, "environment": where, "release": release, "stands": stands}
        shown.json({"event": "start", "says": does, **facts})
        return
    shown.line("start", f"watching {scene.name} in {where}: {does}")
    of = f"release {release}, " if release else ""
    lasting = f" for {duration_words(limit_us)}" if limit_us else ""
    rails, asked = count(len(phase.guardrails), "guardrail"), len(scene.poller.asked)
    every = duration_words(scene.every_us)
    shown.line("head", f"  {of}every {every}{lasting}: {rails}, {asked} series asked for")
    for words in stands:
        shown.line("head", f"  {words}")


def _looks(
    scene: _Scene, looking: Looking, over: Callable[[WatchLook], str]
) -> tuple[WatchLook, tuple[GuardrailStanding, Trip] | None, str]:
    """One look after the other; the last one, the trip that ended them, and why they ended."""
    trips: dict[str, Trip] = {}
    last = False
    due = time.monotonic()
    while True:
        look = looking.look(last=last)
        scene.shown.look(look)
        ending = []
        for standing in sorted(look.found, key=lambda rail: rail.answer.rank):
            if standing.state is not State.TRIPPED:
                trips.pop(standing.finding.id, None)  # it was reset, and may trip anew
            elif standing.finding.id not in trips:
                trips[standing.finding.id] = _tripped(scene, standing, look)
                if {Then.ROLLBACK, Then.PAUSE} & set(standing.guardrail.then):
                    ending.append((standing, trips[standing.finding.id]))
        if ending:
            return look, ending[0], "a guardrail tripped"
        why = "it was told to" if scene.ended.is_set() else over(look)
        if why and look.judged:
            return look, None, why
        last = bool(why)  # what was not judged yet may have tripped
        if last:
            continue
        due = max(due + scene.every_us / 1_000_000, time.monotonic())
        scene.ended.wait(due - time.monotonic())


def _ending(scene: _Scene, limit_us: int | None) -> Callable[[WatchLook], str]:
    """Why a watch ends after a look: its time, or the phase's, is over."""
    started = time.monotonic()
    window = calendar.phase_window(scene.plan, scene.phase)
    closes = window[1] if window and window[1] > datetime.now(UTC) else None
    begun = False

    def over(look: WatchLook) -> str:
        nonlocal begun
        if begun and not look.begun:
            return "the phase has ended"
        begun = look.begun
        if closes is not None and datetime.now(UTC) >= closes:
            window = calendar.window_words(scene.plan, scene.phase)
            return f"the phase's window is over ({window})"
        if limit_us is not None and time.monotonic() - started >= limit_us / 1_000_000:
            return f"{duration_words(limit_us)} are over"
        return ""

    return over


def _tripped(scene: _Scene, standing: GuardrailStanding, look: WatchLook) -> Trip:
    """Put a trip on record and tell people of it."""
    zone, finding = scene.plan.timezone, standing.finding
    trip = record_trip(scene.recording, standing, look.release, zone)
    telling = after_trip.telling(scene.plan, standing, trip, look, scene.recording)
    if scene.shown.as_json:
        line = {"event": "trip", "guardrail": finding.id, "at": trip.at, "known": trip.known}
        reason = stored.plain(finding.reason, zone)
        scene.shown.json({**line, "answer": standing.answer.value, "reason": reason})
    else:
        known = f" (on record since {wall(trip.at, zone)})" if trip.known else ""
        says = sentences.text(finding.reason, zone)
        scene.shown.line("trip", f"{finding.id} {says}{known}")
    for words in after_trip.told(telling, scene.recording):
        scene.shown.line("notify", words)
    return trip


def _back(scene: _Scene, standing: GuardrailStanding, trip: Trip) -> bool:
    """Show the rollback steps after a trip that rolls back, and run it where that was asked.

    Returns whether nothing of it is left to do.
    """
    if standing.answer is not Answer.ROLLBACK:
        return True
    shown = scene.shown
    for words in after_trip.steps(scene.phase.rollback):
        shown.line("rollback", words)
    run, why = after_trip.confirmed(scene.phase, scene.asked, scene.name, scene.environment)
    if not run:
        shown.line("rollback", why)
        return False
    allow = scene.plan.environments[scene.environment].allow
    root, number = scene.project.root, trip.sequence
    runner = Runner(scene.recording, scene.place, root, allow, number)
    ran: list[Ran] = []
    for step in runner.run(scene.phase.rollback, keep_going=scene.asked.keep_going):
        ran.append(step)
        if shown.as_json:
            shown.json(after_trip.plain(step))
        else:
            shown.line("rollback-step", f"  {step.words}")
    shown.line("rollback", after_trip.left(ran))
    return all(step.outcome.good for step in ran)


@contextmanager
def _until_signalled(ended: threading.Event) -> Iterator[None]:
    """Ctrl-C and SIGTERM end a watch after its look; a second one ends it at once, unsealed."""

    def end(*_: object) -> None:
        if ended.is_set():
            raise KeyboardInterrupt
        ended.set()

    before = {number: signal.signal(number, end) for number in (signal.SIGINT, signal.SIGTERM)}
    try:
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)
