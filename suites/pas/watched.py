"""Print what a watch sees of PAS now: ``python3 -m suites.pas.watched METRIC``.

It prints samples, a line of JSON each. Targets are found as the plan hands them on (`on:`).
"""

from __future__ import annotations

import sys
import tempfile
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path

import httpx

from pytest_rollout import (
    NoValueError,
    Reported,
    RolloutError,
    Sample,
    handed_on,
    print_series,
    relative_error,
)
from suites.pas.views.client import Vp, python_of
from suites.pas.views.documents import requirements_lack
from suites.pas.views.index import Index, answered, mixed
from suites.pas.views.learning import COMPLETED, PAIRS, RESULTS, RUNS, read, reductions
from suites.pas.views.lines import lines, of_kind
from suites.pas.views.pas import Pas, over_budget
from suites.pas.views.running import closed_address
from suites.pas.views.source import Source, git
from suites.pas.views.trees import changes, tree

NEWEST, PROJECTS = 5, 10  # commits and completed projects that a look follows
LATE = timedelta(minutes=2)  # after which a commit that cannot be found is late
LOOKING: Mapping[str, tuple[str, ...]] = {  # commands that need no service, and change none
    "new": ("--name", "watched"),
    "plan": (),
    "estimate": (),
    "status": (),
}
TIMEOUT_S = 20


def place(target: str) -> Path:
    """The path of a target."""
    return Path(handed_on(target))


def client(target: str) -> httpx.Client:
    """A client of a target."""
    return httpx.Client(base_url=handed_on(target), timeout=TIMEOUT_S, trust_env=False)


def refreshes(now: datetime) -> Iterator[Sample]:
    """How long each of the last commits took until a refresh had read it, or takes by now."""
    checkout = place("checkout")
    log = lines(place("requests") / "index.jsonl", "access log of the index")
    read_at = [
        line.moment("at")
        for line in log
        if (line["method"], line["path"], line["status"]) == ("POST", "/refresh", httpx.codes.OK)
    ]
    with client("index") as http:
        indexed = Index(http).get("/snapshot").text("sha")
    words = git(checkout, "log", f"-{NEWEST}", "--format=%H %cI").split()
    for commit, text in zip(words[::2], words[1::2], strict=True):
        made = datetime.fromisoformat(text)
        refreshed = min((at for at in read_at if at >= made), default=None)
        if commit == words[0] and indexed != commit:  # whatever a refresh was answered
            refreshed = now if now - made > LATE else None
        if refreshed is not None:
            yield Sample(refreshed, (refreshed - made).total_seconds(), {"commit": commit[:12]})


def coverage(now: datetime) -> Iterator[Sample]:
    """The share of the Python files of the indexed commit that the index has as they are."""
    with client("index") as http:
        said = Index(http).get("/snapshot")
    source = Source.at(place("checkout"), said.text("sha"))
    listed = {file.text("path"): file.text("blob") for file in said.each("files")}
    if not source.texts:
        raise NoValueError("the commit has no Python file")
    there = sum(listed.get(path) == source.blob(path) for path in source.texts)
    yield Sample(now, there / len(source.texts))


def queries(_: datetime) -> Iterator[Sample]:
    """How long queries of all four kinds take; one that is answered wrong never ends."""
    with client("index") as http:
        for kind, name, due in mixed(Source.at(place("checkout"))):
            took = answered(http, kind, name, due)
            yield Sample(datetime.now(UTC), took, {"kind": kind})


def edits(now: datetime) -> Iterator[Sample]:
    """The files that each command of the client changes in a fresh clone of the checkout."""
    checkout = place("checkout")
    with tempfile.TemporaryDirectory() as folder:
        clone, home = Path(folder) / "clone", Path(folder) / "home"
        home.mkdir()
        git(checkout, "clone", "--quiet", str(checkout), str(clone))
        nowhere = {"PAS_API_BASE_URL": closed_address(), "PLMS_API_BASE_URL": ""}
        vp = Vp(clone / "cli/vp.py", python_of(checkout), home, clone, nowhere)
        for command, words in LOOKING.items():
            before = tree(clone)
            ran = vp.run(command, *words)
            if ran.status:
                raise RolloutError(ran.said)
            edited = changes(before, tree(clone))
            yield Sample(now, len(edited), {"command": command, "state_dir": "no"})


def requirements(now: datetime) -> Iterator[Sample]:
    """Whether the document of requirements is in the repository, whole and reviewed."""
    reviewed = of_kind(lines(place("records"), "record of people"), "review", what="pas-prd")
    yield Sample(now, bool(reviewed) and not requirements_lack(place("checkout")))


def budgets(now: datetime) -> Iterator[Sample]:
    """How many of the runs that are listed have spent more than their caps."""
    with client("full") as http:
        pas = Pas(http)
        listed = [row.text("run_id") for row in pas.portfolio().each("runs")]
        yield Sample(now, sum(over_budget(pas.status(run)) for run in listed))


def tests_of_pairs(now: datetime) -> Iterator[Sample]:
    """By how much the error of each pair is lower, from its estimates and recorded figures."""
    packs = place("packs")
    results = Reported(read(packs / RESULTS), RESULTS).each("pairs")
    pairs = [Reported(pair, PAIRS) for pair in read(packs / PAIRS)]
    for number, reduction in enumerate(reductions(results, pairs)):
        yield Sample(now, reduction, {"pair": str(number)})


def errors(now: datetime) -> Iterator[Sample]:
    """By which share the estimate of each of the last completed projects was off."""
    packs = place("packs")
    runs = {run.text("run_id"): run for run in lines(packs / RUNS, "record of runs")}
    done = lines(packs / COMPLETED, "record of completed projects")
    for project in sorted(done, key=lambda row: row.moment("ended"))[-PROJECTS:]:
        run = runs.get(project.text("run_id"))
        if run is None:
            raise NoValueError(f"no run {project['run_id']} is recorded")
        actual = sum(task.number("tokens") for task in run.each("tasks"))
        off = abs(relative_error(actual, project.number("estimate_tokens")))
        yield Sample(now, off, {"project": str(project["project_id"])})


SERIES: Mapping[str, Callable[[datetime], Iterable[Sample]]] = {
    "commit_to_visible_s": refreshes,
    "index_coverage": coverage,
    "query_ms": queries,
    "workspace_changes": edits,
    "prd_present": requirements,
    "runs_over_budget": budgets,
    "paired_error_reduction": tests_of_pairs,
    "abs_error_share": errors,
}


def samples_of(metric: str) -> Iterable[Sample]:
    """The samples of a series, as it is now."""
    return SERIES[metric](datetime.now(UTC))


def main(arguments: Sequence[str]) -> int:
    """Print the series that is named; return the exit status."""
    return print_series(SERIES, samples_of, arguments)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
