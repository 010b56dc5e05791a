"""Mutants of Python: those of mutmut's operators, at their places, and no idle ones."""

from __future__ import annotations

import ast
from collections import Counter
from pathlib import Path

import libcst as cst
import pytest
from mutmut.mutation.mutators import mutation_operators

from pytest_rollout import mutants
from tests.mutants.making import changes, made, texts

CODE = """\
import os

LIMIT = 5


class Queue:
    @app.get("/health", status=200)
    async def depth(self, a, *, b=abs(-1)):
        x = f(
            a,
            (b),  # a comment
            *args,
            key=3,
        )
        x += (
            1
        )
        for i in range(3):
            if i not in x and not y or z is None:
                continue
            else:
                break
        match x:
            case 1:
                pass
            # a comment
            case 2:
                return (a
                    if b else c)
            case _:
                q = f"{x!r:>{width + 1}} {'a' + 'b'}"
        y = sum(i for i in x) + (not x) * dict(a=1, b=2)[~x]
        return lambda: [
            1,
            x.lower(),
        ]
"""


def of_the_tool(code: str) -> Counter[str]:
    """Every module that the operators give, put together by libcst, as its tree."""
    module = cst.parse_module(code)
    given: Counter[str] = Counter()

    class Walk(cst.CSTVisitor):
        def on_visit(self, node: cst.CSTNode) -> bool:
            for kind, operator in mutation_operators:
                if isinstance(node, kind) and not isinstance(node, cst.Import):
                    for other in operator(node):
                        changed = module.deep_replace(node, other)
                        assert isinstance(changed, cst.Module)
                        given[ast.dump(ast.parse(changed.code))] += 1
            return not isinstance(node, cst.Import)

    module.visit(Walk())
    return given


def test_each_change_of_the_tool_is_made_at_its_place(tmp_path: Path) -> None:
    found = made(tmp_path, "a.py", CODE)
    ours = Counter(ast.dump(ast.parse(mutants.apply(CODE, mutant))) for mutant in found)
    assert set(ours) == set(of_the_tool(CODE))
    assert max(ours.values()) == 1


def test_a_change_leaves_comments_and_lines_alone(tmp_path: Path) -> None:
    found = made(tmp_path, "a.py", CODE)
    assert ("a,\n            ", "") in changes(found, "argument")
    assert ("not in", "in") in changes(found, "keyword")
    assert ("+=", "=") in changes(found, "augmented assignment")
    assert ("+=", "-=") in changes(found, "arithmetic")
    (dropped,) = (one for one in found if one.operator == "case" and "case _" in one.replaced)
    assert (dropped.line, dropped.last_line) == (30, 31)
    assert mutants.apply(CODE, dropped) == CODE.replace(dropped.replaced, "")


LEFT_ALONE = {
    "docstring": '"""Less than 5."""\n',
    "docstring in one quote": "def f():\n    'less than 5'\n",
    "words behind a field": "class A:\n    'less than 5'\n",
    "annotation": 'def f(a: "list[5]") -> "Literal[True, 6]": ...\n',
    "imports": "from a import b as c\nimport d\n",
    "types only": "if TYPE_CHECKING:\n    x = 5\n",
    "types only, by module": "if typing.TYPE_CHECKING:\n    x = 5\n",
    "exports": '__all__ = ["f", "g"]\n',
    "slots": '__slots__ = ("f", "g")\n',
    "exports with a type": '__all__: list[str] = ["f"]\n',
    "a type's name": 'Name: TypeAlias = "int | 5"\n',
    "a variable of types": 'T = TypeVar("T", bound="A")\n',
    "faults of a reference target": 'FAULTS = (fault("late", Part, "Late.", late=True),)\n',
    "how a record is made": "@dataclass(frozen=True, slots=True)\nclass A:\n    pass\n",
}


@pytest.mark.parametrize("code", LEFT_ALONE.values(), ids=LEFT_ALONE)
def test_what_says_nothing_is_left_alone(tmp_path: Path, code: str) -> None:
    assert made(tmp_path, "a.py", code) == ()


def test_what_stands_beside_it_is_changed(tmp_path: Path) -> None:
    code = "if TYPE_CHECKING:\n    x = 5\nelse:\n    x = 6\n__all__ = ['f']\nn: int = 7\n"
    assert changes(made(tmp_path, "a.py", code), "number") == {("6", "7"), ("7", "8")}


def test_a_text_that_holds_sql_is_changed_as_sql(tmp_path: Path) -> None:
    code = "db.execute(\"SELECT a FROM runs WHERE a > 1 AND b = 'x'\")\n"
    found = changes(made(tmp_path, "a.py", code))
    assert {(">", ">="), ("AND", "OR"), ("1", "2"), ("=", "<>"), ("", "-other")} <= found
    assert ("WHERE a > 1 AND b = 'x'", "") in found
    assert not any("select" in new or "XX" in new for _, new in found)


@pytest.mark.parametrize(
    "literal",
    [
        '"""\n  SELECT a FROM runs\n  WHERE a > 1\n"""',
        '("SELECT a FROM runs"\n    " WHERE a > 1")',
        'f"SELECT a FROM {table} WHERE a > 1"',
        """f"SELECT {', '.join(columns)} FROM runs WHERE a > 1\"""",
        "'SELECT a FROM runs WHERE a > 1'",
        'r"SELECT a FROM runs WHERE a > 1"',
    ],
)
def test_sql_is_found_however_it_is_written(tmp_path: Path, literal: str) -> None:
    code = f"query = {literal}\n"
    found = made(tmp_path, "a.py", code)
    assert (">", ">=") in changes(found, "SQL comparison")
    for text in texts(code, found):
        ast.parse(text)


def test_prose_is_no_sql(tmp_path: Path) -> None:
    code = 'say("Select one of 3 and update the page")\n'
    assert {mutant.operator for mutant in made(tmp_path, "a.py", code)} == {"text", "argument"}


@pytest.mark.parametrize(
    ("text", "change"),
    [
        ("02:00", ("02", "03")),
        ("30s", ("s", "ms")),
        ("0 2 * * *", ("2", "3")),
        ("2025-11-30", ("2025-11-30", "2025-12-01")),
        ("<= 0.5", ("<=", "<")),
        ("*-*-* 02:00:00", ("02", "03")),
    ],
)
def test_a_text_that_is_data_is_changed_as_data(
    tmp_path: Path, text: str, change: tuple[str, str]
) -> None:
    found = changes(made(tmp_path, "a.py", f"x = {text!r}\n"))
    assert change in found
    assert not any("XX" in new for _, new in found)


def test_units_and_scripts_in_texts_are_changed_as_such(tmp_path: Path) -> None:
    code = 'u = """\n[Service]\nExecStart=/opt/run --strict\n"""\ns = """#!/bin/sh\nrm -f x\n"""\n'
    found = changes(made(tmp_path, "a.py", code))
    assert {("/opt/run --strict", "/bin/true"), (" --strict", ""), ("rm -f x", "true")} <= found


def test_no_change_crosses_an_escape(tmp_path: Path) -> None:
    code = "x = 'SELECT a FROM b WHERE c = \\'d\\' AND e > 1'\n"
    for text in texts(code, made(tmp_path, "a.py", code)):
        ast.parse(text)


def test_odd_code_gives_no_warnings(tmp_path: Path) -> None:
    code = "if x is 1:\n    y = '\\d'\n"
    assert ("is", "is not") in changes(made(tmp_path, "a.py", code))


def test_newlines_of_windows_are_counted(tmp_path: Path) -> None:
    code = "a = 1\r\nb = (\r\n  2,\r\n)\r\n"
    found = made(tmp_path, "a.py", code)
    assert {(one.replaced, one.line) for one in found if one.operator == "number"} == {
        ("1", 1),
        ("2", 3),
    }
