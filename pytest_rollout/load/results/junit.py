"""Plain JUnit: test cases with what became of them, in any of the shapes that runners write.

A case that was skipped, disabled or not run was not seen: it is missing, never passed.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from datetime import datetime

from pytest_rollout.load.results.figures import (
    FIRST_US,
    LAST_US,
    SECOND,
    Figures,
    Outcome,
    UnreadableError,
)
from pytest_rollout.load.results.xml_events import Element, elements

FORMAT = "JUnit"
MOST_CASES = 100_000
_MOST_NAME = 500
_VERDICTS = {
    "failure": "fail", "error": "error", "skipped": "missing",
    "rerunFailure": "fail", "rerunError": "error",
    "flakyFailure": "fail", "flakyError": "error",
}  # fmt: skip
_BEFORE = ("rerunFailure", "rerunError", "flakyFailure", "flakyError")  # earlier or other attempts
_NOT_RUN = {"notrun", "disabled", "skipped", "suppressed", "ignored", "pending", "inconclusive"}
_FAILED = {"failed", "failure", "fail", "error", "timeout"}
_SUITES = ("testsuite", "testsuites")
_COUNTS = {"tests": "test cases", "failures": "failures", "errors": "errors"}
_WORST = ("fail", "error", "missing", "pass")
_NO_OFFSET = "its timestamps have no offset, so they name no instant"


@dataclass(slots=True)
class _Suites:
    """What the suites of a file come to."""

    cases: list[Outcome] = field(default_factory=list)
    doubts: list[str] = field(default_factory=list)
    times: list[tuple[int, int]] = field(default_factory=list)  # begin and end
    without_offset: bool = False
    roots: int = 0


def read(content: bytes) -> Figures:
    """Return the cases of a file; raises UnreadableError."""
    found = _Suites()
    inside: list[Element] = []
    for event, element in elements(content):
        if event == "start":
            if element.depth == 1:
                found.roots += element.tag in _SUITES
            inside.append(element)
            continue
        inside.pop()
        parent = inside[-1] if inside else None
        if element.tag in _VERDICTS and parent is not None:
            parent.notes.append((element.tag, _why(element)))
            if parent.tag in _SUITES:
                found.doubts.append(f"suite {_named(parent)}: {element.tag}: {_why(element)}")
        elif element.tag == "testcase":
            _case(found, element, inside)
        elif element.tag in _SUITES:
            _suite(found, element)
    if not found.roots:
        raise UnreadableError("it is no JUnit file: its root is no testsuite or testsuites")
    doubts = tuple(dict.fromkeys(found.doubts))
    none = () if found.cases else ("it holds no test case",)
    known = bool(found.times) and not found.without_offset
    return Figures(
        format=FORMAT,
        started_us=min(begin for begin, _ in found.times) if known else None,
        ended_us=max(end for _, end in found.times) if known else None,
        cases=tuple(found.cases),
        doubts=(*none, *doubts),
        unsaid=(_NO_OFFSET,) if found.without_offset else (),
    )


def _case(found: _Suites, element: Element, inside: list[Element]) -> None:
    suite = next((one for one in reversed(inside) if one.tag == "testsuite"), None)
    class_ = element.attributes.get("classname") or (_named(suite) if suite else "")
    name = element.attributes.get("name", "")
    if not name.strip():
        raise UnreadableError("a test case has no name", line=element.line)
    full = f"{class_}.{name}" if class_ else name
    if len(full) > _MOST_NAME:
        what = f"the name of a test case is longer than {_MOST_NAME} characters"
        raise UnreadableError(what, line=element.line)
    attempts = tuple(_attempts(element))
    found.cases.append(Outcome(full, attempts))
    if len(found.cases) > MOST_CASES:
        raise UnreadableError(f"more than {MOST_CASES} test cases", "bring them in parts")
    for one in inside:
        if one.tag in _SUITES:
            one.children += 1
            one.notes.append(attempts[-1][0])


def _attempts(element: Element) -> Iterator[tuple[str, str]]:
    """Each attempt of a case; the last one is what became of it."""
    told = {element.attributes.get(name, "").lower() for name in ("status", "result")}
    notes = [note for note in element.notes if isinstance(note, tuple)]
    yield from ((_VERDICTS[tag], why) for tag, why in notes if tag in _BEFORE)
    final = [(_VERDICTS[tag], why) for tag, why in notes if tag not in _BEFORE]
    if any(tag.startswith("rerun") for tag, _ in notes) and not final:
        final.append(("fail", "it was run again, and does not say what became of it"))
    if told & _FAILED and not any(verdict in ("fail", "error") for verdict, _ in final):
        final.append(("fail", f"its status says {', '.join(sorted(told & _FAILED))}"))
    if told & _NOT_RUN and not final:
        final.append(("missing", f"not run: {', '.join(sorted(told & _NOT_RUN))}"))
    yield min(final, key=lambda one: _WORST.index(one[0]), default=("pass", ""))


def _suite(found: _Suites, element: Element) -> None:
    """Compare what a suite says of itself with what it holds, and note when it ran."""
    held = [note for note in element.notes if isinstance(note, str)]
    counted = {
        "tests": len(held),
        "failures": held.count("fail"),
        "errors": held.count("error"),
    }
    bad_said = bad_held = 0
    for name, words in _COUNTS.items():
        stated = element.attributes.get(name)
        if stated is None:
            continue
        if not (stated.isascii() and stated.isdigit() and len(stated) < 10):
            found.doubts.append(f"suite {_named(element)}: {name} is {stated:.20}, no count")
            continue
        if name != "tests":
            bad_said, bad_held = bad_said + int(stated), bad_held + counted[name]
        elif int(stated) > counted[name]:
            what = f"says {stated} {words} and holds {counted[name]}"
            found.doubts.append(f"suite {_named(element)} {what}")
    if bad_said > bad_held:
        what = f"says {bad_said} failures and errors and shows {bad_held}"
        found.doubts.append(f"suite {_named(element)} {what}")
    _when(found, element.attributes)


def _when(found: _Suites, attributes: Mapping[str, str]) -> None:
    stamp = attributes.get("timestamp")
    if not stamp:
        return
    try:
        moment = datetime.fromisoformat(stamp)
    except ValueError:
        found.without_offset = True
        return
    if moment.tzinfo is None:
        found.without_offset = True
        return
    begin = round(moment.timestamp() * SECOND)
    try:
        took = max(0.0, float(attributes.get("time", "0").replace(",", "")))
        end = begin + round(min(took, 1e9) * SECOND)
    except (ValueError, OverflowError):
        end = begin
    if not (FIRST_US <= begin <= end <= LAST_US):
        found.doubts.append(f"its timestamp {stamp:.40} is no time of a test")
        return
    found.times.append((begin, end))


def _why(element: Element) -> str:
    message = element.attributes.get("message", "").strip() or element.text.strip()
    first = message.splitlines()[0] if message else element.attributes.get("type", "")
    return first[:300] or element.tag


def _named(element: Element) -> str:
    return element.attributes.get("name", "")[:100] or "without a name"
