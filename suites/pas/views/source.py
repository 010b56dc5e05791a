"""The suite's own reading of a checkout: what its last commit defines, calls and imports."""

from __future__ import annotations

import ast
import subprocess
from collections import deque
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from functools import cached_property
from pathlib import Path

from pytest_rollout import RolloutError

_GIT_S = 30


def git(folder: Path, *words: str, environ: Mapping[str, str] | None = None) -> str:
    """What git says; raises RolloutError with its words where it refuses."""
    done = subprocess.run(
        ["git", "-C", str(folder), *words],
        env=dict(environ) if environ is not None else None,
        capture_output=True,
        text=True,
        check=False,
        timeout=_GIT_S,
    )
    if done.returncode:
        shown = " ".join((done.stderr or done.stdout).split())
        raise RolloutError(f"git {words[0]} ended with {done.returncode}: {shown:.200}")
    return done.stdout


def committed_at(folder: Path, revision: str = "HEAD") -> datetime:
    """When a commit was made."""
    return datetime.fromisoformat(git(folder, "show", "-s", "--format=%cI", revision).strip())


@dataclass(frozen=True, order=True, slots=True)
class Spot:
    """A line of a file, by its path in the repository."""

    file: str
    line: int


@dataclass(frozen=True, slots=True)
class Definition:
    """A class, a function or a method."""

    name: str
    spot: Spot
    doc: str
    inner: bool  # within a function, where nobody else can name it
    what: str  # class, function or method
    dotted: str  # with the classes around it, as Class.method
    decorated: bool  # so that it has lines above the one that names it


@dataclass(frozen=True, slots=True)
class Call:
    """A call, by the name that is called: `b` of `a.b()`."""

    name: str
    spot: Spot
    within: str  # the innermost function around it; empty: none
    holder: str  # the dotted name of the innermost function or class around it; empty: none


@dataclass(slots=True)
class _Module:
    """One file, parsed."""

    path: str
    tree: ast.Module
    text: str


@dataclass
class Source:
    """The Python files of a commit, read from git itself."""

    folder: Path
    commit: str
    texts: Mapping[str, str]  # by path
    modules: Sequence[_Module] = field(init=False)

    def __post_init__(self) -> None:
        self.modules = [*_parsed(self.texts)]

    @classmethod
    def at(cls, folder: Path, revision: str = "HEAD") -> Source:
        """The files of a commit of a checkout."""
        commit = git(folder, "rev-parse", f"{revision}^{{commit}}").strip()
        listed = git(folder, "ls-tree", "-r", "-z", "--name-only", commit).split("\0")
        paths = [path for path in listed if path.endswith(".py")]
        return cls(folder, commit, _contents(folder, commit, paths))

    @cached_property
    def definitions(self) -> tuple[Definition, ...]:
        """All classes and functions."""
        return tuple(
            definition
            for module in self.modules
            for definition in _defined(module.tree, module.path)
        )

    @cached_property
    def calls(self) -> tuple[Call, ...]:
        """All calls of something that has a name."""
        return tuple(
            call for module in self.modules for call in _calls(module.tree, module.path, "")
        )

    def blob(self, path: str) -> str:
        """The id that git gives the content of a file."""
        return self.blobs[path]

    @cached_property
    def blobs(self) -> Mapping[str, str]:
        """The ids of all files of the commit."""
        rows = git(self.folder, "ls-tree", "-r", "-z", self.commit).split("\0")
        parted = [row.partition("\t") for row in rows if row]
        return {path: head.split()[2] for head, _, path in parted}

    def defined(self, name: str) -> frozenset[Spot]:
        """Where a name is defined."""
        return frozenset(
            definition.spot for definition in self.definitions if definition.name == name
        )

    def callers(self, name: str) -> frozenset[Spot]:
        """Where a name is called."""
        return frozenset(call.spot for call in self.calls if call.name == name)

    @cached_property
    def importers(self) -> Mapping[str, frozenset[str]]:
        """The files that import each file, by themselves."""
        paths = set(self.texts)
        importers: dict[str, set[str]] = {path: set() for path in paths}
        for module in self.modules:
            for path in _imported(module, paths):
                if path != module.path:
                    importers[path].add(module.path)
        return {path: frozenset(by) for path, by in importers.items()}

    def impact(self, path: str) -> dict[str, int]:
        """The files that import a file, and those that import these; how far each is from it."""
        far = {path: 0}
        waiting = deque([path])
        while waiting:
            imported = waiting.popleft()
            for importer in self.importers[imported]:
                if importer not in far:
                    far[importer] = far[imported] + 1
                    waiting.append(importer)
        del far[path]
        return far


def _contents(folder: Path, commit: str, paths: Sequence[str]) -> dict[str, str]:
    """The files of a commit, in one call of git."""
    asked = "".join(f"{commit}:{path}\n" for path in paths).encode()
    done = subprocess.run(
        ["git", "-C", str(folder), "cat-file", "--batch"],
        input=asked,
        capture_output=True,
        check=True,
        timeout=_GIT_S,
    )
    left, texts = done.stdout, {}
    for path in paths:
        head, _, left = left.partition(b"\n")
        size = int(head.split()[2])
        texts[path] = left[:size].decode("utf-8", "replace")
        left = left[size + 1 :]
    return texts


def _parsed(texts: Mapping[str, str]) -> Iterator[_Module]:
    for path, text in texts.items():
        try:
            yield _Module(path, ast.parse(text), text)
        except SyntaxError:
            continue  # such a file defines nothing that anybody could name


def _defined(
    node: ast.AST, path: str, around: tuple[str, ...] = (), *, inner: bool = False
) -> Iterator[Definition]:
    """The classes and functions below a node."""
    for child in ast.iter_child_nodes(node):
        function = isinstance(child, ast.FunctionDef | ast.AsyncFunctionDef)
        names = around
        if isinstance(child, ast.ClassDef | ast.FunctionDef | ast.AsyncFunctionDef):
            names = (*around, child.name)
            kind = (
                ("method" if isinstance(node, ast.ClassDef) else "function")
                if function
                else "class"
            )
            doc, spot = ast.get_docstring(child) or "", Spot(path, child.lineno)
            decorated = bool(child.decorator_list)
            yield Definition(child.name, spot, doc, inner, kind, ".".join(names), decorated)
        yield from _defined(child, path, names, inner=inner or function)


def _calls(node: ast.AST, path: str, within: str, holder: str = "") -> Iterator[Call]:
    """The calls below a node, with what is around each."""
    for child in ast.iter_child_nodes(node):
        inner, around = within, holder
        if isinstance(child, ast.FunctionDef | ast.AsyncFunctionDef):
            inner = child.name
        if isinstance(child, ast.ClassDef | ast.FunctionDef | ast.AsyncFunctionDef):
            around = f"{holder}.{child.name}".removeprefix(".")
        if isinstance(child, ast.Call):
            name = _called(child.func)
            if name:
                yield Call(name, Spot(path, child.func.end_lineno or child.lineno), within, holder)
        yield from _calls(child, path, inner, around)


def _called(node: ast.expr) -> str:
    if isinstance(node, ast.Name):
        return node.id
    return node.attr if isinstance(node, ast.Attribute) else ""


def _imported(module: _Module, paths: set[str]) -> Iterator[str]:
    """The files of the repository that a module imports."""
    for node in ast.walk(module.tree):
        if isinstance(node, ast.Import):
            for alias in node.names:
                yield from _files(alias.name, paths)
        elif isinstance(node, ast.ImportFrom):
            base = _base(module.path, node)
            for alias in node.names:
                inner = f"{base}.{alias.name}" if base else alias.name
                deeper = [*_files(inner, paths)]
                yield from deeper or _files(base, paths)


def _base(path: str, node: ast.ImportFrom) -> str:
    """The full name of the module that a `from` names."""
    if not node.level:
        return node.module or ""
    parts = path.removesuffix(".py").split("/")
    package = parts[: len(parts) - node.level]
    return ".".join([*package, *((node.module or "").split(".") if node.module else ())])


def _files(name: str, paths: set[str]) -> Iterator[str]:
    """The file of a module's name, where the repository has it."""
    stem = name.replace(".", "/")
    for path in (f"{stem}.py", f"{stem}/__init__.py"):
        if path in paths:
            yield path
