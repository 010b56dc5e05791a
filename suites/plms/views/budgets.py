"""What is said of budgets and risks, and what budgets, spending, time and rows come to."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from itertools import pairwise
from typing import Any

from suites.plms.views.listed import listed
from suites.plms.views.watched import moment

Answers = Sequence[tuple[datetime, Mapping[str, Any]]]
_LATELY = 10  # looks that a pace is taken over
_SLACK = 0.05
_EXACT = 0.005  # by which a figure may be rounded
_SECONDS = 3  # by which two clocks, or a look and its answer, may differ
_LEAP = 0.25  # of all that a run spends, between two looks
LIMITS = {"critical": 5, "warning": 15}  # minutes of runway, the severest first


@dataclass(frozen=True, slots=True)
class Spending:
    """A run's budget, as its row says it, and when it began."""

    budget: float
    began: datetime

    @classmethod
    def of(cls, run: Mapping[str, Any]) -> Spending:
        """That of a row of project_runs."""
        budget = run["budget_tokens"]
        assert budget, f"the registry has no budget of {run['run_id']}"
        return cls(float(budget), moment(run["started_at"], f"start of {run['run_id']}"))

    def runways(self, answers: Answers) -> Iterator[tuple[datetime, float | None, float | None]]:
        """The minutes that are said, and what is left of the budget over the pace of spending.

        The pace is the mean since the start, or of the last few looks: what is said may be either,
        or lie between both, and is then given as counted.
        """
        for number, (at, answer) in enumerate(answers):
            minutes, spent = answer["budget_runway_minutes"], float(answer["tokens_spent"])
            first_at, first = answers[max(0, number - _LATELY)]
            paces = [
                _pace(spent, self.began, at),
                _pace(spent - float(first["tokens_spent"]), first_at, at),
            ]
            left = max(0.0, self.budget - spent)
            runways = [left / pace for pace in paces if pace]
            if not runways:
                yield at, minutes, None
                continue
            least, most = min(runways), max(runways)
            # Near its start a run has a pace that a second more or less makes another.
            lasted = max(1.0, (at - self.began).total_seconds())
            slack = max((_EXACT + _SECONDS / lasted) * most, _SECONDS / 60)
            inside = minutes is not None and least - slack <= minutes <= most + slack
            yield at, minutes, minutes if inside else runways[0]

    def budgets(self, answers: Answers) -> Iterator[tuple[datetime, float | None, float]]:
        """The budget that is said, and the one that was ordered."""
        for at, answer in answers:
            yield at, answer["budget_tokens"], self.budget


def _pace(spent: float, since: datetime, at: datetime) -> float:
    """Tokens a minute; 0 where nothing was spent yet."""
    minutes = (at - since).total_seconds() / 60
    return spent / minutes if minutes > 0 and spent > 0 else 0.0


def overruns(
    answers: Answers, progress: Mapping[datetime, float]
) -> Iterator[tuple[datetime, float | None, float]]:
    """By which share of its budget a run will overrun it: as it is said, and as it comes to.

    That is what was spent over the share that is done. The first twentieth of a run tells nothing.
    """
    for at, answer in answers:
        done, budget = progress.get(at, 0.0), answer["budget_tokens"]
        if done >= _SLACK and budget:
            ratio = answer.get("projected_overrun_ratio")
            yield at, ratio, float(answer["tokens_spent"]) / done / float(budget) - 1


def levels(answers: Answers) -> Iterator[tuple[datetime, str | None, str | None]]:
    """How grave a runway is said to be, where that is said, and how grave it is by the limits."""
    for at, answer in answers:
        said, minutes = answer.get("status"), answer["budget_runway_minutes"]
        if said is not None and minutes is not None:
            under = [level for level, limit in LIMITS.items() if minutes < limit]
            yield at, said, under[0] if under else "ok"


def spends_steadily(project: int, answers: Answers, run: Mapping[str, Any]) -> None:
    """What was spent goes up, to what the run took in all; raises AssertionError in words."""
    spent = [(at, float(answer["tokens_spent"])) for at, answer in answers]
    assert spent, f"nobody was told what project {project} spent"
    total, ended = run["tokens_actual"], run["completed_at"]
    for (_, before), (at, after) in pairwise(spent):
        words = f"project {project} is told to have spent {before:.0f} and then {after:.0f} at {at}"
        assert before <= after, words
        assert not total or after - before <= _LEAP * total, f"{words}, of {total:.0f} in all"
    if not total or not ended:
        return  # it has not ended, which other criteria say
    began, end = moment(run["started_at"], "start"), moment(ended, "end")
    share = (spent[-1][0] - began) / (end - began)
    words = f"project {project} was told to have spent {spent[-1][1]:.0f} at {spent[-1][0]}"
    near = abs(spent[-1][1] - total * share) <= _SLACK * total
    assert near, f"{words}, {share:.0%} into its run, and took {total:.0f} in all"


# Risks


def signals(
    answers: Answers, history: Sequence[Mapping[str, Any]]
) -> Iterator[tuple[datetime, dict[str, float | None], dict[str, float | None]]]:
    """The error and the interval width of each lane as they are said, and by completed runs."""
    for at, answer in answers:
        by_api: dict[str, float | None] = {}
        counted: dict[str, float | None] = {}
        done = [run for run in history if moment(run["completed_at"], "end") <= at]
        for lane in answer["lanes"]:
            runs = [run for run in done if run["lane_name"] == lane["name"]]
            for name, share in (("mae_pct", _error), ("ci_width_pct", _width)):
                by_api[f"{lane['name']} {name}"] = lane["signals"][name]
                counted[f"{lane['name']} {name}"] = _mean(map(share, runs))
        yield at, by_api, counted


def _error(run: Mapping[str, Any]) -> float:
    return float(abs(run["tokens_actual"] - run["tokens_mean"]) / run["tokens_actual"])


def _width(run: Mapping[str, Any]) -> float:
    return float((run["tokens_ci_upper"] - run["tokens_ci_lower"]) / run["tokens_mean"])


def _mean(values: Iterable[float]) -> float | None:
    numbers = list(values)
    return sum(numbers) / len(numbers) if numbers else None


def risks(answers: Answers, queued: Mapping[datetime, Mapping[str, int]]) -> Iterator[str]:
    """What is odd of the risks: none, or outside of 0 to 1, or as high without a queue as with one.

    ``queued`` is how many tasks wait in each lane at the moments of the answers.
    """
    crowded: dict[str, list[float]] = {}
    calm: dict[str, list[float]] = {}
    for at, answer in answers:
        for lane in answer["lanes"]:
            parts = ("estimation_risk", "execution_risk", "validation_risk")
            known = {part: lane[part] for part in parts if lane[part] is not None}
            outside = {part: risk for part, risk in known.items() if not 0 <= risk <= 1}
            if outside or "execution_risk" not in known:
                yield f"{at.isoformat()}: the risks of {lane['name']} are {listed(known)}"
                continue
            waits = queued[at].get(lane["name"], 0) if at in queued else 0
            (crowded if waits else calm).setdefault(lane["name"], []).append(
                known["execution_risk"]
            )
    if not crowded:
        yield "no lane had a queue, so no risk is seen to move"
    for lane_name, highs in crowded.items():
        lows = calm.get(lane_name, [])
        if lows and min(highs) <= max(lows):
            yield (
                f"the execution risk of {lane_name} is {min(highs):.2f} while tasks wait"
                f" and {max(lows):.2f} while none does"
            )


def unmoved(answers: Answers) -> Iterator[str]:
    """Where the error of a lane grew from one answer to another and its estimation risk did not."""
    by_lane: dict[str, set[tuple[float, float]]] = {}
    for _, answer in answers:
        for lane in answer["lanes"]:
            error, risk = lane["signals"]["mae_pct"], lane["estimation_risk"]
            if error is not None and risk is not None:
                by_lane.setdefault(lane["name"], set()).add((error, risk))
    for lane_name, pairs in by_lane.items():
        for (error, risk), (worse, higher) in pairwise(sorted(pairs)):
            if error < worse and not (risk < higher or risk == higher == 1):
                yield (
                    f"the estimation risk of {lane_name} is {risk:.2f} at an error of {error:.1%}"
                    f" and {higher:.2f} at one of {worse:.1%}"
                )
