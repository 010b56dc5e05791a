"""The loads that a phase makes: each once, believed or not, and observed once."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path

from pytest_rollout.checks.load import observe_series
from pytest_rollout.late_dataclass import dataclass
from pytest_rollout.load import files, honesty
from pytest_rollout.load.conduct import make
from pytest_rollout.load.offered import fingerprint
from pytest_rollout.model.errors import NoValueError, RolloutError, TooLittleError, UnknownNameError
from pytest_rollout.model.finding import Reason
from pytest_rollout.model.load import LATENCY, SERIES, SERVICE_TIME, LoadProfile, LoadRecord
from pytest_rollout.model.plan import Plan
from pytest_rollout.model.spelling import nearest
from pytest_rollout.model.verdict import Verdict
from pytest_rollout.report import sentences
from pytest_rollout.session.observe import Observe

_UNBELIEVED = {Verdict.MISSING: NoValueError, Verdict.INCONCLUSIVE: TooLittleError}


@dataclass(frozen=True, slots=True)
class Place:
    """Where loads are made."""

    plan: Plan
    root: Path
    embedded: bool
    host: Callable[[str, str], str]  # the address of a target, of a scenario that has its own
    now_us: Callable[[], int]  # the phase's time
    permit: Callable[[str, str], None]  # a load, on a target: raises where it may not be made
    attach: Callable[[str, bytes, str], None]


class Loads:
    """The loads of one phase in one process."""

    def __init__(self, place: Place) -> None:
        self._place = place
        self._made: dict[tuple[str, str], LoadRecord | RolloutError] = {}
        self._begun_us: dict[tuple[str, str], int] = {}
        self._observed: set[tuple[str, str, str]] = set()

    def profile(self, name: str) -> LoadProfile:
        """A load of the plan, as it is made here; raises UnknownNameError."""
        known = {load.id: load for load in self._place.plan.loads}
        if name not in known:
            why = f"{self._place.plan.id} has no load `{name}` ({nearest(name, known)})"
            raise UnknownNameError(why, "load", name, known)
        return known[name].rehearsed() if self._place.embedded else known[name]

    def record(self, name: str, scenario: str = "") -> LoadRecord:
        """The record of a load, made when it is first asked for, whatever it is worth.

        ``scenario`` is one that has targets of its own, and so loads of its own. Raises
        RolloutError where it left none, also to everybody who asks later.
        """
        profile = self.profile(name)
        key = scenario, name
        if key not in self._made:
            self._place.permit(name, profile.target)
            try:
                host = self._place.host(profile.target, scenario)
                self._begun_us[key] = self._place.now_us()  # the target may be gone at the end
                self._made[key] = self._make(profile, host)
            except RolloutError as error:
                self._made[key] = error
        made = self._made[key]
        if isinstance(made, RolloutError):
            raise made
        return made

    def _make(self, profile: LoadProfile, host: str) -> LoadRecord:
        def may_go_on() -> None:
            self._place.permit(profile.id, profile.target)

        record = make(profile, host, self._place.root, may_go_on=may_go_on)
        text = files.record_text(record)
        self._place.attach(files.attachment_of(profile.id), text.encode(), "application/json")
        return record

    def believed(self, name: str, scenario: str = "") -> LoadRecord:
        """The record of a load; raises RolloutError where it cannot be believed, or says little."""
        record = self.record(name, scenario)
        self._demand(name, honesty.doubts(self.profile(name), record))
        return record

    def observe(
        self, observe: Observe, name: str, series: Sequence[str], scenario: str = ""
    ) -> None:
        """Observe series of a load, each once: criteria that judge the same one share it.

        Raises RolloutError where it cannot be believed, and observes nothing then; where it only
        says too little, what there is.
        """
        _known(series)
        record = self.record(name, scenario)
        reasons = honesty.doubts(self.profile(name), record)
        if set(series) & {LATENCY, SERVICE_TIME}:
            reasons += honesty.doubts_of_times(record)
        if honesty.verdict_of(reasons) in (Verdict.PASS, Verdict.INCONCLUSIVE):
            for wanted in series:
                self._observe_once(observe, record, wanted, scenario)
        self._demand(name, reasons)

    def _observe_once(
        self, observe: Observe, record: LoadRecord, series: str, scenario: str
    ) -> None:
        if (scenario, record.profile, series) in self._observed:
            return
        self._observed.add((scenario, record.profile, series))
        by_second = not self._place.embedded  # whose clock may stand still
        at_us = record.ended_us if by_second else self._begun_us[scenario, record.profile]
        offer = fingerprint(self.profile(record.profile))
        observe_series(observe, record, series, at_us, by_second=by_second, offer=offer)

    def _demand(self, name: str, reasons: tuple[Reason, ...]) -> None:
        if reasons:
            raise unbelieved(name, reasons, self._place.plan.timezone)


def _known(series: Sequence[str]) -> None:
    for name in series:
        if name not in SERIES:
            what = f"a load gives {', '.join(SERIES)}, not {name}"
            raise RolloutError(f"{what} ({nearest(name, SERIES)})")


def unbelieved(name: str, reasons: tuple[Reason, ...], zone: str) -> RolloutError:
    """What is raised of a load that cannot be believed: missing, too little, or an error."""
    kind = _UNBELIEVED.get(honesty.verdict_of(reasons), RolloutError)
    said = "; ".join(sentences.text(reason, zone) for reason in reasons)
    return kind(f"load {name}: {said}", code=reasons[0].code)
