"""A server for benchmarks of load: it prints its port, and stalls where it is told to.

Run as ``python load_server.py [EVERY LASTS]``: it does nothing for LASTS s at the end of each
EVERY s, and answers at once otherwise.
"""

from __future__ import annotations

import asyncio
import sys
import time

_ANSWER = b"HTTP/1.1 200 OK\r\nContent-Type: text/plain\r\nContent-Length: 2\r\n\r\nok"


class Answers(asyncio.Protocol):
    """One connection; each request ends with an empty line."""

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Keep where answers go."""
        assert isinstance(transport, asyncio.Transport)
        self._transport = transport

    def data_received(self, data: bytes) -> None:
        """Answer each request in what came."""
        self._transport.write(_ANSWER * data.count(b"\r\n\r\n"))


async def main(every: float, lasts: float) -> None:
    """Serve until it is killed."""
    loop = asyncio.get_running_loop()
    server = await loop.create_server(Answers, "127.0.0.1", 0, backlog=4096)
    print(server.sockets[0].getsockname()[1], flush=True)
    while True:
        await asyncio.sleep(every - lasts)
        time.sleep(lasts)  # nothing else runs meanwhile


if __name__ == "__main__":
    words = [float(word) for word in sys.argv[1:]] or [3600.0, 0.0]
    asyncio.run(main(*words))
