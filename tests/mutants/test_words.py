"""What reports say of mutation drills."""

from __future__ import annotations

import pytest

from pytest_rollout.model.drill import LastNo
from pytest_rollout.model.mutants import Mutant, MutantOutcome
from pytest_rollout.model.mutation import (
    HealthyPhase,
    LastMutation,
    MutantResult,
    MutationDrill,
    Notice,
    Score,
    Trial,
    Weight,
)
from pytest_rollout.model.plan import Gate
from pytest_rollout.model.verdict import Answer, Verdict
from pytest_rollout.report import mutation
from pytest_rollout.report.mutation_markdown import to_markdown
from tests.report import report_decisions as given

AT = "2026-11-29T10:00:00+00:00"
NO = LastNo(AT, "slow", Answer.NO_GO, None, "d" * 64, outdated=False)
SAID = (
    "of 200 random defects that its criteria ran through, it noticed 186 (93 %; 88 to 96 %), "
    "last on 2026-11-29"
)


def last(noticed: int = 186, asked: int = 200, *, old: bool = False, part: bool = False) -> str:
    seen = LastMutation(AT, Score(noticed, asked), "d", outdated=old, whole=not part)
    return mutation.drilled_words(None, seen, given.decision())


def test_what_a_gate_noticed_is_one_sentence() -> None:
    assert last() == SAID
    assert last(old=True) == f"{SAID}, outdated: the plan was changed since"
    assert last(part=True) == f"{SAID}, in a drill that was stopped"


def test_it_stands_beside_when_the_gate_last_refused() -> None:
    seen = LastMutation(AT, Score(186, 200), "d", outdated=False, whole=True)
    both = mutation.drilled_words(NO, seen, given.decision())
    assert both.startswith("last refused ")
    assert both.endswith(f"; {SAID}")
    assert mutation.drilled_words(None, None, given.decision()).startswith("never drilled: ")


def test_a_gate_that_refuses_now_is_not_said_to_have_never_refused() -> None:
    assert mutation.drilled_words(None, None, given.decision(Answer.NO_GO)) == ""


def test_a_gate_that_noticed_nothing_has_never_refused() -> None:
    assert last(0, 9).startswith("never drilled: nobody has shown that this gate can refuse")
    assert "it noticed 0 (0 %; 0 to 30 %)" in last(0, 9)


@pytest.mark.parametrize(
    ("noticed", "asked", "said"),
    [
        (299, 300, "299 (99 %; 98 to 100 %)"),
        (300, 300, "300 (100 %; 98 to 100 %)"),
        (0, 300, "0 (0 %; 0 to 2 %)"),
        (0, 0, "none"),
    ],
)
def test_shares_are_rounded_down_and_bounds_outward(noticed: int, asked: int, said: str) -> None:
    assert mutation.shares(Score(noticed, asked)) == said


def mutant(line: int, after: str = "2") -> Mutant:
    return Mutant(f"app.py:{line}", "app.py", line, "number", "1", after, 0, 1, after)


def drill(*, stopped: str = "") -> MutationDrill:
    noticed = Notice("sweet", Gate.EXIT, Weight.HARD, Verdict.FAIL, "it was sour")
    through = ("sweet", "loud")
    results = (
        MutantResult(mutant(1), MutantOutcome.HARD, (Trial("one", (noticed,), through),)),
        MutantResult(mutant(2, "```"), MutantOutcome.SURVIVED, (Trial("one", (), through),)),
        MutantResult(mutant(3), MutantOutcome.SURVIVED, (Trial("one", (), ("loud",)),)),
        MutantResult(mutant(4), MutantOutcome.BROKEN, (), "there is no module `x`"),
    )
    phase = HealthyPhase("one", stated={Gate.EXIT: through})
    return MutationDrill("p", "d", (phase,), (), 9, 4, 0, results, stopped=stopped)


def test_a_criterion_is_told_what_it_noticed_and_what_survived() -> None:
    assert list(mutation.of_criterion(drill(), AT, "one", "sweet")) == [
        "Mutants: of 2 that ran through it in the drill of 2026-11-29, it noticed 1.",
        "  Survived: app.py:2: 1 -> ```",
    ]
    loud = mutation.of_criterion(drill(), AT, "one", "loud")
    assert next(loud).endswith("it noticed 0.")
    assert list(mutation.of_criterion(drill(), AT, "one", "quiet")) == [
        "Mutants: of 0 that ran through it in the drill of 2026-11-29, it noticed 0."
    ]


def test_the_summary_says_what_was_asked_and_what_was_left_out() -> None:
    said = mutation.summary(drill(), 0.9)
    assert said == (
        "hard criteria noticed 1 (33 %; 6 to 80 %) of 3 mutants (2 survived; left out: 1 did not "
        "start, or nothing could be measured); at least 90 % asked, MISSED"
    )
    assert mutation.summary(drill(), 0.3).endswith("; at least 30 % asked, met")
    part = mutation.summary(drill(stopped="stopped by Ctrl-C"), 0.3)
    assert part.startswith("a part only, stopped by Ctrl-C after 4 of 4: hard criteria noticed")


def test_a_change_cannot_end_its_block_of_markdown() -> None:
    text = to_markdown(drill())
    assert text.index("app.py:2") < text.index("app.py:3") < text.index("app.py:1")
    assert text.count("```") == 6  # three blocks
    assert "| `p.one/exit` | 1 (33 %; 6 to 80 %) of 3 |" in text
