"""A decision as markdown, the answer first; small enough for a pull request comment."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from pytest_rollout import calendar
from pytest_rollout.late_dataclass import dataclass
from pytest_rollout.model.decision import Decision
from pytest_rollout.model.finding import Finding, Part
from pytest_rollout.model.story import NO_STORY, Story
from pytest_rollout.model.verdict import Verdict
from pytest_rollout.report import sentences, text
from pytest_rollout.report.blockers import Blocker, blockers
from pytest_rollout.report.controls import by_control
from pytest_rollout.report.escaping import code as _code
from pytest_rollout.report.escaping import item as _item
from pytest_rollout.report.escaping import plain as _plain
from pytest_rollout.report.escaping import row as _row
from pytest_rollout.report.escaping import table as _table
from pytest_rollout.report.fact_words import wall
from pytest_rollout.report.headline import facts
from pytest_rollout.report.load_stored import LoadLink
from pytest_rollout.report.load_words import NOT_BELIEVED
from pytest_rollout.report.notices import notices
from pytest_rollout.report.trust import worth

LIMIT = 60_000  # characters; comments on GitHub end at 65,536
MOST_LINES = 20  # of reasons, conditions, notices, guardrails and notes
MOST_ROWS = 10  # evidence of one criterion

_SPARE = 80  # room for the sentence that says how much more there is
_QUIET = (Verdict.PASS, Verdict.NOT_APPLICABLE)


@dataclass(frozen=True, slots=True)
class MarkdownSection:
    """Some lines under a heading: as many as fit, and how many more there are."""

    head: tuple[str, ...]
    rows: Sequence[str] = ()
    most: int = MOST_LINES
    turn: int = 0  # later ones take the room that others leave

    def fitted(self, room: int) -> str:
        """The block in at most ``room`` characters, but for its head."""
        lines = list(self.head)
        left = room - sum(len(line) + 1 for line in lines) - _SPARE
        shown = 0
        for row in self.rows[: self.most]:
            left -= len(row) + 1
            if left < 0:
                break
            lines.append(row)
            shown += 1
        if shown < len(self.rows):
            lines += ["", f"And {len(self.rows) - shown:,} more in decision.json."]
        return "\n".join(lines)


def to_markdown(
    decision: Decision,
    last_no: str = "",
    loads: Sequence[LoadLink] = (),
    story: Story = NO_STORY,
) -> str:
    """The report of a decision as markdown; ``last_no`` says when its gate last said no.

    ``loads`` are those that its run made, whose reports stand beside it; ``story`` is what the
    ledger tells beside the decision.
    """
    blocks = list(_blocks(decision, last_no, loads, story))
    fitted = [""] * len(blocks)
    room = LIMIT
    for place in sorted(range(len(blocks)), key=lambda place: blocks[place].turn):
        fitted[place] = blocks[place].fitted(room // 2 if blocks[place].turn == 1 else room)
        room -= len(fitted[place]) + 2
    return "\n\n".join(fitted) + "\n"


def _blocks(
    decision: Decision, last_no: str, loads: Sequence[LoadLink], story: Story
) -> Iterator[MarkdownSection]:
    yield MarkdownSection((f"# {_plain(text.title(decision))}",))
    yield _facts(decision)
    yield from _now(story, decision.timezone)
    for notice in notices(decision):
        says = f"> **{notice.title}.** {_plain(notice.says)}"
        items = [f"> - {_item(item)}" for item in notice.items]
        yield MarkdownSection((says, ">") if items else (says,), items)
    yield from _why(decision)
    if last_no:
        yield MarkdownSection((f"This gate: {_plain(last_no)}.",))
    yield from _demands(decision)
    yield from _criteria(decision)
    if loads:
        yield MarkdownSection(("## Loads", ""), [_load(load) for load in loads])
    yield from _guardrails(decision)
    yield from _signoff(story, decision.timezone)
    yield from _controls(decision)
    rows = [f"- {key}: {_code(value)}" for key, value in text.record(decision)]
    yield MarkdownSection(("## For the record", ""), rows)


def _now(story: Story, zone: str) -> Iterator[MarkdownSection]:
    """What to do now, and what became of the steps of the rollback."""
    rows = []
    for number, task in enumerate(story.todo, 1):
        who = f"**{_plain(task.who)}**: " if task.who else ""
        command = f" {_code(task.command)}" if task.command else ""
        rows.append(f"{number}. {who}{_plain(task.says)}{command}")
    if rows:
        yield MarkdownSection(("## Do this now", ""), rows)
    steps = [
        _row(
            " ".join(filter(None, (_plain(step.says), step.does and _code(step.does)))),
            _plain(step.words),
            calendar.wall(step.at_us, zone) if step.at_us else "",
        )
        for step in story.steps
    ]
    if steps:
        yield MarkdownSection(_table("Rollback step", "State", "At"), steps)


def _signoff(story: Story, zone: str) -> Iterator[MarkdownSection]:
    """How each role stood that signs the decision, when this was written."""
    if story.signoff:
        rows = [
            f"- [{'x' if role.verdict is Verdict.PASS else ' '}] "
            f"{_plain(sentences.text(role.reason, zone))}"
            for role in story.signoff
        ]
        yield MarkdownSection(("## Sign-off", ""), rows)


def _facts(decision: Decision) -> MarkdownSection:
    shown = facts(decision)
    cells = [
        f"{_plain(value)} {_code(more)}" if more else _plain(value) for _, value, more in shown
    ]
    return MarkdownSection((*_table(*(name for name, _, _ in shown)), _row(*cells)))


def _why(decision: Decision) -> Iterator[MarkdownSection]:
    zone = decision.timezone
    rows = [_cause(blocker) for blocker in blockers(decision, NO_STORY)]
    if decision.reasons:
        yield MarkdownSection(("## Why", ""), rows)
    free = text.without_conditions(decision)
    if free:
        yield MarkdownSection((free,))
    owed = text.conditions(decision)
    if owed and not decision.partial:
        rails = {finding.id for finding in decision.guardrails}
        rows = [
            _row(
                _code(condition.id),
                (text.state if condition.id in rails else text.word)(condition.verdict),
                _plain(sentences.text(condition.reason, zone)),
                _plain(condition.owner),
                _plain(condition.due),
            )
            for condition in owed
        ]
        heading = (f"## {text.conditions_title(decision)}", "")
        yield MarkdownSection(
            (*heading, *_table("Condition", "Verdict", "Because", "Owner", "Due")), rows
        )
    if text.aside(decision):
        yield MarkdownSection((text.aside(decision),))


def _cause(blocker: Blocker) -> str:
    """A cause: the plan's sentence, then what was seen."""
    if not blocker.id:
        return f"- {_item(blocker.because)}"
    says = f"**{_plain(blocker.says)}**: " if blocker.says else ""
    allowed = f" (allowed {_plain(blocker.allowed)})" if blocker.allowed else ""
    return f"- {says}{_plain(blocker.because)}{allowed} ({_code(blocker.id)})"


def _demands(decision: Decision) -> Iterator[MarkdownSection]:
    rows = [
        _row(_code(finding.id), text.word(finding.verdict), _said(finding, decision))
        for _, members in text.by_verdict(decision.demands)
        for finding in members
    ]
    if rows:
        yield MarkdownSection(
            ("## Was the run complete?", "", *_table("Demand", "Verdict", "Because")), rows
        )


def _criteria(decision: Decision) -> Iterator[MarkdownSection]:
    if not decision.criteria:
        return
    ordered = [finding for _, members in text.by_verdict(decision.criteria) for finding in members]
    counted = text.count(len(ordered), "criterion", "criteria")
    tally = f"{counted}: {text.tally(finding.verdict for finding in ordered)}. Worst first."
    head = _table("Criterion", "Severity", "Verdict", "Reason", "Allowed", "Samples")
    rows = [_criterion(finding, decision) for finding in ordered]
    yield MarkdownSection(("## Criteria", "", tally, "", *head), rows, most=len(rows), turn=2)
    evidence = [
        _evidence(finding, decision.timezone)
        for finding in ordered
        if finding.verdict not in _QUIET and finding.parts
    ]
    if evidence:
        says = "Of what does not pass; the rest is in report.html and decision.json."
        yield MarkdownSection(("## Evidence", "", says), evidence, most=len(evidence), turn=1)


def _load(load: LoadLink) -> str:
    doubt = "" if load.believed else f"**{NOT_BELIEVED}**, "
    return f"- {_code(load.name)} (`{load.file}.html`): {doubt}{_plain(load.says)}"


def _said(finding: Finding, decision: Decision) -> str:
    return _plain(sentences.text(finding.reason, decision.timezone))


def _named(finding: Finding) -> str:
    """The id of a finding, and what it says."""
    says = f" {_plain(finding.says)}" if finding.says else ""
    return _code(finding.id) + says


def _criterion(finding: Finding, decision: Decision) -> str:
    word = text.word(finding.verdict)
    return _row(
        _named(finding),
        _plain(finding.severity),
        word if finding.verdict in _QUIET else f"**{word}**",
        _said(finding, decision),
        _plain(finding.allowed),
        f"{finding.samples:,}" if finding.samples else "",
    )


def _evidence(finding: Finding, zone: str) -> str:
    parts = [part for part in text.worst_first(finding.parts) if part.verdict not in _QUIET]
    tally = text.tally(part.verdict for part in finding.parts)
    lines = ["", f"### {_code(finding.id)}: {tally}", ""]
    for part in parts[:MOST_ROWS]:
        lines.append(f"- **{text.word(part.verdict)}** {_part(part, zone)}")
        tries = text.attempts(part, zone)
        lines += [f"  - {_item(attempt)}" for attempt in tries[: text.MOST_ATTEMPTS]]
        if len(tries) > text.MOST_ATTEMPTS:
            lines.append(f"  - and {len(tries) - text.MOST_ATTEMPTS:,} more in decision.json")
    if len(parts) > MOST_ROWS:
        lines.append(f"- and {len(parts) - MOST_ROWS:,} more in decision.json")
    return "\n".join(lines)


def _part(part: Part, zone: str) -> str:
    subject = text.subject(part)
    name = f"{_code(subject)}: " if subject else ""
    says, estimate = _plain(sentences.text(part.reason, zone)), part.estimate
    if estimate is None:
        return name + says
    at = f" at {_plain(wall(estimate.at, zone))}" if estimate.at else ""
    counted = text.count(estimate.n, "sample")
    told = "".join(f" {_plain(line)}" for line in worth(estimate))
    return f"{name}{says} (seen {_plain(text.value(estimate))} in {counted}{at}).{told}"


def _guardrails(decision: Decision) -> Iterator[MarkdownSection]:
    rows = [
        _row(
            _named(finding),
            text.state(finding.verdict),
            _said(finding, decision),
            _plain(finding.allowed),
        )
        for _, members in text.by_verdict(decision.guardrails)
        for finding in members
    ]
    if rows:
        head = _table("Guardrail", "State", "Reason", "Allowed")
        yield MarkdownSection(("## Guardrails", "", *head), rows)


def _controls(decision: Decision) -> Iterator[MarkdownSection]:
    rows = [
        _row(
            _code(group.name),
            text.word(group.verdict),
            ", ".join(
                f"{_code(finding.id)} {text.word(finding.verdict)}" for finding in group.findings
            ),
        )
        for group in by_control(decision)
    ]
    if rows:
        head = _table("Control", "Worst verdict", "Criteria")
        yield MarkdownSection(("## Controls", "", *head), rows, most=len(rows))
