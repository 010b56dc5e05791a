"""Whatever a file holds, loading answers with problems and never raises."""

from __future__ import annotations

import copy
import json
from collections.abc import Iterator, Mapping
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pytest_rollout.plan.load import Loaded
from pytest_rollout.plan.tree import Tree, read
from tests.plan.example import TEXT, loaded


def plain(tree: Tree) -> Any:
    if isinstance(tree.value, Mapping):
        return {key: plain(value) for key, value in tree.value.items()}
    return [plain(item) for item in tree.value] if isinstance(tree.value, list) else tree.value


ROOT, _ = read(TEXT, "rollout.yaml")
assert ROOT is not None
DOCUMENT = plain(ROOT)
DELETED: Any = object()
REPLACEMENTS: list[Any] = [None, 1, 1.5, "x", "", [], {}, [[]], [None], {"a": None}, True, DELETED]


def paths(value: Any, above: tuple[Any, ...] = ()) -> Iterator[tuple[Any, ...]]:
    """The way to every value inside a document."""
    items = value.items() if isinstance(value, dict) else enumerate(value)
    for key, inner in items:
        yield (*above, key)
        if isinstance(inner, (dict, list)):
            yield from paths(inner, (*above, key))


def with_change(path: tuple[Any, ...], value: Any) -> str:
    document = copy.deepcopy(DOCUMENT)
    holder = document
    for key in path[:-1]:
        holder = holder[key]
    if value is DELETED:
        del holder[path[-1]]
    else:
        holder[path[-1]] = value
    return json.dumps(document)  # which is YAML too


def well_told(found: Loaded) -> bool:
    return all(one.line >= 1 and one.what and "\n" not in str(one) for one in found.problems)


@pytest.mark.parametrize(
    "value", REPLACEMENTS, ids=lambda v: "deleted" if v is DELETED else repr(v)
)
def test_any_value_may_be_replaced(value: Any) -> None:
    for path in paths(DOCUMENT):
        found = loaded(with_change(path, value))
        assert well_told(found), path
        assert found.plan is not None or found.problems, path


def test_a_list_or_mapping_is_never_taken_for_a_word() -> None:
    scalars = [
        path
        for path in paths(DOCUMENT)
        if not isinstance(path[-1], int) and not {"check", "targets"} & set(path)
    ]
    for path in scalars:
        value = DOCUMENT
        for key in path:
            value = value[key]
        if not isinstance(value, (dict, list)):
            assert loaded(with_change(path, {"a": ["b"]})).problems, path


@given(st.text())
@settings(max_examples=300, deadline=None)
def test_any_text_is_answered(text: str) -> None:
    found = loaded(text)
    assert well_told(found)
    assert found.problems


LINES = TEXT.split("\n")


@pytest.mark.slow
@given(st.data())
@settings(max_examples=200, deadline=None)
def test_any_mixture_of_lines_of_a_plan_is_answered(data: st.DataObject) -> None:
    lines = data.draw(st.lists(st.sampled_from(LINES), max_size=30))
    at = data.draw(st.integers(0, len(lines)))
    lines[at:at] = [data.draw(st.text(max_size=20))]
    assert well_told(loaded("\n".join(lines)))
    cut = data.draw(st.integers(0, len(TEXT)))
    assert well_told(loaded(TEXT[:cut] + data.draw(st.text(max_size=5)) + TEXT[cut:]))


@pytest.mark.parametrize(
    "text", ["plan: \ud800", '"\\ud800"', "%YAML 9.9\n---\na", "&a", "*a", "? [a]\n: b"]
)
def test_awkward_yaml_is_answered(text: str) -> None:
    found = loaded(text)
    assert found.problems
    assert well_told(found)


def test_the_document_that_is_changed_here_is_good_as_it_stands() -> None:
    assert loaded(json.dumps(DOCUMENT)).problems == ()
