"""What markdown and HTML share: safe words, their caps, and the order of a report."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Callable, Iterable, Sequence

from pytest_rollout.model.decision import Condition, Decision
from pytest_rollout.model.finding import Attempted, Estimate, Finding, Part, SubjectKind
from pytest_rollout.model.life import Amendment
from pytest_rollout.model.plan import EMBEDDED, Gate
from pytest_rollout.model.reset import Reset
from pytest_rollout.model.story import StepState
from pytest_rollout.model.verdict import Answer, State, Verdict
from pytest_rollout.report import sentences
from pytest_rollout.report.fact_words import amount, ordinal, wall

NAME, SENTENCE, TEXT = 160, 300, 600  # most characters of an id, of a repeated and of a full text
MOST_ROWS = 50  # evidence of one criterion
MOST_ATTEMPTS = 10

MEANING = {
    Verdict.FAIL: "seen to be bad",
    Verdict.ERROR: "it could not be measured",
    Verdict.MISSING: "not seen, or it counts no longer",
    Verdict.INCONCLUSIVE: "too little was seen to tell, or some of it cannot be judged",
    Verdict.HOLD: "the target is missed, and that is no breach yet",
    Verdict.WAIVED: "not met, and that was accepted for a while",
    Verdict.WARN: "met, on a condition",
    Verdict.PASS: "met",
    Verdict.NOT_APPLICABLE: "the plan does not ask for it here",
}
STATES = {
    "tripped": "seen to be bad while it was watched",
    "quiet": "watched, and nothing bad was seen",
    "blind": "not enough was seen to watch it",
}
ASKS = {"entry": "may we start?", "exit": "is it done?"}
CLEARANCE = (
    "A GO says what the evidence says. Whether the {what} right now also depends on windows, "
    "freezes, prerequisites and signatures."
)

_ESCAPE = re.compile(r"(?:\x1b\[|\x9b)[0-?]*[ -/]*[@-~]")  # sequences without a payload


def clean(text: str) -> str:
    """One line without terminal sequences, control characters or lone surrogates."""
    if not text.isprintable():
        text = _ESCAPE.sub("", text)
        text = "".join(char if char.isprintable() else _instead(char) for char in text)
    return " ".join(text.split())


def _instead(char: str) -> str:
    return " " if char.isspace() or ord(char) < 0xA0 else "\N{REPLACEMENT CHARACTER}"


def cut(text: str, most: int = TEXT) -> str:
    """Clean text of at most so many characters, saying how many more there were."""
    if len(text) <= most:
        return clean(text)
    return f"{clean(text[:most])} … ({len(text) - most:,} more characters in decision.json)"


def word(verdict: Verdict) -> str:
    """A verdict as a word."""
    return verdict.value.replace("_", " ")


def state(verdict: Verdict) -> str:
    """A guardrail's verdict as a word: tripped, quiet or blind."""
    return State.of(verdict).value


def moment(stamp: str, zone: str = "UTC") -> str:
    """A recorded instant as people of a zone read it: ``2025-11-10 10:00:00 EST``."""
    return wall(stamp, zone)


def title(decision: Decision) -> str:
    """The decision in one line: the answer, of which gate, where."""
    where = cut(f"{decision.address} in {decision.environment}", NAME)
    answer = " ".join(filter(None, (decision.answer.value, qualified(decision))))
    return f"{answer}: {where}"


def count(n: int, noun: str, many: str = "") -> str:
    """``1 entry``, ``1,200 entries``."""
    return f"{n:,} {noun if n == 1 else many or noun + 's'}"


def by_verdict(findings: Iterable[Finding]) -> list[tuple[Verdict, list[Finding]]]:
    """Findings under their verdicts, worst first; under each the hard ones first, as planned."""
    groups: dict[Verdict, list[Finding]] = {}
    for finding in sorted(findings, key=lambda finding: finding.severity not in ("hard", "")):
        groups.setdefault(finding.verdict, []).append(finding)
    return sorted(groups.items(), key=lambda group: group[0].rank)


def worst_first(parts: Sequence[Part]) -> list[Part]:
    """Evidence with the worst on top, so that a cap never hides it."""
    return sorted(parts, key=lambda part: part.verdict.rank)


def tally(verdicts: Iterable[Verdict], said: Callable[[Verdict], str] = word) -> str:
    """``2 fail, 24 pass``, worst first."""
    counts: dict[str, int] = {}
    of_each = Counter(verdicts)
    for verdict in sorted(of_each, key=lambda verdict: verdict.rank):
        counts[said(verdict)] = counts.get(said(verdict), 0) + of_each[verdict]
    return ", ".join(f"{n:,} {name}" for name, n in counts.items())


def subject(part: Part) -> str:
    """What a part is about: of a check its whole node id."""
    return part.subject.ref if part.subject.kind is SubjectKind.CHECK else part.subject.name


def value(estimate: Estimate) -> str:
    """What was taken, with its unit."""
    return amount(estimate.value, estimate.unit, "")


def attempts(part: Part, zone: str) -> tuple[str, ...]:
    """The attempts worth showing: not one that only repeats its part."""
    if len(part.attempts) == 1 and part.attempts[0].verdict is part.verdict:
        return ()
    return tuple(attempt(tried, zone) for tried in part.attempts)


def attempt(tried: Attempted, zone: str) -> str:
    """An attempt as its verdict and why."""
    why = "" if tried.reason.code in sentences.SILENT else f": {sentences.text(tried.reason, zone)}"
    return tried.verdict.value + why


def amendments_said(decision: Decision) -> tuple[str, ...]:
    """Each amendment as it was stated and as amended, by whom, and what was seen before."""
    return tuple(
        f"{amendment.criterion}, {part}"
        for amendment in decision.amendments
        for part in (
            f"as stated: {amendment.stated or 'nothing'}",
            f"as amended by {amendment.by}, approved by {amendment.approved_by}: "
            f"{amendment.amended or 'nothing'}",
            _seen_before(amendment),
        )
    )


def _seen_before(amendment: Amendment) -> str:
    if not amendment.runs:
        return "seen before: nothing"
    last = f"the last was {amendment.verdict}" + (f" ({amendment.seen})" if amendment.seen else "")
    return f"seen before: {count(amendment.runs, 'look')}, {amendment.failed} did not pass; {last}"


def reset_words(reset: Reset, zone: str) -> str:
    """Who reset what, when and why."""
    release = f" of release {reset.release}" if reset.release else ""
    at = wall(reset.at, zone)
    return f"{reset.guardrail}{release}: reset at {at} by {reset.by}: {reset.reason}"


def conditions(decision: Decision) -> tuple[Condition, ...]:
    """Return the conditions of a GO, or those that one would carry once nothing blocks it."""
    against = {cause.id for cause in decision.reasons} if decision.answer is not Answer.GO else ()
    return tuple(owed for owed in decision.conditions if owed.id not in against)


def conditions_title(decision: Decision) -> str:
    """What the conditions are: attached to a GO, or what one would carry."""
    return "Conditions" if decision.answer is Answer.GO else "Conditions a GO would carry"


def qualified(decision: Decision) -> str:
    """What belongs to the answer in the same breath: its conditions, and what it is not."""
    words = []
    if decision.answer is Answer.GO and decision.conditions:
        words.append(f"with {count(len(decision.conditions), 'condition')}")
    if decision.partial:
        words.append("from a partial run")
    if decision.drill:
        words.append("in a drill")
    elif decision.environment == EMBEDDED:
        words.append("in a rehearsal")
    return ", ".join(words)


def aside(decision: Decision) -> str:
    """What a GO is not."""
    if decision.answer is not Answer.GO or decision.drill:
        return ""
    entry = decision.gate is Gate.ENTRY
    return CLEARANCE.format(what="change may start" if entry else "phase may end")


def steps_done(steps: Sequence[StepState]) -> str:
    """How far a rollback is, in one breath with the answer; empty where it has no steps."""
    done = sum(step.done for step in steps)
    if not steps:
        return ""
    if done == len(steps):
        return "every step is done"
    return f"{done} of {count(len(steps), 'step')} done"


def without_conditions(decision: Decision) -> str:
    """The sentence of a GO that asks for nothing more."""
    free = decision.answer is Answer.GO and not decision.conditions
    return "This GO carries no conditions." if free else ""


def evaluation(decision: Decision, noun: str = "") -> str:
    """How often its release was evaluated until a decision: ``2nd of this release``."""
    if decision.partial or decision.drill:
        return "not counted"
    if decision.environment == EMBEDDED:
        return "a rehearsal"
    held = {demand.id for demand in decision.demands if demand.verdict.holds_back}
    of = "of a release that could not be read" if "run.release" in held else "of this release"
    return f"{ordinal(decision.looks)} {noun}{of}"


def valid_until(decision: Decision) -> str:
    """Until when a GO counts, and what ends then; empty where nothing ends it."""
    if not decision.ends:
        return ""
    first = decision.ends[0]
    return f"{first.until}: {sentences.text(first.reason, decision.timezone)}"


def produced_by(decision: Decision) -> str:
    """Who ran the run, in its own words; empty where it does not say."""
    producer = decision.producer
    if producer is None:
        return ""
    commit = f"commit {producer.commit}" if producer.commit else ""
    said = " ".join(filter(None, (producer.kind, producer.url, commit)))
    return said if producer.authenticated else f"{said} (not authenticated)"


def _verified_by(decision: Decision) -> str:
    """The commands that check the ledger and judge the run again; a drill's ledger is gone."""
    where = f"{decision.address} --env {decision.environment}"
    return "" if decision.drill or decision.partial else f"rollout verify; rollout decide {where}"


def record(decision: Decision) -> list[tuple[str, str]]:
    """What an auditor compares: where the decision stands and what it was made from."""
    rows = [
        ("Run", decision.run),
        ("Evaluation", evaluation(decision)),
        ("Decided at", decision.decided_at),
        ("Judged at", decision.judged_at),
        ("Valid until", valid_until(decision)),
        ("Ran by", produced_by(decision)),
        ("Configuration", decision.configuration or ""),
        ("Plan digest", decision.plan_digest),
        ("Criteria digest", decision.criteria_digest),
        ("Substance digest", decision.substance_digest),
        ("Ledger sequence", str(decision.ledger.sequence)),
        ("Ledger head", decision.ledger.hash),
        ("Judge version", decision.judge),
        ("Schema", str(decision.schema)),
        ("Zone data", decision.zone_data),
        ("Versions", ", ".join(f"{name} {of}" for name, of in decision.versions.items())),
        ("Made from", count(len(decision.inputs), "input") if decision.inputs else ""),
        ("To verify", _verified_by(decision)),
    ]
    return [(name, cut(value, NAME)) for name, value in rows if value]
