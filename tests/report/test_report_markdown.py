"""The markdown report: the answer first, tables that hold, nothing that comes alive."""

from __future__ import annotations

import re
from dataclasses import replace

import pytest

from pytest_rollout.model.decision import Cause
from pytest_rollout.model.finding import said
from pytest_rollout.model.verdict import Answer, Verdict
from pytest_rollout.report.markdown import LIMIT, to_markdown
from tests.report import report_decisions as given
from tests.report.report_hostile import HOSTILE, hostile
from tests.report.report_reading import tables
from tests.timing import fastest_s
from tests.words import because

CODE = re.compile(r"`[^`\n]*`")


def reported(text: str) -> str:
    """The part of a report that is about a text of its own: one reason."""
    lines = to_markdown(given.decision(Answer.HOLD, reasons=(given.whole(text),))).splitlines()
    return lines[lines.index("## Why") + 2]


@pytest.mark.parametrize("answer", Answer)
def test_answer_is_the_first_word(answer: Answer) -> None:
    report = to_markdown(given.decision(answer))
    assert report.startswith(f"# {answer.value}: plms.day3/exit in prod\n")


def test_what_limits_the_answer_stands_in_the_first_line() -> None:
    first = [
        to_markdown(one).splitlines()[0]
        for one in (given.go_with_conditions(), given.held_partial(), given.drill())
    ]
    assert first == [
        "# GO with 2 conditions: plms.day3/exit in prod",
        "# HOLD from a partial run, in a rehearsal: plms.day3/exit in embedded",
        "# NO-GO in a drill: plms.day3/exit in embedded",
    ]


def test_sections_stand_in_the_order_of_the_page() -> None:
    report = to_markdown(given.rollback())
    assert re.findall("^## (.*)", report, re.MULTILINE) == [
        "Why",
        "Conditions a GO would carry",
        "Was the run complete?",
        "Criteria",
        "Evidence",
        "Guardrails",
        "For the record",
    ]


def test_every_reason_condition_and_criterion_is_there() -> None:
    decision = given.no_go()
    report = to_markdown(decision)
    says = {one.id: one.says for one in decision.criteria}
    for cause in decision.reasons:
        line = next(one for one in report.splitlines() if one.endswith(f"(`{cause.id}`)"))
        assert line.startswith(f"- **{says[cause.id]}**: {because(cause)}")
    facts, conditions, demands, criteria = tables(report)
    assert facts[2][-1] == "2025-11-10 10:12:04 EST"
    assert [row[0] for row in conditions[2:]] == [f"`{one.id}`" for one in decision.conditions]
    assert [row[3:] for row in conditions[2:]] == [
        [one.owner, one.due] for one in decision.conditions
    ]
    assert len(demands[2:]) == 3
    assert {row[0] for row in criteria[2:]} == {f"`{o.id}` {o.says}" for o in decision.criteria}
    assert criteria[2][1:3] == ["hard", "**fail**"]
    assert criteria[2][4:] == ["> 0.20", "960"]


def test_evidence_is_told_of_what_does_not_pass() -> None:
    evidence = to_markdown(given.no_go()).partition("## Evidence")[2]
    assert "### `plms.day3.no-starvation`: 1 fail, 4 pass\n" in evidence
    assert "- **fail** `lane Data-Schema`: min of lane_utilization was 0.125" in evidence
    assert "(seen 0.125 in 240 samples at 2025-11-10 09:07:15 EST)" in evidence
    assert "  - fail: 409 was expected, 500 was seen\n  - pass\n" in evidence
    assert "lane-cap-code-api" not in evidence
    assert "- **pass**" not in evidence


def test_go_without_conditions_says_so() -> None:
    assert "This GO carries no conditions." in to_markdown(given.decision())
    assert "no conditions" not in to_markdown(given.go_with_conditions())


def test_partial_run_and_stand_ins_are_quoted_before_the_reasons() -> None:
    report = to_markdown(given.held_partial())
    quoted = [line for line in report[: report.index("## Why")].splitlines() if line[:1] == ">"]
    for words in ("--lf leaves checks out", "**Stand-ins.**", "attestations.embedded.yaml"):
        assert any(words in line for line in quoted)


def test_guardrails_are_tripped_blind_or_quiet() -> None:
    guardrails = tables(to_markdown(given.rollback()))[-1]
    assert [row[1] for row in guardrails[2:]] == ["tripped", "tripped", "blind", "quiet"]


def test_record_holds_digests_and_ledger() -> None:
    decision = given.decision()
    record = to_markdown(decision).partition("## For the record")[2]
    for value in (decision.substance_digest, decision.plan_digest, decision.ledger.hash, "709"):
        assert f": `{value}`\n" in record


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("<img src=x>", "&lt;img src=x>"),
        ("</details>", "&lt;/details>"),
        ("allowed < 10, but >= 8", "allowed < 10, but >= 8"),
        ("[go](javascript:alert)", r"\[go\](javascript:alert)"),
        ("![x][y]", r"!\[x\]\[y\]"),
        ("see https://evil.example now", "see `https://evil.example` now"),
        ("WWW.evil.example", "`WWW.evil.example`"),
        ("ask @team or a@b.c", "ask `@team` or `a@b.c`"),
        ("like owner/repo#12", "like `owner/repo#12`"),
        ("a|b", "a&#124;b"),
        (r"a\|b", "a&#92;&#124;b"),
        ("`code`", "&#96;code&#96;"),
        ("**bold** ~~gone~~ $x$", r"\*\*bold\*\* \~\~gone\~\~ \$x\$"),
        ("_em_ but lane_utilization", r"\_em\_ but lane_utilization"),
        ("&lt;b&gt; R&D", "&amp;lt;b&amp;gt; R&D"),
        ("# not a heading", r"\# not a heading"),
        ("1. not a list", r"1\. not a list"),
        ("- not a list", r"\- not a list"),
        ("> not a quote", r"\> not a quote"),
        ("0.25 was seen", "0.25 was seen"),
        ("two\nlines\r\n\tand \x1b[31mred\x1b[0m", "two lines and red"),
        ("\ud800 and \u202e", "\ufffd and \ufffd"),
    ],
)
def test_texts_show_as_themselves(text: str, shown: str) -> None:
    assert reported(text) == f"- {shown}"


def test_hostile_texts_break_no_table_and_no_line() -> None:
    report = to_markdown(hostile())
    report.encode()
    assert not re.search(r"[\x00-\x09\x0b-\x1f\x7f-\x9f\ud800-\udfff\u202a-\u202e]", report)
    assert "<img" not in report
    assert not re.search(r"(?<!\\)\]\(", CODE.sub("", report))
    for table in tables(report):
        assert len({len(row) for row in table}) == 1
    own = ("#", "|", ">", "- ", "  - ", "And ", "Of what", "1 criterion")
    assert all(line.startswith(own) for line in report.splitlines() if line)


def test_hostile_ids_are_not_code_that_they_could_end() -> None:
    bad = given.criterion("a`b|c", Verdict.FAIL)
    criteria = tables(to_markdown(given.decision(Answer.NO_GO, criteria=(bad,))))[-1]
    assert criteria[2][0].startswith("plms.day3.a&#96;b&#124;c What")


def test_long_texts_are_cut_and_say_by_how_much() -> None:
    assert reported("y" * 1_000).endswith("y … (700 more characters in decision.json)")


def test_a_thousand_criteria_fit_a_comment_and_say_what_is_left_out() -> None:
    many = tuple(
        given.criterion(f"number-{n}", Verdict.FAIL if n == 999 else Verdict.PASS)
        for n in range(1_000)
    )
    decision = given.decision(
        Answer.ROLLBACK, criteria=many, guardrails=given.rollback().guardrails
    )
    to_markdown(given.decision())
    assert fastest_s(lambda: to_markdown(decision)) < 1
    report = to_markdown(decision)
    assert len(report) <= LIMIT
    criteria, guardrails = tables(report)[-2:]
    assert criteria[2][0].startswith("`plms.day3.number-999`")
    assert len(criteria) > 100
    assert "### `plms.day3.number-999`" in report
    assert f"\n\nAnd {1_000 - len(criteria[2:])} more in decision.json.\n" in report
    assert len(guardrails[2:]) == 4
    assert decision.substance_digest in report


def test_much_evidence_leaves_room_for_the_criteria() -> None:
    many = tuple(replace(given.STARVED, id=f"plms.day3.number-{n}") for n in range(1_000))
    report = to_markdown(given.decision(Answer.NO_GO, criteria=many))
    assert len(tables(report)[-1]) > 50
    assert report.count("### ") > 50
    assert len(report) <= LIMIT


def test_hostile_texts_in_numbers_still_fit() -> None:
    many = tuple(given.criterion(f"{n}{HOSTILE}" * 9, Verdict.FAIL) for n in range(300))
    decision = given.decision(
        Answer.NO_GO,
        criteria=many,
        conditions=tuple(map(given.owed, many)),
        reasons=tuple(Cause(one.id, Answer.NO_GO, said(HOSTILE * 99)) for one in many),
    )
    assert len(to_markdown(decision)) <= LIMIT


def test_same_decision_gives_the_same_bytes() -> None:
    assert to_markdown(given.no_go()) == to_markdown(given.no_go())
