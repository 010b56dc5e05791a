"""What stands beside the decision on its page: what to do, plots, what happened, the trend."""

from __future__ import annotations

from dataclasses import replace

import pytest

from pytest_rollout.model.decision import Decision
from pytest_rollout.model.story import (
    Drawn,
    Evaluation,
    Happened,
    Kept,
    Kind,
    Measured,
    StepState,
    Story,
    Todo,
)
from pytest_rollout.model.verdict import Answer
from pytest_rollout.report import text
from pytest_rollout.report.html import to_html
from pytest_rollout.report.markdown import to_markdown
from tests.judge.worlds import NINE
from tests.report import demonstration, report_reading
from tests.report import report_decisions as given
from tests.report.report_reading import Node


@pytest.fixture(scope="module")
def told() -> tuple[Decision, Story]:
    """A decision with every sort of verdict, and its story."""
    return demonstration.story()


def page(told: tuple[Decision, Story]) -> Node:
    decision, story = told
    return report_reading.page(to_html(decision, story=story))


def section(tree: Node, name: str) -> Node:
    return next(one for one in tree.all("section") if one.attributes.get("aria-labelledby") == name)


def test_what_to_do_stands_before_why(told: tuple[Decision, Story]) -> None:
    headings = [node.text for node in page(told).all("h2")]
    assert headings[0] == "Do this now"
    assert headings.index("Do this now") < headings.index("Why") < headings.index("What happened")
    assert headings.index("Criteria") < headings.index("Guardrails") < headings.index("Before")


def test_at_most_three_things_are_to_be_done_each_with_owner_and_command(
    told: tuple[Decision, Story],
) -> None:
    items = page(told).one("ol", class_="todo").all("li")
    assert 1 <= len(items) <= 3
    assert all("sre" in item.one("b").text for item in items)
    assert any("rollout reset shop.canary.errors --env prod" in item.text for item in items)


def test_steps_of_the_rollback_have_a_state(told: tuple[Decision, Story]) -> None:
    rows = [row.text for row in page(told).one("table", class_="steps").all("tr")]
    assert rows[1] == "traffic goes back done 2025-11-10 09:11:40 EST"
    assert rows[2] == "the customer is called by hand, not on record"


def test_a_blocker_shows_the_plans_sentence_and_a_plot_with_its_limit(
    told: tuple[Decision, Story],
) -> None:
    reasons = page(told).one("ul", class_="reasons").all("li")
    rail = next(one for one in reasons if "Errors stay rare" in one.text)
    plot = rail.one("svg")
    assert plot.all("rect", class_="forbidden")
    assert "breach > 0.2" in plot.text
    assert "share so far" in (plot.attributes["aria-label"] or "")


def test_near_misses_stand_with_the_nearest_first(told: tuple[Decision, Story]) -> None:
    rows = [row.text for row in page(told).one("table", class_="bars").all("tr")][1:]
    assert rows
    assert "shop.canary.queue" in rows[0].replace(". ", ".")
    assert "90 % of the limit" in (
        page(told).one("table", class_="bars").all("svg")[0].attributes["aria-label"] or ""
    )


def test_what_happened_is_a_plot_and_rows_in_order(told: tuple[Decision, Story]) -> None:
    part = section(page(told), "timeline")
    rows = [row.text for row in part.one("table").all("tr")][1:]
    assert [row.split()[3] for row in rows] == ["begin", "change", "freeze", "trip", "decision"]
    assert "caps <raised>" in rows[1]
    assert part.all("path", class_="hatch")


def test_earlier_decisions_of_the_gate_stand_in_the_timeline(told: tuple[Decision, Story]) -> None:
    decision, story = told
    stamps = ("2025-11-10T09:04:00-05:00", "2020-01-01T00:00:00-05:00", decision.decided_at)
    answers = (Answer.GO, Answer.GO, decision.answer)
    earlier = tuple(
        Evaluation(at, answer, "v1", {}, {}) for at, answer in zip(stamps, answers, strict=True)
    )
    part = section(page((decision, replace(story, evaluations=earlier))), "timeline")
    rows = [row.text for row in part.one("table").all("tr")][1:]
    told_of = [row for row in rows if row.split()[3] == "decision"]
    assert [row.split()[1] for row in told_of if row.endswith(" GO")] == ["09:04:00"]
    assert len(told_of) == 2


def test_the_trend_shows_values_of_the_evaluations(told: tuple[Decision, Story]) -> None:
    part = section(page(told), "trend")
    assert "shop.canary. queue" in part.one("table", class_="metrics").text
    rows = [row.text for row in part.one("table", class_="happened").all("tr")][1:]
    assert [("v2" in row, "v1" in row) for row in rows] == [(True, False), (False, True)]


def test_the_trend_says_where_a_share_was_lowest_highest_and_last_in_percent() -> None:
    decision = given.no_go()
    finding = decision.criteria[0]
    values = ("0", "0.43", "0.02")
    evaluations = tuple(
        Evaluation(f"2025-11-10T0{n}:00:00+00:00", Answer.GO, "v1", {}, {finding.id: value})
        for n, value in enumerate(values)
    )
    rule = Measured("ok", "rate", Drawn.SHARE, "", None, None)
    story = Story(evaluations=evaluations, measured={finding.id: (rule,)})
    (_, row) = section(page((decision, story)), "trend").one("table", class_="metrics").all("tr")
    assert [cell.text for cell in row.all("td")][1:] == ["0 %", "43 %", "2 %"]


def test_words_of_evidence_are_never_markup(told: tuple[Decision, Story]) -> None:
    decision, story = told
    bad = "<script>alert(1)</script>"
    hostile = replace(
        story,
        todo=(Todo(bad, bad, bad),),
        steps=(StepState(bad, by_hand=True, outcome=bad),),
        happened=(Happened(Kind.CHANGE, NINE, bad), Happened(Kind.OTHER, NINE + 1, bad)),
    )
    html = to_html(decision, story=hostile)
    assert "<script" not in html
    assert "&lt;script&gt;" in html


def test_markdown_says_what_to_do_and_the_plans_sentences(told: tuple[Decision, Story]) -> None:
    decision, story = told
    text = to_markdown(decision, story=story)
    assert text.index("## Do this now") < text.index("## Why")
    assert "**Errors stay rare**: " in text
    assert "| traffic goes back | done | 2025-11-10 09:11:40 EST |" in text


def test_attached_files_are_listed_with_their_checks() -> None:
    story = Story(kept=(Kept("t.py::test_x", "trace <b>.txt", 12_345, "ab" * 32),))
    (_, row) = section(page((given.no_go(), story)), "kept").all("tr")
    cells = [one.text for one in row.all("td")]
    assert cells == ["trace <b>.txt", "t.py::test_x", "12,345", "ab" * 8]


def test_the_record_ends_with_the_commands_that_verify() -> None:
    decision = given.no_go()
    said = dict(text.record(decision))
    assert said["To verify"] == (
        f"rollout verify; rollout decide {decision.address} --env {decision.environment}"
    )
    assert "To verify" not in dict(text.record(given.held_partial()))


def test_a_stretch_of_which_nobody_knows_is_hatched(told: tuple[Decision, Story]) -> None:
    decision, story = told
    begin = story.happened[0].at_us
    lost = Happened(Kind.UNKNOWN, begin, "run r9: killed", begin + 60_000_000)
    part = section(page((decision, replace(story, happened=(*story.happened, lost)))), "timeline")
    assert len(part.all("path", class_="hatch")) == 2
    assert "unknown" in [node.text for node in part.all("text")]
    assert any("run r9: killed" in row.text for row in part.one("table").all("tr"))


def words_of(decision: Decision, happened: tuple[Happened, ...]) -> list[str]:
    drawn = section(page((decision, Story(happened=happened))), "timeline").one("svg")
    return [node.text for node in drawn.all("text") if "said" in (node.attributes["class"] or "")]


def test_marks_of_the_timeline_say_what_they_are_where_there_is_room(
    told: tuple[Decision, Story],
) -> None:
    decision, _ = told
    minute = 60_000_000
    begun = Happened(Kind.BEGIN, NINE, "begun by Ada")
    trip = Happened(Kind.TRIP, NINE + minute, "shop.canary.errors tripped: " + "more " * 100)
    first, second, cut = words_of(decision, (begun, trip))
    assert (first, second) == ("begun by Ada", f"{decision.gate.value} {decision.answer.value}")
    assert cut.startswith("errors tripped: more")
    assert cut.endswith("…")


def test_marks_at_the_same_place_do_not_write_over_one_another(
    told: tuple[Decision, Story],
) -> None:
    decision, _ = told
    crowd = tuple(Happened(Kind.CHANGE, NINE + n, f"change number {n}") for n in range(3))
    assert [word for word in words_of(decision, crowd) if "number" in word] == ["change number 2"]


def test_a_command_in_a_sentence_is_set_as_code_and_stays_inert() -> None:
    decision = given.no_go()
    says = "first `rollout clear <b>`, then rest"
    item = page((decision, Story(todo=(Todo("sre", says, ""),)))).one("ol", class_="todo")
    assert item.one("code").text == "rollout clear <b>"
    assert "`" not in item.text
