"""Reading a release: a name, whole and in time, or an error that says what was there."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest

from pytest_rollout.model.plan import FactSource
from pytest_rollout.targets import fact_sources
from pytest_rollout.targets.identity import read_identity

JSON = FactSource("web", "/version", "version")
TEXT = FactSource("web", "/version")


@contextmanager
def answering(respond: Callable[[BaseHTTPRequestHandler], None]) -> Iterator[str]:
    """A server with one answer."""

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            respond(self)

        do_POST = do_GET  # noqa: N815

        def log_message(self, format: str, *args: object) -> None:  # noqa: A002
            """Say nothing."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_port}"
    finally:
        server.shutdown()
        thread.join()
        server.server_close()


def saying(body: str, kind: str = "application/json") -> Callable[[BaseHTTPRequestHandler], None]:
    """An answer with a body."""

    def respond(handler: BaseHTTPRequestHandler) -> None:
        handler.send_response(200)
        handler.send_header("content-type", kind)
        handler.end_headers()
        handler.wfile.write(body.encode())

    return respond


@pytest.mark.parametrize(
    ("body", "reading", "release"),
    [
        ('{"version": "1.4.0"}', JSON, "1.4.0"),
        ('{"version": 17}', JSON, "17"),
        (" 1.4.0\n", TEXT, "1.4.0"),
    ],
)
def test_a_release(body: str, reading: FactSource, release: str) -> None:
    with answering(saying(body, "text/plain")) as url:
        fact = read_identity("start", url, reading, None)
    assert (fact.release, fact.error) == (release, None)


@pytest.mark.parametrize(
    "body",
    [
        '{"version": null}',
        '{"version": "  "}',
        '{"version": {"a": 1}}',
        '{"version": true}',
        '{"version": NaN}',
        '{"other": 1}',
        "[1]",
        "not json",
        '{"version": "' + "x" * 300 + '"}',
    ],
)
def test_what_names_no_release_is_an_error(body: str) -> None:
    with answering(saying(body)) as url:
        fact = read_identity("start", url, JSON, None)
    assert fact.release is None
    assert fact.error


def test_a_release_stands_at_a_path() -> None:
    with answering(saying('{"build": [{"app.version": "1.4.0"}]}')) as url:
        reading = FactSource("web", "/version", 'build.0["app.version"]')
        fact = read_identity("start", url, reading, reading)
    assert (fact.release, fact.error) == ("1.4.0", None)
    assert fact.configuration


def test_a_path_that_leads_nowhere_says_what_is_there() -> None:
    with answering(saying('{"app.version": "1.4.0"}')) as url:
        fact = read_identity("start", url, FactSource("web", "/version", "app.version"), None)
    assert fact.release is None
    assert 'has no key `app` (the keys that are there: ["app.version"])' in str(fact.error)


def test_a_page_is_no_release() -> None:
    with answering(saying("<html>login</html>", "text/html")) as url:
        fact = read_identity("start", url, TEXT, None)
    assert fact.release is None
    assert "answers a page" in str(fact.error)


def test_an_answer_that_drips_ends(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(fact_sources, "_TIMEOUT_S", 0.5)

    def drip(handler: BaseHTTPRequestHandler) -> None:
        handler.send_response(200)
        handler.end_headers()
        for _ in range(1_000):
            try:
                handler.wfile.write(b"x")
                handler.wfile.flush()
            except OSError:
                return
            time.sleep(0.1)

    before = time.monotonic()
    with answering(drip) as url:
        fact = read_identity("start", url, TEXT, None)
    assert fact.release is None
    assert "more than" in str(fact.error)
    assert time.monotonic() - before < 30
