"""Divisions in SQL that may drop their fraction: where both sides are whole, 1/2 is 0."""

from __future__ import annotations

import re
from collections.abc import Sequence

_TOKEN = re.compile(
    r"""(?P<skip>\s+|--[^\n]*|/\*.*?(?:\*/|\Z))
    |(?P<text>'(?:[^']|'')*'?)
    |(?P<name>"(?:[^"]|"")*"?|`[^`]*`?|\[[^\]]*\]?|[^\W\d]\w*)
    |(?P<real>\d+\.\d*(?:[eE][-+]?\d+)?|\.\d+(?:[eE][-+]?\d+)?|\d+[eE][-+]?\d+)
    |(?P<whole>\w+)
    |(?P<sign>.)""",
    re.VERBOSE | re.DOTALL,
)
_REAL_FUNCTIONS = {"avg", "julianday", "total", "exp", "ln", "log", "pow", "power", "sqrt"}
_REAL_TYPES = {"real", "float", "double", "numeric", "decimal"}
_TIGHT = {"*", "/", "%"}
_WORDS_BETWEEN = {
    "select",
    "distinct",
    "where",
    "and",
    "or",
    "not",
    "then",
    "else",
    "when",
    "by",
    "having",
    "on",
    "as",
    "from",
    "in",
    "between",
    "like",
}


def whole_divisions(statement: str) -> list[str]:
    """Each division of a statement in which nothing makes either side a real number."""
    tokens = [
        (str(match.lastgroup), match[0])
        for match in _TOKEN.finditer(statement)
        if match.lastgroup != "skip"
    ]
    divisions = []
    for place, token in enumerate(tokens):
        if token == ("sign", "/"):
            left = tokens[_chain(tokens, place) : place]
            right = tokens[place + 1 : _operand(tokens, place + 1)]
            if not (_is_real(left) or _is_real(right)):
                divisions.append(_joined([*left, token, *right]))
    return divisions


def _chain(tokens: Sequence[tuple[str, str]], end: int) -> int:
    """Where the product that ends at a place begins: its factors are taken from the left."""
    start = end
    depth = 0
    for place in range(end - 1, -1, -1):
        kind, text = tokens[place]
        if kind == "sign" and text == ")":
            depth += 1
        elif kind == "sign" and text == "(":
            if depth == 0:
                break
            depth -= 1
        elif depth == 0 and _parts(kind, text):
            break
        start = place
    return start


def _parts(kind: str, text: str) -> bool:
    """Whether a token stands between products rather than within one."""
    if kind == "sign":
        return text not in _TIGHT and text != "."
    return kind == "name" and text.lower() in _WORDS_BETWEEN


def _operand(tokens: Sequence[tuple[str, str]], start: int) -> int:
    """Where the one factor that begins at a place ends."""
    depth = 0
    for place in range(start, len(tokens)):
        kind, text = tokens[place]
        if kind == "sign" and text == "(":
            depth += 1
        elif kind == "sign" and text == ")":
            depth -= 1
        if depth < 0:
            return place
        after = tokens[place + 1] if place + 1 < len(tokens) else ("sign", ";")
        if depth == 0 and text not in "+-." and after not in (("sign", "("), ("sign", ".")):
            return place + 1
    return len(tokens)


def _is_real(tokens: Sequence[tuple[str, str]]) -> bool:
    """Whether a factor of a product is a real number by what is written."""
    depth = 0
    for place, (kind, text) in enumerate(tokens):
        if kind == "sign":
            depth += {"(": 1, ")": -1}.get(text, 0)
        elif (kind == "real" and _counts(tokens, place, depth)) or (
            kind == "name" and _makes_real(tokens, place)
        ):
            return True
    return False


def _makes_real(tokens: Sequence[tuple[str, str]], place: int) -> bool:
    """Whether a word is a function with a real result, or the type of a cast to one."""
    word = tokens[place][1].lower()
    called = tokens[place + 1 : place + 2] == [("sign", "(")]
    cast = place > 0 and tokens[place - 1][1].lower() == "as"
    return (called and word in _REAL_FUNCTIONS) or (cast and word in _REAL_TYPES)


def _counts(tokens: Sequence[tuple[str, str]], place: int, depth: int) -> bool:
    """Whether a real literal makes its product real: not where it is only compared with."""
    around = [
        text for _, text in (*tokens[max(place - 1, 0) : place], *tokens[place + 1 : place + 2])
    ]
    return depth == 0 or not any(text in "<>=!" for text in around)


def _joined(tokens: Sequence[tuple[str, str]]) -> str:
    shown, before, named = "", "", False
    for kind, text in tokens:
        close = not shown or text in ").," or before in ("(", ".") or (text == "(" and named)
        shown += text if close else f" {text}"
        before, named = text, kind == "name"
    return shown if len(shown) <= 80 else f"{shown[:77]}..."
