"""Compressed HdrHistograms, version 2: base64 of zlib of counts, as values and how many."""

from __future__ import annotations

import base64
import binascii
import struct
import zlib
from collections.abc import Iterator

from pytest_rollout.load.results.figures import UnreadableError

_COMPRESSED, _PLAIN = 0x1C849304, 0x1C849303
_WORD = 0xF0  # the bits of a cookie that say how wide its counts are
_HEADER = struct.Struct(">iiiiqqd")
_MOST_BYTES = 16_000_000
_MOST_COUNT = 2**53


def decoded(text: str, line: int = 0) -> dict[int, int]:
    """Return the highest value of each bucket, to its count; raises UnreadableError."""
    try:
        raw = base64.b64decode(text.strip(), validate=True)
        return dict(_buckets(_inflated(raw)))
    except (binascii.Error, zlib.error, struct.error, IndexError, ValueError) as error:
        what = f"its histogram cannot be read: {error}"
        raise UnreadableError(what, "was it cut off?", line) from None


def _inflated(raw: bytes) -> bytes:
    cookie, length = struct.unpack_from(">ii", raw)
    if cookie & ~_WORD != _COMPRESSED:
        raise ValueError("it is not of version 2, the only one that is read")
    if length != len(raw) - 8:
        raise ValueError(f"it has {len(raw) - 8} of {length} bytes")
    inflating = zlib.decompressobj()
    plain = inflating.decompress(raw[8:], _MOST_BYTES)
    if not inflating.eof:
        raise ValueError("it does not end")
    return plain


def _buckets(plain: bytes) -> Iterator[tuple[int, int]]:
    cookie, length, offset, digits, lowest, highest, ratio = _HEADER.unpack_from(plain)
    if cookie & ~_WORD != _PLAIN or offset or ratio != 1.0:
        raise ValueError("it is of another kind")
    if not (0 <= digits <= 5 and 1 <= lowest <= highest < 2**62):
        raise ValueError("its settings are none")
    payload = plain[_HEADER.size : _HEADER.size + length]
    if len(payload) != length:
        raise ValueError("its counts do not end")
    unit = lowest.bit_length() - 1
    half = max((2 * 10**digits - 1).bit_length(), 1) - 1
    index = 0
    for number in _numbers(payload):
        if number < 0:
            index -= number
        else:
            if number:
                yield _highest(index, half, unit), number
            index += 1
        if index > 1 << 22:
            raise ValueError("it has more buckets than any")


def _highest(index: int, half: int, unit: int) -> int:
    """The highest value of the bucket at an index."""
    bucket, sub = (index >> half) - 1, (index & ((1 << half) - 1)) + (1 << half)
    if bucket < 0:
        bucket, sub = 0, sub - (1 << half)
    if bucket + unit > 62:
        raise ValueError("a value is beyond reach")
    return ((sub + 1) << (bucket + unit)) - 1


def _numbers(payload: bytes) -> Iterator[int]:
    """The numbers of a payload: ZigZag LEB128 of at most nine bytes."""
    at = 0
    while at < len(payload):
        number = 0
        for byte in range(9):
            value = payload[at]
            at += 1
            if byte == 8:
                number |= value << 56
                break
            number |= (value & 0x7F) << (7 * byte)
            if not value & 0x80:
                break
        signed = (number >> 1) ^ -(number & 1)
        if abs(signed) > _MOST_COUNT:
            raise ValueError("a count is beyond reach")
        yield signed
