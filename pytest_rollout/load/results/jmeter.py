"""JMeter's results (JTL), as CSV with a header and as XML."""

from __future__ import annotations

import csv
import io
import re
from collections.abc import Iterator, Sequence
from typing import Any

from pytest_rollout.load.results.figures import CUT_OFF, Figures, Tally, UnreadableError, twice
from pytest_rollout.load.results.xml_events import Element, elements

CSV, XML = "JMeter JTL (CSV)", "JMeter JTL (XML)"
_NEEDED = ("timeStamp", "elapsed", "label", "success")
_MILLISECONDS = "set jmeter.save.saveservice.timestamp_format=ms"
_TRANSACTION = "Number of samples in transaction"
_NONE_FAILED = "number of failing samples : 0"
_SAMPLES = ("httpSample", "sample")
_PARENTS = "rows of transaction controllers are not counted, their samples are"
_ALONE = "transaction controllers count as one request each where their samples are not in it"
_NO_MESSAGE = (
    "it has no responseMessage, so transactions cannot be told from requests "
    "(jmeter.save.saveservice.response_message=true)"
)
_COUNTS = re.compile(r"samples in transaction : ([0-9]{1,9}), .* failing samples : ([0-9]{1,9})")
_MOST_FIELD = 1_000_000


def read_csv(text: str) -> Figures:
    """Return the figures of CSV; raises UnreadableError."""
    tally, transactions, alone = Tally(), 0, 0
    threads: dict[str, list[tuple[int, bool]]] = {}  # begin and failure of the samples of each
    seen: set[int] = set()
    rows = _rows(text)
    columns = _columns(next(rows, None))
    for line, row in rows:
        if len(row) != len(columns):
            what = f"{len(row)} fields, and its header has {len(columns)}"
            raise UnreadableError(what, "was it cut off?", line)
        if row[columns["timeStamp"]] == "timeStamp":
            raise UnreadableError(
                "a second header: two files in one", "bring them one by one", line
            )
        fields = [row[columns[name]].strip() for name in _NEEDED]
        failed = fields[-1] != "true"
        thread = row[columns["threadName"]] if "threadName" in columns else ""
        message = row[columns["responseMessage"]] if "responseMessage" in columns else ""
        if message.startswith(_TRANSACTION):
            lacking_samples = not _holds(message, fields, threads.get(thread, ()))
            transactions += not lacking_samples
            alone += lacking_samples
            if not (lacking_samples or (failed and message.rstrip().endswith(_NONE_FAILED))):
                continue  # what failed in it is counted by itself
        _add(tally, fields, line)
        if not message.startswith(_TRANSACTION):
            threads.setdefault(thread, []).append((int(fields[0]), failed))
        seen.add(hash(tuple(row)))
    doubts = [] if text.endswith("\n") else [CUT_OFF]
    if "responseMessage" not in columns and tally.requests:
        doubts.append(_NO_MESSAGE)
    if "threadName" in columns and (why := twice(tally.requests, len(seen))):
        doubts.append(why)
    notes = ((_PARENTS, transactions), (_ALONE, alone))
    return tally.made(CSV, doubts, [note for note, n in notes if n])


def _columns(header: tuple[int, list[str]] | None) -> dict[str, int]:
    columns = {name.strip(): at for at, name in enumerate(header[1] if header else ())}
    lacking = [name for name in _NEEDED if name not in columns]
    if lacking:
        fix = "jmeter.save.saveservice.print_field_names=true"
        raise UnreadableError(f"its header has no {', '.join(lacking)}", fix, 1)
    return columns


def _holds(message: str, fields: Sequence[str], samples: Sequence[tuple[int, bool]]) -> bool:
    """Whether the samples that a transaction tells of stand before it, of the same thread."""
    counts = _COUNTS.search(message)
    if counts is None or not all(field.isdecimal() and len(field) < 20 for field in fields[:2]):
        return False
    n, failed = int(counts[1]), int(counts[2])
    begun = int(fields[0]) - int(fields[1])  # where its time is that of its end
    own = [bad for at, bad in samples[-n:] if at >= begun] if n else []
    return len(own) >= n and sum(own) >= failed


def _rows(text: str) -> Iterator[tuple[int, list[str]]]:
    """The rows of CSV with their lines; raises UnreadableError."""
    csv.field_size_limit(_MOST_FIELD)
    reader = csv.reader(io.StringIO(text, newline=""), strict=True)
    try:
        for row in reader:
            if row:
                yield reader.line_num, row
    except csv.Error as error:
        raise UnreadableError(f"it is no CSV: {error}", line=reader.line_num) from None


def read_xml(text: bytes) -> Figures:
    """Return the figures of XML; raises UnreadableError."""
    tally, parents, roots = Tally(), 0, 0
    inside: list[Element] = []  # samples that are open
    for event, element in elements(text):
        if event == "start" and element.depth == 1:
            roots += element.tag == "testResults"
        if element.tag not in _SAMPLES:
            continue
        if event == "start":
            for parent in inside:
                parent.children += 1
            inside.append(element)
            continue
        inside.pop()
        words = element.attributes
        transaction = words.get("rm", "").startswith(_TRANSACTION)
        part_of_http = any(sample.tag == "httpSample" for sample in inside)
        holds = transaction or (element.tag == "sample" and element.children > 0)
        parents += holds
        failed = words.get("s") != "true"
        if failed and inside:
            inside[-1].notes.append(element.tag)
        by_itself = failed and not element.notes  # of a parent: nothing in it failed
        if not part_of_http and (by_itself or not holds):
            _add(tally, [words.get(name) for name in ("ts", "t", "lb", "s")], element.line)
    if not roots:
        raise UnreadableError("it holds no testResults")
    return tally.made(XML, (), (_PARENTS,) if parents else ())


def _add(tally: Tally, fields: list[Any], line: int) -> None:
    when, took, label, success = ((field or "").strip() for field in fields)
    if not (when.isascii() and when.isdigit() and len(when) < 20):
        raise UnreadableError(f"{when:.40} is no time in milliseconds", _MILLISECONDS, line)
    if not (took.isascii() and took.isdigit() and len(took) < 20):
        raise UnreadableError(f"{took:.40} is no elapsed time in milliseconds", line=line)
    if success not in ("true", "false"):
        raise UnreadableError(f"success is {success:.40}, not true or false", line=line)
    tally.add(
        label or "unnamed", int(when) * 1000, int(took) * 1000, line, failed=success == "false"
    )
