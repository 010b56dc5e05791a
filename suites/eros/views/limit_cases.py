"""Runs on both sides of each rollback limit, and what the controller must make of them."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any

from pytest_rollout import Observe, Reported
from suites.eros.views.conditions import Outcome, holding
from suites.eros.views.journal import exact
from suites.eros.views.service import Service, stamp, unrefused

BEGIN = datetime(2026, 1, 5, tzinfo=UTC)
_ENOUGH = {"shadow": 20, "canary": 10}  # runs, for each trigger of the phase
APART = timedelta(minutes=30)  # so that five minutes never hold two runs
Told = Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Case:
    """Runs, and the run (from 0) after which the phase goes back; None: it does not."""

    name: str
    runs: Sequence[Told]
    at_run: int | None
    baselines: Mapping[str, float] = field(default_factory=dict)


def failing(many: int, *places: int) -> list[Told]:
    """So many runs, of which those at some places fail."""
    return [{"outcome": "failed"} if place in places else {} for place in range(many)]


def scoring(*scores: float) -> list[Told]:
    """Runs with these scores."""
    return [{"quality": score} for score in scores]


_KEPT: Told = {"outcome": "ok", "violations": []}
_BROKE: Told = {"violations": ["overlap"]}

SHADOW = (
    Case("4 of 20 fail", failing(20, 1, 6, 11, 16), None),
    Case("5 of 20 fail", failing(20, 1, 6, 11, 16, 19), 19),
    Case("5 of 24 fail", failing(24, 1, 6, 11, 16, 23), 23),
    Case("5 of 19 fail", failing(19, 1, 6, 11, 16, 18), None),
    Case("11 of 50 fail", failing(50, *range(4, 45, 5), 46, 48), 46),
    Case("no regression", [{"v4": _KEPT}] * 3, None),
    Case("the first regression", [{"v4": _KEPT}, {**_BROKE, "v4": _KEPT}], 1),
    Case("both break a gate", [{**_BROKE, "v4": {"outcome": "ok", **_BROKE}}], None),
    Case("only v4 breaks one", [{"v4": {"outcome": "ok", **_BROKE}}], None),
    Case("v4 failed, so it kept no gate", [{**_BROKE, "v4": {"outcome": "failed"}}], None),
    Case("nothing is said of v4 but that it ran", [{**_BROKE, "v4": {}}], 0),
    Case("v4 did not run", [_BROKE], None),
)
CANARY = (
    Case("no violation", failing(3), None),
    Case("the first violation", [{}, _BROKE, {}], 1),
    Case("9 of 10 succeed", failing(10, 4), None),
    Case("8 of 10 succeed", failing(10, 2, 7), 9),
    Case("18 of 20 succeed", failing(20, 8, 19), None),
    Case("9 of 11 succeed, 9 of the last ten", failing(11, 0, 10), 10),
    Case("12 of 14 succeed, 85.7 %", failing(14, 3, 13), 13),
    Case("18 of the last 20 succeed, 18 of all 21", failing(21, 0, 19, 20), None),
    Case("0 of 1 succeed", failing(1, 0), None),
    Case("ten scores of 70", scoring(*[70.0] * 10), None),
    Case("ten scores of 69.9", scoring(*[69.9] * 10), 9),
    Case("nine scores of 60", scoring(*[60.0] * 9), None),
    Case("one score of 60", scoring(*[81.1] * 9, 60.0), None),
)


def _of(creator: str, runs: Iterable[Told]) -> list[Told]:
    return [{**run, "creator": creator} for run in runs]


def _turns(*rows: Sequence[Told]) -> list[Told]:
    """Runs of several creators, one after the other in turn."""
    longest = max(map(len, rows))
    return [row[place] for place in range(longest) for row in rows if place < len(row)]


_V4 = {"alexia": 80.0, "grace_bennett": 90.0, "luna_free": 75.5}
_GOOD = {name: _of(name, scoring(*[score] * 20)) for name, score in _V4.items()}
ADOPTERS = (
    Case("all well", _turns(*_GOOD.values()), None, _V4),
    Case(
        "8 of 10 of one, all of two others",
        _turns(_of("luna_free", failing(10, 0, 9)), _GOOD["alexia"], _GOOD["grace_bennett"]),
        27,
        {"alexia": 80.0, "grace_bennett": 90.0},
    ),
    Case(
        "9 of 10 of each",
        _turns(
            _of("luna_free", failing(10, 0)),
            _of("alexia", failing(10, 5)),
            _of("grace_bennett", failing(10, 9)),
        ),
        None,
    ),
    Case(
        "the first violation of one",
        [*_of("alexia", [{}]), *_of("luna_free", [_BROKE]), *_of("alexia", [{}])],
        1,
    ),
    Case("10 points less", _of("alexia", scoring(*[70.0] * 10)), None, _V4),
    Case("10.1 points less", _of("grace_bennett", scoring(*[79.9] * 10)), 9, _V4),
    Case(
        "10.1 points less, little by little",
        _of("grace_bennett", scoring(*[89.5 - place for place in range(16)])),
        15,
        _V4,
    ),
    Case("one run 30 points less", _of("grace_bennett", scoring(*[90.0] * 9, 60.0)), None, _V4),
    Case("nine runs 20 points less", _of("grace_bennett", scoring(*[70.5] * 9)), None, _V4),
)


def observe_cases(service: Service, observe: Observe, phase: str, cases: Sequence[Case]) -> None:
    """Observe for each case whether the controller decides otherwise than it must."""
    for odd in ({"phase": phase}, {"phase": phase, "cases": [{"runs": [{"ended": "soon"}]}]}):
        wrong_answer = unrefused(service.client.post("/rollback/judge", json=odd), 400)
        assert not wrong_answer, f"what cannot be judged is {wrong_answer}"
    asked = [{"runs": _timed(case.runs), "baselines": dict(case.baselines)} for case in cases]
    answer = service.post("/rollback/judge", {"phase": phase, "cases": asked})
    verdicts = answer.each("cases")
    assert len(verdicts) == len(cases), f"{len(verdicts)} of {len(cases)} cases were judged"
    wrong = []
    for case, verdict in zip(cases, verdicts, strict=True):
        if odd_answer := _mistold(phase, case, verdict):
            wrong.append(f"{case.name}: {odd_answer}")
        goes_back = verdict["reason"] is not None
        at_run = verdict.whole("at_run") if goes_back else None
        observe("decided_wrongly", at_run != case.at_run, case=case.name)
        if at_run != case.at_run:
            wrong.append(f"{case.name}: {_words(at_run)}, not {_words(case.at_run)}")
    assert not wrong, "; ".join(wrong)


def _mistold(phase: str, case: Case, verdict: Reported) -> str:
    """What an answer says otherwise than its runs of which rules hold, and have enough runs."""
    runs = [_outcome(run) for run in _timed(case.runs)]
    until = len(runs) if case.at_run is None else case.at_run + 1
    due = holding(phase, runs[:until], {name: exact(of) for name, of in case.baselines.items()})
    rules = verdict.inner("rules")
    told = {rule for rule in rules if rules.inner(rule).flag("holds")}
    if told != due or (verdict["reason"] not in due if due else verdict["reason"] is not None):
        return f"{verdict['reason']} of {sorted(told)} holds, and by the runs {sorted(due)}"
    if phase in _ENOUGH and verdict.flag("evaluable") != (until >= _ENOUGH[phase]):
        return f"of {until} runs evaluable is {verdict['evaluable']}"
    return ""


def _outcome(run: Told) -> Outcome:
    """A run of a case as conditions see it; what it leaves out is healthy."""
    ok = run.get("outcome", "ok") == "ok"
    violations, v4 = len(run.get("violations", ())), run.get("v4")
    kept = v4 is not None and v4.get("outcome", "ok") == "ok" and not v4.get("violations")
    score = exact(run.get("quality", 85)) if ok else None
    at, regression = datetime.fromisoformat(run["ended"]), bool(violations and kept)
    return Outcome(at, run["creator"], ok, exact(75), score, violations, regression)


def _timed(runs: Sequence[Told]) -> list[dict[str, Any]]:
    """Runs that end one after the other, half an hour apart."""
    return [
        {"creator": "alexia", **run, "ended": stamp(BEGIN + number * APART)}
        for number, run in enumerate(runs)
    ]


def _words(at_run: int | None) -> str:
    return "stays" if at_run is None else f"goes back after run {at_run}"
