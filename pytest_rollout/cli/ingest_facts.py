"""What is known of a file that somebody brings: its place, its times and its release."""

from __future__ import annotations

import hashlib
import time
from dataclasses import replace
from pathlib import Path

from pytest_rollout import calendar
from pytest_rollout.cli.project import Project, instant_in, parsed
from pytest_rollout.cli.real_environment import real_environment, release_now
from pytest_rollout.evidence import results
from pytest_rollout.evidence.ledger import Ledger
from pytest_rollout.late_dataclass import dataclass
from pytest_rollout.load.results.figures import Figures
from pytest_rollout.load.results.same import fingerprint
from pytest_rollout.model.errors import OptionError, RolloutError, UnknownNameError
from pytest_rollout.model.ingest import Ingest, ResultFacts, ResultKind
from pytest_rollout.model.plan import Address, Phase, Plan
from pytest_rollout.plan import stand_ins
from pytest_rollout.plan.reader import nearest
from pytest_rollout.redact import hide

_ZONES_US = 14 * 3_600_000_000  # no zone is further from UTC


@dataclass(frozen=True, slots=True)
class Asked:
    """What the command line asks."""

    file: Path
    phase: str
    name: str | None
    environment: str | None
    release: str | None
    ended: str | None
    by: str | None


@dataclass(frozen=True, slots=True)
class Place:
    """Where a file is brought, and who asks for it there."""

    project: Project
    plan: Plan
    phase: Phase
    address: Address
    environment: str
    name: str
    asking: tuple[Ingest, ...]

    @property
    def unit(self) -> str:
        """The unit that the plan states; raises RolloutError where it states two."""
        units = {ingest.unit for ingest in self.asking} - {""}
        if len(units) > 1:
            why = f"criteria of {self.address.name} state two units of {self.name}"
            raise RolloutError(f"{why}: {' and '.join(sorted(units))}")
        return next(iter(units), "")


def place_of(project: Project, kind: ResultKind, asked: Asked) -> Place:
    """Return where a file is brought; raises RolloutError where nobody asks for it there."""
    address = parsed(asked.phase)
    if address.gate is not None:
        raise OptionError("--phase", f"{address} is a gate; write {address.name}")
    phase, plan = project.phase(address), project.plan(address.plan)
    why = f"a rehearsal is answered by {stand_ins.NAME} beside the plan, not by files"
    environment = real_environment(plan, asked.environment, embedded=why)
    stated = [
        criterion.ingest
        for criterion in phase.criteria
        if criterion.ingest and criterion.ingest.kind is kind
    ]
    names = list(dict.fromkeys(ingest.name for ingest in stated))
    if not names:
        fix = f"ingest: {{{kind}: NAME, …}} of a criterion"
        raise RolloutError(f"no criterion of {address.name} asks for a file of {kind} ({fix})")
    if asked.name is None and len(names) > 1:
        raise OptionError("--name", f"say which ({nearest('', names)})")
    name = asked.name or names[0]
    if name not in names:
        why = f"{address.name} asks for no {kind} `{name}` ({nearest(name, names)})"
        raise UnknownNameError(why, kind.value, name, names)
    asking = tuple(ingest for ingest in stated if ingest.name == name)
    return Place(project, plan, phase, address, environment, name, asking)


def timed(figures: Figures, asked: Asked) -> Figures:
    """Return the figures with when they were made, as the file says, or else who brings it."""
    if figures.ended_us is not None:
        if asked.ended is not None:
            raise OptionError("--ended", "the file itself says when it ended")
        return figures
    if asked.ended is None:
        why = f"{asked.file} does not say when it ended"
        raise RolloutError(f"{why} (--ended 2025-11-10T11:00:00-05:00)")
    ended_us = instant_in("--ended", asked.ended)
    if figures.about_us is not None:
        begun_us, until_us = figures.about_us
        if not begun_us - _ZONES_US <= ended_us <= until_us + _ZONES_US:
            clock = f"{calendar.from_us(until_us):%Y-%m-%d %H:%M:%S}"
            raise OptionError("--ended", f"the file itself says {clock}, in whichever zone")
    return replace(figures, started_us=ended_us - figures.lasted_us, ended_us=ended_us)


def facts_of(
    store: Ledger,
    place: Place,
    kind: ResultKind,
    asked: Asked,
    content: bytes,
    figures: Figures,
    by: str,
) -> ResultFacts:
    """Return what is recorded of a file; raises RolloutError where its release is not known."""
    assert figures.ended_us is not None
    started_us = figures.ended_us if figures.started_us is None else figures.started_us
    release = _release(store, place, asked.release, started_us, figures.ended_us)
    return ResultFacts(
        phase=place.address.name,
        kind=kind,
        name=place.name,
        format=figures.format,
        file=asked.file.name,
        digest=hashlib.sha256(content).hexdigest(),
        by=by,
        release=release,
        release_from="target" if asked.release is None else "said",
        times_from="file" if asked.ended is None else "said",
        started_us=started_us,
        ended_us=figures.ended_us,
        requests=figures.requests,
        started=figures.started,
        dropped=figures.dropped,
        doubts=figures.doubts,
        unsaid=figures.unsaid,
        content=fingerprint(content, replace(figures, started_us=None) if asked.ended else figures),
    )


def _release(store: Ledger, place: Place, said: str | None, started_us: int, ended_us: int) -> str:
    """Of which release a file is; raises RolloutError where nobody knows, or the ledger differs."""
    where = (store, place.address, place.environment)
    if said is not None:
        if not said.strip() or hide(said) != said:
            raise OptionError("--release", "it is no name of a release")
        read = results.other_release_at(*where, said, started_us, ended_us)
        if read is not None:
            why = f"{read} was read in {place.environment} while it ran"
            raise OptionError("--release", f"it cannot be of {said}: {why}")
        return said
    now = release_now(place.project, place.plan, place.environment, why="a file is of one")
    if now is None:
        raise OptionError("--release", f"{place.plan.id} reads no release; say of which it is")
    before = results.running_at(*where, started_us)
    read = results.other_release_at(*where, now, started_us, time.time_ns() // 1000)
    if before != now or read is not None:
        shown = before if before != now else read
        reading = f"release {shown} was read" if shown else "nobody read the release"
        when = calendar.wall(started_us, place.plan.timezone)
        why = f"{now} runs now, and {reading} when it began ({when})"
        raise OptionError("--release", f"{why}; say of which the file is")
    return now


def already(store: Ledger, place: Place, facts: ResultFacts) -> str:
    """Return the run that holds the same file already, or nothing.

    Raises RolloutError where it was brought as of another release or environment.
    """
    for environment in place.plan.environments:
        for record, brought in results.all_of(store, environment):
            if not brought.holds_what(facts):
                continue
            if (environment, brought.release) != (place.environment, facts.release):
                was = f"{brought.release} in {environment}"
                raise RolloutError(
                    f"{facts.file} was brought as of {was}: it is not of {facts.release} in "
                    f"{place.environment}, too"
                )
            same = (brought.phase, brought.kind, brought.name) == (
                facts.phase,
                facts.kind,
                facts.name,
            )
            if same and brought.digest == facts.digest:
                return record.run
    return ""
