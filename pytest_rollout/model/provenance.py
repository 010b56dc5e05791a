"""What a decision says beside its verdict: who ran it, what it read, until when it counts."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import field

from pytest_rollout.late_dataclass import dataclass
from pytest_rollout.model.finding import Reason


@dataclass(frozen=True, slots=True)
class Producer:
    """Who ran a run, in its own words: shown, and never trusted."""

    kind: str  # github-actions, gitlab-ci, …; ci: one that is not known; local: none
    url: str = ""  # of the job
    commit: str = ""  # that was checked out
    authenticated: bool = False  # nothing proves what the variables of a process say


@dataclass(frozen=True, slots=True)
class Input:
    """One thing that a decision was made from: what in-toto calls a resource descriptor."""

    uri: str  # rollout-run:ID, rollout-plan:ID, rollout-file:NAME, …
    digest: Mapping[str, str]  # by algorithm; of a run, the digest in its seal


@dataclass(frozen=True, slots=True)
class Counts:
    """How many criteria came out how: what dashboards read first."""

    verdicts: Mapping[str, int] = field(default_factory=dict)
    severities: Mapping[str, Mapping[str, int]] = field(default_factory=dict)  # then by verdict
    guardrails: Mapping[str, int] = field(default_factory=dict)  # by state
    conditions: int = 0
    waived: int = 0
    not_applicable: int = 0


@dataclass(frozen=True, slots=True)
class Bound:
    """One thing that a GO rests on and that ends by itself."""

    until: str  # an instant with an offset: the last at which it counts
    reason: Reason  # what ends then


def input_of(uri: str, sha256: str) -> Input:
    """Return an input by its SHA-256."""
    return Input(uri, {"sha256": sha256})
