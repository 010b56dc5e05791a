"""Attestations: people's recorded answers to what no test can see."""

from __future__ import annotations

from dataclasses import dataclass

NAME = "attestation"  # the part of a finding that is a person's answer


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
