"""Existing tests become the widest patterns that mean no other test."""

from __future__ import annotations

from pytest_rollout.model.node_id import NodeId, NodePattern
from pytest_rollout.scaffold.binds import chosen, grouped

GOOD = [
    "tests/test_a.py::test_one",
    "tests/test_a.py::test_two[x]",
    "tests/test_b.py::Test::test_one[1]",
    "tests/test_b.py::Test::test_one[3]",
    "tests/test_b.py::Test::test_two",
    "tests/test_b.py::Other::test_two",
]
BARRED = ["tests/test_b.py::Test::test_one[2]"]


def test_a_file_is_bound_whole_where_all_of_it_counts() -> None:
    a, b = grouped(GOOD, BARRED, "suites/x")
    assert (a.id, a.place, a.binds) == ("tests-a", "tests/test_a.py", ("../../tests/test_a.py",))
    assert b.binds == (
        "../../tests/test_b.py::Test::test_one[1]",
        "../../tests/test_b.py::Test::test_one[3]",
        "../../tests/test_b.py::Test::test_two",
        "../../tests/test_b.py::Other",
    )


def test_patterns_mean_what_was_chosen_and_nothing_that_is_barred() -> None:
    for group in grouped(GOOD, BARRED, "."):
        patterns = [NodePattern(pattern) for pattern in group.binds]
        for node in (*GOOD, *BARRED):
            meant = any(one.matches(NodeId.parse(node)) for one in patterns)
            assert meant is (node in group.nodes), node


def test_files_of_one_name_have_ids_of_their_own() -> None:
    nodes = ["a/test_x.py::test_it", "b/test_x.py::test_it", "b/test_y.py::test_it"]
    assert [one.id for one in grouped(nodes, (), ".")] == [
        "tests-a-test-x",
        "tests-b-test-x",
        "tests-y",
    ]


def test_many_files_are_bound_by_their_folders() -> None:
    nodes = [f"tests/{folder}/test_{n}.py::test_it" for folder in "ab" for n in range(16)]
    a, b = grouped(nodes, (), ".")
    assert (a.id, a.place, a.binds) == ("tests-a", "tests/a", ("tests/a/*.py",))
    assert b.place == "tests/b"
    barred, whole = grouped(nodes, ["tests/a/test_3.py::test_old"], "suites/x")
    assert len(barred.binds) == 16
    assert "../../tests/a/test_3.py::test_it" in barred.binds
    assert whole.binds == ("../../tests/b/*.py",)


def test_tests_are_chosen_by_ids_and_patterns() -> None:
    assert chosen(GOOD, ["tests/test_a.py"]) == GOOD[:2]
    assert chosen(GOOD, ["**::test_two", "tests/test_b.py::Other"]) == [GOOD[1], GOOD[5]]
