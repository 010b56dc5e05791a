"""Any bytes give figures or one clear error: never a traceback, never without end."""

from __future__ import annotations

from contextlib import suppress
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pytest_rollout.load.results.figures import Figures, UnreadableError
from pytest_rollout.load.results.hdr_codec import decoded
from pytest_rollout.load.results.reading import LOADS, read_junit, read_load
from pytest_rollout.model.evidence import Hole, decode

SAMPLES = sorted(
    one.read_bytes() for one in (Path(__file__).parent / "results").iterdir() if one.suffix != ".md"
)
ANY = st.binary(max_size=300)
PIECES = st.sampled_from(
    [b"null", b"[]", b"{}", b"-1", b"1e999", b"NaN", b"\0", b"\n", b"\t", b",", b'"', b"<a>", b"0",
     b"99999999999999999999", b"true", b"OK", b"\xff", b"&lt;", b"\xe2\x80\xa8"]
)  # fmt: skip


@st.composite
def mutilated(draw: st.DrawFn) -> bytes:
    """A real file with pieces that were cut out, put in or written over."""
    content = draw(st.sampled_from(SAMPLES))
    for _ in range(draw(st.integers(1, 4))):
        at = draw(st.integers(0, len(content)))
        until = min(len(content), at + draw(st.integers(0, 60)))
        content = content[:at] + draw(st.one_of(PIECES, st.just(b""))) + content[until:]
    return content


def holds(found: Figures) -> None:
    """What figures promise: values that a ledger can hold, and failures among the requests."""
    for series, labels, value in found.series():
        assert series
        assert all(isinstance(one, str) for one in labels.values())
        assert not isinstance(decode(value), Hole), value
    for one in found.endpoints:
        assert one.failures is None or 0 <= one.failures <= one.requests
    assert found.requests or found.cases or found.doubts
    if found.started_us is not None and found.ended_us is not None:
        assert found.started_us <= found.ended_us
    for case in found.cases:
        assert case.attempts


def read(content: bytes, format_: str) -> None:
    with suppress(UnreadableError):
        holds(read_junit(content) if format_ == "junit" else read_load(content, format_, "ns"))


@pytest.mark.parametrize("format_", ["", "junit", *LOADS])
@given(content=ANY)
@settings(max_examples=60, deadline=None)
def test_any_bytes(format_: str, content: bytes) -> None:
    read(content, format_)


@pytest.mark.slow
@pytest.mark.parametrize("format_", ["", "junit", *LOADS])
@given(content=mutilated())
@settings(max_examples=120, deadline=None)
def test_real_files_that_were_mutilated(format_: str, content: bytes) -> None:
    read(content, format_)


@given(text=st.one_of(st.text(max_size=80), st.binary(max_size=80).map(lambda b: b.hex())))
@settings(max_examples=100, deadline=None)
def test_any_histogram(text: str) -> None:
    with suppress(UnreadableError):
        assert all(value >= 0 and count > 0 for value, count in decoded(text).items())
