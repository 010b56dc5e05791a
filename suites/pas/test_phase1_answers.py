"""What the code index answers, against the suite's own reading of the same commit."""

from __future__ import annotations

import pytest

from pytest_rollout import NotReportedError, NoValueError, Observe, reported
from suites.pas.scenarios.indexing import Indexed
from suites.pas.views.index import (
    CLASS,
    FUNCTION,
    NEVER_MS,
    NOBODY,
    Index,
    answered,
    by_kind,
    imported,
    mixed,
    names,
    questions,
    right,
)
from suites.pas.views.source import Source
from suites.pas.views.told import Told

pytestmark = pytest.mark.pas_phase1


@pytest.mark.criterion("where-defined")
def test_definitions_are_where_the_index_says(indexed: Indexed, observe: Observe) -> None:
    index, source = indexed.index, indexed.source
    if not source.defined(CLASS):
        raise NoValueError(f"{CLASS} is defined nowhere in the checkout")
    for name in [*names(source), NOBODY]:
        observe("location_wrong", not right(index, source, "where_defined", name), of=name)
    method = next(
        definition
        for definition in source.definitions
        if definition.what == "method" and not definition.inner
    )
    spots = sorted(
        definition.spot for definition in source.definitions if definition.dotted == method.dotted
    )
    observe("location_wrong", index.spots("where_defined", method.dotted) != spots)
    for result in index.query("where_defined", method.name):
        due = {
            (d.spot.line, d.what, d.dotted)
            for d in source.definitions
            if d.spot.file == result["file"]
        }
        told = (result.whole("line"), result.text("what"), result.text("qualname"))
        assert told in due, f"{result['file']} does not define {told}"
    said = index.spots("where_defined", CLASS)
    assert said == sorted(source.defined(CLASS)), (
        f"{CLASS} is said to be at {said}, and is at {sorted(source.defined(CLASS))}"
    )


@pytest.mark.criterion("who-calls")
def test_five_places_call_the_function(indexed: Indexed, observe: Observe) -> None:
    said = set(indexed.index.spots("who_calls", FUNCTION))
    observe("callers", len(said & indexed.source.callers(FUNCTION)))
    missed = sorted(indexed.source.callers(FUNCTION) - said)
    assert not missed, f"{FUNCTION} is also called at {missed[:3]}"


@pytest.mark.criterion("who-calls-correct", "who-calls")
def test_each_caller_calls(indexed: Indexed, observe: Observe) -> None:
    tell = Told(observe)
    callers = {(call.spot, call.within) for call in indexed.source.calls if call.name == FUNCTION}
    spots = {spot for spot, _ in callers}
    said = indexed.index.spots("who_calls", FUNCTION)
    for number, spot in enumerate(said):
        tell("false_caller", spot not in spots or spot in said[:number])
    for call in indexed.index.query("who_calls", FUNCTION):
        told = call.text("caller").rpartition(".")[2]
        within = {
            w for spot, w in callers if (spot.file, spot.line) == (call["file"], call["line"])
        }
        fits = told in within or (told == "<module>" and "" in within)
        assert fits, f"{call['file']}:{call['line']} is in {within}, and is said to be in {told}"
    assert not indexed.index.spots("who_calls", NOBODY), "a name that nobody calls has callers"
    tell.none_bad("a caller is named that is none, or twice: number")


@pytest.mark.criterion("query-type-impact-set", "all-four-query-types")
def test_the_impact_is_all_that_depends(indexed: Indexed, observe: Observe) -> None:
    tell = Told(observe)
    for path in imported(indexed.source):
        tell("impact_wrong", not right(indexed.index, indexed.source, "impact_set", path), of=path)
    files = {spot.file for spot in indexed.source.defined(CLASS)}
    if len(files) == 1:  # of a name: of the file that defines it
        due = indexed.source.impact(*files)
        tell("impact_wrong", indexed.index.impact(CLASS) != due, of=CLASS)
    tell("impact_wrong", bool(indexed.index.impact(NOBODY)), of=NOBODY)
    tell.none_bad("the impact is wrong of")


@pytest.mark.criterion("query-type-nearest-neighbors", "all-four-query-types")
def test_neighbours_are_found_by_other_words(indexed: Indexed, observe: Observe) -> None:
    for question in questions(indexed.source):
        observe("neighbor_found", question.answer in indexed.index.nearest(question.words))
    many = {
        k: len(indexed.index.query("nearest_neighbors", "the text of a file", k=k)) for k in (2, 7)
    }
    assert many == {2: 2, 7: 7}, f"asked for two and for seven it gives {many}"


@pytest.mark.criterion("all-four-query-types")
def test_each_kind_answers(indexed: Indexed, observe: Observe) -> None:
    index, source = indexed.index, indexed.source
    asked = by_kind(source)
    for kind in ("where_defined", "who_calls", "impact_set"):
        for name in asked[kind]:
            observe("query_type_wrong", not _answers(index, source, kind, name), kind=kind, of=name)
    hits = [_near(index, question.words, question.answer) for question in questions(source)]
    observe("query_type_wrong", sum(hits) < 0.8 * len(hits), kind="nearest_neighbors")


def _answers(index: Index, source: Source, kind: str, name: str) -> bool:
    try:
        return right(index, source, kind, name)
    except NotReportedError:
        return False


def _near(index: Index, words: str, answer: object) -> bool:
    try:
        return answer in index.nearest(words)
    except NotReportedError:
        return False


@pytest.mark.criterion("coverage")
def test_nearly_all_files_are_indexed(indexed: Indexed, observe: Observe) -> None:
    source = indexed.source
    listed = {
        file.text("path"): file.text("blob") for file in reported(indexed.snapshot).each("files")
    }
    first = {
        definition.spot.file: definition
        for definition in reversed(source.definitions)
        if not definition.inner
    }
    indexed_files = 0
    for path in source.texts:
        there = listed.get(path) == source.blob(path)
        known = first.get(path)
        if there and known is not None:
            there = known.spot in indexed.index.spots("where_defined", known.name)
        observe("py_file_indexed", there, file=path)
        indexed_files += there
    observe("index_coverage", indexed_files / len(source.texts))
    foreign = sorted(set(listed) - set(source.texts))
    assert not foreign, f"the index holds files that the commit does not: {foreign[:3]}"


@pytest.mark.criterion("query-latency-p95")
def test_queries_are_quick_and_right(indexed: Indexed, observe: Observe) -> None:
    wrong: list[str] = []
    for kind, name, due in mixed(indexed.source):
        took = answered(indexed.index.client, kind, name, due)
        observe("query_ms", took, kind=kind)
        wrong += [f"{kind} of {name}"] if took >= NEVER_MS else []
    assert not wrong, f"{len(wrong)} answers were wrong: {wrong[0]}"
