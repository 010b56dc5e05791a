"""The rooms of the house: who may import whom, no cycles, no plan of this repository."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from pathlib import Path

import pytest

PACKAGE = Path(__file__).parents[1] / "pytest_rollout"
ROOT = PACKAGE.parent

# A room may import itself, the rooms named here, and their rooms.
MAY_IMPORT = {
    "model": set(),
    "calendar": {"model"},
    "redact": set(),
    "plan": {"model", "calendar", "redact"},
    "judge": {"model", "calendar"},
    "soundness": {"model", "calendar", "judge", "report"},
    "evidence": {"model", "calendar"},
    "report": {"model", "calendar"},
    "targets": {"model", "redact"},
    "checks": {"model", "redact", "targets"},
    "signoff": {"model", "calendar", "judge", "report"},
    "drill": {"model", "redact", "report"},
    "notify": {"model", "redact", "targets"},
    "watching": {
        "model",
        "calendar",
        "redact",
        "judge",
        "evidence",
        "report",
        "targets",
        "checks",
    },
    "session": {
        "model",
        "calendar",
        "redact",
        "plan",
        "judge",
        "evidence",
        "report",
        "targets",
        "checks",
    },
    "cli": {
        "model",
        "calendar",
        "redact",
        "plan",
        "judge",
        "evidence",
        "report",
        "targets",
        "signoff",
        "soundness",
        "drill",
        "notify",
        "watching",
    },
    "plugin": {"session"},
    "": {"model", "session", "targets", "checks"},  # the package itself: names for suites
}
STANDARD_ONLY = {"model", "calendar", "judge", "soundness", "redact"}


def modules() -> dict[str, Path]:
    """Every module of the package by its dotted name below it."""
    found = {}
    for path in PACKAGE.rglob("*.py"):
        parts = path.relative_to(PACKAGE).with_suffix("").parts
        found[".".join(part for part in parts if part != "__init__")] = path
    return found


def imports(path: Path, *, lazy: bool) -> Iterator[str]:
    """What a module imports, by full name; with ``lazy`` also inside of functions."""
    tree = ast.parse(path.read_text(encoding="utf-8"))
    nodes = ast.walk(tree) if lazy else iter(tree.body)
    for node in nodes:
        if isinstance(node, ast.Import):
            yield from (name.name for name in node.names)
        elif isinstance(node, ast.ImportFrom) and node.module:
            names = [f"{node.module}.{name.name}" for name in node.names]
            inside = {f"pytest_rollout.{name}" for name in modules()}
            yield from names if set(names) <= inside else [node.module, *names]


def inner(path: Path, *, lazy: bool) -> set[str]:
    """The modules of the package that a module imports."""
    known = modules()
    names = (
        name.partition(".")[2]
        for name in imports(path, lazy=lazy)
        if name.startswith("pytest_rollout")
    )
    return {name for name in names if name in known and name}


def room(module: str) -> str:
    """The room that a module stands in."""
    return module.partition(".")[0]


@pytest.mark.parametrize("module", sorted(modules()))
def test_imports_keep_their_direction(module: str) -> None:
    allowed = MAY_IMPORT[room(module)] | {room(module)}
    assert {room(name) for name in inner(modules()[module], lazy=True)} <= allowed


def test_there_is_no_cycle_of_modules_even_with_lazy_imports() -> None:
    graph = {name: inner(path, lazy=True) - {name} for name, path in modules().items() if name}
    while graph:
        leaves = {name for name, needs in graph.items() if not needs & graph.keys()}
        assert leaves, f"a cycle among {sorted(graph)}"
        graph = {name: needs for name, needs in graph.items() if name not in leaves}


@pytest.mark.parametrize(
    "module", sorted(name for name in modules() if room(name) in STANDARD_ONLY)
)
def test_the_core_needs_only_the_standard_library(module: str) -> None:
    import sys

    outside = {name.partition(".")[0] for name in imports(modules()[module], lazy=True)}
    assert outside - sys.stdlib_module_names <= {"pytest_rollout"}


def test_the_judge_reads_no_clock_and_no_file() -> None:
    forbidden = {"time", "os", "io", "pathlib", "sqlite3", "random", "socket", "yaml"}
    for name, path in modules().items():
        if room(name) == "judge":
            assert not forbidden & set(imports(path, lazy=True)), name
            assert "now(" not in path.read_text(encoding="utf-8"), name


def test_evidence_and_checks_know_nothing_of_pytest() -> None:
    for name, path in modules().items():
        if room(name) in ("evidence", "judge", "model", "plan", "report", "checks", "watching"):
            assert not {"pytest", "_pytest"} & set(imports(path, lazy=True)), name


def test_the_product_knows_no_plan_of_this_repository() -> None:
    plans = [path.parent.name for path in (ROOT / "suites").glob("*/rollout.yaml")]
    assert "plms" in plans
    for name, path in modules().items():
        names = set(imports(path, lazy=True))
        assert not any(one.startswith(("suites", "fixtures", "load")) for one in names), name


def test_suites_use_only_what_the_product_exports() -> None:
    for path in (ROOT / "suites").rglob("*.py"):
        names = {n for n in imports(path, lazy=True) if n.startswith("pytest_rollout.")}
        exported = {f"pytest_rollout.{name}" for name in _exports()}
        assert names <= exported, path


def _exports() -> list[str]:
    import pytest_rollout

    return pytest_rollout.__all__


def test_every_exported_name_can_be_had() -> None:
    import pytest_rollout

    for name in pytest_rollout.__all__:
        assert getattr(pytest_rollout, name).__name__ == name


def test_modules_and_functions_stay_small() -> None:
    for path in [
        *PACKAGE.rglob("*.py"),
        *(ROOT / "suites").rglob("*.py"),
        *(ROOT / "fixtures").rglob("*.py"),
    ]:
        text = path.read_text(encoding="utf-8")
        assert len(text.splitlines()) <= 320, path
        for node in ast.walk(ast.parse(text)):
            if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
                length = (node.end_lineno or 0) - node.lineno + 1
                assert length <= 48, f"{path}:{node.lineno} {node.name} has {length} lines"
