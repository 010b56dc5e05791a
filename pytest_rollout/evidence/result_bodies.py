"""What the first record of a run says where it holds a file of another tool."""

from __future__ import annotations

from dataclasses import fields

from pytest_rollout.evidence.body_texts import Digest, Id, Named, Why
from pytest_rollout.late_dataclass import dataclass
from pytest_rollout.model.ingest import ResultFacts, ResultKind


@dataclass(frozen=True, slots=True)
class StoredResult:
    """What is known of a file that somebody brought; see ``ResultFacts`` for each field."""

    phase: Id
    kind: ResultKind
    name: Id
    format: Id
    file: Named
    digest: Digest
    by: Named
    release: Id
    release_from: Id
    times_from: Id
    started_us: int
    ended_us: int
    requests: int = 0
    started: int = 0
    dropped: int | None = None
    doubts: tuple[Why, ...] = ()
    unsaid: tuple[Why, ...] = ()
    content: Digest = ""

    @classmethod
    def of(cls, facts: ResultFacts) -> StoredResult:
        """Return what is stored of some facts."""
        return cls(**{field.name: getattr(facts, field.name) for field in fields(facts)})

    @property
    def facts(self) -> ResultFacts:
        """The facts that were stored."""
        return ResultFacts(
            **{field.name: getattr(self, field.name) for field in fields(ResultFacts)}
        )
