"""A change on record under a running watch: one release ends there and the next begins."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import ExitStack, closing
from dataclasses import dataclass

import pytest

from pytest_rollout.evidence.bodies import Process
from pytest_rollout.evidence.verify import verify
from pytest_rollout.model.finding import Finding
from pytest_rollout.model.verdict import State
from pytest_rollout.targets.identity import identify
from pytest_rollout.watching.looking import Looking, WatchLook
from pytest_rollout.watching.poll import Poller, sources
from pytest_rollout.watching.real_targets import RealPlace
from pytest_rollout.watching.record import Recording, Watched
from tests.cli.conftest import Project
from tests.cli.watched import PLAN, Service, serving
from tests.evidence.runs import ENTRY, EXIT, Writer, plan_of
from tests.words import because

BY = ("--by", "A. Person")
THIS = Process("here", 4711, "1")


@dataclass
class Scene:
    """A phase that has begun on v1, and what is watched there."""

    project: Project
    service: Service
    opened: ExitStack

    def looking(self, *alive: Process, process: Process | None = None) -> Looking:
        """A watch in this process."""
        plan = plan_of(PLAN)
        root, enter = self.project.root, self.opened.enter_context
        place = enter(closing(RealPlace("demo.canary", plan.environments["prod"], root)))
        poller = enter(closing(Poller(sources(plan.phases[1]), place, root, 2_000_000, 2.0)))
        texts = {plan.digest: PLAN}
        watched = Watched(EXIT, "prod", ("lag",), plan.digest, texts, {}, process=process)
        return Looking(
            plan,
            plan.phases[1],
            poller,
            Recording(enter(self.project.ledger()), watched),
            lambda when: identify(when, plan, plan.environments["prod"], root),
            runs=lambda other: other in alive,
        )

    def record(self) -> None:
        """The change is put on record before it is made."""
        says = ("record", "demo.canary", "change", "--says", "v2 goes out")
        assert self.project.rollout(*says, *BY).status == 0

    def decided(self, name: str, release: str) -> Finding:
        """The guardrail as a gate judges it for a release."""
        with self.project.ledger() as ledger:
            writer = Writer(ledger, name, "prod", PLAN, gates=(EXIT,))
            writer.release = release
            (decision,) = writer.good().decisions
        (rail,) = [one for one in decision.guardrails if one.id == "demo.canary.lag"]
        return rail


@pytest.fixture
def scene(project: Project, monkeypatch: pytest.MonkeyPatch) -> Iterator[Scene]:
    project.plan.write_text(PLAN)
    with serving() as service, ExitStack() as opened:
        monkeypatch.setenv("DEMO_API", service.url)
        monkeypatch.setenv("DEMO_HOOK", f"{service.url}/hook")
        with project.ledger() as ledger:
            Writer(ledger, "entry", "prod", PLAN, gates=(ENTRY,)).good()
        assert project.rollout("begin", "demo.canary", *BY).status == 0
        yield Scene(project, service, opened)


def states(look: WatchLook) -> dict[str, State]:
    return {one.guardrail.id: one.state for one in look.found}


QUIET = {"lag": State.QUIET, "drift": State.QUIET}


def test_a_change_on_record_ends_one_run_and_begins_another(scene: Scene) -> None:
    looking = scene.looking()
    looking.start()
    assert states(looking.look()) == QUIET
    scene.record()
    assert states(looking.look()) == QUIET
    scene.service.version = "v2"
    look = looking.look()
    assert (states(look), look.release) == (QUIET, "v2")
    assert looking.end()
    rail = scene.decided("r1", "v2")
    assert rail.verdict.value == "pass", because(rail)
    rail = scene.decided("r2", "v1")
    assert rail.verdict.value == "pass", because(rail)
    with scene.project.ledger() as ledger:
        assert verify(ledger, ()).problems == ()


def test_another_run_may_read_the_new_release_first(scene: Scene) -> None:
    looking = scene.looking()
    looking.start()
    looking.look()
    scene.record()
    scene.service.version = "v2"
    scene.decided("r1", "v2")  # it uses the record up
    assert states(looking.look()) == QUIET
    scene.looking().start()


def test_a_bad_value_of_the_old_release_is_of_that_one(scene: Scene) -> None:
    looking = scene.looking()
    scene.service.lags = [9, 0]
    looking.start()
    assert states(looking.look())["lag"] is State.TRIPPED
    looking.look()  # the release was read as v1 after the bad value
    scene.record()
    scene.service.version = "v2"
    assert states(looking.look()) == QUIET
    looking.end()
    assert scene.decided("r1", "v1").verdict.value == "fail"
    assert scene.decided("r2", "v2").verdict.value == "pass"


def test_a_bad_value_that_may_be_of_either_is_of_both(scene: Scene) -> None:
    looking = scene.looking()
    scene.record()
    scene.service.lags = [0, 9, 0]
    looking.start()
    looking.look()
    scene.service.end_after = 1
    scene.service.happens = lambda: setattr(scene.service, "version", "v2")
    assert states(looking.look())["lag"] is State.TRIPPED
    look = looking.look()
    assert (states(look)["lag"], look.release) == (State.TRIPPED, "v2")
    looking.end()
    assert scene.decided("r1", "v1").verdict.value == "fail"
    assert scene.decided("r2", "v2").verdict.value == "fail"


def test_a_change_after_the_last_look_loses_nothing(scene: Scene) -> None:
    looking = scene.looking()
    looking.start()
    scene.record()
    scene.service.lags = [9]
    looking.look()
    scene.service.version = "v2"
    looking.end()
    assert scene.decided("r1", "v1").verdict.value == "fail"
    assert scene.decided("r2", "v2").verdict.value == "fail"


def test_what_was_not_judged_is_judged_before_the_release_ends(scene: Scene) -> None:
    looking = scene.looking()
    looking.start()
    looking.look()
    looking.look()
    scene.record()
    scene.service.lags = [9, 0]
    looking._rest_until = 2**62  # judging takes too long
    assert not looking.look().judged
    scene.service.version = "v2"
    look = looking.look()
    assert (look.judged, states(look)["lag"], look.release) == (True, State.TRIPPED, "v1")
    looking._rest_until = 0.0
    assert looking.look().release == "v2"


def test_a_change_that_nobody_recorded_still_trips(scene: Scene) -> None:
    looking = scene.looking()
    looking.start()
    looking.look()
    scene.service.version = "v2"
    assert states(looking.look())["drift"] is State.TRIPPED
    looking.end()
    assert scene.decided("r1", "v2").verdict.value == "inconclusive"


def test_another_watch_that_runs_makes_nobody_blind(scene: Scene) -> None:
    first = scene.looking(process=THIS)
    first.start()
    first.look()
    second = scene.looking(THIS)
    second.start()
    look = second.look()
    assert (states(look), look.beside) == (QUIET, (4711,))
    assert not any(one.latched for one in look.found)
    first.end()
    look = second.look()
    assert (states(look), look.beside) == (QUIET, ())


def test_a_bad_value_of_another_watch_that_runs_trips(scene: Scene) -> None:
    first = scene.looking(process=THIS)
    first.start()
    scene.service.lags = [9, 0]
    first.look()
    second = scene.looking(THIS)
    second.start()
    assert states(second.look())["lag"] is State.TRIPPED


def test_another_watch_that_is_killed_leaves_holes(scene: Scene) -> None:
    alive = [THIS]
    first = scene.looking(process=THIS)
    first.start()
    first.look()
    second = scene.looking()
    second._runs = lambda other: other in alive
    second.start()
    assert states(second.look()) == QUIET
    alive.clear()
    look = second.look()
    assert (states(look)["lag"], look.beside) == (State.BLIND, ())
