"""The rooms of the house: who may import whom, no cycles, no plan of this repository."""

from __future__ import annotations

import ast
import re
import subprocess
import sys
from collections.abc import Iterator
from functools import cache
from pathlib import Path

import pytest

PACKAGE = Path(__file__).parents[1] / "pytest_rollout"
ROOT = PACKAGE.parent

# What stands in for the standard library: every room may import it.
_OF_ALL = {"late_dataclass"}
# A room may import itself, the rooms named here, and their rooms.
MAY_IMPORT = {
    "late_dataclass": set(),
    "model": set(),
    "calendar": {"model"},
    "redact": set(),
    "processes": set(),
    "on_the_way": set(),
    "extras": {"model"},
    "roots": {"model", "session"},
    "extensions": {"model"},
    "hookspecs": {"model"},
    "plan": {"extras", "model", "calendar", "redact", "extensions"},
    "judge": {"model", "calendar"},
    "soundness": {"model", "calendar", "judge", "report"},
    "evidence": {"model", "calendar", "redact", "extras"},
    "report": {"model", "calendar"},
    "targets": {"extras", "model", "redact"},
    "github": {"extras", "model"},
    "receivers": {"extras", "model"},
    "monitoring": {"extras", "receivers", "targets"},
    "checks": {"model", "targets", "extensions"},
    "signoff": {"extras", "model", "calendar", "judge"},
    "drill": {"model", "redact", "report"},
    "mutants": {"extras", "model", "plan", "drill"},
    "load": {"extras", "roots", "model", "plan", "judge", "report", "redact", "targets", "checks"},
    "scaffold": {"model"},
    "bundles": {"model", "evidence"},
    "notify": {"extras", "model", "redact", "targets", "extensions"},
    "watching": {
        "model",
        "calendar",
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
        "processes",
        "signoff",
        "load",
        "notify",
    },
    "cli": {
        "extras",
        "roots",
        "model",
        "bundles",
        "processes",
        "calendar",
        "redact",
        "plan",
        "judge",
        "evidence",
        "report",
        "targets",
        "session",
        "signoff",
        "soundness",
        "drill",
        "mutants",
        "load",
        "notify",
        "watching",
        "on_the_way",
        "github",
        "scaffold",
    },
    "plugin": {"session", "hookspecs", "on_the_way"},
    # The package itself: names for suites.
    "": {"extras", "model", "session", "targets", "checks", "receivers", "monitoring", "notify"},
}
STANDARD_ONLY = {"model", "calendar", "judge", "soundness", "redact"}


@cache
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
    return {name for name in names if name in known and name} - _OF_ALL


def room(module: str) -> str:
    """The room that a module stands in."""
    return module.partition(".")[0]


@pytest.mark.parametrize("module", sorted(modules()))
def test_imports_keep_their_direction(module: str) -> None:
    allowed = MAY_IMPORT[room(module)] | {room(module)}
    assert {room(name) for name in inner(modules()[module], lazy=True)} <= allowed


def test_dataclasses_are_those_whose_methods_come_late() -> None:
    theirs = {
        module
        for module, path in modules().items()
        if "dataclasses.dataclass" in imports(path, lazy=True)
    }
    assert theirs == {"late_dataclass"}


@pytest.mark.parametrize("name", MAY_IMPORT)
def test_no_room_may_import_more_than_it_does(name: str) -> None:
    mine = [path for module, path in modules().items() if room(module) == name]
    used = {room(module) for path in mine for module in inner(path, lazy=True)}
    assert MAY_IMPORT[name] == used - {name}


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
    outside = {name.partition(".")[0] for name in imports(modules()[module], lazy=True)}
    assert outside - sys.stdlib_module_names <= {"pytest_rollout"}


STORES = ("evidence.sqlite", "evidence.postgres")


@pytest.mark.parametrize("below", STORES)
def test_only_the_modules_of_stores_know_of_files_and_tables(below: str) -> None:
    forbidden = {"sqlite3", "psycopg", "pathlib", "shutil", "tempfile", "io", "time"}
    for name, path in modules().items():
        inside = name == below or name.startswith(f"{below}.")
        if room(name) == "evidence" and not name.startswith(STORES):
            assert not forbidden & set(imports(path, lazy=True)), name
        if not inside and name != "evidence.opening":
            assert not any(one.startswith(below) for one in inner(path, lazy=True)), name


def test_psycopg_is_imported_only_where_its_database_is_used() -> None:
    needs = (
        "from pytest_rollout.evidence import opening; import sys; print('psycopg' in sys.modules)"
    )
    done = subprocess.run([sys.executable, "-c", needs], capture_output=True, text=True, check=True)
    assert "psycopg" not in done.stdout.split()


def test_bodies_of_records_are_decoded_in_one_place() -> None:
    for name, path in modules().items():
        if room(name) == "evidence" and name != "evidence.decoding":
            assert "json" not in set(imports(path, lazy=True)), name
        if name != "evidence.decoding":
            assert "loads(record.body" not in path.read_text(encoding="utf-8"), name


def test_evidence_takes_nothing_but_damage_for_damage() -> None:
    """What our own mistakes raise is not caught where evidence is read."""
    allowed = {"UndecodableError", "LedgerError", "ValueError", "RecursionError", "BaseException"}
    for name, path in modules().items():
        if room(name) != "evidence" or name.startswith(STORES):
            continue
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if isinstance(node, ast.ExceptHandler):
                caught = node.type.elts if isinstance(node.type, ast.Tuple) else [node.type]
                assert {ast.unparse(one) for one in caught if one} <= allowed, name
                assert node.type is not None, name
                broad = {"ValueError", "RecursionError"} & {
                    ast.unparse(one) for one in caught if one
                }
                assert not broad or name in ("evidence.decoding", "evidence.records"), name


def test_the_judge_reads_no_clock_and_no_file() -> None:
    forbidden = {"time", "os", "io", "pathlib", "sqlite3", "random", "socket", "yaml"}
    for name, path in modules().items():
        if room(name) == "judge":
            assert not forbidden & set(imports(path, lazy=True)), name
            assert "now(" not in path.read_text(encoding="utf-8"), name


SAYING = ("report", "cli", "watching", "drill", "signoff", "soundness")
TAKES_APART = {
    *("partition", "rpartition", "split", "rsplit", "splitlines", "startswith", "endswith"),
    *("removeprefix", "removesuffix", "strip", "lstrip", "rstrip", "replace", "find", "index"),
    *("compile", "match", "fullmatch", "search", "sub", "findall", "finditer"),
}
# What is taken apart where findings are shown, by the name that it begins with: ids, paths,
# options, what a plan states, what a process printed, lines that are laid out in columns, and
# any text where it is made safe to show. Never a sentence.
TAKEN_APART = {
    "cli": {"cmd_name.replace"},
    "cli.amend": {"datetime.replace", "text.rpartition"},
    "cli.attest": {
        "datetime.replace",
        "note.strip",
        "person.strip",
        "text.rpartition",
        "text.strip",
    },
    "cli.board": {"part.replace"},  # a file
    # A line that is laid out.
    "cli.saying": {"re.compile", "_COMMAND.sub", "command.replace", "line.lstrip", "part.replace"},
    "cli.standup": {"today.replace"},  # a time of day
    "cli.unobserved": {"metric.startswith"},
    "report.observations": {"text.startswith"},
    "report.standup": {"finding.rpartition"},
    "cli.bundle_check": {"opened.startswith"},
    "cli.check": {"row.startswith"},
    "cli.collected": {"done.splitlines", "done.strip", "line.removeprefix", "line.startswith"},
    "cli.drill": {"name.partition"},
    "cli.explain": {"name.rpartition"},
    "cli.explain_demand": {  # names of demands
        *("name.partition", "rest.partition", "demand.partition"),
    },
    "cli.export": {"part.replace"},
    "cli.final_report": {"finding.rpartition", "self.find"},
    "cli.after_trip": {"step.split", "typed.strip"},
    "cli.ingest": {"where.rstrip"},
    "cli.ingest_facts": {"said.strip"},
    "cli.ingest_results": {"given.strip"},
    # What people answer, a URL, a file, what a child printed.
    "cli.init": {"answer.split", "before.endswith", "done.strip", "wanted.startswith"},
    "cli.init_asking": {
        *("_DAYS_AND_HOURS.fullmatch", "_MARKER.fullmatch", "answer.replace", "answer.split"),
        *("plain.rstrip", "re.compile", "re.strip", "re.sub", "_APP.fullmatch", "target.split"),
        *("_VARIABLE.search", "text.strip"),
    },
    "cli.init_tests": {"done.splitlines", "done.strip", "line.startswith"},
    "cli.join": {"run.strip", "runs.split"},
    "cli.mutants": {"_SHARE.fullmatch", "re.compile"},
    "cli.names": {
        "full.rpartition",
        "item.startswith",
        "name.startswith",
        "text.startswith",
        "value.partition",
    },
    "cli.recording": {"text.strip"},
    "cli.reset": {"by.strip", "reason.strip", "text.rpartition", "text.strip"},
    "cli.sign": {"datetime.replace", "why.strip"},
    "cli.strays": {"ast.rpartition"},
    "cli.targets": {"where.rstrip"},
    "cli.trend": {"criterion.rpartition"},
    "cli.trend_rows": {"code.startswith", "finding.rpartition"},
    "cli.unbound": {  # files and ids
        *("path.rpartition", "path.startswith", "plan.rpartition", "here.rpartition"),
        *("Path.removeprefix", "Path.replace", "name.startswith"),
    },
    "cli.who": {"ran.strip"},
    "drill.children": {
        *("file.splitlines", "file.strip", "full.rpartition", "k.startswith", "lines.strip"),
    },
    "report.advice": {"finding.partition", "finding.rpartition"},
    "report.files": {"part.replace", "re.strip", "re.sub"},
    "report.html": {"loader.replace", "re.compile", "_BACKQUOTED.sub"},  # commands set as code
    "report.escaping": {
        *("re.compile", "_ENTITY.sub", "_LINKING.search", "_PIECE.sub", "_START.sub"),
        *("_UNDERSCORE.sub", "piece.lstrip", "core.endswith"),
    },
    "report.junit": {"finding.rpartition"},
    "report.measurement_sentences": {"facts.startswith"},
    "report.mutation_markdown": {"line.replace", "line.split"},  # of files
    "report.next_steps": {"gate.partition"},
    "report.prometheus": {"finding.rpartition"},
    "report.rule_words": {"cut.partition"},
    "report.signoff_request": {"report.startswith"},  # a link
    "report.statements": {"pattern.fullmatch", "re.compile", "re.sub"},  # of ids
    "report.terminal": {"line.lstrip"},  # how far a line is indented
    "report.text": {"_ESCAPE.sub", "re.compile", "text.split", "verdict.replace"},
    "report.time_axis": {"start.replace"},  # of a time
    "report.timeline": {"event.replace", "event.removeprefix"},  # a class of the style sheet, an id
    "report.todo": {"full.rpartition", "owed.startswith"},
    "report.trend_of_gate": {"name.replace"},
    "signoff.moments": {"finding.split"},
    "signoff.opening_hours": {"used.rpartition"},
    "signoff.reviews": {  # what people wrote at GitHub, and the name of a release
        *("_COMMIT.fullmatch", "asked.replace", "re.compile", "release.strip", "review.strip"),
    },
    "signoff.ssh": {
        *("ran.strip", "re.sub", "said.splitlines"),  # what ssh-keygen writes
        "revoked_keys.removeprefix",
    },
    "watching.view": {"cell.rstrip"},
}


def taken_apart(tree: ast.AST) -> Iterator[str]:
    """What a module takes apart: the first name in what it calls, and the method."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute):
            names = [one.id for one in ast.walk(node.func.value) if isinstance(one, ast.Name)]
            first = min(names, key=ast.unparse(node.func.value).index, default="")
            if node.func.attr in TAKES_APART and first != "dataclasses":
                yield f"{first}.{node.func.attr}"


@pytest.mark.parametrize("module", sorted(name for name in modules() if room(name) in SAYING))
def test_no_sentence_is_taken_apart(module: str) -> None:
    tree = ast.parse(modules()[module].read_text(encoding="utf-8"))
    assert set(taken_apart(tree)) == TAKEN_APART.get(module, set())


def test_no_template_takes_a_sentence_apart() -> None:
    for path in (PACKAGE / "report" / "templates").glob("*.j2"):
        text = path.read_text(encoding="utf-8")
        shown = re.findall(r"\bsentence\([^()]*\)([^}%]*)", text)
        assert {after.strip() for after in shown} <= {"", "|prose", "|prose(text.SENTENCE)"}, path
        methods = "|".join(TAKES_APART)
        apart = set(re.findall(rf"([\w.]+)\.(?:{methods})\(", text))
        assert apart <= {"id", "row.finding.id"}, path


def test_evidence_and_checks_know_nothing_of_pytest() -> None:
    for name, path in modules().items():
        if room(name) in ("evidence", "judge", "model", "plan", "report", "checks", "watching"):
            assert not {"pytest", "_pytest"} & set(imports(path, lazy=True)), name


SEAMS = "session.seams"
# Names of what is inside of pytest and xdist, and public to nobody.
INSIDES = {
    *("args_source", "ArgsSource", "_fixtureinfo", "_getobj", "_inicache", "_initialpaths"),
    *("_nodeid", "_request", "workerinput", "workeroutput", "get_hookimpls", "callspec"),
}


def insides(tree: ast.AST) -> Iterator[str]:
    """What a module touches that is private to others, or inside of pytest and xdist."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Attribute):
            private = node.attr.startswith("_") and not node.attr.startswith("__")
            mine = private and ast.unparse(node.value) in ("self", "cls")
            if not mine and (private or node.attr in INSIDES):
                yield ast.unparse(node)
        elif isinstance(node, ast.Constant) and node.value in INSIDES:
            yield repr(node.value)


def test_one_module_imports_what_is_inside_of_pytest() -> None:
    inside = ("_pytest", "xdist", "pluggy")
    importing = {
        name
        for name, path in modules().items()
        if any(imported.partition(".")[0] in inside for imported in imports(path, lazy=True))
    }
    assert importing == {SEAMS}


@pytest.mark.parametrize("module", sorted(modules()))
def test_one_module_touches_what_is_inside_of_pytest(module: str) -> None:
    path = modules()[module]
    if module != SEAMS and "pytest" in set(imports(path, lazy=True)):
        assert set(insides(ast.parse(path.read_text(encoding="utf-8")))) == set()


def test_what_is_inside_is_seen() -> None:
    code = "item._fixtureinfo; getattr(config, 'workerinput'); self._mine; config.args_source"
    assert set(insides(ast.parse(code))) == {
        "item._fixtureinfo",
        "'workerinput'",
        "config.args_source",
    }


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
