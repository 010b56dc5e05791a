"""docs/reference/troubleshooting.md: each message is one that the code says."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
PAGE = ROOT / "docs/reference/troubleshooting.md"
MESSAGES = re.findall(r"^\| `(.+?)` \| ", PAGE.read_text("utf-8"), re.MULTILINE)


def parts(node: ast.AST) -> str:
    """Return the text of an expression, with `…` for what it fills in."""
    if isinstance(node, ast.Constant) and isinstance(node.value, str):
        return node.value
    if isinstance(node, ast.JoinedStr):
        return "".join(map(parts, node.values))
    return "…"


def texts() -> Iterator[str]:
    """Yield every text of the product."""
    for path in sorted((ROOT / "pytest_rollout").rglob("*.py")):
        for node in ast.walk(ast.parse(path.read_text("utf-8"))):
            if isinstance(node, ast.Constant | ast.JoinedStr):
                yield parts(node).replace("`", "")


SAID = "\n".join(texts())


def told(message: str) -> re.Pattern[str]:
    """Return what a message of the page looks like in the code."""
    return re.compile(".*".join(re.escape(part.strip(" ")) for part in message.split("…")))


@pytest.mark.parametrize("message", MESSAGES)
def test_a_message_of_the_page_is_said_by_the_code(message: str) -> None:
    assert told(message).search(SAID)


def test_a_message_that_nobody_says_would_be_noticed() -> None:
    assert len(MESSAGES) > 20
    assert not told("there is no ledgre at …").search(SAID)


GENERATORS = ("plan/spec/__main__.py", "plan/spec/reference.py")  # of a page
OF_THE_REPOSITORY = re.compile(r"\b(docs|how-to|tests/(setup|run)|[A-Z]{6,}\.md)\b/?")


def in_the_repository_alone(source: str) -> list[str]:
    """Return the texts of a module, but for docstrings, that name files which a wheel lacks."""
    tree = ast.parse(source)
    described = {node.value for node in ast.walk(tree) if isinstance(node, ast.Expr)}
    said = (node for node in ast.walk(tree) if isinstance(node, ast.Constant | ast.JoinedStr))
    texts = (parts(node) for node in said if node not in described)
    return [text for text in texts if OF_THE_REPOSITORY.search(text)]


def test_no_message_names_a_file_that_a_wheel_lacks() -> None:
    package = ROOT / "pytest_rollout"
    for path in sorted(package.rglob("*.py")):
        if path.relative_to(package).as_posix() not in GENERATORS:
            assert in_the_repository_alone(path.read_text("utf-8")) == [], path
    assert in_the_repository_alone('"""docs/."""\nsay(f"{x}: see docs/how-to/ci.md")\n')
