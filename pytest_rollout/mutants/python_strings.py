"""Changes of texts in Python code that hold SQL, units, scripts, times or schedules."""

from __future__ import annotations

import re
from collections.abc import Iterator

from pytest_rollout.mutants import shell, sql, unit_files, values
from pytest_rollout.mutants.edits import Edit

_OPENING = re.compile(r"([A-Za-z]{0,2})('''|\"\"\"|'|\")")
_UNIT = re.compile(r"^\[(Unit|Service|Timer|Path|Socket|Install)\]$", re.MULTILINE)
_SCRIPT = re.compile(r"#!\s*\S*?(?:/env\s+)?(?:ba|da|z|k)?sh\b")
_ESCAPE = re.compile(r"\\(.|\n)", re.DOTALL)
_EXPRESSION = re.compile(r"\{[^{}]*\}")


def of_text(text: str, start: int, end: int) -> list[Edit] | None:
    """The changes of a text as data, ``text[start:end]`` of a module being its literals.

    None where it holds nothing that is known, and is to be changed as any text.
    """
    shadow = "".join(_shadow(text[start:end]))
    if len(shadow) != end - start:
        return None  # a literal that is spelled in a way that is not understood
    edits = list(_of_content(shadow))
    if not edits:
        return None
    kept = [edit for edit in edits if _is_content(text[start:end], shadow, edit)]
    return [edit.moved(start) for edit in kept]


def _of_content(shadow: str) -> Iterator[Edit]:
    content = shadow.strip()
    by = shadow.find(content)
    if sql.is_sql(content):
        edits = sql.of_sql(content)
    elif _UNIT.search(content):
        edits = unit_files.of_unit(content)
    elif _SCRIPT.match(content):
        edits = shell.of_shell(content)
    elif values.is_data(content):
        edits = values.of_value(content, name="")
    else:
        return
    yield from (edit.moved(by) for edit in edits)


def _is_content(text: str, shadow: str, edit: Edit) -> bool:
    """Whether what is changed stands in the text as it does in its shadow."""
    return (
        text[edit.start : edit.end] == shadow[edit.start : edit.end]
        and "\\" not in text[max(0, edit.start - 1) : edit.end]
    )


def _shadow(literal: str) -> Iterator[str]:
    """Yield a literal's content at its place, with spaces for what is quote, prefix or between.

    What an f-string fills in is a name of the same length, an escape is spaces.
    """
    at = 0
    formatted = False
    while at < len(literal):
        opening = _OPENING.match(literal, at)
        if opening is None:
            yield "\n" if literal[at] == "\n" else " "
            at += 1
            continue
        prefix, quote = opening[1].lower(), opening[2]
        formatted = "f" in prefix
        end = _closing(literal, opening.end(), quote)
        if end is None:
            return
        content = literal[opening.end() : end]
        if formatted:
            content = _EXPRESSION.sub(lambda match: "x" * len(match[0]), content)
        if "r" not in prefix:
            content = _ESCAPE.sub("  ", content)
        yield f"{' ' * len(opening[0])}{content}{' ' * len(quote)}"
        at = end + len(quote)


def _closing(literal: str, start: int, quote: str) -> int | None:
    """Where the quote stands that ends a literal."""
    at = start
    while at < len(literal):
        if literal[at] == "\\":
            at += 2
        elif literal.startswith(quote, at):
            return at
        else:
            at += 1
    return None
