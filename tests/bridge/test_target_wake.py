"""The supervisor of the target against its runtime: each limit from both sides."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from fixtures.bridge.runtime.behaviour import Sessions
from fixtures.bridge.runtime.sessions import ALWAYS, Runtime
from fixtures.bridge.service.engine import Engine
from fixtures.bridge.times import HOUR_S
from fixtures.bridge.wake.conduct import Conduct, Timing
from fixtures.bridge.wake.policy import POLLING_ONLY, Policy
from fixtures.bridge.wake.rules import Rules
from fixtures.bridge.wake.supervisor import Supervisor
from fixtures.bridge.wake.trigger import Attempt, Trigger

TICK_S = 5.0


class Book:
    """Triggers in memory."""

    def __init__(self) -> None:
        self.all: dict[str, Trigger] = {}

    def open(self) -> list[Trigger]:
        return [each for each in self.all.values() if each.state != "done"]

    def get(self, id_: str) -> Trigger | None:
        return self.all.get(id_)

    def save(self, trigger: Trigger) -> None:
        self.all[trigger.id] = trigger

    def recent(self, since: float) -> list[Trigger]:
        return [each for each in self.all.values() if (each.done_at or 0) >= since]


class World:
    """A supervisor that ticks, over a runtime with one agent."""

    def __init__(self, folder: Path, **session: Any) -> None:
        self.engine, self.book = Engine(1_000_000.0), Book()
        self.runtime = Runtime(self.engine, folder / "runtime.jsonl", Sessions())
        self.session = self.runtime.put("ann", **session)
        self.start()
        self._tick()

    def start(self) -> None:
        """A new supervisor over the same runtime and book."""
        rules, engine = Rules(Policy(), Conduct(), Timing()), self.engine
        self.supervisor = Supervisor(rules, self.runtime, self.book, lambda: engine.now, engine.at)
        self.runtime.acked = self.supervisor.acked
        self.supervisor.start()

    def _tick(self) -> None:
        self.supervisor.work(tick=True)
        self.engine.at(self.engine.now + TICK_S, self._tick)

    def message(self, number: int = 1, agent: str = "ann", **more: Any) -> Trigger:
        """The trigger of a message that was accepted now."""
        trigger = Trigger(f"w{number}", "t", f"m{number}", agent, number, self.engine.now, "c")
        if self.supervisor.taken_in(trigger, **more):
            self.book.save(trigger)
        self.supervisor.work(tick=False)
        return trigger

    def wait(self, seconds: float) -> None:
        """Let time pass."""
        self.engine.reach(self.engine.now + seconds)


def kinds(trigger: Trigger) -> list[str]:
    """What was attempted for a trigger."""
    return [attempt.kind for attempt in trigger.attempts]


def ended(trigger: Trigger) -> tuple[str | None, str | None, str | None]:
    """How a trigger ended."""
    return trigger.path, trigger.result, trigger.reason


def test_a_dormant_agent_is_woken_at_once_in_its_session(tmp_path: Path) -> None:
    world = World(tmp_path)
    trigger = world.message()
    assert ended(trigger) == ("trigger", "triggered", None)
    assert trigger.attempted_at == trigger.posted_at
    assert {attempt.session for attempt in trigger.attempts} == {world.session.id}


def test_an_active_agent_is_left_alone(tmp_path: Path) -> None:
    trigger = World(tmp_path, state="active").message()
    assert ended(trigger) == ("trigger", "already_active", "active")
    assert trigger.attempts == []


@pytest.mark.parametrize(("after_s", "injections"), [(7.9, 1), (8.0, 1), (8.1, 2)])
def test_an_acknowledgement_counts_for_eight_seconds(
    tmp_path: Path, after_s: float, injections: int
) -> None:
    world = World(tmp_path, ack_after_s=after_s)
    trigger = world.message()
    world.wait(8.05)
    assert len(trigger.injections) == injections


def test_three_injections_and_then_the_polling_inbox(tmp_path: Path) -> None:
    world = World(tmp_path, ack_after_s=None)
    trigger = world.message()
    begun = trigger.posted_at
    world.wait(23.9)
    assert trigger.state == "pending"
    world.wait(100)
    assert ended(trigger) == ("polling", "failed", "no-ack")
    assert [attempt.at - begun for attempt in trigger.injections] == [0, 8, 16]


@pytest.mark.parametrize(("age_s", "state"), [(19.9, "deferred"), (20.0, "done")])
def test_a_person_who_typed_is_waited_for(tmp_path: Path, age_s: float, state: str) -> None:
    assert World(tmp_path, human_age_s=age_s).message().state == state


def test_a_queue_is_released_in_its_order_once_it_is_quiet(tmp_path: Path) -> None:
    world = World(tmp_path, human_age_s=5.0)
    triggers = [world.message(1)]
    for number in range(2, 6):
        world.wait(2.6)
        triggers.append(world.message(number))
    world.wait(4.5)
    assert {trigger.state for trigger in triggers} == {"deferred"}
    world.wait(0.2)
    assert {trigger.result for trigger in triggers} == {"triggered"}
    assert [trigger.attempted_at for trigger in triggers] == [1_000_015.0] * 5
    assert sum("resume" in kinds(trigger) for trigger in triggers) == 1
    lines = (tmp_path / "runtime.jsonl").read_text(encoding="utf-8").splitlines()
    told = [line for line in lines if '"do": "inject"' in line]
    assert [line.split('"message": "')[1][:2] for line in told] == ["m1", "m2", "m3", "m4", "m5"]


def test_what_comes_while_a_queue_waits_goes_behind_it(tmp_path: Path) -> None:
    world = World(tmp_path, human_age_s=18.0)
    first = world.message(1)
    world.wait(3)  # quiet by now, and not yet looked at
    second = world.message(2)
    assert (first.state, second.state) == ("deferred", "deferred")
    world.wait(2)
    assert first.result == second.result == "triggered"


def test_new_input_begins_the_wait_anew_and_sixty_seconds_end_it(tmp_path: Path) -> None:
    world = World(tmp_path, human_age_s=0.0)
    trigger = world.message()
    for _ in range(5):
        world.wait(10)
        world.runtime.type("ann")
    world.wait(9.9)
    assert trigger.state == "deferred"
    world.wait(0.1)
    assert ended(trigger) == ("polling", None, "human-input")
    assert trigger.attempts == []
    assert trigger.done_at == trigger.posted_at + 60


def test_a_person_who_stops_at_35_s_is_followed_by_the_message_at_55_s(tmp_path: Path) -> None:
    world = World(tmp_path, human_age_s=0.0)
    trigger = world.message()
    for _ in range(7):
        world.wait(5)
        world.runtime.type("ann")
    world.wait(100)
    assert trigger.attempted_at == trigger.posted_at + 55


def test_two_refused_resumes_and_then_a_new_session(tmp_path: Path) -> None:
    world = World(tmp_path, resume_fails=ALWAYS)
    before = world.session.id
    trigger = world.message()
    assert kinds(trigger) == ["resume"]
    world.wait(TICK_S)
    assert kinds(trigger) == ["resume", "resume", "spawn", "inject"]
    assert ended(trigger) == ("trigger", "fallback_spawned", "resume-refused")
    assert trigger.injections[0].session != before


def test_one_refused_resume_is_made_good_by_the_next(tmp_path: Path) -> None:
    world = World(tmp_path, resume_fails=1)
    trigger = world.message()
    world.wait(TICK_S)
    assert kinds(trigger) == ["resume", "resume", "inject"]
    assert trigger.result == "triggered"


@pytest.mark.parametrize(("over_s", "first"), [(0, "resume"), (1, "spawn")])
def test_a_session_is_stale_after_more_than_twelve_hours(
    tmp_path: Path, over_s: float, first: str
) -> None:
    trigger = World(tmp_path, heartbeat_age_s=12 * HOUR_S + over_s).message()
    assert kinds(trigger)[0] == first


def test_unmanaged_runtimes_are_asked_for_nothing(tmp_path: Path) -> None:
    world = World(tmp_path, managed=False)
    assert ended(world.message()) == ("polling", None, "unmanaged")
    managed = World(tmp_path)
    assert ended(managed.message(managed=False)) == ("polling", None, "unmanaged")
    assert ended(managed.message(2, agent="nobody")) == ("polling", None, "no-runtime")


def test_a_restart_between_injection_and_acknowledgement_injects_nothing_again(
    tmp_path: Path,
) -> None:
    world = World(tmp_path, ack_after_s=3.0)
    trigger = world.message()
    world.start()
    world.wait(60)
    assert kinds(trigger) == ["resume", "inject"]
    assert trigger.result == "triggered"


def test_an_override_goes_before_the_person(tmp_path: Path) -> None:
    world = World(tmp_path, human_age_s=1.0)
    trigger = world.message()
    world.supervisor.override(trigger, "kim")
    assert (trigger.result, trigger.overridden_by) == ("triggered", "kim")


def test_polling_only_ends_what_waits_and_wakes_nobody(tmp_path: Path) -> None:
    world = World(tmp_path, human_age_s=1.0)
    waiting = world.message(1)
    world.supervisor.switch(POLLING_ONLY)
    assert ended(waiting) == ended(world.message(2)) == ("polling", None, POLLING_ONLY)


def test_a_trigger_is_what_was_kept_of_it(tmp_path: Path) -> None:
    trigger = World(tmp_path, resume_fails=1).message()
    trigger.attempts.append(Attempt(1_000_001.5, "inject", "s", ok=True, acked_at=1_000_002.0))
    assert Trigger.of(trigger.shown(), trigger.order) == trigger
