"""Verdicts and decisions, each in its one order from worst to best."""

from __future__ import annotations

from collections.abc import Iterable
from enum import Enum
from functools import cached_property


class Verdict(Enum):
    """What is known of one criterion; members stand from worst to best."""

    FAIL = "fail"  # seen to be bad
    ERROR = "error"  # could not be measured
    MISSING = "missing"  # nothing was seen
    INCONCLUSIVE = "inconclusive"  # too little, or with holes
    HOLD = "hold"  # between target and breach
    WAIVED = "waived"
    WARN = "warn"  # good enough, with a condition
    PASS = "pass"
    NOT_APPLICABLE = "not_applicable"  # an evidenced `when:` is not met

    @cached_property
    def rank(self) -> int:
        """0 is worst."""
        return _VERDICT_RANK[self]

    @property
    def holds_back(self) -> bool:
        """Whether a hard criterion with this verdict prevents GO."""
        return self.rank <= Verdict.HOLD.rank


class State(Enum):
    """How a guardrail stands."""

    TRIPPED = "tripped"
    BLIND = "blind"
    QUIET = "quiet"

    @classmethod
    def of(cls, verdict: Verdict) -> State:
        """The state that a verdict on a guardrail means."""
        if verdict is Verdict.FAIL:
            return cls.TRIPPED
        return cls.QUIET if verdict in (Verdict.PASS, Verdict.WARN) else cls.BLIND


class Answer(Enum):
    """The decision of a gate; members stand from worst to best."""

    ROLLBACK = "ROLLBACK"
    NO_GO = "NO-GO"
    HOLD = "HOLD"
    GO = "GO"

    @property
    def exit_status(self) -> int:
        """The exit status of a process that answers this."""
        return _EXIT_STATUS[self]

    @property
    def rank(self) -> int:
        """0 is worst."""
        return _ANSWER_RANK[self]


_VERDICT_RANK = {verdict: rank for rank, verdict in enumerate(Verdict)}
_ANSWER_RANK = {answer: rank for rank, answer in enumerate(Answer)}
_EXIT_STATUS = {Answer.ROLLBACK: 12, Answer.NO_GO: 10, Answer.HOLD: 11, Answer.GO: 0}


def worst(verdicts: Iterable[Verdict]) -> Verdict:
    """The worst of some verdicts; MISSING where there are none."""
    return min(verdicts, key=lambda verdict: verdict.rank, default=Verdict.MISSING)


def worst_answer(answers: Iterable[Answer]) -> Answer:
    """The worst of some decisions; HOLD where there are none."""
    return min(answers, key=lambda answer: answer.rank, default=Answer.HOLD)
