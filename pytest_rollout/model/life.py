"""What is on record of a phase since it began in a real environment."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import field

from pytest_rollout.late_dataclass import dataclass
from pytest_rollout.model.attestation import Proof
from pytest_rollout.model.finding import Reason
from pytest_rollout.model.plan import Guardrail, Then

DRIFT = Guardrail(
    id="drift",
    says="Release, configuration and addresses stay as they were when the phase began",
    rules=(),
    then=(Then.PAUSE, Then.NOTIFY),
)
RELEASE, CONFIGURATION = "release", "configuration"  # what is read of a target, besides addresses


def target_key(name: str) -> str:
    """What the address of a target is called in what was read."""
    return f"target {name}"


def target_of(key: str) -> str | None:
    """Return the target whose address has a key; None for the other keys."""
    return None if key in (RELEASE, CONFIGURATION) else key.removeprefix(target_key(""))


def what_was_read(
    release: str | None, configuration: str | None, targets: Mapping[str, str]
) -> dict[str, str | None]:
    """Return what was read of targets, by key; what is not known is left out."""
    texts = {RELEASE: release, CONFIGURATION: configuration}
    read: dict[str, str | None] = {key: text for key, text in texts.items() if text is not None}
    return read | {target_key(name): address for name, address in targets.items()}


CHANGE = "change"  # what a person records: something was changed on purpose
STEP = "rollback-step"  # what a watch records: a step of a rollback


@dataclass(frozen=True, slots=True)
class Begin:
    """What a begin froze; of a record of before, nothing."""

    at_us: int
    by: str
    stated: Mapping[str, str] = field(default_factory=dict)  # slug of the exit's: its digest
    words: Mapping[str, str] = field(default_factory=dict)  # slug: as it was stated, in words
    read: Mapping[str, str | None] = field(default_factory=dict)  # of release, configuration, ...
    frozen: bool = True


@dataclass(frozen=True, slots=True)
class TargetReading:
    """What was read of the targets at one moment."""

    at_us: int
    read: Mapping[str, str | None]
    watch: bool = False  # by a watch, which reads all the time


@dataclass(frozen=True, slots=True)
class RecordedChange:
    """Somebody put on record that something was changed on purpose."""

    at_us: int  # when it was recorded
    type: str
    says: str

    def covers(self, key: str) -> bool:
        """Whether it says that such a thing may differ: a configuration is no new release."""
        return key != RELEASE or self.type != CONFIGURATION


@dataclass(frozen=True, slots=True)
class Amendment:
    """A criterion or guardrail that was changed since the begin, with a second person's word."""

    criterion: str  # full id
    by: str
    approved_by: str
    why: str
    at: str  # ISO 8601, UTC
    was: str  # digest before; empty: it was added
    now: str  # digest after; empty: it was dropped
    stated: str  # before, in words
    amended: str  # after, in words
    runs: int  # how many decisions of the exit had judged it by then
    failed: int  # in how many of them it did not pass
    verdict: str = ""  # in the last of them
    seen: str = ""  # in the last of them, in words

    @property
    def slug(self) -> str:
        """The id of the criterion within its phase."""
        return self.criterion.rpartition(".")[2]


@dataclass(frozen=True, slots=True)
class Approval:
    """What the approver of an amendment signs: nothing of it can be changed afterwards."""

    criterion: str  # full id
    environment: str
    was: str  # digest before
    now: str  # digest after
    by: str  # the author
    why: str
    person: str  # the approver
    at: str  # ISO 8601, UTC

    @classmethod
    def of(cls, amendment: Amendment, environment: str, at: str) -> Approval:
        """Return what the approver of an amendment signs at a time."""
        full, who = amendment.criterion, amendment.approved_by
        return cls(
            full, environment, amendment.was, amendment.now, amendment.by, amendment.why, who, at
        )


@dataclass(frozen=True, slots=True)
class Unbelieved:
    """An amendment that does not count, and why."""

    amendment: Amendment
    doubt: Reason


@dataclass(frozen=True, slots=True)
class Life:
    """The begin of a phase and what followed, in order of recording."""

    begin: Begin | None  # None: a run began under one that is gone
    since: tuple[TargetReading | RecordedChange, ...] = ()
    amendments: tuple[Amendment, ...] = ()
    proofs: tuple[Proof | None, ...] = ()  # of each amendment; None: nobody signed it
    unbelieved: tuple[Unbelieved, ...] = ()  # amendments that the keys of people do not bear out

    @property
    def rolled_back(self) -> RecordedChange | None:
        """The last step of a rollback, unless a change was recorded after it."""
        kinds = (STEP, CHANGE)
        changes = [
            step for step in self.since if isinstance(step, RecordedChange) and step.type in kinds
        ]
        return changes[-1] if changes and changes[-1].type == STEP else None

    @property
    def last_release(self) -> str | None:
        """The release that was read last since the begin; None where none was."""
        readings = [step.read for step in self.since if isinstance(step, TargetReading)]
        begun = [self.begin.read] if self.begin else []
        releases = [read[RELEASE] for read in (*begun, *readings) if read.get(RELEASE)]
        return releases[-1] if releases else None
