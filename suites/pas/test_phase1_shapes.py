"""What the code index says of code of each shape, result by result and figure by figure."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

import pytest

from suites.pas.scenarios.indexing import STORAGE
from suites.pas.scenarios.shapes import Shapes
from suites.pas.views.index import FUNCTION, KINDS
from suites.pas.views.source import Call, Definition

pytestmark = pytest.mark.pas_phase1

MOST_NEIGHBORS = 100
Results = list[dict[str, Any]]


def _asked(shapes: Shapes, kind: str, name: str, **more: object) -> Results:
    said = shapes.index.get("/query", kind=kind, name=name, **more)
    about = {"kind": kind, "name": name, "sha": shapes.head}
    assert {key: said[key] for key in about} == about, f"asked {about}, it answers {said}"
    return [dict(result) for result in said.each("results")]


def _mine(shapes: Shapes) -> Iterator[Definition]:
    return (
        definition
        for definition in shapes.source.definitions
        if definition.spot.file.startswith(shapes.folder)
    )


def _told(definition: Definition) -> dict[str, Any]:
    place = {"file": definition.spot.file, "line": definition.spot.line}
    return {**place, "what": definition.what, "qualname": definition.dotted}


@pytest.mark.criterion("where-defined", "all-four-query-types")
def test_each_definition_is_found_by_each_of_its_names(shapes: Shapes) -> None:
    """Bare and dotted; those of one name in the order of their places."""
    for definition in _mine(shapes):
        parts = definition.dotted.split(".")
        for length in range(1, len(parts) + 1):
            name = ".".join(parts[-length:])
            due = [
                _told(other)
                for other in sorted(shapes.source.definitions, key=lambda each: each.spot)
                if f".{other.dotted}".endswith(f".{name}")
            ]
            said = _asked(shapes, "where_defined", name)
            assert said == due, f"{name} is said to be {said}, and is {due}"
    for name in (shapes.uncommitted, "no_code", "Outer.later.turn", "Inner.later"):
        said = _asked(shapes, "where_defined", name)
        assert not said, f"{name} is defined nowhere in the commit, and is said to be at {said}"


@pytest.mark.criterion("who-calls", "all-four-query-types")
def test_each_call_is_found_in_what_holds_it(shapes: Shapes) -> None:
    names = {c.name for c in shapes.source.calls if c.spot.file.startswith(shapes.folder)}
    for name in sorted({*names, FUNCTION}):
        calls = [call for call in shapes.source.calls if call.name == name]
        due = [_call(call) for call in sorted(calls, key=lambda call: call.spot)]
        said = _asked(shapes, "who_calls", name)
        assert said == due, f"{name} is said to be called at {said}, and is at {due}"


def _call(call: Call) -> dict[str, Any]:
    return {"file": call.spot.file, "line": call.spot.line, "caller": call.holder or "<module>"}


@pytest.mark.criterion("all-four-query-types")
def test_an_impact_goes_by_distance(shapes: Shapes) -> None:
    for path in shapes.files:
        far = shapes.source.impact(path)
        due = [{"file": f, "distance": d} for f, d in sorted(far.items(), key=lambda e: e[::-1])]
        said = _asked(shapes, "impact_set", path)
        assert said == due, f"{path} is said to have an impact on {said}, and has on {due}"
    by_name = _asked(shapes, "impact_set", "low")
    both = (f"{shapes.folder}/deep/low.py",)
    assert by_name == _asked(shapes, "impact_set", both[0]), f"of a name it is {by_name}"


@pytest.mark.criterion("all-four-query-types")
def test_the_nearest_to_a_definition_is_itself(shapes: Shapes) -> None:
    for definition in _mine(shapes):
        if not definition.doc:
            continue
        nearest = _asked(shapes, "nearest_neighbors", definition.dotted, k=3)
        place = {
            "qualname": definition.dotted,
            "file": definition.spot.file,
            "line": definition.spot.line,
        }
        first = {name: nearest[0][name] for name in place}
        assert first == place, f"the nearest to {definition.dotted} is {nearest[0]}"
        scores = [each["score"] for each in nearest]
        assert scores == sorted(scores, reverse=True), f"its neighbours are scored {scores}"
        assert scores[0] > 0.999, f"a definition is to itself as near as {scores[0]}"
        assert all(0 <= score <= 1 for score in scores), f"its neighbours are scored {scores}"
    otter = _asked(shapes, "nearest_neighbors", "weigh of an otter that was decorated")
    assert otter[0]["qualname"] == "decorated", f"the nearest to other words is {otter[0]}"
    assert len(otter) == 5, f"by itself it gives {len(otter)}"
    nothing = _asked(shapes, "nearest_neighbors", "zzyzx qwrty")
    assert not nothing, f"words that stand nowhere are near to {nothing[:1]}"


@pytest.mark.criterion("endpoint-query")
@pytest.mark.parametrize("kind", KINDS)
def test_what_cannot_be_asked_is_refused(shapes: Shapes, kind: str) -> None:
    client = shapes.index.client
    cases: dict[str, dict[str, object]] = {
        "no name": {"kind": kind},
        "an empty name": {"kind": kind, "name": " "},
        "another kind": {"kind": kind.upper(), "name": "plain"},
        "no kind": {"name": "plain"},
        "none of them": {"kind": kind, "name": "plain", "k": 0},
        "too many": {"kind": kind, "name": "plain", "k": MOST_NEIGHBORS + 1},
    }
    for name, query in cases.items():
        answer = client.get("/query", params={key: str(said) for key, said in query.items()})
        assert answer.status_code == 422, f"{name} is answered {answer.status_code}"
        assert len(str(answer.json()["error"]).split()) >= 3, f"{name} is refused without a word"


@pytest.mark.criterion("endpoint-query", "all-four-query-types")
def test_neighbours_are_as_many_as_were_asked_for(shapes: Shapes) -> None:
    single = _asked(shapes, "nearest_neighbors", "return the sum of what it weighs", k=1)
    most = _asked(shapes, "nearest_neighbors", "return the sum of what it weighs", k=MOST_NEIGHBORS)
    assert (len(single), len(most)) == (1, MOST_NEIGHBORS), (
        f"given are {len(single)} and {len(most)}"
    )


@pytest.mark.criterion("endpoint-refresh")
def test_a_refresh_says_what_it_did(shapes: Shapes) -> None:
    """Only what changed is parsed, nothing a second time, and all of it where that is asked."""
    total = len(shapes.source.texts)
    new = len({shapes.source.blob(path) for path in (*shapes.files, shapes.damaged)})
    parsed = shapes.refreshed.whole("files_parsed")
    assert new <= parsed <= new + 1, f"of {new} new files it parsed {parsed}"
    for said, status, files in (
        (shapes.refreshed, "refreshed", parsed),
        (shapes.again, "unchanged", 0),
        (shapes.full, "refreshed", total),
    ):
        told = (said["status"], said["files_parsed"], said["files_total"], said["sha"])
        assert told == (status, files, total, shapes.head), f"a refresh says {told}"
        assert said.number("ms") >= 0


@pytest.mark.criterion("endpoint-snapshot", "coverage")
def test_a_snapshot_is_of_what_can_be_read(shapes: Shapes) -> None:
    said, source = shapes.snapshot, shapes.source
    due = [
        {"path": path, "blob": source.blob(path)}
        for path in sorted(source.texts)
        if path != shapes.damaged
    ]
    assert [dict(file) for file in said.each("files")] == due, "it lists other files or blobs"
    tracked = len(source.texts)
    told = (said["sha"], said["tracked"], said["indexed"], said["storage"])
    assert told == (shapes.head, tracked, tracked - 1, STORAGE), f"a snapshot says {told}"
    assert abs(said.number("coverage") - (tracked - 1) / tracked) < 1e-9
    counted = said.whole("symbols"), said.whole("calls")
    right = len(source.definitions), len(source.calls)
    assert counted == right, f"symbols and calls are {counted}, and the source has {right}"


@pytest.mark.criterion("index-storage", "endpoint-refresh")
def test_what_is_written_is_what_is_indexed(shapes: Shapes) -> None:
    path = shapes.checkout / STORAGE / f"{shapes.head}.json"
    assert path.is_file(), f"there is no {path.name} below {STORAGE}"
    kept = json.loads(path.read_text(encoding="utf-8"))
    assert kept["sha"] == shapes.head, f"it is of {kept['sha']}"
    assert kept["files"] == [dict(file) for file in shapes.snapshot.each("files")]
    symbols = sorted((s["file"], s["line"], s["what"], s["qualname"]) for s in kept["symbols"])
    source = shapes.source
    due = sorted((d.spot.file, d.spot.line, d.what, d.dotted) for d in source.definitions)
    assert symbols == due, "it keeps other symbols than the commit has"
    calls = sorted((c["file"], c["line"], c["name"], c["caller"]) for c in kept["calls"])
    every = ((c.spot.file, c.spot.line, c.name, c.holder or "<module>") for c in source.calls)
    assert calls == sorted(every), "it keeps other calls than the commit has"
