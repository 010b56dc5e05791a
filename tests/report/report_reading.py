"""Reading reports back: HTML as a strict tree, markdown tables as cells."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from html.parser import HTMLParser

from pytest_rollout.model.decision import Decision
from pytest_rollout.report.html import to_html

_VOID = {"meta", "br", "hr", "img", "input", "link"}


@dataclass
class Node:
    """An element with its attributes and everything inside it."""

    tag: str
    attributes: dict[str, str | None]
    inside: list[Node | str] = field(default_factory=list)

    def all(self, tag: str = "", **attributes: str) -> list[Node]:
        """The elements of a tag with such attributes, in document order; ``class_`` is one word."""
        found = []
        for node in self.inside:
            if isinstance(node, Node):
                if (not tag or node.tag == tag) and node.has(**attributes):
                    found.append(node)
                found += node.all(tag, **attributes)
        return found

    def has(self, **attributes: str) -> bool:
        """Whether the element carries these attributes."""
        return all(
            value in (self.attributes.get(name.rstrip("_")) or "").split()
            for name, value in attributes.items()
        )

    def one(self, tag: str = "", **attributes: str) -> Node:
        """The only such element."""
        (node,) = self.all(tag, **attributes)
        return node

    @property
    def text(self) -> str:
        """The words in it, with single spaces; the style sheet is none."""
        return " ".join(self._words().split())

    def _words(self) -> str:
        if self.tag == "style":
            return ""
        return "".join(
            node if isinstance(node, str) else f" {node._words()} " for node in self.inside
        )


class _Reader(HTMLParser):
    def __init__(self) -> None:
        super().__init__(convert_charrefs=True)
        self.open = [Node("", {})]

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        node = Node(tag, dict(attrs))
        self.open[-1].inside.append(node)
        if tag not in _VOID:
            self.open.append(node)

    def handle_endtag(self, tag: str) -> None:
        assert self.open[-1].tag == tag, f"</{tag}> closes <{self.open[-1].tag}>"
        self.open.pop()

    def handle_data(self, data: str) -> None:
        self.open[-1].inside.append(data)


def page(html: str) -> Node:
    """The tree of a page; fails where a tag is closed by another's end."""
    reader = _Reader()
    reader.feed(html)
    reader.close()
    assert len(reader.open) == 1, f"<{reader.open[-1].tag}> is never closed"
    return reader.open[0]


def read(decision: Decision) -> Node:
    """The tree of a decision's page."""
    return page(to_html(decision))


def tables(markdown: str) -> list[list[list[str]]]:
    """Each table as rows of cells; the second row of each is its rule."""
    found: list[list[list[str]]] = [[]]
    for line in markdown.splitlines():
        if line.startswith("|"):
            cells = re.split(r"(?<!\\)\|", line)
            assert cells[0] == cells[-1] == "", line
            found[-1].append([cell.strip() for cell in cells[1:-1]])
        elif found[-1]:
            found.append([])
    return [table for table in found if table]
