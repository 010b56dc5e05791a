"""Running items: phases begin and end around them, their reports become attempts."""

from __future__ import annotations

import unittest
import warnings
from collections.abc import Generator, Sequence
from datetime import UTC, datetime

import pytest

from pytest_rollout.model.errors import NoValueError, RolloutError
from pytest_rollout.model.plan import Effect, Gate
from pytest_rollout.model.verdict import Verdict, worst
from pytest_rollout.redact import cap
from pytest_rollout.session.binding import Bound
from pytest_rollout.session.bodies import BodySeen, Innermost
from pytest_rollout.session.collecting import Collecting
from pytest_rollout.session.recorder import Current, Recorder
from pytest_rollout.session.seams import make_innermost
from pytest_rollout.session.stage import PhaseRun, Stage
from pytest_rollout.session.stray_failures import Elsewhere
from pytest_rollout.targets.trouble import trouble

_MAX_REASON = 500
_PROVE_NOTHING = (
    pytest.PytestReturnNotNoneWarning,
    pytest.PytestUnhandledThreadExceptionWarning,
    pytest.PytestUnraisableExceptionWarning,
)
# On the report itself, because a subtest's report is made anew from its parent's data.
_SAYS = "rollout_says"


class Attempts:
    """The reports of one item, grouped into attempts."""

    def __init__(self) -> None:
        self._attempts: list[list[tuple[Verdict, str]]] = []
        self._open = False  # whether more reports of the last attempt are to come
        self._early: list[tuple[Verdict, str]] = []  # of subtests whose attempt is not told of yet
        self._remarks: list[str] = []  # of an attempt whose reports have not all come

    def add(self, report: pytest.TestReport, seen: BodySeen) -> None:
        """Take one report, and what was seen of its stage; a set-up starts an attempt.

        Subtests report at once. What reruns checks passes an attempt's other reports on after it
        has ended, so those of its subtests come before its set-up's.
        """
        judged = self._judge(report, seen)
        if isinstance(report, pytest.SubtestReport) and not self._open:
            self._early.append(judged)
            return
        if report.when == "setup" or not self._attempts:
            self._attempts.append(self._early)
            self._early, self._open = [], True
        for error in seen.earlier if report.when == "call" else ():
            self._attempts.insert(-1, [_judged(error)])
        self._attempts[-1].append(judged)
        if report.when == "teardown":
            self._take_remarks()
        if report.when == "teardown" or _reruns(report):
            self._open = False

    def _judge(self, report: pytest.TestReport, seen: BodySeen) -> tuple[Verdict, str]:
        if hasattr(report, "wasxfail"):
            how = "passed although marked xfail" if report.passed else "xfailed"
            return Verdict.MISSING, f"{how}: no evidence"
        raised: tuple[str, str] | None = getattr(report, _SAYS, None)
        hidden = "its report was changed to passed"
        if seen.raised is not None and not raised:
            meant, why = _meaning(seen.raised, in_call=report.when == "call")
            raised, hidden = (meant.value, plain(why)), "a hook of others swallowed it"
        if report.passed and raised:
            return Verdict(raised[0]), f"{raised[1]} ({hidden})"
        if report.passed and report.when == "call" and not seen.ran:
            return Verdict.MISSING, "its body did not run"
        if report.passed and seen.returned:
            return Verdict.ERROR, f"it returned {seen.returned}: a check returns nothing"
        if report.failed or _reruns(report):
            verdict, reason = raised or ("error", f"failed in {report.when}")
            return Verdict(verdict), reason
        if report.skipped:
            return Verdict.MISSING, f"skipped: {_skip_reason(report)}"
        return Verdict.PASS, report.when

    def warn(self, warning: str) -> None:
        """Take a remark that says the test's body proved nothing, or not all."""
        self._remarks.append(warning)

    def _take_remarks(self) -> None:
        if self._attempts:
            self._attempts[-1] += ((Verdict.ERROR, remark) for remark in self._remarks)
            self._remarks = []

    def verdicts(self) -> tuple[tuple[str, str], ...]:
        """Verdict and reason of each attempt."""
        if self._early:
            self._attempts.append(self._early)
            self._early = []
        self._take_remarks()
        return tuple(_attempt(reports) for reports in self._attempts)

    def hidden(self, raised: Sequence[BaseException | None]) -> None:
        """Put attempts that nobody reported first; ``raised`` is what each turn raised."""
        if len(raised) > len(self._attempts):
            told = {report for reports in self._attempts for report in reports}
            unseen = (_judged(error) for error in raised if error is not None)
            self._attempts[:0] = [[one] for one in unseen if one not in told]


def _judged(error: BaseException) -> tuple[Verdict, str]:
    verdict, why = _meaning(error, in_call=True)
    return verdict, plain(why)


def _reruns(report: pytest.TestReport) -> bool:
    return str(report.outcome) == "rerun"


def _attempt(reports: list[tuple[Verdict, str]]) -> tuple[str, str]:
    found = worst(verdict for verdict, _ in reports)
    if found is Verdict.PASS and not any(reason == "call" for _, reason in reports):
        return Verdict.MISSING.value, "its body did not run"
    reason = next((why for verdict, why in reports if verdict is found), "")
    return found.value, "" if found is Verdict.PASS else reason


def _skip_reason(report: pytest.TestReport) -> str:
    if isinstance(report.longrepr, tuple):
        return plain(str(report.longrepr[2]).removeprefix("Skipped: "))
    return "without a reason"


class Running:
    """Hooks around items, in the process that runs them."""

    def __init__(self, collecting: Collecting, recorder: Recorder) -> None:
        self._collecting = collecting
        self.recorder = recorder
        self._runs: dict[str, PhaseRun] = {}
        self._attempts = Attempts()
        self.innermost = Innermost(lambda item: collecting.place(item) is not None)
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

    def phase_run(self, name: str) -> PhaseRun:
        """The one run of a phase in this process."""
        if name not in self._runs:
            plan_id, _, phase_id = name.partition(".")
            plans = [one.plan for one in self._collecting.request.loaded if one.plan]
            plan = next(plan for plan in plans if plan.id == plan_id)
            phase = plan.phase(phase_id)
            assert phase is not None
            self._runs[name] = PhaseRun(self.recorder, plan, phase)
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
        self.innermost.start()
        self.recorder.start(Current(item.nodeid, bound.name, self._collecting.scenario(item)))
        if Gate.ENTRY not in bound.gates:
            self.phase_run(bound.name).begin()
        try:
            with self.elsewhere.listening():
                return (yield)
        finally:
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
        for mark in item.iter_markers("effect"):
            if bound is not None:
                stage = Stage(self.phase_run(bound.name))
                stage.demand(Effect(mark.args[0]), item.name)

    @pytest.hookimpl(wrapper=True)
    def pytest_runtest_makereport(
        self, item: pytest.Item, call: pytest.CallInfo[None]
    ) -> Generator[None, pytest.TestReport, pytest.TestReport]:
        """Say what an exception means while it can still be looked at."""
        report = yield
        if call.excinfo is None or self._collecting.place(item) is None:
            return report
        error = call.excinfo.value
        verdict, reason = _meaning(error, in_call=call.when == "call")
        setattr(report, _SAYS, [verdict.value, plain(reason)])
        if report.failed and (isinstance(error, RolloutError) or _unreachable(error)):
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


def _meaning(error: BaseException, *, in_call: bool) -> tuple[Verdict, str]:
    """What an exception says of its check: an assertion that fails, or trouble."""
    if _named(error, "hypothesis", "Flaky"):
        return Verdict.INCONCLUSIVE, f"not the same twice: {trouble(error)}"
    if isinstance(error, pytest.FixtureLookupError):
        return Verdict.ERROR, error.msg or f"fixture {error.argname!r} not found"
    if in_call and isinstance(error, NoValueError):
        return Verdict.MISSING, trouble(error)
    if isinstance(error, pytest.skip.Exception | unittest.SkipTest):
        return Verdict.MISSING, f"skipped: {error}"
    if isinstance(error, pytest.xfail.Exception):
        return Verdict.MISSING, "xfailed: no evidence"
    if in_call and _asserted(error):
        return Verdict.FAIL, f"{_first_line(error)}{_example(error)}"
    return Verdict.ERROR, trouble(error)


def _asserted(error: BaseException) -> bool:
    if isinstance(error, BaseExceptionGroup):
        return all(_asserted(inner) for inner in error.exceptions)
    return isinstance(error, AssertionError | pytest.fail.Exception)


def _example(error: BaseException) -> str:
    """The example with which Hypothesis falsified a property, which it leaves as a note."""
    notes = [n for n in getattr(error, "__notes__", []) if n.startswith(("Falsifying", "Failing"))]
    return f" [{' '.join(notes[0].split())}]" if notes else ""


def _unreachable(error: BaseException) -> bool:
    return _named(error, "httpx", "TransportError")


def _named(error: BaseException, package: str, name: str) -> bool:
    """Whether an error is of a class of some library, which may not be installed."""
    return any(
        kind.__module__.partition(".")[0] == package and kind.__name__.startswith(name)
        for kind in type(error).__mro__
    )


def _first_line(error: BaseException) -> str:
    lines = str(error).strip().splitlines()
    return lines[0] if lines else "an assertion without a message failed"


def plain(text: str) -> str:
    """A reason as it can be stored: bounded, without secrets and without lone surrogates."""
    return cap(text, _MAX_REASON).encode("utf-8", "replace").decode()
