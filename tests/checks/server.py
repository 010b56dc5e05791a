"""A server that answers as a test tells it to, also badly."""

from __future__ import annotations

import http.server
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager

import httpx

Handler = http.server.BaseHTTPRequestHandler


@contextmanager
def serving(answer: Callable[[Handler], None]) -> Iterator[httpx.Client]:
    """A client of a server whose every answer is written by a function."""

    class Answering(Handler):
        def do_GET(self) -> None:  # noqa: N802
            answer(self)

        do_POST = do_HEAD = do_GET  # noqa: N815

        def log_message(self, *_: object) -> None:
            """Say nothing."""

    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), Answering) as server:
        server.daemon_threads = True
        thread = threading.Thread(target=server.serve_forever, args=(0.01,), daemon=True)
        thread.start()
        try:
            with httpx.Client(base_url=f"http://127.0.0.1:{server.server_port}/base/") as client:
                yield client
        finally:  # also where a test expects an error: else it would serve a closed socket for ever
            server.shutdown()
            thread.join()


def saying(
    body: bytes, status: int = 200, kind: str = "application/json", **headers: str
) -> Callable[[Handler], None]:
    """An answer with a body."""

    def answer(handler: Handler) -> None:
        handler.send_response(status)
        for name, value in {"content-type": kind, **headers}.items():
            handler.send_header(name, value)
        handler.send_header("content-length", str(len(body)))
        handler.end_headers()
        handler.wfile.write(body)

    return answer
