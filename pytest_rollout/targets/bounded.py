"""How much of an answer is read, and for how long: what never ends is an error, not a hang."""

from __future__ import annotations

import socket
import threading
import time
import zlib
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from typing import Any

import httpx

MOST_BYTES = 64_000_000
MOST_S = 600.0
_PIECE = 1_000_000
_WINDOW = zlib.MAX_WBITS | 32  # gzip or zlib, as the data says


class BoundedStream(httpx.SyncByteStream):
    """A body that raises where it, or what it unpacks to, is too large or takes too long."""

    def __init__(self, response: httpx.Response, most_bytes: int, most_s: float) -> None:
        self._response = response
        self._inner = response.stream
        self._most_bytes = most_bytes
        self._most_s = most_s

    def __iter__(self) -> Iterator[bytes]:
        assert isinstance(self._inner, httpx.SyncByteStream)
        sizes = _sizes(self._response.headers.get("content-encoding", ""))
        deadline = time.monotonic() + self._most_s
        size = 0
        for chunk in self._inner:
            size += sizes.of(chunk, self._most_bytes - size)
            if size > self._most_bytes:
                raise self._error(httpx.ReadError, f"more than {self._most_bytes:,} bytes")
            if time.monotonic() > deadline:
                raise self._error(httpx.ReadTimeout, f"for more than {self._most_s:g} s")
            yield chunk

    def close(self) -> None:
        """Let go of the connection."""
        assert isinstance(self._inner, httpx.SyncByteStream)
        self._inner.close()

    def _error(self, kind: type[httpx.TransportError], how: str) -> httpx.TransportError:
        return kind(f"it answers {how}", request=self._response.request)


class _Plain:
    def of(self, chunk: bytes, room: int) -> int:
        return len(chunk)


class _Packed:
    """How much a packed body unpacks to, found out in small pieces."""

    def __init__(self) -> None:
        self._unpack = zlib.decompressobj(_WINDOW)

    def of(self, chunk: bytes, room: int) -> int:
        size = len(chunk)
        with suppress(zlib.error):  # what is not what it says is the client's to report
            while chunk and size <= room:
                size += len(self._unpack.decompress(chunk, _PIECE))
                chunk = self._unpack.unconsumed_tail
        return size


class _Unknown:
    """A packing whose size nobody can bound; it was not asked for."""

    def of(self, chunk: bytes, room: int) -> int:
        return room + 1


def _sizes(encoding: str) -> _Plain | _Packed | _Unknown:
    if encoding.strip().lower() in ("", "identity"):
        return _Plain()
    packed = encoding.strip().lower() in ("gzip", "x-gzip", "deflate")
    return _Packed() if packed else _Unknown()


def bounded(response: httpx.Response) -> None:
    """Bound an answer whose body was not read yet; a response hook of a client."""
    if not response.is_stream_consumed:
        response.stream = BoundedStream(response, MOST_BYTES, MOST_S)


@contextmanager
def given_up_after(seconds: float) -> Iterator[Mapping[str, Any]]:
    """Extensions of one request on a new connection, which is cut off after so many seconds.

    A read timeout starts anew with each byte, so that a header could drip for ever.
    """
    opened: list[socket.socket] = []

    def trace(event: str, info: Mapping[str, Any]) -> None:
        if event.endswith(("connect_tcp.complete", "start_tls.complete")):
            connected = info["return_value"].get_extra_info("socket")
            opened.extend([connected] if connected is not None else [])

    def cut() -> None:
        for connected in opened:
            with suppress(OSError):
                connected.shutdown(socket.SHUT_RDWR)

    timer = threading.Timer(seconds, cut)
    timer.daemon = True
    timer.start()
    try:
        yield {"trace": trace}
    finally:
        timer.cancel()
