"""Runs whose end PLMS is told: good ones and others, after PLMS failed, and once more."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import timedelta

from pytest_rollout import Reported, Stage, every, reported, scenario
from suites.pas.scenarios.gated import cases
from suites.pas.views.executed import to_their_end
from suites.pas.views.lines import lines
from suites.pas.views.pas import Pas, full_of
from suites.pas.views.registry import Registry

KINDS = {  # by what is tried: the kind of the run, how many cases fail, whether PLMS learns
    "first": ("baseline", 0, True),
    "hotfix": ("hotfix", 0, True),
    "rehearsal": ("rehearsal", 0, False),
    "sandbox": ("sandbox", 0, False),
    "failed": ("baseline", 9, False),
    "garbled": ("baseline", 0, False),  # its work succeeds, and its echo does not say so
    "terminated": ("baseline", 0, False),
}
_MOST_S, _RETRIES_S = 60, 90


@dataclass(frozen=True, slots=True)
class Told:
    """The runs, what arrived, and which of them PLMS was told of once more."""

    runs: Mapping[str, Reported]
    arrived: Sequence[Reported]
    redelivered: Sequence[str]
    registry: Registry
    failed_first: bool  # whether PLMS was made to fail

    def of(self, run: str) -> list[Reported]:
        """What arrived of a run."""
        return [message for message in self.arrived if message.text("run_id") == run]


@scenario(effect="change")
def told(phase: Stage) -> Told:
    """Runs end while PLMS fails three times; later two of them are told again."""
    target, pas = phase.target("pas"), Pas(full_of(phase))
    phase.operate("pas", "plms-fails", times=3)
    runs = {}
    for name, (kind, bad, _) in KINDS.items():
        runs[name] = pas.new_run(f"told-{name}")
        if bad:  # and a task that costs nothing, as it never begins
            pas.card(runs[name], "Narrative", budget_usd=0)
        work = {**cases(9, bad), **({"garble": True} if name == "garbled" else {})}
        pas.card(runs[name], "Code-Impl", payload=work)
        pas.card(runs[name], "Vector-Ops")
        pas.start(runs[name], run_kind=kind).text("status")
    reported(pas.control("terminate", runs["terminated"])).text("status")
    to_their_end(target, pas, [*runs.values()], _MOST_S)
    _wait(phase, runs)
    again = [runs["first"], runs["hotfix"]]
    for run in again:
        phase.operate("pas", "redeliver", run_id=run)
    target.clock.advance(1)
    arrived = lines(phase.file("webhooks"), "record of webhooks")
    statuses = {name: pas.status(run) for name, run in runs.items()}
    return Told(statuses, arrived, again, Registry(phase.file("registry")), phase.embedded)


def _wait(phase: Stage, runs: Mapping[str, str]) -> None:
    """Let time pass until PLMS took each run, or as long as it is tried again."""
    target, path = phase.target("pas"), phase.file("webhooks")
    for _ in every(target.clock, 5, until=target.clock.now() + timedelta(seconds=_RETRIES_S)):
        arrived = lines(path, "record of webhooks") if path.is_file() else ()
        taken = {
            message.text("run_id") for message in arrived if 200 <= message.whole("status") < 300
        }
        if taken >= set(runs.values()):
            return
