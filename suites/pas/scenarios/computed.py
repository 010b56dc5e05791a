"""Work of each lane whose outcome anybody can compute, tools of each lane, and a tight budget."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta, timezone
from fractions import Fraction
from math import exp, sqrt
from typing import Any

from pytest_rollout import Reported, Stage, scenario
from suites.pas.scenarios.executors import differing, nearest
from suites.pas.views.executed import to_their_end
from suites.pas.views.graph import by_id
from suites.pas.views.pas import Pas, full_of

TOOLS: Mapping[str, Sequence[str]] = {
    "Code-Impl": ("read_file", "run_tests", "patch"),
    "Code-API-Design": ("read_file", "run_tests", "patch"),
    "Data-Schema": ("read_file", "diff_schema"),
    "Narrative": ("read_file", "write_text"),
    "Vector-Ops": ("read_file", "embed", "query_index"),
    "Graph-Ops": ("read_file", "embed", "query_index"),
}
_MOST_S = 240
_OLD_S = 77


@dataclass(frozen=True, slots=True)
class Work:
    """Work for a lane, what comes out, and its KPI; None: the seconds since it was indexed."""

    lane: str
    payload: Mapping[str, Any]
    output: Mapping[str, Any]
    kpi: float | None


def bleu(text: str, reference: str) -> float:
    """BLEU of words up to two in a row, with the brevity penalty, in exact shares."""
    words, due = text.split(), reference.split()
    shares = []
    for length in (1, 2):
        said, asked = (
            Counter(tuple(each[at : at + length]) for at in range(len(each) - length + 1))
            for each in (words, due)
        )
        if not said:
            return 0.0
        hits = sum(min(count, asked[run]) for run, count in said.items())
        shares.append(Fraction(hits, sum(said.values())))
    penalty = 1.0 if len(words) >= len(due) else exp(1 - len(due) / len(words))
    return penalty * sqrt(shares[0] * shares[1])


def _code(lane: str, expression: str, cases: Sequence[tuple[float, float, float]]) -> Work:
    """An expression of a and b, and what it should come to in each case."""
    tried = [{"a": a, "b": b, "expect": due} for a, b, due in cases]
    names = [eval(expression, {"__builtins__": {}}, {"a": a, "b": b}) for a, b, _ in cases]
    passed = sum(said == due for said, (_, _, due) in zip(names, cases, strict=True))
    output = {"passed": passed, "cases": len(cases)}
    return Work(lane, {"expression": expression, "cases": tried}, output, passed / len(cases))


def _schema(before: Mapping[str, str], after: Mapping[str, str]) -> Work:
    columns = differing(before, after)
    payload = {"before": before, "after": after}
    return Work("Data-Schema", payload, {"columns": columns}, float(len(columns)))


def _text(text: str, reference: str) -> Work:
    payload = {"text": text, "reference": reference}
    return Work("Narrative", payload, {"words": len(text.split())}, bleu(text, reference))


def _vectors(lane: str, rows: Sequence[Sequence[float]], query: Sequence[float], at: str) -> Work:
    payload = {"vectors": rows, "query": query, "indexed_at": at}
    return Work(lane, payload, {"nearest": nearest(rows, query)}, None)


def works(now: datetime) -> list[Work]:
    """Work of each lane, in each form that the contract knows."""
    old = (now - timedelta(seconds=_OLD_S)).astimezone(timezone(timedelta(hours=2))).isoformat()
    return [
        _code("Code-Impl", "-a + 2 * (b - 1.5)", [(1, 2, 0.0), (0.5, 2, 0.5), (3, 1, 9)]),
        _code("Code-Impl", "a * b * b - 3", [(2, 3, 15), (1, 1, -2), (0, 9, 3), (5, 0, -3)]),
        _code("Code-API-Design", "a + b", [(1, 2, 3), (2, 2, 4), (2, 3, 6), (0, 0, 0)]),
        _code("Code-API-Design", "7", [(0, 0, 7)]),
        _schema({"id": "int", "b": "text", "a": "int"}, {"id": "int", "c": "int", "a": "text"}),
        _schema({}, {"z": "int", "y": "int"}),
        _schema({"z": "int"}, {}),
        _schema({}, {}),
        _text("the cat sat on the mat", "the cat sat on the mat today"),
        _text("the the the cat sat", "the cat the dog sat"),
        _text("a short text that goes on and on", "a short text"),
        _text("word", "word"),
        _text("all of this is as it should be", "all of this is as it should be"),
        _vectors("Vector-Ops", [[9, 1], [0.1, 0.1], [0, 5]], [2, 2], old),
        _vectors("Vector-Ops", [[-1, 0, 0], [0, -1, 0], [1, 1, 1]], [-3, -1, 0], old),
        _vectors("Graph-Ops", [[0, 1], [1, 0.2], [5, 5]], [3, 0], old),
        Work("Graph-Ops", {"indexed_at": old}, {}, None),
    ]


@dataclass(frozen=True, slots=True)
class Computed:
    """Each work with the task that did it; the tools of each lane; a run beside its budget."""

    works: Sequence[tuple[Work, Reported]]
    run: Reported
    listed: Mapping[str, Reported]  # a task a lane, that asks for each listed tool
    foreign: Sequence[tuple[str, str, Reported]]  # lane, a tool that it has not, the task
    tight: Reported  # three tasks at once, of which the budget pays two


@scenario(effect="change")
def computed(phase: Stage) -> Computed:
    """All of it is handed in, each kind in a run of its own, and worked on."""
    target, pas = phase.target("pas"), Pas(full_of(phase))
    all_works = works(target.clock.now())
    runs = {name: pas.new_run(name) for name in ("computed", "listed", "foreign", "tight")}
    done = [pas.card(runs["computed"], w.lane, payload=dict(w.payload)) for w in all_works]
    listed = {
        lane: pas.card(runs["listed"], lane, payload={"tools": [*tools]})
        for lane, tools in TOOLS.items()
    }
    near = {"read_files", "run_test", "READ_FILE", "patch ", "embed/", "read"}  # of listed ones
    every = sorted({tool for tools in TOOLS.values() for tool in tools} | near | {"shell"})
    pairs = [(lane, tool) for lane, tools in TOOLS.items() for tool in every if tool not in tools]
    foreign = [
        (lane, tool, pas.card(runs["foreign"], lane, payload={"tools": ["read_file", tool]}))
        for lane, tool in pairs
    ]
    for _ in range(3):
        pas.card(runs["tight"], "Code-Impl", payload={"spend_usd": 0.02})
    for name, run in runs.items():
        caps = {"budget_caps": {"usd": 0.05}} if name == "tight" else {}
        pas.start(run, **caps).text("status")
    to_their_end(target, pas, [*runs.values()], _MOST_S)
    said = {name: pas.status(run) for name, run in runs.items()}
    tasks = {name: by_id(run) for name, run in said.items()}
    return Computed(
        [(w, tasks["computed"][card.task]) for w, card in zip(all_works, done, strict=True)],
        said["computed"],
        {lane: tasks["listed"][card.task] for lane, card in listed.items()},
        [(lane, tool, tasks["foreign"][card.task]) for lane, tool, card in foreign],
        said["tight"],
    )
