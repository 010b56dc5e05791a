"""Attestations: people's recorded answers to what no test can see."""

from __future__ import annotations

from pytest_rollout.late_dataclass import dataclass
from pytest_rollout.model.finding import Reason

NAME = "attestation"  # the part of a finding that is a person's answer


@dataclass(frozen=True, slots=True)
class Statement:
    """What a person signs when they attest: nothing of the record can be changed afterwards."""

    criterion: str  # full id
    environment: str
    release: str | None
    role: str
    person: str
    passed: bool
    note: str
    file: str
    digest: str  # SHA-256 of the attached file
    at: str  # ISO 8601, UTC


@dataclass(frozen=True, slots=True)
class Proof:
    """The signature under an attestation, and what it says of where and when it was made."""

    environment: str
    at: str  # ISO 8601, UTC
    armour: str


@dataclass(frozen=True, slots=True)
class Attestation:
    """One person's answer about one criterion, of one release, at one time."""

    criterion: str  # full id
    by: str
    role: str
    note: str
    passed: bool
    at_us: int
    release: str | None = None
    file: str = ""  # the name of an attached file
    digest: str = ""  # and its SHA-256
    proof: Proof | None = None  # None: nobody signed it
    verified: bool = False  # whether the proof was looked at
    doubt: Reason | None = None  # and why it is not believed

    @property
    def statement(self) -> Statement | None:
        """What was signed, if anything was."""
        if self.proof is None:
            return None
        return Statement(
            criterion=self.criterion,
            environment=self.proof.environment,
            release=self.release,
            role=self.role,
            person=self.by,
            passed=self.passed,
            note=self.note,
            file=self.file,
            digest=self.digest,
            at=self.proof.at,
        )


@dataclass(frozen=True, slots=True)
class StandIn:
    """What answers a manual criterion in a rehearsal, and never anywhere else."""

    phase: str
    criterion: str  # the slug
    by: str
    role: str
    note: str
    passed: bool = True
    faults: tuple[str, ...] = ()  # drills under which the answer is no
    line: int = 0

    @property
    def words(self) -> str:
        """Who answers, and what."""
        return f"{self.by} ({self.role}): {self.note}"
