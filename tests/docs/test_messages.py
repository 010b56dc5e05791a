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
