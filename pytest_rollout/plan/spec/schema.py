"""JSON Schemas of the files that people write, for editors."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

from pytest_rollout.plan.spec.equivalent_keys import EquivalentsKeys
from pytest_rollout.plan.spec.keys import Key, Keys, places, written
from pytest_rollout.plan.spec.kinds import Schema
from pytest_rollout.plan.spec.people_keys import PeopleKeys
from pytest_rollout.plan.spec.plan_keys import PlanKeys
from pytest_rollout.plan.spec.waiver_keys import StandInsKeys, WaiversKeys
from pytest_rollout.plan.tree import Tree

DRAFT = "https://json-schema.org/draft/2020-12/schema"
SCHEMAS: Mapping[str, tuple[type[Keys], str]] = {
    "schema.json": (PlanKeys, "A rollout plan of pytest-rollout"),
    "waivers.schema.json": (WaiversKeys, "The waivers beside a rollout plan of pytest-rollout"),
    "attestations.schema.json": (
        StandInsKeys,
        "The stand-ins for attestations beside a rollout plan of pytest-rollout",
    ),
    "mutants.schema.json": (
        EquivalentsKeys,
        "The reviewed mutants beside a rollout plan of pytest-rollout",
    ),
    "roles.schema.json": (PeopleKeys, "The people beside a rollout plan of pytest-rollout"),
}


def text(name: str) -> str:
    """Return a schema as its file holds it."""
    start, title = SCHEMAS[name]
    inside = [place for place in places(start) if place is not start]
    whole = {
        "$schema": DRAFT,
        "title": title,
        **shape(start),
        "$defs": {place.name: shape(place) for place in inside},
    }
    return json.dumps(whole, indent=2, ensure_ascii=False) + "\n"


def shape(place: type[Keys]) -> Schema:
    """Return the schema of a mapping."""
    schema: Schema = {
        "type": "object",
        "description": place.__doc__,
        "properties": {key.name: described(key) for key in place.stated()},
        "additionalProperties": False,
        "required": [key.name for key in place.stated() if key.required],
        "dependentRequired": {name: list(needs) for name, needs in place.together.items()},
        "minProperties": int(place.not_empty),
        "oneOf": [{"required": [name]} for name in place.exactly_one],
        "anyOf": [{"required": [name]} for name in place.at_least_one],
    }
    return {name: value for name, value in schema.items() if value or name in _ALWAYS}


_ALWAYS = ("properties", "additionalProperties")


def described(key: Key[Any]) -> Schema:
    """Return the schema of a key's value, with what an editor shows of it."""
    schema: Schema = {"description": key.says, **key.kind.schema()}
    if key.unless:
        schema["description"] = f"{key.says} Without it: {key.unless}."
    if key.default:
        schema["default"] = data(written(key.default))
    if key.example:
        schema["examples"] = [data(written(key.example))]
    return schema


def data(tree: Tree) -> Any:
    """Return a value as JSON has it."""
    if isinstance(tree.value, Mapping):
        return {name: data(value) for name, value in tree.value.items()}
    if isinstance(tree.value, list):
        return [data(item) for item in tree.value]
    return tree.value
