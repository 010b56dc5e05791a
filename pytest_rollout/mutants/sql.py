"""Changes of SQL: constants, comparisons, junctions, order, clauses; places by sqlglot's tokens."""

from __future__ import annotations

import logging
import re
from collections.abc import Iterator, Sequence

from sqlglot import parse, tokenize
from sqlglot.errors import ErrorLevel, SqlglotError
from sqlglot.tokenizer_core import Token

from pytest_rollout.mutants.edits import Edit
from pytest_rollout.mutants.values import numbers

_STATEMENT = re.compile(
    r"\s*(SELECT\s+\S|INSERT\s+(OR\s+\w+\s+)?INTO\b|REPLACE\s+INTO\b|UPDATE\s+\S+\s+SET\b|"
    r"DELETE\s+FROM\b|CREATE\s+((UNIQUE|TEMP|TEMPORARY)\s+)?(TABLE|INDEX|VIEW|TRIGGER)\b|"
    r"WITH\s+(RECURSIVE\s+)?\w+\s*(\([^)]*\)\s*)?AS\s*\()",
    re.IGNORECASE,
)
_SELECTS = re.compile(r"\s*SELECT\s+(.*\bFROM\b|[\d*(?:'-]|\w+\()", re.IGNORECASE | re.DOTALL)
_PART = re.compile(r"\s*(WHERE|AND|OR|ORDER\s+BY|GROUP\s+BY|HAVING|(LEFT\s+)?JOIN|FROM)\s+\w")
_WORDS = {
    **{"AND": ("OR", "SQL and/or"), "OR": ("AND", "SQL and/or")},
    **{"ASC": ("DESC", "SQL order"), "DESC": ("ASC", "SQL order")},
    **{"MIN": ("MAX", "SQL function"), "MAX": ("MIN", "SQL function")},
    **{"SUM": ("AVG", "SQL function"), "AVG": ("SUM", "SQL function")},
}
_SIGNS = {
    **{"=": "<>", "<>": "=", "!=": "=", "==": "<>"},
    **{"<": "<=", "<=": "<", ">": ">=", ">=": ">"},
}
_ARITHMETIC = {"+": "-", "-": "+", "*": "/", "/": "*"}
_DROPPED = ("DISTINCT", "UNIQUE", "LEFT")
_CLAUSES = ("GROUP BY", "ORDER BY", "LIMIT", "HAVING", "RETURNING", "UNION", "EXCEPT", "INTERSECT")
_ENDS = ("WHERE", "ON", *_CLAUSES)


def is_sql(text: str) -> bool:
    """Return whether a text is SQL: a statement, or a part of one in capitals."""
    match = _STATEMENT.match(text)
    if match is None:
        return _PART.match(text) is not None
    word = match[1].split()[0]
    if not (word.isupper() or word.islower()):
        return False  # the beginning of a sentence
    return word.upper() != "SELECT" or _SELECTS.match(text) is not None


def of_sql(text: str) -> Iterator[Edit]:
    """Yield the changes of a text of SQL that leave it readable as SQL, if it was.

    A text that cannot be taken apart gives none.
    """
    try:
        tokens = tokenize(text)
    except SqlglotError:
        return
    readable = _readable(text)
    for edit in _changes(text, tokens):
        if not readable or _readable(edit.of(text)):
            yield edit


def _readable(text: str) -> bool:
    logger = logging.getLogger("sqlglot")
    disabled, logger.disabled = logger.disabled, True  # it warns of what it reads as a whole
    try:
        return any(parse(text, read="sqlite", error_level=ErrorLevel.IMMEDIATE))
    except (SqlglotError, RecursionError):
        return False
    finally:
        logger.disabled = disabled


def _changes(text: str, tokens: Sequence[Token]) -> Iterator[Edit]:
    between = 0
    assigns = False
    for place, token in enumerate(tokens):
        word = text[token.start : token.end + 1]
        upper = _upper(text, tokens, place)
        assigns = upper == "SET" or (assigns and upper not in (";", "WHERE", "RETURNING", "FROM"))
        between += upper == "BETWEEN"
        if upper == "AND" and between:
            between -= 1
            continue
        if word.startswith("'"):
            yield Edit(token.end, token.end, "-other" if len(word) > 2 else "other", "SQL constant")
        elif re.fullmatch(r"\d+(\.\d+)?", word):
            for replacement in numbers(word):
                yield Edit(token.start, token.end + 1, replacement, "SQL number")
        elif upper in _SIGNS and not (upper == "=" and assigns and _assigned(text, tokens, place)):
            yield Edit(token.start, token.end + 1, _SIGNS[upper], "SQL comparison")
        else:
            yield from _word(text, tokens, place, upper)


def _word(text: str, tokens: Sequence[Token], place: int, upper: str) -> Iterator[Edit]:
    """The changes of a keyword, a function or an operator."""
    token = tokens[place]
    before = _upper(text, tokens, place - 1)
    after = _upper(text, tokens, place + 1)
    start, end = token.start, token.end + 1
    called = upper in ("MIN", "MAX", "SUM", "AVG")
    if upper in _WORDS and (not called or after == "(") and before not in ("INSERT", "REPLACE"):
        opposite, operator = _WORDS[upper]
        yield Edit(start, end, opposite if text[start].isupper() else opposite.lower(), operator)
    elif upper in ("WHERE", "HAVING"):
        yield Edit(start, _end_of_clause(text, tokens, place), "", f"SQL {upper} dropped")
    elif upper == "ORDER BY":
        last = _end_of_clause(text, tokens, place)
        if not re.search(r"\b(ASC|DESC)\s*$", text[:last], re.IGNORECASE):
            yield Edit(last, last, " DESC", "SQL order")
    elif upper in _DROPPED or (upper == "NOT" and before != "IF"):
        yield Edit(start, tokens[place + 1].start if after else end, "", f"SQL {upper} dropped")
    elif upper == "IS" and after == "NULL":
        yield Edit(end, end, " NOT", "SQL NULL")
    elif upper in _ARITHMETIC and _operand(before) and _operand(after):
        yield Edit(start, end, _ARITHMETIC[upper], "SQL arithmetic")


def _assigned(text: str, tokens: Sequence[Token], place: int) -> bool:
    """Whether a `=` behind SET gives a column its value, and compares nothing."""
    return _upper(text, tokens, place - 2) in ("SET", ",") or "." in _upper(text, tokens, place - 2)


def _upper(text: str, tokens: Sequence[Token], place: int) -> str:
    """The token of a place as it is written, in capitals; "" outside of the text."""
    if not 0 <= place < len(tokens):
        return ""
    return " ".join(text[tokens[place].start : tokens[place].end + 1].upper().split())


def _operand(word: str) -> bool:
    return bool(re.fullmatch(r"[\w.]+|[)(?:]|'.*'", word)) and word not in ("SELECT", "DISTINCT")


def _end_of_clause(text: str, tokens: Sequence[Token], place: int) -> int:
    """Where the clause ends that begins with a token: behind its last character."""
    depth = 0
    for following in range(place + 1, len(tokens)):
        word = _upper(text, tokens, following)
        if word == ";" or (depth == 0 and (word == ")" or word in _ENDS)):
            return tokens[following - 1].end + 1
        depth += {"(": 1, ")": -1}.get(word, 0)
    return tokens[-1].end + 1
