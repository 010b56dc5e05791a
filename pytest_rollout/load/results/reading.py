"""Which format a file has, by what stands in it, and its figures."""

from __future__ import annotations

import re
import zlib
from collections.abc import Callable, Mapping

from pytest_rollout.load.results import gatling, hdr_log, jmeter, junit, k6_points, k6_summary
from pytest_rollout.load.results.figures import Figures, UnreadableError

MOST_BYTES = 200_000_000  # of a file as it is read
_GZIP = b"\x1f\x8b"
_MARKS = 4_000  # characters that tell a format
_FORMATS = "k6, gatling, jmeter or hdr"
LOADS: Mapping[str, Callable[[bytes, str], Figures]] = {
    "k6-summary": lambda content, _: k6_summary.read(_text(content)),
    "k6-samples": lambda content, _: k6_points.read(_text(content)),
    "gatling-log": lambda content, _: gatling.read(_text(content)),
    "gatling-stats": lambda content, _: gatling.read_stats(_text(content)),
    "jmeter-csv": lambda content, _: jmeter.read_csv(_text(content)),
    "jmeter-xml": lambda content, _: jmeter.read_xml(content),
    "hdr-log": lambda content, unit: hdr_log.read(_text(content), unit),
}


def read_load(content: bytes, format_: str = "", unit: str = "") -> Figures:
    """Return the figures of a load tool's file; raises UnreadableError.

    Without a format what stands in the file tells it. ``unit`` is that of HdrHistogram's values.
    """
    plain = inflated(content)
    kind = format_ or guessed(plain)
    if kind == "hdr-log" and unit not in hdr_log.UNITS:
        fix = "the plan says it: ingest: {load: NAME, unit: ns, …}"
        raise UnreadableError("a log of HdrHistogram does not name its unit", fix)
    return LOADS[kind](plain, unit)


def read_junit(content: bytes) -> Figures:
    """Return the cases of a JUnit file; raises UnreadableError."""
    return junit.read(inflated(content))


def inflated(content: bytes) -> bytes:
    """Return a file without gzip around it; raises UnreadableError."""
    if content.startswith(_GZIP):
        content = _without_gzip(content)
    if len(content) > MOST_BYTES:
        raise UnreadableError(f"it is larger than {MOST_BYTES // 1_000_000} MB")
    if not content.strip():
        raise UnreadableError("it is empty")
    return content


def _without_gzip(content: bytes) -> bytes:
    parts: list[bytes] = []
    room = MOST_BYTES + 1
    rest = content
    try:
        while rest and room > 0:
            inflating = zlib.decompressobj(zlib.MAX_WBITS | 16)
            part = inflating.decompress(rest, room)
            parts.append(part)
            room -= len(part)
            if not inflating.eof:
                if room > 0:
                    raise UnreadableError("its gzip does not end", "was it cut off?")
                break
            rest = inflating.unused_data
    except zlib.error as error:
        raise UnreadableError(f"its gzip cannot be read: {error}", "was it cut off?") from None
    return b"".join(parts)


def guessed(content: bytes) -> str:
    """Return the format of a file by its begin; raises UnreadableError with those that are read."""
    if b"\0" in content[:_MARKS]:
        what = "it is binary: of Gatling's logs only text is read, which they were up to 3.10"
        raise UnreadableError(what, "bring js/stats.json of its report")
    head = content[:_MARKS].decode("utf-8", "replace").lstrip("\ufeff \t\r\n")
    if head.startswith("<"):
        if "<testResults" in head:
            return "jmeter-xml"
        if "<testsuite" in head:
            raise UnreadableError("it holds test cases, not a load", "rollout ingest junit FILE")
    elif head.startswith("{"):
        return _of_json(head)
    elif re.match(r"(RUN|ASSERTION|USER|REQUEST)\t", head):
        return "gatling-log"
    elif "#[Histogram log format" in head or "Interval_Compressed_Histogram" in head:
        return "hdr-log"
    elif "," in head.partition("\n")[0] and "elapsed" in head.partition("\n")[0]:
        return "jmeter-csv"
    raise UnreadableError(f"it is of no format that is read: {_FORMATS}", "--format says which")


def _of_json(head: str) -> str:
    first = head.partition("\n")[0]
    if re.search(r'"type"\s*:\s*"(Metric|Point)"', first):
        return "k6-samples"
    if '"numberOfRequests"' in head or '"contents"' in head or '"pathFormatted"' in head:
        return "gatling-stats"
    return "k6-summary"


def _text(content: bytes) -> str:
    try:
        return content.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise UnreadableError(f"it is no UTF-8 at byte {error.start}") from None
