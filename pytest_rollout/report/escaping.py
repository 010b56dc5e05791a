"""Words as markdown: what they hold is shown, and nothing in them becomes markup."""

from __future__ import annotations

import re

from pytest_rollout.report import text

# What a renderer of comments would turn into a link, a mention or a reference, kept as code.
_LINKING = re.compile(r"://|www\.|@|#\d|GH-\d", re.IGNORECASE)
_PIECE = re.compile(r"[^\s`|\\<>]+|[`|\\]|<(?=[A-Za-z/!?])")
_MARKS = str.maketrans(
    {
        "\\": "&#92;",
        "`": "&#96;",
        "|": "&#124;",
        "<": "&lt;",
        "*": r"\*",
        "[": r"\[",
        "]": r"\]",
        "~": r"\~",
        "$": r"\$",
    }
)
_ENTITY = re.compile(r"&(?=#?\w+;)")
_UNDERSCORE = re.compile(r"(?<![^\W_])_|_(?![^\W_])")  # between letters it marks nothing
_AFTER = (":", ",", ";", ".")
_START = re.compile(r"^(\d{1,9}(?=[.)](?:\s|$))|(?=[-+#>=]))")  # of a list, a heading, a quote


def table(*names: str) -> tuple[str, str]:
    """The head of a table."""
    return row(*names), "|" + " --- |" * len(names)


def row(*cells: str) -> str:
    """A row of a table, of cells that are markdown already."""
    return "| " + " | ".join(cells) + " |"


def item(words: str) -> str:
    """Plain text that begins a line."""
    return _START.sub(r"\1\\", plain(words))


def plain(words: str) -> str:
    """Text that renders as itself: no markup, HTML, link, mention or table cell begins in it."""
    return _PIECE.sub(_piece, text.cut(words, text.SENTENCE))


def _piece(match: re.Match[str]) -> str:
    piece = match[0]
    if _LINKING.search(piece):
        bare = piece.lstrip("(")
        core = bare
        while core.endswith(_AFTER) or (core.endswith(")") and core.count(")") > core.count("(")):
            core = core[:-1]  # of the sentence, or of words in brackets, not of an address
        return f"{piece[: len(piece) - len(bare)]}`{core}`{bare[len(core) :]}"
    piece = _ENTITY.sub("&amp;", piece).translate(_MARKS)
    return _UNDERSCORE.sub(r"\_", piece)


def code(name: str) -> str:
    """An id or a digest, as code where that can hold it."""
    name = text.cut(name, text.NAME)
    return plain(name) if not name or set(name) & set("`|\\<") else f"`{name}`"
