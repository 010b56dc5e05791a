"""Every key of the specification is read, and its example, default and schema say the truth."""

from __future__ import annotations

import ast
import json
import re
from collections.abc import Iterable
from dataclasses import replace
from pathlib import Path
from typing import Any

import jsonschema
import pytest

from pytest_rollout.plan.spec import schema
from pytest_rollout.plan.spec.__main__ import generated
from pytest_rollout.plan.spec.keys import Key, Keys, places, written
from pytest_rollout.plan.spec.plan_keys import PlanKeys
from pytest_rollout.plan.spec.schema import data
from tests.plan.places import FILES, context, every_key, every_place, read

PACKAGE = Path(__file__).parents[2] / "pytest_rollout" / "plan"
FITS = {
    start: jsonschema.Draft202012Validator(json.loads(schema.text(name)))
    for name, (start, _) in schema.SCHEMAS.items()
}
EVERY = list(every_key())
# Without its means a step is one that people take.
MEANS = {("step-command", "command"), ("step-http", "http"), ("step-sql", "sql")}


def named(keys: Iterable[tuple[type[Keys], type[Keys], Key[Any]]]) -> list[Any]:
    """Keys as parameters of a test, by place and name."""
    return [pytest.param(*one, id=f"{one[1].name}.{one[2].name}") for one in keys]


KEYS = named(EVERY)
DEFAULTED = named(one for one in EVERY if one[2].default)
REQUIRED = named(
    one for one in EVERY if one[2].required and (one[1].name, one[2].name) not in MEANS
)
FOR_PEOPLE = {("plan", "version"), ("equivalent", "line")}  # judged by nobody


def model(start: type[Keys], document: Any) -> str | list[str]:
    """What a document says, without what its text is; or what is wrong with it."""
    loaded = read(start, json.dumps(document))
    if loaded.problems or loaded.plan is None:
        return [str(problem) for problem in loaded.problems]
    plan = replace(loaded.plan, digest="", environments={})
    return f"{plan} {list(loaded.plan.environments.values())}"


@pytest.mark.parametrize("path", generated(), ids=lambda path: path.name)
def test_what_comes_from_the_specification_is_current(path: Path) -> None:
    assert path.read_text(encoding="utf-8") == generated()[path], (
        "run python -m pytest_rollout.plan.spec"
    )


@pytest.mark.parametrize(("start", "place", "key"), KEYS)
def test_an_example_is_read_and_means_something(
    start: type[Keys], place: type[Keys], key: Key[Any]
) -> None:
    document, holder = context(place, key)
    holder.pop(key.name, None)
    without = "" if key.required else model(start, document)
    assert key.example
    holder[key.name] = data(written(key.example))
    told = model(start, document)
    assert isinstance(told, str), told
    assert (told == without) is ((place.name, key.name) in FOR_PEOPLE)
    FITS[start].validate(document)


@pytest.mark.parametrize(("start", "place", "key"), DEFAULTED)
def test_a_default_is_what_holds_without_the_key(
    start: type[Keys], place: type[Keys], key: Key[Any]
) -> None:
    document, holder = context(place, key)
    holder.pop(key.name, None)
    without = model(start, document)
    holder[key.name] = data(written(key.default))
    assert model(start, document) == without


@pytest.mark.parametrize(("start", "place", "key"), REQUIRED)
def test_the_reader_and_the_schema_miss_a_required_key(
    start: type[Keys], place: type[Keys], key: Key[Any]
) -> None:
    document, holder = context(place, key)
    holder.setdefault(key.name, data(written(key.example)))
    assert read(start, json.dumps(document)).problems == ()
    del holder[key.name]
    assert read(start, json.dumps(document)).problems
    assert not FITS[start].is_valid(document)


@pytest.mark.parametrize(
    ("start", "place"), [pytest.param(*one, id=one[1].name) for one in every_place()]
)
def test_refused_and_unknown_keys_are_offences(start: type[Keys], place: type[Keys]) -> None:
    refused = [key.name for key in place.keys.values() if key.refused]
    for name in ("qqqq", *refused):
        document, holder = context(place)
        holder[name] = "7d"
        assert read(start, json.dumps(document)).problems, name
        assert not FITS[start].is_valid(document), name


REPLACEMENTS: list[Any] = [None, 1, "", "x", [], {}, {"a": None}, True]


@pytest.mark.parametrize(("start", "place", "key"), KEYS)
def test_the_schema_takes_whatever_the_reader_takes(
    start: type[Keys], place: type[Keys], key: Key[Any]
) -> None:
    fits = FITS[start]
    for value in REPLACEMENTS:
        document, holder = context(place, key)
        holder[key.name] = value
        if not read(start, json.dumps(document)).problems:
            assert fits.is_valid(document), (value, [e.message for e in fits.iter_errors(document)])


def test_editors_have_a_text_to_show_for_every_key() -> None:
    for name in schema.SCHEMAS:
        whole = json.loads(schema.text(name))
        for place in (whole, *whole["$defs"].values()):
            assert place["description"], (name, place)
            for key, described in place["properties"].items():
                assert described["description"].endswith("."), (name, key)


def test_schemas_are_schemas() -> None:
    for one in FITS.values():
        one.check_schema(one.schema)


def test_places_have_names_of_their_own() -> None:
    names = [place.name for _, place in every_place()]
    assert len(names) == len(set(names))
    assert all(names)
    assert set(places(PlanKeys)) <= {place for _, place in every_place()}
    assert len(FILES) == len(schema.SCHEMAS)


def test_no_key_is_read_by_a_text_of_its_own() -> None:
    """Keys are read as attributes of places; a name in quotes would be a key of nobody."""
    names = {key.name for _, _, key in every_key()}
    for path in PACKAGE.glob("*.py"):
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if not isinstance(node, ast.expr):
                continue
            asked: list[ast.expr] = []
            if isinstance(node, ast.Subscript):
                asked = [node.slice]
            elif isinstance(node, ast.Compare) and isinstance(node.ops[0], ast.In):
                asked = [node.left]
            elif isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute):
                asked = node.args[:1] if node.func.attr in ("get", "pop", "has", "tree") else []
            texts = {one.value for one in asked if isinstance(one, ast.Constant)}
            assert not texts & names - {"phase", "criterion", "role"}, f"{path.name}: {asked}"


def test_the_guide_names_no_key_that_is_not_there() -> None:
    names = {key.name for _, _, key in every_key()}
    text = (PACKAGE.parents[1] / "docs/how-to/write-a-plan.md").read_text(encoding="utf-8")
    rows = [line.split("|")[1] for line in text.splitlines() if line.startswith("| `")]
    told = {word for row in rows for word in re.findall(r"`(?:expect: )?(\w+)`", row)}
    assert len(told) > 60
    assert told <= names, told - names
