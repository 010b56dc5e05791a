"""What the reports of an item say of its attempts, and what an exception means."""

from __future__ import annotations

import unittest
from collections.abc import Sequence
from itertools import takewhile

import pytest

from pytest_rollout.model.errors import NoValueError, TooLittleError
from pytest_rollout.model.verdict import Verdict, worst
from pytest_rollout.redact import cap
from pytest_rollout.session.bodies import BodySeen
from pytest_rollout.targets.trouble import trouble

_MAX_REASON = 500
# On the report itself, because a subtest's report is made anew from its parent's data.
SAYS = "rollout_says"


class Attempts:
    """The reports of one item, grouped into attempts."""

    def __init__(self) -> None:
        self._attempts: list[list[tuple[Verdict, str]]] = []
        self._open = False  # whether more reports of the last attempt are to come
        self._early: list[tuple[Verdict, str]] = []  # of subtests whose attempt is not told of yet
        self._remarks: list[str] = []  # of an attempt whose reports have not all come
        self._refusals: list[str] = []  # likewise, and said before what came of them

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
        raised: tuple[str, str] | None = getattr(report, SAYS, None)
        hidden = "its report was changed to passed"
        if seen.raised is not None and not raised:
            meant, why = meaning(seen.raised, in_call=report.when == "call")
            raised, hidden = (meant.value, plain(why)), "a hook of others swallowed it"
        if report.passed:
            if raised:
                return Verdict(raised[0]), f"{raised[1]} ({hidden})"
            if report.when == "call" and not seen.ran:
                return Verdict.MISSING, "its body did not run"
            if seen.returned:
                return Verdict.ERROR, f"it returned {seen.returned}: a check returns nothing"
            return Verdict.PASS, report.when
        if report.failed or _reruns(report):
            verdict, reason = raised or ("error", f"failed in {report.when}")
            return Verdict(verdict), reason
        if report.skipped:
            return Verdict.MISSING, f"skipped: {_skip_reason(report)}"
        return Verdict.MISSING, f"its outcome, {plain(report.outcome)!r}, says nothing"

    def warn(self, warning: str) -> None:
        """Take a remark that says the test's body proved nothing, or not all."""
        self._remarks.append(warning)

    def refuse(self, what: str) -> None:
        """Take that something was refused, whether or not the test's body let the error pass."""
        self._refusals.append(what)

    def _take_remarks(self) -> None:
        if self._attempts:
            self._attempts[-1][:0] = [(Verdict.ERROR, refusal) for refusal in self._refusals]
            self._attempts[-1] += ((Verdict.ERROR, remark) for remark in self._remarks)
            self._remarks, self._refusals = [], []

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
            self._attempts[:0] = [[report] for report in unseen if report not in told]


def _judged(error: BaseException) -> tuple[Verdict, str]:
    verdict, why = meaning(error, in_call=True)
    return verdict, plain(why)


def _reruns(report: pytest.TestReport) -> bool:
    return str(report.outcome) == "rerun"


_PASSED = [(Verdict.PASS, when) for when in ("setup", "call", "teardown")]


def _attempt(reports: list[tuple[Verdict, str]]) -> tuple[str, str]:
    if reports == _PASSED:  # as most do
        return Verdict.PASS.value, ""
    overall = worst(verdict for verdict, _ in reports)
    if overall is Verdict.PASS and not any(reason == "call" for _, reason in reports):
        return Verdict.MISSING.value, "its body did not run"
    reason = next((why for verdict, why in reports if verdict is overall), "")
    return overall.value, "" if overall is Verdict.PASS else reason


def _skip_reason(report: pytest.TestReport) -> str:
    if isinstance(report.longrepr, tuple):
        return plain(str(report.longrepr[2]).removeprefix("Skipped: "))
    return "without a reason"


def meaning(error: BaseException, *, in_call: bool) -> tuple[Verdict, str]:
    """What an exception says of its check: an assertion that fails, or trouble."""
    if _named(error, "hypothesis", "Flaky"):
        inner = getattr(error, "exceptions", ())  # what happened the first time
        first = f" (the first time {trouble(inner[0]).partition('. ')[0]})" if inner else ""
        return Verdict.INCONCLUSIVE, f"not the same twice{first}: {trouble(error)}"
    if isinstance(error, pytest.FixtureLookupError):
        return Verdict.ERROR, error.msg or f"fixture {error.argname!r} not found"
    if in_call and isinstance(error, NoValueError):
        return Verdict.MISSING, trouble(error)
    if in_call and isinstance(error, TooLittleError):
        return Verdict.INCONCLUSIVE, trouble(error)
    if isinstance(error, pytest.skip.Exception | unittest.SkipTest):
        return Verdict.MISSING, f"skipped: {error}"
    if isinstance(error, pytest.xfail.Exception):
        return Verdict.MISSING, "xfailed: no evidence"
    if in_call and _asserted(error):
        return Verdict.FAIL, f"{_message(error)}{_example(error)}"
    return Verdict.ERROR, trouble(error)


def _asserted(error: BaseException) -> bool:
    if isinstance(error, BaseExceptionGroup):
        return all(_asserted(inner) for inner in error.exceptions)
    return isinstance(error, AssertionError | pytest.fail.Exception)


def _example(error: BaseException) -> str:
    """The example with which Hypothesis falsified a property, which it leaves as a note."""
    notes = [n for n in getattr(error, "__notes__", []) if n.startswith(("Falsifying", "Failing"))]
    return f" [{' '.join(notes[0].split())}]" if notes else ""


def unreachable(error: BaseException) -> bool:
    """Return whether it says that a target could not be reached."""
    return _named(error, "httpx", "TransportError")


def _named(error: BaseException, package: str, name: str) -> bool:
    """Whether an error is of a class of some library, which may not be installed."""
    return any(
        kind.__module__.partition(".")[0] == package and kind.__name__.startswith(name)
        for kind in type(error).__mro__
    )


def _message(error: BaseException) -> str:
    """The whole message of an assertion, in one line.

    pytest adds its own lines, from ``assert`` on, which show both sides; the first of them is kept
    where there is no message.
    """
    lines = [line.strip() for line in str(error).strip().splitlines()]
    said = [*lines[:1], *takewhile(lambda line: not line.startswith("assert "), lines[1:])]
    if said and said[0].startswith("assert "):
        said = said[:1]
    return " ".join(filter(None, said)) or "an assertion without a message failed"


def plain(text: str) -> str:
    """A reason as it can be stored: bounded, without secrets and without lone surrogates."""
    return cap(text, _MAX_REASON).encode("utf-8", "replace").decode()
