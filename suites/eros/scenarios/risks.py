"""The risks of the plan come true: bad schedules, slow runs, failures, agents that hang."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from functools import cached_property

from pytest_rollout import Reported, Stage, reported, scenario
from suites.eros.scenarios.rollback_drills import CONFIGURATIONS
from suites.eros.views import journal, oracle
from suites.eros.views.journal import Run
from suites.eros.views.said import not_done
from suites.eros.views.service import Service


@dataclass(frozen=True)
class Drafted:
    """What was drafted, and what the comparator says of it."""

    service: Service
    told: Sequence[Sequence[str]]  # the rules that runs were to break; none but in a rehearsal

    @cached_property
    def drafts(self) -> Sequence[Reported]:
        """Every draft of v5."""
        return self.service.get("/drafts", pipeline="v5").each("drafts")

    @cached_property
    def pairs(self) -> Mapping[str, Reported]:
        """Comparisons by the run of v5."""
        comparisons = self.service.get("/comparisons").each("comparisons")
        return {pair.inner("v5").text("run_id"): pair for pair in comparisons}

    @cached_property
    def shadows(self) -> frozenset[str]:
        """The runs of v5 beside v4."""
        ran = journal.runs(self.service, pipeline="v5", shadow="true")
        return frozenset(run.run_id for run in ran)

    @cached_property
    def delivered(self) -> Sequence[tuple[Reported, Reported]]:
        """Each schedule that somebody got of v5, and what its run had drafted."""
        drafted = {draft.text("run_id"): draft for draft in self.drafts}
        stored = self.service.get("/schedules").each("schedules")
        ours = [schedule for schedule in stored if schedule.text("pipeline") == "v5"]
        return [(schedule, drafted[schedule.text("run_id")]) for schedule in ours]

    @cached_property
    def roster(self) -> Mapping[str, Reported]:
        """The creators by name."""
        return {creator.text("name"): creator for creator in self.service.roster}

    def broken(self, draft: Reported) -> tuple[str, ...]:
        """The rules that a draft breaks, by the rules themselves."""
        creator = self.roster.get(draft.text("creator"))
        if creator is None:
            not_done(f"{draft['creator']} is not on the roster", "see why it has a draft")
        return oracle.broken(draft.each("draft"), creator)


@scenario(own_target=True)
def bad_drafts(phase: Stage) -> Drafted:
    """v5 drafts a schedule against each rule, and good ones: in shadow mode, then for creators."""
    phase.operate("eros", "phase", id="shadow", days=0)
    rules = [*([rule] for rule in oracle.RULES), [], ["overlap", "daily-limit"], []]
    creators = ["luna_free" if "page-type" in broken else "alexia" for broken in rules]
    asked = [
        {"creator": creator, "v4": {"violations": []}, "v5": {"violations": broken}}
        for creator, broken in zip(creators, rules, strict=True)
    ]
    phase.operate("eros", "runs", runs=asked)
    phase.operate("eros", "phase", id="early_adopters", days=0)
    phase.operate("eros", "runs", runs=[{**run, "after_s": 400} for run in asked])
    return Drafted(Service(phase.target("eros").client), rules if phase.embedded else ())


@scenario(effect="disrupt", own_target=True)
def slow_runs(phase: Stage) -> Sequence[int]:
    """v5 serves, and its flag goes off: how many decisions it takes until v4 is chosen."""
    service = Service(phase.target("eros").client)
    counts = []
    for name in ("canary", "percent50", "cutover"):
        service.set_flags(**CONFIGURATIONS[name])
        phase.operate("eros", "disturb", pipeline="v5", times=1, seconds=20)
        reported(service.generate("alexia")).text("pipeline")
        service.set_flags(enabled="false")
        counts.append(_decisions(service))
    return counts


def _decisions(service: Service) -> int:
    """The number of the first decision that is for v4; more than ten are eleven."""
    for number in range(1, 11):
        _, decided = service.decide(["alexia"])
        if decided[0].text("target") == "v4":
            served = reported(service.generate("alexia")).text("pipeline")
            return number if served == "v4" else 11
    return 11


@dataclass(frozen=True, slots=True)
class Days:
    """Whole days, and who had a schedule on each of them."""

    names: Sequence[str]
    served: Mapping[date, frozenset[str]]
    failed: int  # runs of v5 that failed on these days
    lost: Sequence[str]  # creators whose request got nothing


@scenario(own_target=True)
def served_days(phase: Stage) -> Days:
    """A day of shadow mode, and one on which each run of the canary fails; elsewhere all days."""
    service = Service(phase.target("eros").client)
    phase.operate("eros", "phase", id="shadow", days=1)
    phase.operate("eros", "phase", id="canary", days=0)
    phase.operate("eros", "disturb", pipeline="v5", creator="alexia", times=3, fails="raise")
    phase.operate("eros", "days", count=1)
    return _days(service, phase.now())


def _days(service: Service, now: datetime) -> Days:
    changes = service.get("/flags/changes").each("changes")
    if not changes:
        not_done("no flag was ever set", "begin with shadow mode")
    first = changes[0].moment("at")
    begin = first.replace(hour=0, minute=0, second=0, microsecond=0)
    begin = begin if begin == first else begin + timedelta(days=1)
    stored = service.get("/schedules", since=begin).each("schedules")
    served: dict[date, set[str]] = {}
    for schedule in stored:
        served.setdefault(date.fromisoformat(schedule.text("day")), set()).add(
            schedule.text("creator")
        )
    whole = [begin.date() + timedelta(days=day) for day in range((now - begin).days)]
    runs = journal.runs(service, since=begin)
    requests: dict[str, list[Run]] = {}
    for run in runs:
        requests.setdefault(run.request_id, []).append(run)
    lost = [own[0].creator for own in requests.values() if not any(run.delivered for run in own)]
    failed = sum(not run.ok for run in journal.served(runs))
    days = {day: frozenset(served.get(day, ())) for day in whole}
    return Days(service.names, days, failed, lost)


@dataclass(frozen=True, slots=True)
class Hung:
    """A run whose agent hangs."""

    how: str  # hang-once or hang
    status: int
    run: Run  # of v5
    others: Sequence[Run]  # of the same request


@scenario(effect="disrupt", own_target=True)
def hung_agents(phase: Stage) -> tuple[float, Sequence[Hung]]:
    """An agent hangs once, and another one always; the timeout in seconds, and what came of it."""
    service = Service(phase.target("eros").client)
    if not phase.embedded:
        not_done("no agent was made to hang here", "rehearse it")
    limit = service.get("/version").number("agent_timeout_s")
    service.set_flags(**CONFIGURATIONS["canary"])
    hows = ("hang-once", "hang")
    asked = [{"creator": "alexia", "v5": {"fails": how}} for how in hows]
    answers = phase.operate("eros", "runs", runs=asked)["answers"]
    hung = []
    for how, said in zip(hows, answers, strict=True):
        answer = Reported(said, "operator step runs")
        runs = [
            run
            for run in journal.runs(service, creator="alexia")
            if run.request_id == answer.get("request_id")
        ]
        ours = [run for run in runs if run.pipeline == "v5"]
        if not ours:
            not_done(f"no run of v5 is in the journal for {how}", "see what became of it")
        others = [run for run in runs if run.pipeline != "v5"]
        hung.append(Hung(how, answer.whole("status"), ours[0], others))
    return limit, hung
