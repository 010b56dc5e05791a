"""Assertions that cannot fail, found in the text of suites.

Python and pytest warn of them, but only where nobody switched warnings off and only when the
module is compiled: not at the second run.
"""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from pathlib import Path

from pytest_rollout.model.errors import Problem

_FIX = "write assert it, message"
# Tuples and texts that are asserted begin so. Most modules have none, and need no parsing.
_MAYBE = re.compile(rb"""\bassert[\s\\]*(?:\(|[rRuU]?["'])""")


def always_true(path: Path, shown: str) -> Iterator[Problem]:
    """Each assertion of a module about a tuple or a text that is never empty.

    A module that cannot be read or parsed has none: pytest says so itself.
    """
    try:
        source = path.read_bytes()
        if not _MAYBE.search(source):
            return
        tree = ast.parse(source)
    except (OSError, ValueError, SyntaxError, RecursionError):
        return
    for node in ast.walk(tree):
        if isinstance(node, ast.Assert) and _never_false(node.test):
            yield Problem(shown, node.lineno, "this assertion is always true", _FIX)


def _never_false(test: ast.expr) -> bool:
    if isinstance(test, ast.Tuple):
        return bool(test.elts)
    return isinstance(test, ast.Constant) and isinstance(test.value, str) and bool(test.value)
