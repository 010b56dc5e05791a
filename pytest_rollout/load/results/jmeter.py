"""JMeter's results (JTL), as CSV with a header and as XML."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterator
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
_MOST_FIELD = 1_000_000


def read_csv(text: str) -> Figures:
    """Return the figures of CSV; raises UnreadableError."""
    tally, transactions, columns = Tally(), 0, {}
    seen: set[int] = set()
    rows = _rows(text)
    header = next(rows, None)
    if header is not None:
        columns = {name.strip(): at for at, name in enumerate(header[1])}
    lacking = [name for name in _NEEDED if name not in columns]
    if lacking:
        fix = "jmeter.save.saveservice.print_field_names=true"
        raise UnreadableError(f"its header has no {', '.join(lacking)}", fix, 1)
    for line, row in rows:
        if len(row) != len(columns):
            what = f"{len(row)} fields, and its header has {len(columns)}"
            raise UnreadableError(what, "was it cut off?", line)
        if row[columns["timeStamp"]] == "timeStamp":
            raise UnreadableError(
                "a second header: two files in one", "bring them one by one", line
            )
        told = row[columns["responseMessage"]] if "responseMessage" in columns else ""
        if told.startswith(_TRANSACTION):
            transactions += 1
            failed = row[columns["success"]].strip() != "true"
            if not (failed and told.rstrip().endswith(_NONE_FAILED)):
                continue  # what failed in it is counted by itself
        _add(tally, [row[columns[name]] for name in _NEEDED], line)
        seen.add(hash(tuple(row)))
    doubts = [] if text.endswith("\n") else [CUT_OFF]
    if "threadName" in columns and (why := twice(tally.requests, len(seen))):
        doubts.append(why)
    return tally.made(CSV, doubts, (_PARENTS,) if transactions else ())


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
        part_of_http = any(one.tag == "httpSample" for one in inside)
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
    when, took, label, success = ((one or "").strip() for one in fields)
    if not (when.isascii() and when.isdigit() and len(when) < 20):
        raise UnreadableError(f"{when:.40} is no time in milliseconds", _MILLISECONDS, line)
    if not (took.isascii() and took.isdigit() and len(took) < 20):
        raise UnreadableError(f"{took:.40} is no elapsed time in milliseconds", line=line)
    if success not in ("true", "false"):
        raise UnreadableError(f"success is {success:.40}, not true or false", line=line)
    tally.add(
        label or "unnamed", int(when) * 1000, int(took) * 1000, line, failed=success == "false"
    )
