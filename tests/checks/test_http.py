"""Requests: what is asked, how long it may take, and what an answer is worth."""

from __future__ import annotations

import threading
import time
from decimal import Decimal

import httpx
import pytest

from pytest_rollout.checks import http
from pytest_rollout.checks.answer import MOST_BYTES
from pytest_rollout.checks.expect import unmet
from pytest_rollout.checks.measure import measured
from pytest_rollout.model.check import Check, CheckMeans, Expect, Wording
from pytest_rollout.model.errors import NoValueError, RolloutError
from pytest_rollout.model.evidence import number_text
from tests.checks.server import Handler, saying, serving
from tests.checks.test_sql import RULE


def asked(**more: object) -> Check:
    return Check(CheckMeans.HTTP, "/health", on=("web",), **more)  # type: ignore[arg-type]


def said(body: bytes, check: Check, status: int = 200, **headers: str) -> list[str]:
    """What an answer lacks of what a check expects."""
    with serving(saying(body, status, **headers)) as client:
        return unmet(check, http.ask(check, client))


def test_any_good_status_will_do_unless_one_is_named() -> None:
    assert said(b"", asked(), 204) == []
    assert said(b"", asked(), 500) == ["GET /health answered 500, expected 200..299"]
    assert said(b"", asked(expect=Expect((503,))), 503) == []
    assert said(b"", asked(expect=Expect((200, 204))), 201) == [
        "GET /health answered 201, expected 200 or 204"
    ]


def test_a_redirect_is_not_followed() -> None:
    (why,) = said(b"", asked(), 302, location="/elsewhere")
    assert why == ("GET /health answered 302 (redirects are not followed), expected 200..299")


def test_the_request_is_made_as_the_plan_says(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TOKEN", "s3")
    seen = []

    def answer(handler: Handler) -> None:
        length = int(handler.headers.get("content-length", 0))
        body = handler.rfile.read(length)
        seen.append((handler.command, handler.path, handler.headers["X-Auth"], body))
        saying(b"{}")(handler)

    headers = {"X-Auth": "token ${TOKEN}"}
    with serving(answer) as client:
        http.ask(asked(method="POST", headers=headers, send={"caps": (1, Decimal("0.5"))}), client)
        with pytest.raises(RolloutError, match="NONE_SUCH is not set"):
            http.ask(asked(headers={"X-Auth": "${NONE_SUCH}"}), client)
    assert seen == [("POST", "/base/health", "token s3", b'{"caps":[1,0.5]}')]


JSON = b'{"status": "ok", "ready": true, "p": 0.10, "n": null, "lanes": [{"a": 1, "b": 2}]}'


@pytest.mark.parametrize(
    "wanted",
    [
        {"status": "ok"},
        {"ready": True, "n": None},
        {"p": Decimal("0.1")},
        {"lanes": ({"a": 1},)},
        {},
    ],
)
def test_json_holds_what_is_wanted(wanted: object) -> None:
    assert said(JSON, asked(expect=Expect(json=wanted))) == []


@pytest.mark.parametrize(
    ("wanted", "why"),
    [
        ({"status": "OK"}, "body.status is 'ok', expected 'OK'"),
        ({"ready": 1}, "body.ready is true, expected 1"),
        ({"ready": "true"}, "body.ready is true, expected 'true'"),
        ({"p": "0.10"}, "body.p is 0.10, expected '0.10'"),
        ({"n": 0}, "body.n is null, expected 0"),
        ({"none": None}, "body.none is absent, expected null"),
        ({"lanes": ()}, "body.lanes is [{'a': 1, 'b': 2}], expected []"),
        ({"lanes": ({"a": 2},)}, "body.lanes.0.a is 1, expected 2"),
        ({"status": {"a": 1}}, "body.status is 'ok', expected an object"),
        (({},), "expected [{}]"),
    ],
)
def test_json_with_something_else_is_not_what_was_expected(wanted: object, why: str) -> None:
    (found,) = said(JSON, asked(expect=Expect(json=wanted)))
    assert why in found


@pytest.mark.parametrize(
    "body", [b"<html>ok</html>", b"", b'{"a": NaN}', b"[" * 100_000, b"9" * 5000]
)
def test_status_200_with_a_body_that_is_no_json(body: bytes) -> None:
    (why,) = said(body, asked(expect=Expect(json={"a": 1})))
    assert why.startswith(("body is no JSON", "body is "))


def test_words_of_the_body() -> None:
    def lacks(**wording: object) -> list[str]:
        expect = Expect(wordings=(Wording("body", **wording),))  # type: ignore[arg-type]
        return said(b"db: ok\ncache: down\n", asked(expect=expect))

    assert lacks(has=("db: ok",), lacks=("fatal",), matches="^cache: (up|down)$") == []
    assert len(lacks(has=("queue", "disk"), lacks=("down",), matches="^ok")) == 4


def test_a_huge_body_is_not_read_to_its_end_and_satisfies_nothing() -> None:
    sent: list[int] = []

    def answer(handler: Handler) -> None:
        handler.send_response(200)
        handler.end_headers()
        try:
            while len(sent) < 1_000:
                handler.wfile.write(b"x" * 1_000_000)
                sent.append(1)
        except OSError:
            pass

    check = asked(expect=Expect(wordings=(Wording("body", has=("x",)),)))
    with serving(answer) as client:
        got = http.ask(check, client)
    assert (len(got.said["body"].text), got.said["body"].cut) == (MOST_BYTES, True)
    assert len(sent) < 100
    with pytest.raises(RolloutError, match="body is longer than"):
        unmet(check, got)
    with pytest.raises(RolloutError, match="body is longer than"):
        unmet(asked(expect=Expect(json={})), got)
    assert unmet(asked(), got) == []


@pytest.mark.parametrize("part", ["head", "body", "nothing"])
def test_a_server_that_drips_is_out_of_time(part: str) -> None:
    stop = threading.Event()

    def answer(handler: Handler) -> None:
        try:
            if part == "body":
                handler.send_response(200)
                handler.end_headers()
            while not stop.wait(0.05):
                if part != "nothing":
                    handler.wfile.write(b"x" if part == "body" else b"H")
                    handler.wfile.flush()
        except OSError:
            pass

    started = time.monotonic()
    with serving(answer) as client:
        with pytest.raises(RolloutError, match=r"no whole answer within 0\.3 s"):
            http.ask(asked(timeout_us=300_000), client)
        stop.set()
    assert time.monotonic() - started < 30


def test_nobody_there_is_an_error() -> None:
    with httpx.Client(base_url="http://127.0.0.1:1") as client, pytest.raises(httpx.ConnectError):
        http.ask(asked(), client)


@pytest.mark.parametrize(
    ("body", "path", "text"),
    [
        (b" 12\n", "", "12"),
        (b'{"queue": {"depth": 0.1}}', "queue.depth", "0.1"),
        (
            b'{"lanes": [{"n": 1}, {"n": 12345678901234567890.5}]}',
            "lanes.1.n",
            "12345678901234567890.5",
        ),
        (b'{"n": "0.10"}', "n", "0.10"),
    ],
)
def test_the_number_for_a_rule_is_exact(body: bytes, path: str, text: str) -> None:
    check = asked(json=path)
    with serving(saying(body)) as client:
        (one,) = measured(check, RULE, http.ask(check, client))
    assert number_text(one.value) == text


@pytest.mark.parametrize(
    ("body", "path", "error"),
    [
        (b'{"queue": {}}', "queue.depth", NoValueError),
        (b'{"queue": []}', "queue.0", NoValueError),
        (b'{"queue": null}', "queue", NoValueError),
        (b"", "", NoValueError),
        (b'{"queue": true}', "queue", RolloutError),
        (b'{"queue": "many"}', "queue", RolloutError),
        (b"many", "", RolloutError),
        (b"many", "queue", RolloutError),
    ],
)
def test_no_number_is_no_measurement(body: bytes, path: str, error: type[RolloutError]) -> None:
    check = asked(json=path)
    with serving(saying(body)) as client:
        answer = http.ask(check, client)
    with pytest.raises(RolloutError) as raised:
        list(measured(check, RULE, answer))
    assert raised.type is error
