"""XML of strangers, element by element: no DTD, no entity, no depth without end."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import field
from typing import Any
from xml.parsers import expat

from pytest_rollout.late_dataclass import dataclass
from pytest_rollout.load.results.figures import UnreadableError

MOST_DEPTH = 100
MOST_TEXT = 2_000  # characters of an element that are kept
_CHUNK = 1 << 16


@dataclass(slots=True, eq=False)
class Element:
    """An element while it is read; its text is cut."""

    tag: str
    attributes: dict[str, str]
    depth: int
    line: int
    text: str = ""
    children: int = 0  # what its reader counts
    notes: list[Any] = field(default_factory=list)  # what its reader keeps


def elements(content: bytes) -> Iterator[tuple[str, Element]]:
    """Yield ``start`` and ``end`` of each element in order; raises UnreadableError."""
    parser = expat.ParserCreate()
    queue: list[tuple[str, Element]] = []
    open_: list[Element] = []

    def started(tag: str, attributes: dict[str, str]) -> None:
        if len(open_) >= MOST_DEPTH:
            raise UnreadableError("its XML is nested too deep", line=parser.CurrentLineNumber)
        plain = tag.rpartition(":")[2]
        element = Element(plain, attributes, len(open_) + 1, parser.CurrentLineNumber)
        open_.append(element)
        queue.append(("start", element))

    def ended(_: str) -> None:
        queue.append(("end", open_.pop()))

    def said(text: str) -> None:
        if open_ and len(open_[-1].text) < MOST_TEXT:
            open_[-1].text += text[:MOST_TEXT]

    def refused(*_: Any) -> None:
        what = "it declares a document type, and files with entities are not read"
        raise UnreadableError(what, "leave out <!DOCTYPE …>", parser.CurrentLineNumber)

    parser.buffer_text = True
    parser.StartElementHandler, parser.EndElementHandler = started, ended
    parser.CharacterDataHandler, parser.StartDoctypeDeclHandler = said, refused
    parser.EntityDeclHandler = refused
    for at in range(0, max(len(content), 1), _CHUNK):
        last = at + _CHUNK >= len(content)
        _fed(parser, content[at : at + _CHUNK], last=last)
        yield from queue
        queue.clear()


def _fed(parser: Any, chunk: bytes, *, last: bool) -> None:
    try:
        parser.Parse(chunk, last)
    except expat.ExpatError as error:
        what = f"it is no XML: {expat.errors.messages.get(error.code, 'it cannot be read')}"
        raise UnreadableError(what, "was it cut off?", error.lineno) from None
    except (LookupError, ValueError) as error:  # an encoding that is not known here
        raise UnreadableError(f"it is no XML: {error}") from None
