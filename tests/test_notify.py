"""Telling people: what is posted, what is said where it fails, and that no address shows."""

from __future__ import annotations

import json
import socketserver
import threading
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import pytest

from pytest_rollout.model.channel import Channel, ChannelMeans, Topic
from pytest_rollout.notify import Notice, Telling, tell
from tests.checks.server import Handler, saying, serving

MESSAGE = Notice("ROLLBACK: p.a.g tripped", "max was 9", "p.a.g prod 7", {"limit": "> 5"})


def posted(channel: Channel, monkeypatch: pytest.MonkeyPatch, secret: str = "") -> tuple[str, Any]:
    """Where a message went, and what it was."""
    found: list[tuple[str, Any]] = []

    def answer(handler: Handler) -> None:
        raw = handler.rfile.read(int(handler.headers["content-length"]))
        found.append((handler.path, json.loads(raw)))
        saying(b"", 202)(handler)

    with serving(answer) as client:
        url = str(client.base_url)
        monkeypatch.setenv("ADDRESS", secret or f"{url}T1/B2")
        if secret:
            channel = Channel(channel.means, channel.address, url=f"{url}enqueue")
        assert tell(channel, MESSAGE).words == f"{channel.means}: told"
    return found[0]


def test_slack_takes_a_text(monkeypatch: pytest.MonkeyPatch) -> None:
    path, said = posted(Channel(ChannelMeans.SLACK, "${ADDRESS}"), monkeypatch)
    assert (path, said) == ("/base/T1/B2", {"text": "*ROLLBACK: p.a.g tripped*\nmax was 9"})


def test_a_webhook_takes_the_facts(monkeypatch: pytest.MonkeyPatch) -> None:
    _, said = posted(Channel(ChannelMeans.WEBHOOK, "${ADDRESS}"), monkeypatch)
    assert said["facts"] == {"limit": "> 5"}
    assert said["key"] == "p.a.g prod 7"


def test_pagerduty_takes_an_event_of_its_second_version(monkeypatch: pytest.MonkeyPatch) -> None:
    channel = Channel(ChannelMeans.PAGERDUTY, "${ADDRESS}")
    path, said = posted(channel, monkeypatch, "R0UT1NGK3Y")
    assert path == "/base/enqueue"
    assert (said["routing_key"], said["event_action"]) == ("R0UT1NGK3Y", "trigger")
    assert said["dedup_key"] == "p.a.g prod 7"
    assert said["payload"]["summary"] == "ROLLBACK: p.a.g tripped"
    assert said["payload"]["severity"] == "critical"


@contextmanager
def mail_server(*extensions: str) -> Iterator[tuple[int, list[str]]]:
    """A mail server on loopback, and the lines that it was sent."""
    heard: list[str] = []

    class Session(socketserver.StreamRequestHandler):
        def handle(self) -> None:
            self._say("220 here")
            reading = False
            for raw in self.rfile:
                line = raw.decode().rstrip("\r\n")
                heard.append(line)
                if reading:
                    reading = line != "."
                    if not reading:
                        self._say("250 ok")
                elif line.lower().startswith("ehlo"):
                    self._say(
                        "\r\n".join(["250-here", *(f"250-{e}" for e in extensions), "250 8BITMIME"])
                    )
                elif line.lower() == "data":
                    reading = True
                    self._say("354 go on")
                else:
                    self._say("221 bye" if line.lower() == "quit" else "250 ok")

        def _say(self, text: str) -> None:
            self.wfile.write(f"{text}\r\n".encode())

    with socketserver.ThreadingTCPServer(("127.0.0.1", 0), Session) as server:
        server.daemon_threads = True
        threading.Thread(target=server.serve_forever, args=(0.01,), daemon=True).start()
        try:
            yield server.server_address[1], heard
        finally:
            server.shutdown()


def test_an_e_mail_is_sent(monkeypatch: pytest.MonkeyPatch) -> None:
    channel = Channel(ChannelMeans.EMAIL, "${ADDRESS}", ("ops@x.org", "pm@x.org"), "r@x.org")
    with mail_server() as (port, heard):
        monkeypatch.setenv("ADDRESS", f"smtp://127.0.0.1:{port}")
        assert tell(channel, MESSAGE).why == ""
    assert "Subject: ROLLBACK: p.a.g tripped" in heard
    assert "To: ops@x.org, pm@x.org" in heard
    assert "max was 9" in heard


def test_a_password_is_not_sent_in_the_open(monkeypatch: pytest.MonkeyPatch) -> None:
    channel = Channel(ChannelMeans.EMAIL, "${ADDRESS}", ("ops@x.org",), "r@x.org")
    with mail_server("AUTH PLAIN") as (port, heard):
        monkeypatch.setenv("ADDRESS", f"smtp://me:S3cr3tW0rd@127.0.0.1:{port}")
        found = tell(channel, MESSAGE)
    assert "offers no TLS" in found.why
    assert not any("AUTH" in line for line in heard)


@pytest.mark.parametrize(
    ("address", "why"),
    [
        ("", "the environment variable ADDRESS is not set"),
        ("http://127.0.0.1:1/services/T1/B2/W3bh00kS3cr3t", "ConnectError"),
        ("no address at all", "protocol"),
    ],
)
def test_what_goes_wrong_is_said_without_the_address(
    monkeypatch: pytest.MonkeyPatch, address: str, why: str
) -> None:
    monkeypatch.setenv("ADDRESS", address)
    found = tell(Channel(ChannelMeans.SLACK, "${ADDRESS}"), MESSAGE)
    assert why.lower() in found.why.lower()
    assert "W3bh00k" not in found.words
    assert "T1/B2" not in found.words


def test_one_that_refuses_does_not_keep_the_others_from_being_told(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    with serving(saying(b"", 404)) as bad, serving(saying(b"")) as good:
        monkeypatch.setenv("BAD", str(bad.base_url))
        monkeypatch.setenv("GOOD", str(good.base_url))
        channels = [Channel(ChannelMeans.SLACK, "${BAD}"), Channel(ChannelMeans.WEBHOOK, "${GOOD}")]
        told = [one.words for one in Telling(channels, Topic.TRIPS, MESSAGE).outcomes()]
    assert told == ["slack: failed: it answered 404", "webhook: told"]


class Flaky:
    """A server that answers with one status after the other."""

    def __init__(self, *statuses: int) -> None:
        self.statuses = list(statuses)
        self.asked = 0

    def __call__(self, handler: Handler) -> None:
        status = self.statuses[min(self.asked, len(self.statuses) - 1)]
        self.asked += 1
        handler.rfile.read(int(handler.headers["content-length"]))
        saying(b"", status)(handler)


@pytest.mark.parametrize(
    ("statuses", "asked", "words"),
    [
        ((503, 429, 200), 3, "slack: told"),
        ((500, 500, 500), 3, "slack: failed: it answered 500"),
        ((400, 200), 1, "slack: failed: it answered 400"),
    ],
)
def test_who_is_busy_is_asked_again_and_who_refuses_is_not(
    monkeypatch: pytest.MonkeyPatch, statuses: tuple[int, ...], asked: int, words: str
) -> None:
    flaky = Flaky(*statuses)
    with serving(flaky) as client:
        monkeypatch.setenv("ADDRESS", str(client.base_url))
        found = tell(Channel(ChannelMeans.SLACK, "${ADDRESS}"), MESSAGE, (0.0, 0.0))
    assert (found.words, flaky.asked) == (words, asked)


def test_only_channels_of_the_topic_are_told(monkeypatch: pytest.MonkeyPatch) -> None:
    with serving(saying(b"")) as client:
        monkeypatch.setenv("ADDRESS", str(client.base_url))
        slack = Channel(ChannelMeans.SLACK, "${ADDRESS}", about=(Topic.DECISIONS,))
        hook = Channel(ChannelMeans.WEBHOOK, "${ADDRESS}", about=(Topic.TRIPS, Topic.DECISIONS))
        told = {
            topic: [one.words for one in Telling([slack, hook], topic, MESSAGE).outcomes()]
            for topic in Topic
        }
    assert told == {
        Topic.TRIPS: ["webhook: told"],
        Topic.DECISIONS: ["slack: told", "webhook: told"],
        Topic.SIGNOFF: [],
    }


def test_apprise_tells_a_service_and_silences_nobody_else(
    monkeypatch: pytest.MonkeyPatch, recwarn: pytest.WarningsRecorder
) -> None:
    heard: list[Any] = []

    def answer(handler: Handler) -> None:
        heard.append(json.loads(handler.rfile.read(int(handler.headers["content-length"]))))
        warnings.warn("of somebody else", UserWarning, stacklevel=1)
        saying(b"", 200)(handler)

    with serving(answer) as client:
        monkeypatch.setenv("ADDRESS", f"json://127.0.0.1:{client.base_url.port}/T1/B2")
        assert tell(Channel(ChannelMeans.APPRISE, "${ADDRESS}"), MESSAGE).words == "apprise: told"
        assert "of somebody else" in [str(warned.message) for warned in recwarn]
    assert (heard[0]["title"], heard[0]["message"]) == (MESSAGE.title, MESSAGE.text)


@pytest.mark.parametrize(
    ("address", "why"),
    [
        ("json://127.0.0.1:1/T1/W3bh00k", "failed: "),
        ("nothing://W3bh00k", "Apprise knows no service of such an address"),
    ],
)
def test_apprise_says_why_it_failed_without_the_address(
    monkeypatch: pytest.MonkeyPatch, address: str, why: str
) -> None:
    monkeypatch.setenv("ADDRESS", address)
    found = tell(Channel(ChannelMeans.APPRISE, "${ADDRESS}"), MESSAGE, ())
    assert why in found.words
    assert "W3bh00k" not in found.words
