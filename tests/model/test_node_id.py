"""Node ids as data: what is parsed prints as it was, and patterns mean what pytest means."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pytest_rollout.model.node_id import NodeId, NodePattern

WORDS = st.from_regex(r"[A-Za-z_][A-Za-z0-9_]{0,8}", fullmatch=True)
PATHS = st.lists(WORDS, min_size=1, max_size=3).map("/".join).map("{}.py".format)
PARAMETERS = st.one_of(
    st.none(), st.text(max_size=12), st.sampled_from(["a::b", "[", "]", "x[1]::y", "", "::", "]["])
)


@given(PATHS, st.lists(WORDS, min_size=1, max_size=3), PARAMETERS)
def test_an_id_is_its_parts(path: str, names: list[str], parameters: str | None) -> None:
    node = NodeId(path, tuple(names), parameters)
    assert NodeId.parse(str(node)) == node


@given(st.one_of(st.text(), st.text(alphabet="a:[]/"), PATHS))
def test_any_text_prints_as_it_was(text: str) -> None:
    assert str(NodeId.parse(text)) == text


def test_what_an_id_tells() -> None:
    node = NodeId.parse("tests/test_api.py::TestHealth::test_it[a::b[0]]")
    assert node.path == "tests/test_api.py"
    assert node.names == ("TestHealth", "test_it")
    assert node.parameters == "a::b[0]"
    assert node.name == "test_it[a::b[0]]"
    assert node.function == "test_it"
    assert NodeId.parse("tests/test_api.py").name == "tests/test_api.py"


@given(PATHS, st.lists(WORDS, max_size=3).map("/".join))
def test_an_id_is_the_same_from_everywhere(path: str, folder: str) -> None:
    node = NodeId(path, ("test_it",))
    assert node.seen_from(folder).below(folder) == node


def test_an_id_beside_the_folder() -> None:
    node = NodeId.parse("tests/test_api.py::test_it[a]")
    assert str(node.seen_from("suites/demo")) == "../../tests/test_api.py::test_it[a]"


MATCHES = [
    ("t/test_a.py::test_x", "t/test_a.py::test_x", True),
    ("t/test_a.py::test_x", "t/test_a.py::test_x[1]", True),
    ("t/test_a.py::test_x", "t/test_a.py::test_xy", False),
    ("t/test_a.py::test_x[1]", "t/test_a.py::test_x[1]", True),
    ("t/test_a.py::test_x[1]", "t/test_a.py::test_x[2]", False),
    ("t/test_a.py::test_x[1]", "t/test_a.py::test_x", False),
    ("t/test_a.py::test_x[a.b]", "t/test_a.py::test_x[a-b]", False),
    ("t/test_a.py::test_x[a::*]", "t/test_a.py::test_x[a::b]", True),
    ("t/test_a.py::TestX", "t/test_a.py::TestX::test_y[1]", True),
    ("t/test_a.py::test_*", "t/test_a.py::TestX::test_y", False),
    ("t/test_a.py", "t/test_a.py::TestX::test_y", True),
    ("t/**::test_*", "t/test_a.py::test_y", True),
    ("t/**::test_*", "t/deep/er/test_a.py::test_y", True),
    ("t/**::test_*", "tea/test_a.py::test_y", False),
    ("t/*.py::test_y", "t/deep/test_a.py::test_y", False),
    ("t/**/test_a.py::test_y", "t/test_a.py::test_y", True),
    ("**::test_y", "t/deep/test_a.py::test_y", True),
    ("t", "t/deep/test_a.py::test_y", True),
]


@pytest.mark.parametrize(("pattern", "node", "expected"), MATCHES)
def test_patterns(pattern: str, node: str, expected: bool) -> None:
    assert NodePattern(pattern).matches(NodeId.parse(node)) is expected


@pytest.mark.parametrize(
    ("pattern", "place"),
    [("t/smoke/**::test_*", "t/smoke"), ("**::test_*", ""), ("t/a.py::test_x", "t/a.py")],
)
def test_where_a_pattern_looks(pattern: str, place: str) -> None:
    assert NodePattern(pattern).place == place
