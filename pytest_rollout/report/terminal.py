"""The terminal section: each gate's answer and why, and the answer of the run as the last line."""

from __future__ import annotations

import textwrap
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence

from pytest_rollout.late_dataclass import dataclass
from pytest_rollout.model.decision import Decision
from pytest_rollout.model.finding import Finding
from pytest_rollout.model.plan import EMBEDDED, Address, Severity
from pytest_rollout.model.story import NO_STORY, Story
from pytest_rollout.model.verdict import Answer, Verdict, worst_answer
from pytest_rollout.report import sentences, text
from pytest_rollout.report.advice import next_verb
from pytest_rollout.report.causes import grouped_causes, meant_words
from pytest_rollout.report.fact_words import some_of
from pytest_rollout.report.spark_lines import spark_lines
from pytest_rollout.report.terminal_text import plain

_MOST_NOTES = 10
_STYLES = {
    Answer.GO: ("green", "bold"),
    Answer.HOLD: ("yellow", "bold"),
    Answer.NO_GO: ("red", "bold"),
    Answer.ROLLBACK: ("red", "bold"),
}


@dataclass(frozen=True, slots=True)
class Line:
    """One line of terminal text with the names of its styles (pytest's markup)."""

    text: str
    styles: tuple[str, ...] = ()


def section(
    decisions: Sequence[Decision],
    paths: Sequence[str],
    notes: Sequence[str] = (),
    error: str | None = None,
    last_noes: Mapping[Address, str] | None = None,
    nexts: Mapping[Address, str] | None = None,
    stories: Callable[[Decision], Story] = lambda decision: NO_STORY,
    width: int = 0,
) -> list[Line]:
    """The lines of a run's answer.

    ``paths`` are the reports' folders, in the same order; ``last_noes`` says when each gate last
    said no, ``nexts`` what follows, ``stories`` what the ledger tells beside a decision. Lines are
    broken between words where they are longer than ``width``; 0 breaks none.
    """
    lines: list[Line] = []
    noes = last_noes or {}
    for decision, path in zip(decisions, [*paths, *[""] * len(decisions)], strict=False):
        follows = (nexts or {}).get(decision.address, next_verb(decision))
        told = stories(decision)
        lines += gate(decision, path, noes.get(decision.address, ""), follows, told)
        lines.append(Line(""))
    shown = [f"note: {note}" for note in notes[:_MOST_NOTES]]
    if len(notes) > _MOST_NOTES:
        shown.append(f"note: and {len(notes) - _MOST_NOTES} more")
    lines += [Line(note) for note in shown]
    if error is not None:
        lines.append(Line(f"nothing could be stored: {error}", ("red",)))
    lines.append(last_word(decisions, error))
    whole = [Line(plain(line.text), line.styles) for line in lines]
    return [broken for line in whole for broken in wrapped(line, width)]


def wrapped(line: Line, width: int) -> Iterator[Line]:
    """Yield a line as several that are no wider, broken between words and indented alike."""
    if not width or len(line.text) <= width:
        yield line
        return
    indent = " " * (len(line.text) - len(line.text.lstrip(" -")))
    parts = textwrap.wrap(
        line.text,
        width,
        subsequent_indent=indent,
        break_long_words=False,
        break_on_hyphens=False,
        drop_whitespace=True,
    )
    yield from (Line(part, line.styles) for part in parts)


def gate(
    decision: Decision,
    path: str = "",
    last_no: str = "",
    follows: str = "",
    story: Story = NO_STORY,
) -> Iterator[Line]:
    """Yield the answer of one gate first, then what it rests on and what follows it."""
    release = f", release {decision.release}" if decision.release else ""
    drill = f", drill {decision.drill}" if decision.drill else ""
    answer = decision.answer
    where = f"{decision.address} in {decision.environment}{release}{drill}"
    yield Line(f"{answer.value}: {where}: {decision.phase_title}", _STYLES[answer])
    yield Line(f"  {_counted(decision.criteria)}; {text.evaluation(decision, 'evaluation ')}")
    if decision.answer is not Answer.GO:
        yield from _causes(decision, story)
        yield from _soft(decision)
    for finding in _optional(decision.criteria):
        said = sentences.cause(finding.id, finding.reason, decision.timezone)
        yield Line(f"  optional: {said}")
    if decision.answer is Answer.GO:
        yield from _conditions(decision)
    for waived in decision.waivers:
        yield Line(f"  waiver: {waived.words}")
    for reset in decision.resets:
        yield Line(f"  reset: {text.reset_words(reset, decision.timezone)}")
    for amended in text.amendments_said(decision):
        yield Line(f"  amendment: {amended}")
    for stand_in in decision.stand_ins:
        yield Line(f"  stand-in: {stand_in}")
    yield from _next(decision, follows, story)
    if last_no:
        yield Line(f"  {last_no}")
    if path:
        yield Line(f"  report: {path}")


def _causes(decision: Decision, story: Story) -> Iterator[Line]:
    """What stands in the way: what was seen, the plan's sentence, and how it went over time."""
    stated = {finding.id: finding.says for finding in (*decision.criteria, *decision.guardrails)}
    for ids, reason, answer in grouped_causes(decision):
        said = sentences.cause(some_of(ids), reason, decision.timezone)
        yield Line(f"  - {said}", _STYLES[answer][:1])
        if len(ids) == 1 and stated.get(ids[0]):
            yield Line(f'    the plan says: "{stated[ids[0]]}"')
            misspelt = meant_words(reason, story.unread)
            yield from [Line(f"    {misspelt}")] * bool(misspelt)
            yield from (Line(f"    {line}") for line in spark_lines(story.measured.get(ids[0], ())))


def _soft(decision: Decision) -> Iterator[Line]:
    """The soft criteria that are not met and block nothing: the count tells of them, too."""
    if decision.partial:  # they may only have been left out
        return
    against = {cause.id for cause in decision.reasons}
    ids = [
        finding.id
        for finding in decision.criteria
        if finding.severity == Severity.SOFT
        and finding.verdict.holds_back
        and finding.id not in against
    ]
    if ids:
        yield Line(f"  soft, so not blocking: {some_of(ids)}")


def _conditions(decision: Decision) -> Iterator[Line]:
    for condition in decision.conditions:
        says = sentences.text(condition.reason, decision.timezone)
        yield Line(f"  condition: {condition.id} is {condition.verdict.value}: {says}")
        yield Line(f"             owed by {condition.owner}, due at {condition.due}")


def _next(decision: Decision, follows: str, story: Story) -> Iterator[Line]:
    """What to do now, then the command that follows; a GO of a rehearsal asks for nothing."""
    rehearsed = decision.environment == EMBEDDED or decision.drill
    todo = () if decision.answer is Answer.GO and rehearsed else story.todo
    for number, task in enumerate(todo, 1):
        who = f"{task.who}: " if task.who else ""
        yield Line(f"  {number}. {who}{task.says}")
        if task.command:
            yield Line(f"     {task.command}")
    if story.steps:
        yield Line("  rollback steps:")
        for step in story.steps:
            does = f" ({step.does})" if step.does else ""
            yield Line(f"    - {step.says}{does}: {step.words}")
    if follows and not any(task.command and f"{task.command} (" in follows for task in todo):
        yield Line(f"  next: {follows}")


def _optional(criteria: Iterable[Finding]) -> Iterator[Finding]:
    """The optional criteria that failed: they decide nothing, and the count alone names none."""
    for finding in criteria:
        if finding.severity == Severity.OPTIONAL and finding.verdict is Verdict.FAIL:
            yield finding


def _counted(criteria: Sequence[Finding]) -> str:
    """``26 criteria: 25 pass, 1 fail``."""
    counts = Counter(finding.verdict for finding in criteria)
    order = sorted(counts, key=lambda verdict: verdict.rank, reverse=True)
    parts = ", ".join(f"{counts[verdict]} {text.word(verdict)}" for verdict in order)
    noun = "criterion" if len(criteria) == 1 else "criteria"
    return f"{len(criteria)} {noun}" + (f": {parts}" if parts else "")


def last_word(decisions: Sequence[Decision], error: str | None = None) -> Line:
    """Return the worst answer with that of each gate; a HOLD where nothing was stored."""
    if error is not None or not decisions:
        return Line("HOLD: no decision was stored", _STYLES[Answer.HOLD])
    answer = worst_answer(decision.answer for decision in decisions)
    answers = ", ".join(f"{decision.address} {decision.answer.value}" for decision in decisions)
    given = [decision for decision in decisions if decision.answer is Answer.GO]
    conditions = sum(len(decision.conditions) for decision in given)
    tail = f", with {conditions} condition{'s' * (conditions > 1)}" if conditions else ""
    return Line(f"{answer.value}: {answers}{tail}", _STYLES[answer])
