"""A service that is watched: it answers as a test tells it to, and remembers what it was asked."""

from __future__ import annotations

import http.server
import json
import os
import signal
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

from pytest_rollout.evidence.ledger import Ledger
from pytest_rollout.evidence.records import RecordKind
from tests.evidence.runs import append

PLAN = """\
plan: demo
title: A demo
release: {target: api, path: /version, json: version}
environments:
  prod: {targets: {api: "${DEMO_API}", store: {file: store.db}}, allow: [observe, change]}
notify: [{slack: "${DEMO_HOOK}"}]
phases:
  - id: prep
    criteria:
      - {id: ready, gate: entry, kind: operational, says: It is ready}
  - id: canary
    owners: [sre]
    every: 1s
    criteria:
      - {id: ready, gate: entry, kind: operational, says: The target is ready}
      - {id: works, kind: demo, says: It works}
    guardrails:
      - {id: lag, says: It keeps up, check: {http: /lag, on: api, json: lag}, fail: "> 5",
         then: [rollback, notify]}
    rollback:
      - says: traffic goes back
        http: POST /stop
        on: api
        check: {http: /state, on: api, expect: {json: {traffic: old}}, timeout: 1s}
      - says: the page is taken down
        http: POST /page
        on: api
      - the customer is called
    on_rollback: {revalidate: [canary/entry]}
"""


@dataclass
class Service:
    """What it answers, and what it was asked."""

    lags: list[object] = field(default_factory=lambda: [0])  # one after the other, the last stays
    version: str = "v1"
    traffic: str = "new"
    broken: bool = False  # POST answers 500
    posted: list[tuple[str, Any]] = field(default_factory=list)
    asked: int = 0
    end_after: int = 0  # after so many more answers something happens: Ctrl-C, unless told
    happens: Callable[[], object] = lambda: os.kill(os.getpid(), signal.SIGINT)
    url: str = ""

    def paths(self) -> list[str]:
        """What was posted where."""
        return [path for path, _ in self.posted]

    def get(self, path: str) -> tuple[int, object]:
        """An answer."""
        if path == "/version":
            return 200, {"version": self.version}
        if path == "/state":
            return 200, {"traffic": self.traffic}
        self.asked += 1
        self.end_after -= 1
        if self.end_after == 0:
            self.happens()
        lag = self.lags.pop(0) if len(self.lags) > 1 else self.lags[0]
        return (503, {}) if lag is None else (200, {"lag": lag})

    def post(self, path: str, body: object) -> int:
        """Something is changed."""
        self.posted.append((path, body))
        if self.broken and path != "/hook":
            return 500
        if path == "/stop":
            self.traffic = "old"
        return 500 if path == "/hook/gone" else 200


@contextmanager
def serving(given: Service | None = None) -> Iterator[Service]:
    """The service on a loopback port."""
    service = given or Service()

    class Handler(http.server.BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            self._say(*service.get(self.path))

        def do_POST(self) -> None:
            raw = self.rfile.read(int(self.headers.get("content-length", 0)))
            self._say(service.post(self.path, json.loads(raw) if raw else None), {})

        def _say(self, status: int, data: object) -> None:
            body = json.dumps(data).encode()
            self.send_response(status)
            self.send_header("content-type", "application/json")
            self.send_header("content-length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *_: object) -> None:
            """Say nothing."""

    class Server(http.server.ThreadingHTTPServer):
        def handle_error(self, *_: object) -> None:
            """Say nothing of clients that hang up."""

    with Server(("127.0.0.1", 0), Handler) as server:
        server.daemon_threads = True
        thread = threading.Thread(target=server.serve_forever, args=(0.01,), daemon=True)
        thread.start()
        service.url = f"http://127.0.0.1:{server.server_port}"
        try:
            yield service
        finally:  # also where a test fails: else it would serve a closed socket for ever
            server.shutdown()
            thread.join()


def happen(ledger: Ledger, type_: str = "begin", phase: str = "demo.canary") -> None:
    """The phase begins, or ends, in prod."""
    body = {"type": type_, "t_us": time.time_ns() // 1000, "says": type_}
    append(ledger, RecordKind.EVENT, "", body, "demo", phase, "prod")


def events(ledger: Ledger, type_: str) -> list[dict[str, Any]]:
    """What was recorded of a type."""
    found = [json.loads(one.body) for one in ledger.between(0) if one.kind is RecordKind.EVENT]
    return [body for body in found if body["type"] == type_]
