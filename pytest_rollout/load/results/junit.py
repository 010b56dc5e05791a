"""Plain JUnit: test cases with what became of them, in any of the shapes that runners write.

A case that was skipped, disabled or not run was not seen: it is missing, never passed.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import field
from datetime import UTC, datetime

from pytest_rollout.late_dataclass import dataclass
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
_SPELLED = {tag.lower(): tag for tag in _VERDICTS}
_BEFORE = ("rerunFailure", "rerunError", "flakyFailure", "flakyError")  # earlier or other attempts
_NOT_RUN = {"notrun", "disabled", "skipped", "suppressed", "ignored", "pending", "inconclusive"}
_FAILED = {"failed", "failure", "fail", "error", "errored", "timeout", "broken", "crashed"}
_FAILED |= {"regression"}
_PASSED = {"passed", "pass", "success", "successful", "succeeded", "ok", "fixed"}
_RAN = {"", "run", "ran", "executed", "completed", "complete", "done", "finished"}
_YES = {"", "true", "yes", "1"}
_SUITES = ("testsuite", "testsuites")
_TOLD_OF = ("testcase", *_SUITES)
_BAD = {"failures": "fail", "errors": "error"}
_LEFT_OUT = ("skipped", "disabled")
_WORST = ("fail", "error", "missing", "pass")
_NO_OFFSET = "its timestamps have no offset, so they name no instant"


@dataclass(slots=True)
class _Suites:
    """What the suites of a file come to."""

    cases: list[Outcome] = field(default_factory=list)
    doubts: list[str] = field(default_factory=list)
    times: list[tuple[int, int]] = field(default_factory=list)  # begin and end
    local: list[tuple[int, int]] = field(default_factory=list)  # those of no zone, as if of UTC
    without_offset: bool = False
    roots: int = 0


def read(content: bytes) -> Figures:
    """Return the cases of a file; raises UnreadableError."""
    suites = _Suites()
    inside: list[Element] = []
    for event, element in elements(content):
        if event == "start":
            if element.depth == 1:
                suites.roots += element.tag in _SUITES
            inside.append(element)
            continue
        inside.pop()
        tag = _SPELLED.get(element.tag.lower(), element.tag)
        holder = next((outer for outer in reversed(inside) if outer.tag in _TOLD_OF), None)
        if tag in _VERDICTS and holder is not None:
            holder.notes.append((tag, _why(element)))
            if holder.tag in _SUITES:
                suites.doubts.append(f"suite {_named(holder)}: {tag}: {_why(element)}")
        elif element.tag == "testcase":
            _case(suites, element, inside)
        elif element.tag in _SUITES:
            _suite(suites, element)
    if not suites.roots:
        raise UnreadableError("it is no JUnit file: its root is no testsuite or testsuites")
    doubts = tuple(dict.fromkeys(suites.doubts))
    none = () if suites.cases else ("it holds no test case",)
    known = bool(suites.times) and not suites.without_offset
    about = [] if known else suites.times + suites.local
    return Figures(
        format=FORMAT,
        started_us=min(begin for begin, _ in suites.times) if known else None,
        ended_us=max(end for _, end in suites.times) if known else None,
        about_us=(min(about)[0], max(end for _, end in about)) if about else None,
        cases=tuple(suites.cases),
        doubts=(*none, *doubts),
        unsaid=(_NO_OFFSET,) if suites.without_offset else (),
    )


def _case(suites: _Suites, element: Element, inside: list[Element]) -> None:
    suite = next((outer for outer in reversed(inside) if outer.tag == "testsuite"), None)
    class_ = element.attributes.get("classname") or (_named(suite) if suite else "")
    name = element.attributes.get("name", "")
    if not name.strip():
        raise UnreadableError("a test case has no name", line=element.line)
    full = f"{class_}.{name}" if class_ else name
    if len(full) > _MOST_NAME:
        what = f"the name of a test case is longer than {_MOST_NAME} characters"
        raise UnreadableError(what, line=element.line)
    attempts = tuple(_attempts(element))
    suites.cases.append(Outcome(full, attempts))
    if len(suites.cases) > MOST_CASES:
        raise UnreadableError(f"more than {MOST_CASES} test cases", "bring them in parts")
    for holder in inside:
        if holder.tag in _SUITES:
            holder.children += 1
            holder.notes.append(attempts[-1][0])


def _attempts(element: Element) -> Iterator[tuple[str, str]]:
    """Each attempt of a case; the last one is what became of it."""
    words = (element.attributes.get(name, "") for name in ("status", "result"))
    states = {word.strip().lower() for word in words}
    notes = [note for note in element.notes if isinstance(note, tuple)]
    yield from ((_VERDICTS[tag], why) for tag, why in notes if tag in _BEFORE)
    final = [(_VERDICTS[tag], why) for tag, why in notes if tag not in _BEFORE]
    if any(tag.startswith("rerun") for tag, _ in notes) and not final:
        final.append(("fail", "it was run again, and does not say what became of it"))
    if states & _FAILED and not any(verdict in ("fail", "error") for verdict, _ in final):
        final.append(("fail", f"its status says {', '.join(sorted(states & _FAILED))}"))
    if states & _NOT_RUN and not final:
        final.append(("missing", f"not run: {', '.join(sorted(states & _NOT_RUN))}"))
    unknown = states - _PASSED - _RAN - _NOT_RUN - _FAILED
    if unknown and not final:
        final.append(("missing", f"its status is no pass: {', '.join(sorted(unknown))[:100]}"))
    if element.attributes.get("executed", "").strip().lower() not in _YES and not final:
        final.append(("missing", "not run: it says that it was not executed"))
    yield min(final, key=lambda attempt: _WORST.index(attempt[0]), default=("pass", ""))


def _suite(suites: _Suites, element: Element) -> None:
    """Compare what a suite says of itself with what it holds, and note when it ran."""
    held = [note for note in element.notes if isinstance(note, str)]
    stated = _stated(suites, element)
    if stated.get("tests", 0) > len(held):
        what = f"says {stated['tests']} test cases and holds {len(held)}"
        suites.doubts.append(f"suite {_named(element)} {what}")
    bad = [verdict for name, verdict in _BAD.items() if name in stated]
    claims = (
        ("failures and errors", _BAD, sum(held.count(verdict) for verdict in bad)),
        ("cases that did not run", _LEFT_OUT, held.count("missing")),
    )
    for words, names, shown in claims:
        claimed = sum(stated.get(name, 0) for name in names)
        if claimed > shown:
            suites.doubts.append(
                f"suite {_named(element)} says {claimed} {words} and shows {shown}"
            )
    _when(suites, element.attributes)


def _stated(suites: _Suites, element: Element) -> Mapping[str, int]:
    """The counts that a suite states; what is no count is a doubt."""
    counts = {}
    for name in ("tests", *_BAD, *_LEFT_OUT):
        stated = element.attributes.get(name)
        if stated is None or (name in _LEFT_OUT and not stated.strip()):
            continue
        if stated.isascii() and stated.isdigit() and len(stated) < 10:
            counts[name] = int(stated)
        else:
            suites.doubts.append(f"suite {_named(element)}: {name} is {stated:.20}, no count")
    return counts


def _when(suites: _Suites, attributes: Mapping[str, str]) -> None:
    stamp = attributes.get("timestamp")
    if not stamp:
        return
    try:
        moment = datetime.fromisoformat(stamp)
    except ValueError:
        suites.without_offset = True
        return
    times = suites.times
    if moment.tzinfo is None:
        suites.without_offset = True
        moment, times = moment.replace(tzinfo=UTC), suites.local
    begin = round(moment.timestamp() * SECOND)
    try:
        took = max(0.0, float(attributes.get("time", "0").replace(",", "")))
        end = begin + round(min(took, 1e9) * SECOND)
    except (ValueError, OverflowError):
        end = begin
    if not (FIRST_US <= begin <= end <= LAST_US):
        suites.doubts.append(f"its timestamp {stamp:.40} is no time of a test")
        return
    times.append((begin, end))


def _why(element: Element) -> str:
    message = element.attributes.get("message", "").strip() or element.text.strip()
    first = message.splitlines()[0] if message else element.attributes.get("type", "")
    return first[:300] or element.tag


def _named(element: Element) -> str:
    return element.attributes.get("name", "")[:100] or "without a name"
