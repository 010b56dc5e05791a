"""What the judge says: a verdict on a subject, and the reason as a code with facts.

Nothing here is a sentence. :mod:`pytest_rollout.report.sentences` makes them, from one table
with an entry for each code.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import field
from enum import StrEnum
from typing import TypeAlias, Union

from pytest_rollout.late_dataclass import dataclass
from pytest_rollout.model.node_id import NodeId
from pytest_rollout.model.verdict import State, Verdict

Labels = tuple[tuple[str, str], ...]
# Exact numbers are decimal or p/q texts, instants are ISO 8601 texts with an offset.
Fact: TypeAlias = Union[str, int, bool, tuple["Fact", ...], "Reason", None]


@dataclass(frozen=True, slots=True)
class Reason:
    """Why a verdict is what it is: a code, and the facts that its sentence is made of."""

    code: str
    facts: Mapping[str, Fact] = field(default_factory=dict)


class SubjectKind(StrEnum):
    """What a part of a finding is about."""

    GROUP = "group"  # one group of a rule, or all of its samples together
    CHECK = "check"  # one bound item
    ATTESTATION = "attestation"  # a person's answer
    GATE = "gate"  # what another gate found
    MEMBER = "member"  # a criterion that a group of criteria is made of
    RUN = "run"  # the run itself
    FILE = "file"  # a file of another tool that somebody brought
    CASE = "case"  # a test case or a threshold in such a file


@dataclass(frozen=True, slots=True)
class Subject:
    """What a part of a finding is about, as data."""

    kind: SubjectKind
    ref: str = ""  # node id, gate or slug; of a group: the label whose groups are too few
    labels: Labels = ()  # of a group; without any: all samples together

    @property
    def name(self) -> str:
        """The subject as a reader would say it; empty for all samples together."""
        if self.kind is SubjectKind.CHECK:
            return NodeId.parse(self.ref).name
        if self.kind is SubjectKind.ATTESTATION:
            return "attestation"
        if self.kind is not SubjectKind.GROUP:
            return self.ref
        labels = ", ".join(f"{label} {value}" for label, value in self.labels)
        if self.ref:
            return f"every {self.ref}" + (f" of {labels}" if labels else "")
        return labels


@dataclass(frozen=True, slots=True)
class Estimate:
    """One value taken from a slice of ``n`` opportunities; numbers are exact texts."""

    value: str
    n: int
    unit: str = ""  # of value and bounds; empty: none
    at: str | None = None  # when the slot that decided happened
    low: str | None = None  # bounds at the stated confidence; None where there is none
    high: str | None = None
    method: str | None = None  # how the bounds were found
    confidence: str | None = None  # of the bounds, in percent: the one used, after all looks
    catches: str | None = None  # the share of bad samples that 19 of 20 such runs would notice
    more: int | None = None  # how many more good samples would make it pass


@dataclass(frozen=True, slots=True)
class Attempted:
    """One execution of a check, or one answer of a person."""

    verdict: Verdict
    reason: Reason


@dataclass(frozen=True, slots=True)
class Part:
    """The finding of one subject."""

    subject: Subject
    verdict: Verdict
    reason: Reason
    estimate: Estimate | None = None
    attempts: tuple[Attempted, ...] = ()


@dataclass(frozen=True, slots=True)
class Finding:
    """What was found of one criterion, guardrail or demand on the run."""

    id: str
    verdict: Verdict
    reason: Reason
    says: str = ""
    severity: str = ""
    kind: str = ""
    allowed: str = ""  # the cuts, in the plan's words
    samples: int = 0
    parts: tuple[Part, ...] = ()
    controls: tuple[str, ...] = ()  # of catalogues, that the criterion is evidence for

    @property
    def state(self) -> State:
        """Of a guardrail: tripped, quiet or blind."""
        return State.of(self.verdict)

    @property
    def blind(self) -> bool:
        """Whether a guardrail could not be judged somewhere, also where it tripped elsewhere."""
        return not self.parts or any(State.of(part.verdict) is State.BLIND for part in self.parts)


def said(text: str) -> Reason:
    """Return a reason that somebody else put into words: a check, a person, an older judge."""
    return Reason("said", {"text": text})


def codes(reason: Reason) -> Iterator[str]:
    """Yield the code of a reason and those of all reasons within it."""
    yield reason.code
    for fact in reason.facts.values():
        for inner in fact if isinstance(fact, tuple) else (fact,):
            if isinstance(inner, Reason):
                yield from codes(inner)
