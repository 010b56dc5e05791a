"""The truth about a server, as a small open-loop client sees it: from each planned start."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Sequence

_REQUEST = b"GET /ok HTTP/1.1\r\nHost: here\r\n\r\n"


async def _one(port: int, planned: float, begin: float, idle: list[_Connection]) -> float:
    """Ask once at the planned start; return how long it took from then, in seconds."""
    await asyncio.sleep(max(0.0, begin + planned - time.perf_counter()))
    connection = idle.pop() if idle else _Connection()
    await connection.ask(port)
    idle.append(connection)
    return time.perf_counter() - begin - planned


class _Connection:
    """A connection that is used by one request after the other."""

    def __init__(self) -> None:
        self._streams: tuple[asyncio.StreamReader, asyncio.StreamWriter] | None = None

    async def ask(self, port: int) -> None:
        """Send a request, and read the answer."""
        if self._streams is None:
            self._streams = await asyncio.open_connection("127.0.0.1", port)
        reader, writer = self._streams
        writer.write(_REQUEST)
        await reader.readuntil(b"\r\n\r\n")
        await reader.readexactly(2)

    def close(self) -> None:
        """Close it."""
        if self._streams is not None:
            self._streams[1].close()


async def _all(port: int, planned: Sequence[float]) -> list[float]:
    idle: list[_Connection] = []
    begin = time.perf_counter() + 0.1
    took = await asyncio.gather(*(_one(port, start, begin, idle) for start in planned))
    for connection in idle:
        connection.close()
    await asyncio.sleep(0.05)
    return list(took)


def measured(port: int, planned: Sequence[float]) -> list[float]:
    """Return how long each planned request took from its planned start, in seconds."""
    return asyncio.run(_all(port, planned))


def quantile(values: Sequence[float], share: float) -> float:
    """Return the nearest-rank quantile of values."""
    ordered = sorted(values)
    return ordered[min(len(ordered) - 1, int(share * len(ordered)))]
