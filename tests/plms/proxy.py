"""A small HTTP proxy that takes away what a reference target says of itself."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import httpx

from pytest_rollout.targets.reference import IDENTITY_HEADER

_STREAM = "text/event-stream"
_HOP = {"transfer-encoding", "content-length", "connection", "date", "server"}


@contextmanager
def stripping(target: str, at: tuple[str, int] = ("127.0.0.1", 0)) -> Iterator[str]:
    """The address of a proxy before ``target``, while the context lasts; ``at``: where it is."""
    with httpx.Client(base_url=target) as client:
        server = ThreadingHTTPServer(at, _handler(client))
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        try:
            yield f"http://{at[0]}:{server.server_port}"
        finally:
            server.shutdown()
            thread.join()
            server.server_close()


def _handler(client: httpx.Client) -> type[BaseHTTPRequestHandler]:
    class Handler(BaseHTTPRequestHandler):
        def forward(self) -> None:
            body = self.rfile.read(int(self.headers.get("content-length", 0)))
            # The host stays: addresses in answers are those of the proxy.
            kept = {k: v for k, v in self.headers.items() if k.lower() not in _HOP}
            with client.stream(self.command, self.path, headers=kept, content=body) as answer:
                streams = answer.headers.get("content-type", "").startswith(_STREAM)
                content = b"" if streams else answer.read()
                self.send_response(answer.status_code)
                for name, value in answer.headers.items():
                    if name.lower() not in (IDENTITY_HEADER, *_HOP):
                        self.send_header(name, value)
                if not streams:
                    self.send_header("content-length", str(len(content)))
                self.end_headers()
                self.wfile.write(content)
                if streams:
                    self._pass_on(answer)

        def _pass_on(self, answer: httpx.Response) -> None:
            """Pass events on as they come, until one side has enough."""
            self.close_connection = True
            with suppress(OSError, httpx.HTTPError):
                for chunk in answer.iter_raw():
                    self.wfile.write(chunk)

        do_GET = do_POST = forward  # noqa: N815 - the names that http.server calls

        def log_message(self, format: str, *args: object) -> None:  # noqa: A002
            """Say nothing."""

    return Handler
