"""Paths into JSON: names and places, names with dots in brackets; a miss says what is there."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pytest_rollout.model.jsonpath import NothingThereError, at, parse, spelled

SPRING = {"http.server.requests": {"p95": 0.2}, "lanes": [{"depth": 3}, {"depth": 4}], "": 1}


@pytest.mark.parametrize(
    ("path", "steps", "value"),
    [
        ('["http.server.requests"].p95', ("http.server.requests", "p95"), 0.2),
        ("['http.server.requests'].p95", ("http.server.requests", "p95"), 0.2),
        ('["http.server.requests"]["p95"]', ("http.server.requests", "p95"), 0.2),
        ("lanes.1.depth", ("lanes", "1", "depth"), 4),
        ("lanes[1].depth", ("lanes", "1", "depth"), 4),
        (".lanes.0.depth", ("lanes", "0", "depth"), 3),
        ('[""]', ("",), 1),
    ],
)
def test_a_path_leads_to_a_value(path: str, steps: tuple[str, ...], value: object) -> None:
    assert parse(path) == steps
    assert at(SPRING, path) == value


def test_an_empty_path_is_all_of_it() -> None:
    assert at(SPRING, "") is SPRING


@pytest.mark.parametrize(
    "path",
    ["a..b", "a.", "", ".", "[", "[a]", '["a', '["a"]b', "a b", "a]", 'a"b', "a[-1]", '["\\q"]'],
)
def test_what_is_no_path_gets_the_rule(path: str) -> None:
    with pytest.raises(ValueError, match=r"write lanes\.0\.depth"):
        parse(path)


@pytest.mark.parametrize(
    ("path", "said"),
    [
        ("http.server", 'holds nothing at http; the top has ["http.server.requests"], lanes, [""]'),
        ("lanes.7", "holds nothing at lanes.7; lanes is a list of 2"),
        ("lanes.x", "holds nothing at lanes.x; lanes is a list of 2"),
        ("lanes.0.size", "holds nothing at lanes.0.size; lanes.0 has depth"),
        ("lanes.0.depth.x", "holds nothing at lanes.0.depth.x; lanes.0.depth is no object"),
        (f"lanes.{'9' * 5000}", "lanes is a list of 2"),
    ],
)
def test_a_miss_says_how_far_it_came_and_what_is_there(path: str, said: str) -> None:
    with pytest.raises(NothingThereError) as raised:
        at(SPRING, path)
    assert said in str(raised.value)


def test_a_miss_in_a_large_object_lists_a_few_keys() -> None:
    many = {f"key{number}": number for number in range(40)}
    with pytest.raises(NothingThereError, match=r"key11 and 28 more$"):
        at(many, "x")


@given(st.lists(st.text(), min_size=1, max_size=5).map(tuple))
def test_what_is_spelled_is_read_back(steps: tuple[str, ...]) -> None:
    assert parse(spelled(steps)) == steps
