"""A report of titles, facts and tables, as markdown and as HTML: one view of both."""

from __future__ import annotations

from collections.abc import Iterator

from pytest_rollout.late_dataclass import dataclass
from pytest_rollout.model.verdict import Answer
from pytest_rollout.report import escaping, text

Row = tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Block:
    """A part of a report: a table below its head, or, without one, facts by name."""

    title: str
    rows: tuple[Row, ...]
    head: Row = ()


@dataclass(frozen=True, slots=True)
class Document:
    """A report: its title, what it says first, and its parts."""

    title: str
    facts: tuple[Row, ...]
    blocks: tuple[Block, ...]
    answer: Answer | None = None  # of the gate that it is about
    qualified: str = ""  # what belongs to the answer in the same breath


def to_markdown(document: Document) -> str:
    """The report as markdown."""
    return "\n".join(_markdown(document)) + "\n"


def _markdown(document: Document) -> Iterator[str]:
    yield f"# {escaping.plain(document.title)}"
    if document.answer is not None:
        qualified = f" {escaping.plain(document.qualified)}" if document.qualified else ""
        yield from ("", f"**{document.answer.value}**{qualified}")
    yield from ("", *(_fact(row) for row in document.facts))
    for block in document.blocks:
        yield from ("", f"## {escaping.plain(block.title)}", "")
        if block.head:
            yield from escaping.table(*map(escaping.plain, block.head))
            yield from (escaping.row(*map(escaping.plain, row)) for row in block.rows)
        else:
            yield from (_fact(row) for row in block.rows)


def _fact(row: Row) -> str:
    return f"- {escaping.item(row[0])}: {escaping.plain(' '.join(row[1:]))}"


def to_html(document: Document) -> str:
    """The report as one HTML page that stands alone."""
    from pytest_rollout.report.html import ANSWER_TONES, page  # a template engine

    template, style, policy = page("document.html.j2")
    tone = ANSWER_TONES[document.answer] if document.answer else "none"
    return template.render(document=document, tone=tone, style=style, policy=policy, text=text)
