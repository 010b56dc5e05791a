"""Each code that is written has a sentence, and each sentence is of a code that is written."""

from __future__ import annotations

import ast
import re
import string
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path

import pytest

from pytest_rollout.model.finding import Reason
from pytest_rollout.report.sentences import TABLE, text
from tests.report.reasons_given import given

PACKAGE = Path(__file__).parents[2] / "pytest_rollout"
WRITERS = (
    *sorted((PACKAGE / "judge").rglob("*.py")),
    *sorted((PACKAGE / "signoff").rglob("*.py")),
    *(PACKAGE / name for name in ("evidence/gate_findings.py", "cli/clearing.py", "cli/status.py")),
    *(PACKAGE / name for name in ("cli/blindness.py", "cli/clearing_life.py")),
    PACKAGE / "load/consistency.py",
    PACKAGE / "load/honesty.py",
    PACKAGE / "model/finding.py",
)
SHARED = {"passed": 1, "refused": 1}  # of signoff.moments: makers, and where their code stands
ZONE = "America/New_York"


@pytest.fixture(scope="module")
def reasons(tmp_path_factory: pytest.TempPathFactory) -> dict[str, list[Reason]]:
    """Reasons by code, as they are given."""
    return given(tmp_path_factory.mktemp("ledgers"))


Known = Mapping[str, list[ast.expr]]  # what names may hold


def assigned(nodes: Iterable[ast.AST]) -> dict[str, list[ast.expr]]:
    """What is assigned to each name."""
    found: dict[str, list[ast.expr]] = {}
    for node in nodes:
        if isinstance(node, ast.Assign) and isinstance(node.targets[0], ast.Name):
            found.setdefault(node.targets[0].id, []).append(node.value)
    return found


def texts(node: ast.expr, known: Known) -> set[str]:
    """Every text that an expression may be; fails where that cannot be told."""
    if isinstance(node, ast.Constant) and isinstance(node.value, str):
        return {node.value}
    inner: list[ast.expr] = []
    if isinstance(node, ast.IfExp):
        inner = [node.body, node.orelse]
    elif isinstance(node, ast.Dict):
        inner = node.values
    elif isinstance(node, ast.Subscript):
        inner = [node.value]
    elif isinstance(node, ast.Name):
        inner = known.get(node.id, [])
    assert inner, f"which codes are {ast.unparse(node)}?"
    return set().union(*(texts(one, known) for one in inner))


def calls(node: ast.AST, name: str) -> Iterator[ast.Call]:
    """The calls of a function by its bare name."""
    for inner in ast.walk(node):
        if isinstance(inner, ast.Call) and ast.unparse(inner.func) == name:
            yield inner


def written(source: str) -> set[str]:
    """The codes of the reasons that a module makes, also by functions that are given the code."""
    tree = ast.parse(source)
    functions = [node for node in ast.walk(tree) if isinstance(node, ast.FunctionDef)]
    makers = {"Reason": 0}
    if "from pytest_rollout.signoff.moments import" in source:
        makers |= SHARED
    for function in functions:
        names = [argument.arg for argument in function.args.args]
        for call in calls(function, "Reason"):
            if isinstance(call.args[0], ast.Name) and call.args[0].id in names:
                makers[function.name] = names.index(call.args[0].id)
    found: set[str] = set()
    for maker, place in makers.items():
        for call in calls(tree, maker):
            code = call.args[place]
            around = [function for function in functions if call in ast.walk(function)]
            names = [argument.arg for function in around for argument in function.args.args]
            if isinstance(code, ast.Name) and code.id in names:
                continue  # of a maker: its calls say which
            known = assigned(tree.body)
            for function in around:
                known |= assigned(ast.walk(function))
            found |= texts(code, known)
    return found


def test_every_code_that_is_written_has_a_sentence_and_the_other_way_round() -> None:
    codes = set().union(*(written(path.read_text(encoding="utf-8")) for path in WRITERS))
    assert codes == set(TABLE)


def test_a_code_is_found_however_it_is_written() -> None:
    source = """
CODES = {1: "a", 2: "b"}
def made(why, code): return Reason(code)
def one(x): return Reason(CODES[x])
def two(x):
    code = "c" if x else "d"
    return Reason(code, {})
three = Reason("e"), made(1, "f")
"""
    assert written(source) == set("abcdef")
    with pytest.raises(AssertionError, match="which codes are x"):
        written("def f(x): return Reason(x.lower())")


def test_no_reason_is_made_elsewhere() -> None:
    """But of codes that were written already, and of mistakes, whose codes are their own."""
    makers = {
        str(path.relative_to(PACKAGE))
        for path in set(PACKAGE.rglob("*.py")) - set(WRITERS)
        if next(calls(ast.parse(path.read_text(encoding="utf-8")), "Reason"), None)
    }
    passing_on = {"model/coding.py", "soundness/words.py"}
    assert makers == {*passing_on, "cli/__init__.py"}


def test_every_code_is_given_with_facts(reasons: dict[str, list[Reason]]) -> None:
    assert set(reasons) == set(TABLE)


@pytest.mark.parametrize("code", sorted(TABLE))
def test_it_reads_well_with_the_facts_that_are_given(
    code: str, reasons: dict[str, list[Reason]]
) -> None:
    say = TABLE[code]
    for reason in reasons[code]:
        said = text(reason, ZONE)
        assert said
        assert said == " ".join(said.split())
        assert not said.startswith(f"{code}:"), "its facts do not fit its sentence"
        assert said[-1] not in ":;,"
        assert not re.search(r"None|\(\)| [;,:]|[:;,] [:;,]|Reason\(", said), said
        assert not re.search(r"\d{4}-\d\d-\d\dT", said), "an instant as no clock reads it"
        if isinstance(say, str):
            named = {name for _, name, _, _ in string.Formatter().parse(say) if name}
            assert named <= set(reason.facts)


def test_instants_are_read_by_the_clocks_of_the_plan(reasons: dict[str, list[Reason]]) -> None:
    (decided, *_) = reasons["clear.decided"]
    assert text(decided, ZONE) == "decided at 2025-11-10 10:00:00 EST"
    assert text(decided, "UTC") == "decided at 2025-11-10 15:00:00 UTC"


def test_what_another_version_wrote_is_shown_as_it_is() -> None:
    inner = Reason("said", {"text": "it broke"})
    later = Reason("later", {"n": 3, "why": inner, "all": ("a", inner), "none": None})
    assert text(later, ZONE) == "later: n 3, why it broke, all a; it broke"
    assert text(Reason("bare"), ZONE) == "bare"
    odd = Reason("within", {"metric": "m", "scope": "galaxy"})
    assert text(odd, ZONE) == "within: metric m, scope galaxy"
    gap = Reason("gap", {"since": "noon", "until": "one"})
    assert text(gap, ZONE) == "nobody looked from noon to one"
