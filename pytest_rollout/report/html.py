"""A decision as one HTML page that stands alone: no script, nothing fetched."""

from __future__ import annotations

import base64
import hashlib
import re
from collections.abc import Iterable, Iterator, Sequence
from functools import cache, partial
from pathlib import Path

from jinja2 import Environment, PackageLoader, StrictUndefined, Template
from markupsafe import Markup, escape

from pytest_rollout import calendar
from pytest_rollout.late_dataclass import dataclass
from pytest_rollout.model.decision import Decision
from pytest_rollout.model.finding import Finding, Part
from pytest_rollout.model.story import NO_STORY, Story
from pytest_rollout.model.verdict import Answer, Verdict
from pytest_rollout.report import sentences, text
from pytest_rollout.report.blockers import blockers
from pytest_rollout.report.compiled import Compiled
from pytest_rollout.report.controls import by_control
from pytest_rollout.report.fact_words import wall
from pytest_rollout.report.headline import facts, since
from pytest_rollout.report.load_stored import LoadLink
from pytest_rollout.report.load_words import NOT_BELIEVED
from pytest_rollout.report.near_misses import near_misses
from pytest_rollout.report.notices import notices
from pytest_rollout.report.timeline import timeline
from pytest_rollout.report.trend_of_gate import sparkline, trend_of_gate
from pytest_rollout.report.trust import worth

MOST_ON_TOP = 6  # reasons and conditions in the first screen; the rest is folded
MOST_NOTED = 2  # lines of a notice, which stands above the reasons
MOST_ROWS_OF_PAGE = 3_000  # evidence of all criteria together
MOST_UNFOLDED = 100  # criteria of one verdict; more take a browser long, and nobody reads them

_BACKQUOTED = re.compile(r"`([^`]+)`")
_TONES = {
    Verdict.FAIL: "bad",
    Verdict.WAIVED: "note",
    Verdict.WARN: "note",
    Verdict.PASS: "good",
    Verdict.NOT_APPLICABLE: "none",
}
ANSWER_TONES = {
    Answer.ROLLBACK: "back",
    Answer.NO_GO: "bad",
    Answer.HOLD: "held",
    Answer.GO: "good",
}


@dataclass(frozen=True, slots=True)
class FindingRow:
    """A finding with its place in the page and the evidence that is shown of it."""

    anchor: str
    finding: Finding
    parts: tuple[Part, ...]

    def word(self, verdict: Verdict) -> str:
        """A verdict as it is called here: a guardrail is tripped, quiet or blind."""
        return text.state(verdict) if self.finding.kind == "guardrail" else text.word(verdict)

    @property
    def tally(self) -> str:
        """How much evidence there is of each verdict."""
        return text.tally((part.verdict for part in self.finding.parts), self.word)

    @property
    def measured(self) -> bool:
        """Whether any of the shown evidence is a measurement."""
        return any(part.estimate for part in self.parts)

    @property
    def hidden(self) -> int:
        """How much evidence stands in decision.json alone."""
        return len(self.finding.parts) - len(self.parts)


@dataclass(frozen=True, slots=True)
class VerdictGroup:
    """The findings that share a verdict."""

    verdict: Verdict
    rows: tuple[FindingRow, ...]

    @property
    def folded(self) -> bool:
        """Whether the page shows it only where a reader opens it."""
        return len(self.rows) > MOST_UNFOLDED


def to_html(
    decision: Decision,
    last_no: str = "",
    loads: Sequence[LoadLink] = (),
    story: Story = NO_STORY,
) -> str:
    """The report of a decision as HTML; ``last_no`` says when its gate last said no.

    ``loads`` are those that its run made, whose pages stand beside it; ``story`` is what the
    ledger tells beside the decision.
    """
    criteria = tuple(_groups(decision.criteria, "c", MOST_ROWS_OF_PAGE))
    guardrails = tuple(_groups(decision.guardrails, "g", MOST_ROWS_OF_PAGE))
    demands = tuple(_groups(decision.demands, "d", MOST_ROWS_OF_PAGE))
    groups = (*guardrails, *demands, *criteria)
    rows = {row.finding.id: row for group in groups for row in group.rows}
    template, style, policy = page("report.html.j2", "plot.css")
    sentence = partial(sentences.text, zone=decision.timezone)
    return template.render(
        decision=decision,
        story=story,
        line=timeline(decision, story.happened, story.evaluations),
        near=near_misses(decision.criteria, story.measured),
        trend=trend_of_gate(decision, story.evaluations, story.measured),
        sparks=_sparks(decision, story),
        clock=partial(calendar.wall, zone=decision.timezone),
        rails=guardrails,
        last_no=last_no,
        notices=notices(decision),
        loads=loads,
        not_believed=NOT_BELIEVED,
        criteria=criteria,
        guardrails=[row for group in guardrails for row in group.rows],
        demands=[row for group in demands for row in group.rows],
        known=rows,
        controls=by_control(decision),
        reasons=blockers(decision, story),
        facts=[*facts(decision), *since(decision, story.evaluations)],
        sentence=sentence,
        zone=decision.timezone,
        prefix=decision.address.full(""),
        tone=ANSWER_TONES[decision.answer],
        style=style,
        policy=policy,
    )


def _sparks(decision: Decision, story: Story) -> dict[str, list[str]]:
    """A small line of what each guardrail saw, of the group that saw most."""
    sparks: dict[str, list[str]] = {finding.id: [] for finding in decision.guardrails}
    for id_ in sparks:
        for measured in story.measured.get(id_, ()):
            curves = sorted(measured.curves, key=lambda curve: -curve.samples)[:1]
            sparks[id_] += [sparkline([point.value for point in curve.points]) for curve in curves]
    return sparks


def _groups(findings: Iterable[Finding], letter: str, budget: int) -> Iterator[VerdictGroup]:
    """Groups worst first; the worst evidence takes its share of the page before the rest."""
    number = 0
    for verdict, members in text.by_verdict(findings):
        rows = []
        for finding in members:
            number += 1
            parts = text.worst_first(finding.parts)[: min(text.MOST_ROWS, budget)]
            budget -= len(parts)
            rows.append(FindingRow(f"{letter}{number}", finding, tuple(parts)))
        yield VerdictGroup(verdict, tuple(rows))


@cache
def page(name: str, *sheets: str) -> tuple[Template, Markup, str]:
    """A template, its style sheet, and the policy that admits this style sheet alone.

    ``sheets`` follow the one that all pages share.
    """
    loader = PackageLoader("pytest_rollout.report")
    environment = Environment(
        loader=loader,
        bytecode_cache=Compiled(Path(__file__).with_name("templates")),
        autoescape=True,
        undefined=StrictUndefined,
        finalize=_safe,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.filters |= {
        "cut": _cut,
        "prose": _prose,
        "word": text.word,
        "tone": _tone,
        "svg": Markup,
    }
    # Of each check: what a template calls as a function costs several times as much.
    environment.filters |= {"subject": text.subject, "attempts": text.attempts, "worth": worth}
    environment.filters |= {"said": sentences.text, "called": _called}
    environment.globals |= {
        "text": text,
        "wall": wall,
        "most_on_top": MOST_ON_TOP,
        "most_noted": MOST_NOTED,
    }
    style = "\n".join(
        loader.get_source(environment, sheet)[0].replace("\r\n", "\n")
        for sheet in ("report.css", *sheets)
    )
    digest = base64.b64encode(hashlib.sha256(style.encode()).digest()).decode()
    policy = f"default-src 'none'; style-src 'sha256-{digest}'; base-uri 'none'; form-action 'none'"
    return environment.get_template(name), Markup(style), policy


def _safe(value: object) -> object:
    """The last word on every expression of the template: clean, capped and escaped."""
    return _cut(value) if isinstance(value, str) and not isinstance(value, Markup) else value


def _cut(value: str, most: int = text.TEXT) -> Markup:
    return escape(text.cut(value, most))


def _prose(value: str, most: int = text.TEXT) -> Markup:
    """A sentence with what stands between backquotes as code: it is a command or a name."""
    return Markup(_BACKQUOTED.sub(r"<code>\1</code>", str(_cut(value, most))))


def _called(verdict: Verdict, row: FindingRow) -> str:
    return row.word(verdict)


def _tone(verdict: Verdict) -> str:
    return _TONES.get(verdict, "held")
