"""Operators' commands on threads of the suite: what they print, change, refuse and audit."""

from __future__ import annotations

import json
import os
import subprocess
from collections.abc import Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from pytest_rollout import Reported, RolloutError, Stage, scenario
from suites.bridge.views.service import PAGE, Agent, Bridge

OPERATOR = "suite-olga"  # who runs the commands
OTHER = "suite-otto"  # who says so with the flag
REASON = "a loop that people must look at"
OVERRIDE = "human_override: the pilot is over"
UNKNOWN = "no-such-thread"
_AT_ONCE = 4
BAD_REASONS = (
    *("", "it is over", "override: it is over", "human_override:", "human_override:  "),
    *("HUMAN_OVERRIDE: it is over", "as human_override: it is over"),
)
LEFT_OUT: Sequence[tuple[str, ...]] = (  # each flag of each command once
    ("inspect-thread",),
    ("escalate-thread", "--reason"),
    ("escalate-thread", "--thread-id"),
    ("unblock-thread", "--reason"),
    ("unblock-thread", "--thread-id"),
    ("override-close-thread", "--reason"),
    ("override-close-thread", "--thread-id"),
)


@dataclass(frozen=True, slots=True)
class Ran:
    """A command, and what came of it."""

    words: tuple[str, ...]
    status: int
    stdout: str
    stderr: str

    @property
    def said(self) -> Reported:
        """Its JSON."""
        try:
            printed = json.loads(self.stdout)
        except ValueError:
            raise RolloutError(f"{self.words[0]} prints no JSON but {self.stdout[:60]!r}") from None
        if not isinstance(printed, Mapping):
            raise RolloutError(f"{self.words[0]} prints no object")
        return Reported(printed, f"bridge {self.words[0]}")


@dataclass(frozen=True, slots=True)
class Program:
    """The operators' program, for one service."""

    path: Path
    url: str

    def run(self, *words: str, operator: str = OPERATOR, **environ: str) -> Ran:
        """Run it with nobody at the terminal; with an environment it takes the URL from there."""
        said = [] if environ else ["--url", self.url]
        own = {name: kept for name, kept in os.environ.items() if not name.startswith("BRIDGE_")}
        environ = own | environ
        environ |= {"BRIDGE_OPERATOR": operator} if operator else {}
        command = [str(self.path), *words, *said]
        done = subprocess.run(
            command,
            capture_output=True,
            text=True,
            check=False,
            timeout=20,
            env=environ,
            stdin=subprocess.DEVNULL,
        )
        return Ran(words, done.returncode, done.stdout, done.stderr)

    def many(self, *commands: Sequence[str]) -> list[Ran]:
        """Run several, some at the same time."""
        with ThreadPoolExecutor(_AT_ONCE) as pool:
            return list(pool.map(lambda words: self.run(*words), commands))


@dataclass(frozen=True)
class Step:
    """A command on a thread, with the thread and its audit before and after."""

    ran: Ran
    before: Reported
    after: Reported
    audit_before: Sequence[Reported]
    audit_after: Sequence[Reported]

    @property
    def fresh(self) -> Sequence[Reported]:
        """The audit events that it left."""
        return self.audit_after[len(self.audit_before) :]

    @property
    def changed(self) -> bool:
        """Whether the thread is not as it was."""
        return self.before != self.after or len(self.audit_after) != len(self.audit_before)


@dataclass
class Commanded:
    """What came of each command."""

    bridge: Bridge
    inspected: Mapping[str, Step] = field(default_factory=dict)  # as text, and as json
    messages: Sequence[Reported] = ()  # of the thread that was inspected
    triggers: Sequence[Reported] = ()
    steps: dict[str, Step] = field(default_factory=dict)
    nobody: Step | None = None  # a change by somebody who does not say who it is
    bad_reasons: dict[str, Step] = field(default_factory=dict)
    left_out: dict[str, Step] = field(default_factory=dict)
    closed: dict[str, Step] = field(default_factory=dict)  # commands on a closed thread
    unknown: dict[str, Ran] = field(default_factory=dict)
    events: Sequence[Reported] = ()  # the audit log of the thread that was inspected
    ways: dict[str, Ran] = field(default_factory=dict)  # other ways to ask for the same
    workspace_audit: tuple[int, int] = (0, 0)  # events of no thread, before and after unknown ids


@scenario(effect="change")
def commanded(phase: Stage) -> Commanded:
    """An operator inspects, escalates, unblocks and closes threads of the suite."""
    bridge = Bridge.of(phase)
    trial = _Trial(bridge, Program(phase.file("cli"), phase.target("bridge").url))
    outcomes = Commanded(bridge)
    if phase.embedded:
        phase.target("bridge").clock.advance(600)  # past the begin of the phase, on its clock
    _inspect(trial, outcomes)
    _change(trial, outcomes)
    _refuse(trial, outcomes)
    _refused_by_state(trial, outcomes)
    return outcomes


@dataclass(frozen=True)
class _Trial:
    bridge: Bridge
    program: Program

    def thread(self, title: str, **more: object) -> str:
        """A new thread with two agents and two messages."""
        agent = self.bridge.agent("cli-anna", "executor")
        thread = agent.opened(title, ["cli-ben"], **more)
        agent.posted(thread, f"{title}: the first message", wake=False)
        self.bridge.agent("cli-ben", "executor").posted(thread, f"{title}: the second", wake=True)
        return thread

    def step(self, thread: str, *words: str, operator: str = OPERATOR) -> Step:
        """Run a command on a thread, and look before and after it."""
        suite: Agent = self.bridge.operator
        before, audit = suite.thread(thread), suite.audit(thread)
        ran = self.program.run(*words, operator=operator)
        return Step(ran, before, suite.thread(thread), audit, suite.audit(thread))

    def aside(self, thread: str, *commands: Sequence[str]) -> list[Step]:
        """Run several commands that must not change a thread, and look before and after all."""
        operator = self.bridge.operator
        before, audit = operator.thread(thread), operator.audit(thread)
        ran = self.program.many(*commands)
        after, audit_after = operator.thread(thread), operator.audit(thread)
        return [Step(run, before, after, audit, audit_after) for run in ran]


def _inspect(trial: _Trial, outcomes: Commanded) -> None:
    thread = trial.thread("inspected")
    for number in range(PAGE + 1):  # more than a page holds
        agent = trial.bridge.agent(("cli-anna", "cli-ben")[number % 2], "executor")
        agent.posted(thread, f"inspected: more, {number}", wake=False)
    words = ("inspect-thread", "--thread-id", thread)
    outcomes.inspected = {
        "text": trial.step(thread, *words),
        "json": trial.step(thread, *words, "--json"),
    }
    outcomes.messages = trial.bridge.operator.read(thread)
    outcomes.triggers = trial.bridge.operator.triggers(thread)
    outcomes.events = trial.bridge.operator.audit(thread)
    _ways(trial, outcomes, thread)


def _ways(trial: _Trial, outcomes: Commanded, thread: str) -> None:
    """The same by other ways: where the service is, who one is; and what cannot work."""
    url, run = trial.program.url, trial.program.run
    of = ("inspect-thread", "--json", "--thread-id")
    token = trial.bridge.token(OTHER, "operator")
    known = {"BRIDGE_ISSUER_URL": f"{url}/issuer", "BRIDGE_ISSUER_SECRET": trial.bridge.secret}
    outcomes.ways = {
        "url by environment": run(*of, thread, BRIDGE_URL=f"{url}/"),
        "issuer by environment": run(*of, thread, BRIDGE_URL=url, **known),
        "token by environment": run(
            *of, thread, BRIDGE_URL=url, BRIDGE_TOKEN=token, BRIDGE_ISSUER_URL="http://127.0.0.1:1"
        ),
        "a token that is none": run(*of, thread, BRIDGE_URL=url, BRIDGE_TOKEN="none"),
        "nobody there": run(*of, thread, BRIDGE_URL="http://127.0.0.1:1"),
        "another address": run(*of, f"{thread}/audit"),
        "up the tree": run(*of, f"../threads/{thread}"),
        "blank": run(*of, "  "),
        "no command": run(BRIDGE_URL=url),
        "unknown command": run("close-thread", "--thread-id", thread, "--reason", REASON),
    }


def _change(trial: _Trial, outcomes: Commanded) -> None:
    thread = trial.thread("escalated")
    of = ("--thread-id", thread, "--json")
    for name in ("escalate", "escalate-again"):
        outcomes.steps[name] = trial.step(thread, "escalate-thread", *of, "--reason", REASON)
    outcomes.steps["unblock"] = trial.step(thread, "unblock-thread", *of, "--reason", REASON)
    named = ("--reason", REASON, "--operator", OTHER)
    outcomes.steps["escalate-by-flag"] = trial.step(thread, "escalate-thread", *of, *named)
    outcomes.steps["unblock-by-flag"] = trial.step(
        thread, "unblock-thread", *of, *named, operator=""
    )
    spoken = ("escalate-thread", "--thread-id", thread, "--reason", REASON)
    outcomes.steps["escalate-in-words"] = trial.step(thread, *spoken)
    outcomes.steps["again-in-words"] = trial.step(thread, *spoken)
    undone = ("unblock-thread", "--thread-id", thread, "--reason", REASON)
    outcomes.steps["unblock-in-words"] = trial.step(thread, *undone)
    outcomes.nobody = trial.step(thread, "escalate-thread", *of, "--reason", REASON, operator="")
    close = ("override-close-thread", "--reason", OVERRIDE, "--json")
    anna = trial.bridge.agent("cli-anna", "executor")
    anna.posted(thread, "this is not right yet", kind="finding", wake=False)
    outcomes.steps["close-active"] = trial.step(thread, *close, "--thread-id", thread)
    blocked = trial.thread("closed from blocked")
    anna.posted(blocked, "nor is this", kind="finding", wake=False)
    anna.change(blocked, "blocked", REASON)
    outcomes.steps["close-blocked"] = trial.step(blocked, *close, "--thread-id", blocked)


def _refused_by_state(trial: _Trial, outcomes: Commanded) -> None:
    """Commands on a thread that is closed, which the service refuses."""
    thread = trial.thread("closed before")
    trial.bridge.operator.change(thread, "closed", "done")
    of = ("--thread-id", thread, "--reason")
    commands = {
        "escalate-thread": REASON,
        "unblock-thread": REASON,
        "override-close-thread": OVERRIDE,
    }
    steps = trial.aside(thread, *((name, *of, reason) for name, reason in commands.items()))
    outcomes.closed = dict(zip(commands, steps, strict=True))


def _refuse(trial: _Trial, outcomes: Commanded) -> None:
    thread = trial.thread("refused")
    flags: Mapping[str, str] = {"--thread-id": thread, "--reason": OVERRIDE}
    bad = [
        ("override-close-thread", "--thread-id", thread, "--reason", reason)
        for reason in BAD_REASONS
    ]
    short: list[tuple[str, ...]] = []
    for command, *without in LEFT_OUT:
        given = (
            []
            if command == "inspect-thread"
            else [(flag, value) for flag, value in flags.items() if flag not in without]
        )
        short.append((command, *(word for pair in given for word in pair)))
    steps = trial.aside(thread, *bad, *short)
    outcomes.bad_reasons = dict(zip(map(repr, BAD_REASONS), steps, strict=False))
    named = [" without ".join(case) if len(case) > 1 else f"{case[0]} alone" for case in LEFT_OUT]
    outcomes.left_out = dict(zip(named, steps[len(bad) :], strict=True))
    _unknown(trial, outcomes)


def _unknown(trial: _Trial, outcomes: Commanded) -> None:
    of = ("--thread-id", UNKNOWN)
    before = len(_workspace_audit(trial.bridge))
    commands = [
        ("inspect-thread", *of),
        ("escalate-thread", *of, "--reason", REASON),
        ("unblock-thread", *of, "--reason", REASON),
        ("override-close-thread", *of, "--reason", OVERRIDE),
    ]
    outcomes.unknown = {ran.words[0]: ran for ran in trial.program.many(*commands)}
    outcomes.workspace_audit = (before, len(_workspace_audit(trial.bridge)))


def _workspace_audit(bridge: Bridge) -> Sequence[Any]:
    return bridge.operator.all("/v1/audit", "events")
