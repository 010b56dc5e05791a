"""What the attempts of one check come to, of a test and of a file alike."""

from __future__ import annotations

from collections.abc import Sequence

from pytest_rollout.model.evidence import Attempt
from pytest_rollout.model.finding import Attempted, Part, Reason, Subject, said
from pytest_rollout.model.verdict import Verdict

PASSED = Reason("passed")
_NO_REASON = Reason("no-reason")
# What most checks come to, made once.
_ONCE = (Attempt(Verdict.PASS, ""),)
_ATTEMPTED = (Attempted(Verdict.PASS, PASSED),)


def judged(subject: Subject, attempts: Sequence[Attempt]) -> Part:
    """Return the part of some attempts: the last one, a warning if one before did not pass."""
    if attempts == _ONCE:
        return Part(subject, Verdict.PASS, PASSED, attempts=_ATTEMPTED)
    last = attempts[-1]
    attempted = tuple(Attempted(attempt.verdict, _told(attempt)) for attempt in attempts)
    bad = [attempt for attempt in attempted if attempt.verdict is not Verdict.PASS]
    if last.verdict is Verdict.PASS and bad:
        before = {"verdict": bad[0].verdict.value, "reason": bad[0].reason}
        reason = Reason("passed-at-last", {"attempt": len(attempts), **before})
        return Part(subject, Verdict.WARN, reason, attempts=attempted)
    return Part(subject, last.verdict, _told(last), attempts=attempted)


def _told(attempt: Attempt) -> Reason:
    if attempt.reason:
        return said(attempt.reason)
    return PASSED if attempt.verdict is Verdict.PASS else _NO_REASON
