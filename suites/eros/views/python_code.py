"""What a module of Python says of itself, without a run of it."""

from __future__ import annotations

import ast
import builtins
from collections.abc import Iterator


def unknown_names(text: str) -> list[str]:
    """The names that a module reads as it is loaded, and that nothing in it is called.

    Raises SyntaxError where it is no Python.
    """
    tree = ast.parse(text)
    nodes = list(ast.walk(tree))
    imports = [name for node in nodes for name in _imported(node)]
    if "*" in imports:
        return []
    bound = {*dir(builtins), "__file__", *imports}
    bound |= {node.id for node in nodes if isinstance(node, ast.Name) and not _reads(node)}
    bound |= {node.arg for node in nodes if isinstance(node, ast.arg)}
    bound |= {name for node in nodes if isinstance(name := getattr(node, "name", None), str)}
    read = {node.id for node in _loaded(tree) if isinstance(node, ast.Name) and _reads(node)}
    return sorted(read - bound)


def _reads(name: ast.Name) -> bool:
    return isinstance(name.ctx, ast.Load)


def _imported(node: ast.AST) -> Iterator[str]:
    if isinstance(node, ast.Import | ast.ImportFrom):
        for alias in node.names:
            yield alias.asname or alias.name.partition(".")[0]


def _loaded(node: ast.AST) -> Iterator[ast.AST]:
    """What runs while a module is loaded: all but the bodies of its functions."""
    yield node
    body = node.body if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef) else []
    if isinstance(node, ast.Lambda):
        return
    for child in ast.iter_child_nodes(node):
        if child not in body:
            yield from _loaded(child)
