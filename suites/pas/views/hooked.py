"""What PLMS was told of a run, kept of it and learnt from it, recomputed from the run itself."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise

from pytest_rollout import Reported
from suites.pas.views.registry import Row

PARTS = ("input", "output", "tool_use", "think", "total")
_COLUMNS = {name: name for name in ("run_id", "project_id", "run_kind", "status", "started_at")}
_COLUMNS |= {"ended_at": "ended_at"}
_NEAR = 1e-5
_FIRST_AGAIN_S = 5  # after which a message that was refused is sent again at the earliest


def _used(run: Reported) -> list[Reported]:
    """The tasks of a run that cost anything."""
    return [task for task in run.each("tasks") if task["tokens"] is not None]


def _minutes(run: Reported) -> float:
    return (run.moment("ended_at") - run.moment("started_at")).total_seconds() / 60


def _by_lane(run: Reported) -> dict[str, dict[str, float]]:
    """Tokens, minutes of work and tasks of each lane."""
    lanes: dict[str, dict[str, float]] = {}
    for task in _used(run):
        lane = lanes.setdefault(task.text("lane"), {"tokens": 0, "minutes": 0, "tasks": 0})
        lane["tokens"] += task.inner("tokens").number("total")
        lane["minutes"] += task.number("time_ms") / 60_000
        lane["tasks"] += 1
    return lanes


def _off(said: float, due: float) -> bool:
    return abs(said - due) > _NEAR * max(1.0, abs(due))


def figures_wrong(body: Reported, run: Reported) -> str:
    """Which figure of a message is not that of its run; empty where all are."""
    carbon = sum(task.number("carbon_kg") for task in _used(run))
    due = {"cost_usd": run.number("spend_usd"), "energy_kwh": run.number("spend_energy_kwh")}
    due |= {"carbon_kg": carbon, "minutes": _minutes(run)}
    for name, value in due.items():
        if _off(body.number(name), value):
            return f"it says {name} {body[name]}, and {value:g} is right"
    for part in PARTS:
        used = sum(task.inner("tokens").number(part) for task in _used(run))
        if _off(body.inner("tokens").number(part), used):
            return f"it says {body['tokens'][part]} tokens of {part}, and PAS {used:g}"
    lanes, told = _by_lane(run), body.inner("lanes")
    if set(lanes) != set(told):
        return f"it tells of the lanes {sorted(told)}, and the run has {sorted(lanes)}"
    for lane, figures in lanes.items():
        for name, value in figures.items():
            if _off(told.inner(lane).number(name), value):
                return f"it says {name} {told[lane][name]} of {lane}, and {value:g} is right"
    times = body.moment("started_at"), body.moment("at")
    right = times == (run.moment("started_at"), run.moment("ended_at"))
    return "" if right else f"it says that the run lasted from {times[0]} to {times[1]}"


def kept_wrong(row: Row, run: Reported) -> str:
    """Which column of the registry's row is not what the run came to; empty where all are."""
    tokens = {part: sum(t.inner("tokens").number(part) for t in _used(run)) for part in PARTS}
    due = {"tokens_actual": tokens["total"], "duration_minutes": _minutes(run)}
    due |= {"cost_usd": run.number("spend_usd"), "sandbox": run["run_kind"] == "sandbox"}
    due |= {"validation_pass": run.flag("validation_pass")}
    if "energy_kwh" in row:
        due |= {"energy_kwh": run.number("spend_energy_kwh")}
        due |= {"carbon_kg": sum(task.number("carbon_kg") for task in _used(run))}
        due |= {f"tokens_{part}": tokens[part] for part in PARTS[:-1]}
    for name, value in due.items():
        if _off(row[name] or 0, value):
            return f"the registry keeps {name} {row[name]}, and {value:g} is right"
    for name, field in _COLUMNS.items():
        if row[name] != run[field]:
            return f"the registry keeps {name} {row[name]}, and {run[field]} is right"
    return ""


def resent_wrong(arrived: Sequence[Reported]) -> str:
    """Where a refused message was sent again too soon; empty where it had to wait."""
    waits = [
        (later.moment("at") - before.moment("at")).total_seconds()
        for before, later in pairwise(arrived)
        if before.whole("status") >= 500
    ]
    soon = [wait for wait in waits if wait < _FIRST_AGAIN_S - 0.5]
    return f"it was sent again {soon[0]:g} s after it was refused" if soon else ""


def learnt_wrong(priors: Sequence[Row], run: Reported, *, learns: bool) -> str:
    """What PLMS learnt of a run and should not have, or otherwise; empty where it is right."""
    lanes = _by_lane(run) if learns else {}
    learnt = sorted(row["lane"] for row in priors)
    if learnt != sorted(lanes):
        return f"PLMS learnt of the lanes {learnt}, and {sorted(lanes)} is due"
    for row in priors:
        used = lanes[row["lane"]]
        for name in ("tokens", "minutes"):
            mean = used[name] / used["tasks"]
            if _off(row[f"mean_{name}"], mean):
                return f"PLMS learnt {row[f'mean_{name}']} {name} of {row['lane']}, not {mean:g}"
    return ""
