"""A recorder between a client and a service: what was really asked, and what was answered."""

from __future__ import annotations

import json
import threading
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qs, urlsplit

import httpx

_HOPS = frozenset({"connection", "content-length", "host", "transfer-encoding", "content-encoding"})
_TIMEOUT_S = 20.0


@dataclass(frozen=True, slots=True)
class Call:
    """One request as it arrived, and the answer that the service gave."""

    method: str
    path: str
    query: Mapping[str, str]
    key: str | None  # its Idempotency-Key
    body: Mapping[str, Any]
    status: int
    answer: Mapping[str, Any]

    @property
    def operation(self) -> tuple[str, str]:
        """Method and path."""
        return self.method, self.path


@dataclass
class Recorder:
    """Forwards each request to a service and keeps it."""

    upstream: str
    url: str = ""
    calls: list[Call] = field(default_factory=list)
    lock: threading.Lock = field(default_factory=threading.Lock)

    def of(self, method: str, path: str) -> list[Call]:
        """The calls of an operation, in their order."""
        return [call for call in self.calls if call.operation == (method, path)]


def _object(content: bytes) -> Mapping[str, Any]:
    try:
        body = json.loads(content or b"{}")
    except ValueError:
        return {}
    return body if isinstance(body, dict) else {}


def _handler(recorder: Recorder, client: httpx.Client) -> type[BaseHTTPRequestHandler]:
    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def _forward(self) -> None:
            body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
            headers = {k: v for k, v in self.headers.items() if k.lower() not in _HOPS}
            address = recorder.upstream + self.path
            answer = client.request(self.command, address, content=body, headers=headers)
            parts = urlsplit(self.path)
            query = {name: values[-1] for name, values in parse_qs(parts.query).items()}
            call = Call(
                self.command, parts.path, query, self.headers.get("Idempotency-Key"),
                _object(body), answer.status_code, _object(answer.content),
            )  # fmt: skip
            with recorder.lock:
                recorder.calls.append(call)
            self.send_response(answer.status_code)
            for name, value in answer.headers.items():
                if name.lower() not in _HOPS:
                    self.send_header(name, value)
            self.send_header("Content-Length", str(len(answer.content)))
            self.end_headers()
            self.wfile.write(answer.content)

        do_GET = do_POST = do_PUT = do_DELETE = _forward  # noqa: N815 - the names of http.server

        def log_message(self, *_: object, **__: object) -> None:
            """Say nothing."""

    return Handler


@contextmanager
def recording(upstream: str) -> Iterator[Recorder]:
    """A recorder on a loopback port of its own, which ends with the block."""
    recorder = Recorder(upstream.rstrip("/"))
    with httpx.Client(timeout=_TIMEOUT_S) as client:
        server = ThreadingHTTPServer(("127.0.0.1", 0), _handler(recorder, client))
        server.daemon_threads = True
        recorder.url = f"http://127.0.0.1:{server.server_address[1]}"
        thread = threading.Thread(target=server.serve_forever, args=(0.05,), daemon=True)
        thread.start()
        try:
            yield recorder
        finally:
            server.shutdown()
            server.server_close()
            thread.join(5)
