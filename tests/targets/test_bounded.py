"""Answers that are too large, too slow or too deep: an error in words, in bounded time and room."""

from __future__ import annotations

import gzip
import time
from collections.abc import Callable
from http.server import BaseHTTPRequestHandler
from pathlib import Path

import httpx
import pytest

from pytest_rollout.model.errors import RolloutError
from pytest_rollout.targets import bounded, fact_sources
from pytest_rollout.targets.clock import SteppedClock
from pytest_rollout.targets.identity import read_identity
from pytest_rollout.targets.launch import known_faults
from pytest_rollout.targets.target import LiveTarget
from tests.targets.test_identity import JSON, TEXT, answering, saying

Respond = Callable[[BaseHTTPRequestHandler], None]


def packed(data: bytes, encoding: str = "gzip") -> Respond:
    """An answer that says it is packed."""

    def respond(handler: BaseHTTPRequestHandler) -> None:
        handler.send_response(200)
        handler.send_header("content-encoding", encoding)
        handler.end_headers()
        handler.wfile.write(data)

    return respond


def endless(handler: BaseHTTPRequestHandler) -> None:
    """A body without an end, until nobody listens any more."""
    handler.send_response(200)
    handler.end_headers()
    try:
        while True:
            handler.wfile.write(b"x" * 65_536)
    except OSError:
        handler.close_connection = True


def dripping(pause: float) -> Respond:
    """A body that drips."""

    def respond(handler: BaseHTTPRequestHandler) -> None:
        handler.send_response(200)
        handler.end_headers()
        for _ in range(1_000):
            try:
                handler.wfile.write(b"x")
                time.sleep(pause)
            except OSError:
                return

    return respond


def dripping_headers(handler: BaseHTTPRequestHandler) -> None:
    """A header that drips."""
    handler.wfile.write(b"HTTP/1.1 200 OK\r\nx-slow: ")
    for _ in range(1_000):
        try:
            handler.wfile.write(b"x")
            time.sleep(0.05)
        except OSError:
            return
    handler.close_connection = True


def ask(respond: Respond, path: str = "/", **headers: str) -> httpx.Response:
    """What a suite's client gets of a target."""
    with answering(respond) as url:
        target = LiveTarget("web", url, "prod")
        try:
            return target.client.get(path, headers=headers)
        finally:
            target.close()


def test_a_good_answer_is_read_packed_or_not() -> None:
    assert ask(saying("hello")).text == "hello"
    assert ask(packed(gzip.compress(b"hello"))).text == "hello"


def test_an_endless_answer_ends(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(bounded, "MOST_BYTES", 1_000_000)
    with pytest.raises(httpx.ReadError, match="more than 1,000,000 bytes"):
        ask(endless)


def test_a_bomb_is_not_unpacked() -> None:
    bomb = gzip.compress(bytes(bounded.MOST_BYTES + 1))
    assert len(bomb) < 100_000
    with pytest.raises(httpx.ReadError, match="more than 64,000,000 bytes"):
        ask(packed(bomb))


def test_a_packing_that_was_not_asked_for_is_refused() -> None:
    with pytest.raises(httpx.ReadError, match="more than"):
        ask(packed(b"\x1b\x00\x00", "br"))


def test_an_answer_that_drips_ends(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(bounded, "MOST_S", 0.3)
    started = time.monotonic()
    with pytest.raises(httpx.ReadTimeout, match=r"more than 0\.3 s"):
        ask(dripping(0.1))
    assert time.monotonic() - started < 30


@pytest.mark.parametrize(
    "respond",
    [
        saying('{"version":' * 100_000),
        saying('{"version": ' + "[" * 100_000 + "]" * 100_000 + "}"),
        saying('{"version": 1e999999}'),
        packed(gzip.compress(bytes(50_000_000))),
        endless,
    ],
    ids=["unclosed", "deep", "infinite", "packed", "endless"],
)
def test_a_release_is_never_more_than_can_be_held(respond: Respond) -> None:
    with answering(respond) as url:
        fact = read_identity("start", url, JSON, None)
    assert fact.release is None
    assert fact.error


def test_a_redirect_is_no_release() -> None:
    def respond(handler: BaseHTTPRequestHandler) -> None:
        handler.send_response(302)
        handler.send_header("location", handler.path)
        handler.end_headers()

    with answering(respond) as url:
        fact = read_identity("start", url, TEXT, None)
    assert "Redirect" in str(fact.error)


def test_a_header_that_drips_ends(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(fact_sources, "_TIMEOUT_S", 0.5)
    started = time.monotonic()
    with answering(dripping_headers) as url:
        fact = read_identity("start", url, TEXT, None)
        assert time.monotonic() - started < 30
    assert fact.error


@pytest.mark.parametrize("body", ["no", "[]", "{}", '{"now": 5}', "[" * 100_000])
def test_a_clock_that_tells_no_time_is_an_error_in_words(body: str) -> None:
    with (
        answering(saying(body)) as url,
        httpx.Client(base_url=url) as client,
        pytest.raises(RolloutError, match="answered no time"),
    ):
        SteppedClock(client).now()


def test_an_operator_that_answers_nothing_is_an_error_in_words() -> None:
    with answering(saying('{"result": {}, "actions": [{"at": "soon"}]}')) as url:
        target = LiveTarget("web", url, "embedded", Path())
        with pytest.raises(RolloutError, match="web: step drain answered no actions"):
            target.operate("drain")
        target.close()


@pytest.mark.parametrize("said", ["print('x')", "print('[' * 100_000); import os; os._exit(0)"])
def test_faults_that_cannot_be_read_are_an_error_in_words(tmp_path: Path, said: str) -> None:
    (tmp_path / "web.py").write_text(f"{said}\nFAULTS, app = {{}}, None\n")
    with pytest.raises(RolloutError, match="the faults of web:app cannot be listed: it said"):
        known_faults("web:app", tmp_path)


def status(code: int) -> Respond:
    """An answer without a body."""

    def respond(handler: BaseHTTPRequestHandler) -> None:
        handler.send_response(code)
        handler.send_header("content-length", "0")
        handler.end_headers()

    return respond


def test_hours_are_not_waited_for_where_a_target_fails_at_its_clock() -> None:
    with answering(status(500)) as url:
        target = LiveTarget("web", url, "embedded", Path())
        with pytest.raises(RolloutError, match=r"/reference/clock answered 500, so 7200 s are not"):
            target.clock.advance(7_200)
        target.clock.advance(0.01)
        target.close()


@pytest.mark.parametrize("code", [404, 401, 302])
def test_a_target_without_a_clock_lives_by_the_walls(
    code: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    slept: list[float] = []
    monkeypatch.setattr(time, "sleep", slept.append)
    with answering(status(code)) as url:
        target = LiveTarget("web", url, "embedded", Path())
        target.clock.advance(7_200)
        target.close()
    assert 7_200 in slept
