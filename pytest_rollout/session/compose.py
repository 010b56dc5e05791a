"""Putting a process's objects together, once a plan was found."""

from __future__ import annotations

import json
import os
import sys
from collections.abc import Callable, Generator, Mapping, Sequence
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from pytest_rollout.model.errors import RolloutError
from pytest_rollout.model.plan import Plan
from pytest_rollout.plan.reader import nearest
from pytest_rollout.redact import learn
from pytest_rollout.session import fixtures
from pytest_rollout.session.beside_bound import effects, unasked
from pytest_rollout.session.clean_reports import Hiding
from pytest_rollout.session.collecting import Collecting
from pytest_rollout.session.header import Header
from pytest_rollout.session.leaving_out import MARK, for_rehearsals
from pytest_rollout.session.misspelt import Misspelt
from pytest_rollout.session.progress import Progress, needs_of
from pytest_rollout.session.recorder import Recorder
from pytest_rollout.session.request import (
    WORKEROUTPUT,
    Request,
    is_controller,
    is_worker,
)
from pytest_rollout.session.resolve import resolve
from pytest_rollout.session.running import Running
from pytest_rollout.session.seams import tell_controller, worker_name
from pytest_rollout.targets.trouble import trouble

if TYPE_CHECKING:
    from pytest_rollout.model.evidence import Head
    from pytest_rollout.session.finishing import Finishing


class Local:
    """What a process that runs tests says at its end, to itself or to its controller."""

    def __init__(self, collecting: Collecting, recorder: Recorder) -> None:
        self._collecting = collecting
        self._recorder = recorder

    @property
    def offences(self) -> list[str]:
        """Nothing in a process of its own: there they were raised."""
        return []

    @property
    def notes(self) -> list[str]:
        """Remarks that change no decision."""
        return self._collecting.notes

    @property
    def heads(self) -> list[Head]:
        """The last records that were written here."""
        return self._recorder.heads

    def lost(self) -> list[str]:
        """Why evidence may be missing that nobody can see is missing."""
        return [self._recorder.trouble] if self._recorder.trouble else []

    def interrupt(self) -> None:
        """Nothing: here the check was broken off already."""

    def broken_off(self) -> list[str]:
        """The same of a run that was cancelled: what it lost nobody took for evidence."""
        return self.lost()

    @pytest.hookimpl(wrapper=True, trylast=True)
    def pytest_sessionfinish(self, session: pytest.Session) -> Generator[None, object, object]:
        """Tell the controller, as one string, before xdist's wrapper sends it."""
        try:
            return (yield)
        except BaseException as error:
            interrupted = isinstance(error, KeyboardInterrupt) and not is_worker(session.config)
            if not interrupted:  # which the end of the run tells of by itself
                self._recorder.trouble = f"the end of a session failed: {trouble(error)}"
            raise
        finally:
            self._say(session)

    def _say(self, session: pytest.Session) -> None:
        output = {
            "offences": self._collecting.usage_errors(),
            "notes": self.notes,
            "trouble": self._recorder.trouble,
            "heads": [(head.sequence, head.hash) for head in self._recorder.heads],
        }
        tell_controller(session.config, WORKEROUTPUT, json.dumps(output))

    def pytest_unconfigure(self) -> None:
        """Let go of the ledger."""
        self._recorder.close()


class Idle:
    """Takes away what looks at each test, where none is bound and nothing is decided."""

    def __init__(self, collecting: Collecting, watching: Sequence[object]) -> None:
        self._collecting = collecting
        self._watching = watching

    @pytest.hookimpl(trylast=True)
    def pytest_collection_finish(self, session: pytest.Session) -> None:
        """After the last item was bound."""
        if not self._collecting.bound:
            for plugin in self._watching:
                session.config.pluginmanager.unregister(plugin)


class Listing:
    """Writes what a collection binds, for `rollout check`."""

    def __init__(self, collecting: Collecting, path: Path) -> None:
        self._collecting = collecting
        self._path = path

    def pytest_collection_finish(self, session: pytest.Session) -> None:
        """Every binding, every offence of every plan, and what no criterion asks for."""
        bindings = {
            "items": self._collecting.all_bound(),
            "offences": [*self._collecting.notes, *self._collecting.unmatched()],
            "unnamed": self._collecting.unnamed.of_phases,
            "effects": effects(session.items, self._collecting.bound),
            "rehearsed": [item.nodeid for item in session.items if for_rehearsals(item)],
            "unasked": unasked(session.items, self._collecting.bound),
        }
        self._path.write_text(json.dumps(bindings), encoding="utf-8")


def compose(config: pytest.Config, patterns: Sequence[str]) -> None:
    """Register what this process needs."""
    learn(os.environ)
    request = resolve(config, patterns)
    _add_markers(config, request)
    if not is_worker(config):
        _check_fault(request)
    register = _register(config)
    progress = Progress(partial(_needs, request))
    recorder = Recorder(request, worker_name(config), progress)
    if sys.flags.optimize and not is_controller(config):
        recorder.trouble = "assert statements were not executed: Python ran with -O"
    listing = config.getoption("rollout_bindings")
    collecting = Collecting(request, recorder, listing=bool(listing))
    local = Local(collecting, recorder)
    if not is_controller(config):
        running = Running(collecting, recorder)
        hiding = Hiding(collecting)
        register(collecting, "rollout-collecting")
        register(running, "rollout-running")
        register(running.declarations, "rollout-declarations")
        register(hiding, "rollout-hiding")
        if not request.deciding:
            register(Idle(collecting, (running, hiding)), "rollout-idle")
        else:
            register(progress, "rollout-progress")
            register(running.elsewhere, "rollout-elsewhere")
            register(running.innermost, "rollout-innermost")
        config.stash[fixtures.RUNNING] = running
        register(fixtures, "rollout-fixtures")
        stating = [plan for plan in request.plans if any(c.check for _, c in plan.criteria())]
        if stating:
            from pytest_rollout.session.plan_checks import Planned

            register(Planned(stating, request.root), "rollout-planned")
        register(local, "rollout-local")
        if listing:
            register(Listing(collecting, Path(listing)), "rollout-listing")
    _tell_allure(config, collecting)
    finishing = None if is_worker(config) else _finishing(config, request, local)
    if not is_worker(config):
        register(Header(request, finishing, patterns), "rollout-header")
        known = frozenset().union(*(loaded.names for loaded in request.loaded))
        if config.option.markexpr and known:
            register(Misspelt(known, request.plans), "rollout-misspelt")


def _tell_allure(config: pytest.Config, collecting: Collecting) -> None:
    """Register what tells allure-pytest of bound items, where it writes anything."""
    if config.getoption("allure_report_dir", None):
        from pytest_rollout.session.allure import AllureStory, allure_folder

        folder = allure_folder(config)
        if folder is not None:
            _register(config)(AllureStory(folder, collecting), "rollout-allure")


def _needs(request: Request, name: str) -> Mapping[str, int]:
    """How many samples the rules of a phase, as plan.phase, ask for."""
    plan_id, _, phase_id = name.partition(".")
    phases = [plan.phase(phase_id) for plan in request.plans if plan.id == plan_id]
    return needs_of(phases[0]) if phases and phases[0] else {}


def _register(config: pytest.Config) -> Callable[[object, str], None]:
    """Registers a part of the plugin, none of which can be left out by itself."""

    def register(plugin: object, name: str) -> None:
        if config.pluginmanager.register(plugin, name) is None:
            raise pytest.UsageError(
                f"-p no:{name}: a part of pytest-rollout cannot be left out (-p no:rollout can)"
            )

    return register


def _finishing(config: pytest.Config, request: Request, local: Local) -> Finishing | None:
    register = _register(config)
    sources: list[object] = [local]
    if is_controller(config):
        from pytest_rollout.session.workers import Workers

        if request.deciding and config.getoption("dist", "no") == "each":
            raise pytest.UsageError(
                "--dist each runs every check once for each worker, and a phase is run once "
                "(leave it out, or run pytest once for each environment)"
            )
        workers = Workers(request)
        register(workers, "rollout-workers")
        sources = [workers]
    if not (request.deciding or request.broken):
        return None
    from pytest_rollout.session.extending import OWN
    from pytest_rollout.session.finishing import FINISHING, Finishing

    finishing = Finishing(request, sources)
    config.stash[FINISHING] = finishing
    if request.deciding:
        finishing.open()
        register(finishing.own_reports(), OWN)
    register(finishing, "rollout-finishing")
    return finishing


def _add_markers(config: pytest.Config, request: Request) -> None:
    names: dict[str, str] = {}
    for loaded in request.loaded:
        for name in sorted(loaded.names):
            names.setdefault(name, f"part of the rollout plan {loaded.id}")
    lines = [f"{name}: {says}" for name, says in names.items() if name.isidentifier()]
    lines.append("criterion(*ids): the criteria of the rollout plan that the test is evidence for")
    lines.append("effect(name): what the test does to its target: observe, change or disrupt")
    lines.append(f"{MARK}: the test is left out in real environments, where it is no evidence")
    for line in lines:
        config.addinivalue_line("markers", line)


def _check_fault(request: Request) -> None:
    """A fault that nothing of the asked plans knows would be a drill of nothing."""
    if request.drill is None:
        return
    from pytest_rollout.targets.launch import known_faults
    from pytest_rollout.targets.reference import Fault

    plans = _asked_plans(request)
    if any(request.drill in plan.faults_of_people() for plan in plans):
        return
    try:
        fault = Fault.parse(request.drill)
        known: dict[str, str] = {name: "" for plan in plans for name in plan.faults_of_people()}
        for app in _served(request):
            known.update(known_faults(app, request.root, request.drill))
    except (RolloutError, ValueError) as error:
        raise pytest.UsageError(f"--rollout-fault: {error}") from error
    if fault.name not in known:
        raise pytest.UsageError(
            f"--rollout-fault: unknown `{fault.name}` ({nearest(fault.name, known)})"
        )


def _asked_plans(request: Request) -> list[Plan]:
    """The plans that are asked; every plan where none is."""
    asked = {plan.id for plan, _ in request.asked}
    return [plan for plan in request.plans if plan.id in asked or not asked]


def _served(request: Request) -> list[str]:
    """The applications that the asked plans serve."""
    plans = _asked_plans(request)
    targets = [t for plan in plans for t in request.environment_of(plan).targets.values()]
    return list(dict.fromkeys(target.serve for target in targets if target.serve))
