"""What markdown and HTML share: safe words, their caps, and the order of a report."""

from __future__ import annotations

import re
from collections.abc import Callable, Container, Iterable, Sequence
from dataclasses import dataclass

from pytest_rollout.model.decision import Decision, Finding, Part
from pytest_rollout.model.plan import EMBEDDED
from pytest_rollout.model.verdict import Answer, Verdict
from pytest_rollout.model.waiver import Use

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
    "A GO says what the evidence says. Whether the change may start right now also depends "
    "on its window, freezes, prerequisites and signatures."
)

_ESCAPE = re.compile(r"(?:\x1b\[|\x9b)[0-?]*[ -/]*[@-~]")  # sequences without a payload
_STAMP = re.compile(r"(\d{4}-\d\d-\d\d)T(\d\d:\d\d:\d\d)(?:\.\d+)?Z")


@dataclass(frozen=True, slots=True)
class Notice:
    """Something that limits what the answer is worth, and what there is to say of it."""

    title: str
    says: str
    items: tuple[str, ...] = ()


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
    return {Verdict.FAIL: "tripped", Verdict.PASS: "quiet"}.get(verdict, "blind")


def moment(stamp: str) -> str:
    """A stored stamp as people read it: ``2025-11-10 15:00:00 UTC``."""
    found = _STAMP.fullmatch(stamp)
    return f"{found[1]} {found[2]} UTC" if found else stamp


def title(decision: Decision) -> str:
    """The decision in one line: the answer, of which gate, where."""
    where = cut(f"{decision.address} in {decision.environment}", NAME)
    return " ".join([decision.answer.value, qualified(decision)]).strip() + f": {where}"


def count(n: int, one: str, many: str = "") -> str:
    """``1 entry``, ``1,200 entries``."""
    return f"{n:,} {one if n == 1 else many or one + 's'}"


def by_verdict(findings: Iterable[Finding]) -> list[tuple[Verdict, list[Finding]]]:
    """Findings under their verdicts, worst first; in the plan's order under each."""
    groups: dict[Verdict, list[Finding]] = {}
    for finding in findings:
        groups.setdefault(finding.verdict, []).append(finding)
    return sorted(groups.items(), key=lambda group: group[0].rank)


def worst_first(parts: Sequence[Part]) -> list[Part]:
    """Evidence with the worst on top, so that a cap never hides it."""
    return sorted(parts, key=lambda part: part.verdict.rank)


def tally(verdicts: Iterable[Verdict], said: Callable[[Verdict], str] = word) -> str:
    """``2 fail, 24 pass``, worst first."""
    counts: dict[str, int] = {}
    for verdict in sorted(verdicts, key=lambda verdict: verdict.rank):
        counts[said(verdict)] = counts.get(said(verdict), 0) + 1
    return ", ".join(f"{n:,} {name}" for name, n in counts.items())


def attempts(part: Part) -> tuple[str, ...]:
    """The attempts worth showing: not one that only repeats its part."""
    alone = (part.verdict.value, f"{part.verdict.value}: {part.because}")
    if len(part.attempts) == 1 and part.attempts[0] in alone:
        return ()
    return part.attempts


def split(reason: str, known: Container[str]) -> tuple[str, str]:
    """The known id that a reason names before its colon, or nothing, and what it says."""
    name, colon, says = reason.partition(": ")
    return (name, says) if colon and name in known else ("", reason)


def notices(decision: Decision) -> tuple[Notice, ...]:
    """What a reader must know before trusting the answer."""
    found = []
    if decision.drill:
        says = f"The fault {cut(decision.drill, NAME)} was planted on purpose. "
        found.append(Notice("Drill", says + "A drill satisfies no gate."))
    if decision.partial:
        says = "Some of what is bound to this gate was left out."
        found.append(Notice("Partial run", says, decision.partial))
    if decision.environment == EMBEDDED and not decision.drill:
        says = "Evidence of a reference target; it satisfies no gate of another environment."
        found.append(Notice("Rehearsal", says))
    if decision.stand_ins:
        says = "Answers that stand in for people's attestations."
        found.append(Notice("Stand-ins", says, decision.stand_ins))
    if decision.waivers:
        found.append(Notice("Waivers", *waivers_said(decision)))
    if decision.resets:
        says = "Guardrails that somebody reset: judged anew since then."
        found.append(Notice("Resets", says, tuple(one.words for one in decision.resets)))
    return tuple(found)


def waivers_said(decision: Decision) -> tuple[str, tuple[str, ...]]:
    """How many waivers a gate has and how many of them it rests on, and each, those first."""
    uses = [one.use for one in decision.waivers]
    applied = uses.count(Use.APPLIED)
    says = f"{count(len(uses), 'waiver')}, {applied} applied: accepted there, though not passed."
    ordered = sorted(decision.waivers, key=lambda one: one.use is not Use.APPLIED)
    return says, tuple(one.words for one in ordered)


def conditions_title(decision: Decision) -> str:
    """What the conditions are: attached to a GO, or what one would carry."""
    return "Conditions" if decision.answer is Answer.GO else "Conditions a GO would carry"


def qualified(decision: Decision) -> str:
    """What belongs to the answer in the same breath: its conditions, and what it is not."""
    said = []
    if decision.answer is Answer.GO and decision.conditions:
        said.append(f"with {count(len(decision.conditions), 'condition')}")
    if decision.partial:
        said.append("from a partial run")
    if decision.drill:
        said.append("in a drill")
    elif decision.environment == EMBEDDED:
        said.append("in a rehearsal")
    return ", ".join(said)


def aside(decision: Decision) -> str:
    """What a GO is not."""
    return CLEARANCE if decision.answer is Answer.GO and not decision.drill else ""


def without_conditions(decision: Decision) -> str:
    """The sentence of a GO that asks for nothing more."""
    free = decision.answer is Answer.GO and not decision.conditions
    return "This GO carries no conditions." if free else ""


def facts(decision: Decision) -> list[tuple[str, str, str]]:
    """Name, value and identifier of what a reader looks up first."""
    address = decision.address
    rows = [
        ("Plan", decision.plan_title, address.plan),
        ("Phase", decision.phase_title, address.phase),
        ("Gate", decision.gate.value, str(address)),
        ("Environment", decision.environment, ""),
        ("Release", decision.release or "unknown", ""),
        ("Window", decision.window, ""),
        ("Decided", moment(decision.decided_at), ""),
    ]
    return [(name, cut(value, NAME), cut(more, NAME)) for name, value, more in rows if value]


def record(decision: Decision) -> list[tuple[str, str]]:
    """What an auditor compares: where the decision stands and what it was made from."""
    rows = [
        ("Run", decision.run),
        ("Look", f"{decision.looks:,}"),
        ("Decided at", decision.decided_at),
        ("Judged at", decision.judged_at),
        ("Configuration", decision.configuration or ""),
        ("Plan digest", decision.plan_digest),
        ("Criteria digest", decision.criteria_digest),
        ("Substance digest", decision.substance_digest),
        ("Ledger sequence", str(decision.head.sequence)),
        ("Ledger head", decision.head.hash),
        ("Judge version", decision.judge),
        ("Schema", str(decision.schema)),
        ("Zone data", decision.zone_data),
    ]
    return [(name, cut(value, NAME)) for name, value in rows if value]
