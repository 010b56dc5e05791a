"""Running items: phases begin and end around them, their reports become attempts."""

from __future__ import annotations

import warnings
from collections.abc import Generator
from datetime import UTC, datetime
from typing import TYPE_CHECKING

import pytest

from pytest_rollout.model.errors import RolloutError
from pytest_rollout.model.plan import Gate
from pytest_rollout.session.attempts import SAYS, Attempts, meaning, plain, unreachable
from pytest_rollout.session.binding import Bound
from pytest_rollout.session.bodies import Innermost
from pytest_rollout.session.collecting import Collecting
from pytest_rollout.session.declarations import Declarations
from pytest_rollout.session.item_marks import Marks
from pytest_rollout.session.recorder import Current, Recorder
from pytest_rollout.session.seams import make_innermost
from pytest_rollout.session.stray_failures import Elsewhere
from pytest_rollout.targets.starting import Warm
from pytest_rollout.targets.trouble import trouble

if TYPE_CHECKING:
    from pytest_rollout.session.phase_run import PhaseRun

_PROVE_NOTHING = (
    pytest.PytestReturnNotNoneWarning,
    pytest.PytestUnhandledThreadExceptionWarning,
    pytest.PytestUnraisableExceptionWarning,
)


class Running:
    """Hooks around items, in the process that runs them."""

    def __init__(self, collecting: Collecting, recorder: Recorder) -> None:
        self._collecting = collecting
        self.recorder = recorder
        self._runs: dict[str, PhaseRun] = {}
        self._warm = Warm()
        self._attempts = Attempts()
        self._marks = Marks()
        self.innermost = Innermost(lambda item: collecting.place(item) is not None)
        self.declarations = Declarations()
        self.elsewhere = Elsewhere(self._tell, lambda: recorder.current.item)

    def _tell(self, item: str, what: str) -> None:
        """Take a failure beside an item: the one that runs, one that has ended, or none."""
        running = self.recorder.current.item
        if running and item in (running, ""):
            self._attempts.warn(plain(what))
        elif item:
            self.recorder.late(item, plain(f"{what} (after its end)"))
        else:
            self.recorder.trouble = self.recorder.trouble or plain(f"{what} (between checks)")

    def _refuse(self, item: str, what: str) -> None:
        """Take what was refused to an item."""
        if item and item == self.recorder.current.item:
            self._attempts.refuse(plain(what))
        else:
            self._tell(item, what)

    def phase_run(self, name: str) -> PhaseRun:
        """The one run of a phase in this process."""
        if name not in self._runs:
            from pytest_rollout.session.phase_run import PhaseRun  # for the first bound test

            plan_id, _, phase_id = name.partition(".")
            plans = [loaded.plan for loaded in self._collecting.request.loaded if loaded.plan]
            plan = next(plan for plan in plans if plan.id == plan_id)
            phase = plan.phase(phase_id)
            assert phase is not None
            told = self.declarations, self._refuse
            self._runs[name] = PhaseRun(self.recorder, plan, phase, *told, self._warm)
        return self._runs[name]

    def now(self) -> datetime:
        """The time of the phase whose item is running; the wall's outside of one."""
        name = self.recorder.current.phase
        return self.phase_run(name).now() if name else datetime.now(UTC)

    @pytest.hookimpl(trylast=True)
    def pytest_collection_finish(self, session: pytest.Session) -> None:
        """Put the innermost part inside the hooks of every conftest.py, now that all are known."""
        make_innermost(session.config, self.innermost)

    @pytest.hookimpl(wrapper=True, tryfirst=True)
    def pytest_runtest_protocol(
        self, item: pytest.Item, nextitem: pytest.Item | None
    ) -> Generator[None, object, object]:
        """Begin the phase before its first exit check, end it after its last check."""
        bound = self._collecting.place(item)
        if bound is None:
            return (yield)
        self._attempts = Attempts()
        self._collecting.running = item, bound
        self.innermost.start()
        self.recorder.start(Current(item.nodeid, bound.name, self._collecting.scenario(item)))
        if Gate.ENTRY not in bound.gates:
            self.phase_run(bound.name).begin()
        try:
            self.elsewhere.listen()
            self.declarations.start(item, self._marks.effects(item))
            try:
                return (yield)
            finally:
                self.declarations.end()
                self.elsewhere.stop_listening()
        finally:
            self._collecting.running = None, None
            asked = self._collecting.expects(item)
            for metric in self.recorder.lost_in_children():
                self._attempts.warn(f"{plain(metric)} was observed in a child process, and is lost")
            self._attempts.hidden(self.innermost.raised_in_turns())
            self.recorder.finish(self._attempts.verdicts(), bound=asked)
            after = self._collecting.place(nextitem) if nextitem else None
            if after is None or after.name != bound.name:
                self._finish(bound)

    def _finish(self, bound: Bound) -> None:
        run = self._runs.pop(bound.name, None)
        if run is None:
            return
        try:
            run.finish()
        except Exception as error:  # a broken target must not break pytest: the gate holds
            self.recorder.trouble = f"{bound.name} did not end well: {trouble(error)}"

    @pytest.hookimpl(tryfirst=True)
    def pytest_runtest_setup(self, item: pytest.Item) -> None:
        """Refuse a check's declared effect where it is not allowed."""
        bound = self._collecting.place(item)
        effects = self._marks.effects(item)
        if bound is not None and effects:
            from pytest_rollout.session.stage import Stage

            stage = Stage(self.phase_run(bound.name))
            for effect in effects:
                stage.demand(effect, item.name)

    @pytest.hookimpl(wrapper=True)
    def pytest_runtest_makereport(
        self, item: pytest.Item, call: pytest.CallInfo[None]
    ) -> Generator[None, pytest.TestReport, pytest.TestReport]:
        """Say what an exception means while it can still be looked at."""
        report = yield
        if call.excinfo is None or self._collecting.place(item) is None:
            return report
        error = call.excinfo.value
        verdict, reason = meaning(error, in_call=call.when == "call")
        setattr(report, SAYS, [verdict.value, plain(reason)])
        if report.failed and (isinstance(error, RolloutError) or unreachable(error)):
            report.longrepr = f"{report.when}: {reason}"
        return report

    def pytest_warning_recorded(
        self, warning_message: warnings.WarningMessage, nodeid: str
    ) -> None:
        """A test that returns its result, or fails in a thread, passes with a mere warning."""
        category = warning_message.category
        said = (str(warning_message.message).strip().splitlines() or [""])[0]
        unawaited = category is RuntimeWarning and said.endswith("was never awaited")
        if nodeid == self.recorder.current.item and (category in _PROVE_NOTHING or unawaited):
            self._attempts.warn(plain(f"{category.__name__}: {said}"))

    def pytest_runtest_logreport(self, report: pytest.TestReport) -> None:
        """Take a report of the item that is running."""
        if report.nodeid == self.recorder.current.item:
            self._attempts.add(report, self.innermost.of(report.when))

    @pytest.hookimpl(trylast=True)
    def pytest_sessionfinish(self) -> None:
        """End the phases of a run that stopped inside of one, before it is sealed."""
        self.recorder.write_late()
        self.pytest_unconfigure()

    def pytest_unconfigure(self) -> None:
        """Stop what an interrupted run left running."""
        for run in self._runs.values():
            try:
                run.finish()
            except Exception as error:  # the run is over: there is nobody left to tell
                self.recorder.trouble = trouble(error)
        self._runs.clear()
        self._warm.close()
