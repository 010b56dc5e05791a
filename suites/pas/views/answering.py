"""A service of the suite's own that answers as it is told, and keeps what it was asked."""

from __future__ import annotations

import json
import threading
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

Answers = Mapping[tuple[str, str], Any]  # by method and path


@dataclass(frozen=True, slots=True)
class Asked:
    """One request."""

    method: str
    path: str
    body: Mapping[str, Any]
    key: str | None = None  # its Idempotency-Key
    query: str = ""


@dataclass(slots=True)
class Answering:
    """Where it is, and what it was asked so far."""

    url: str
    asked: list[Asked] = field(default_factory=list)


@contextmanager
def answering(answers: Answers) -> Iterator[Answering]:
    """A service on a loopback port of its own; what has no answer gets 404."""
    service = Answering("")
    server = ThreadingHTTPServer(("127.0.0.1", 0), _handler(answers, service))
    server.daemon_threads = True
    service.url = f"http://127.0.0.1:{server.server_port}"
    thread = threading.Thread(target=server.serve_forever, args=(0.05,), daemon=True)
    thread.start()
    try:
        yield service
    finally:
        server.shutdown()
        server.server_close()
        thread.join(5)


def _handler(answers: Answers, service: Answering) -> type[BaseHTTPRequestHandler]:
    class Handler(BaseHTTPRequestHandler):
        def answer(self) -> None:
            content = self.rfile.read(int(self.headers.get("content-length") or 0))
            path, _, query = self.path.partition("?")
            key = self.headers.get("Idempotency-Key")
            service.asked.append(Asked(self.command, path, _object(content), key, query))
            body = answers.get((self.command, path))
            said = json.dumps(body if body is not None else {"detail": "unknown"}).encode()
            self.send_response(200 if body is not None else 404)
            self.send_header("content-type", "application/json")
            self.send_header("content-length", str(len(said)))
            self.end_headers()
            self.wfile.write(said)

        do_GET = do_POST = answer  # noqa: N815 - the names that http.server calls

        def log_message(self, format: str, *args: object) -> None:  # noqa: A002
            """Say nothing."""

    return Handler


def _object(content: bytes) -> Mapping[str, Any]:
    try:
        said = json.loads(content or b"{}")
    except ValueError:
        return {}
    return said if isinstance(said, dict) else {}
