"""Real nights of a target: a release that takes 8 % longer is found, one that does not passes."""

from __future__ import annotations

import time
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Thread

import pytest

from tests.load.loaded import plan_of
from tests.session.project import Project

PROD = ("--rollout-env", "prod")
BY = ("--env", "prod", "--by", "A. Person")
SERVICE = 0.25  # seconds that a request takes
NIGHT = 40  # seconds of the clock that count as one night here
PINNED = 7
ENTRY = """\
      - {id: up, gate: entry, kind: operational, check: {http: /version, on: web}}
"""
CRITERION = f"""\
        take: p10
        per: {NIGHT}s
        pass: "<= 1.5"
        versus: {{release: v1, as: nightly, baseline: {PINNED}, alarms: 1/y}}
"""


class _Shop(ThreadingHTTPServer):
    """A target whose release and service time can be changed."""

    daemon_threads = True
    release = "v1"
    longer = 1.0

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), _Handler)


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    server: _Shop

    def do_GET(self) -> None:
        if self.path == "/start":
            time.sleep(SERVICE * self.server.longer)
        body = self.server.release.encode()
        self.send_response(404 if self.path.startswith("/reference") else 200)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_: object) -> None:
        """Say nothing."""


@pytest.fixture
def shop() -> Iterator[_Shop]:
    server = _Shop()
    thread = Thread(target=server.serve_forever)
    thread.start()
    yield server
    server.shutdown()
    thread.join(10)
    server.server_close()


def night(project: Project) -> tuple[int, str]:
    """Make the load of a night at its begin, and once more where that confirms something."""
    time.sleep(NIGHT - time.time() % NIGHT)
    began = time.time()
    status = int(project.rollout("load", "demo.nightly", "--env", "prod", "--confirm").ret)
    assert time.time() - began < NIGHT, "two runs do not fit into a night of this length"
    return status, project.reason("quick", phase="nightly", environment="prod")


def deployed(project: Project, shop: _Shop, release: str, longer: float = 1.0) -> None:
    """Another release runs, and that is on record."""
    assert project.rollout("record", "demo.nightly", "change", "--says", release, *BY).ret == 0
    shop.release, shop.longer = release, longer


def until(project: Project, wanted: int) -> tuple[int, str]:
    """Run up to three nights until one has a status."""
    for _ in range(3):
        status, reason = night(project)
        if status == wanted:
            break
    return status, reason


@pytest.mark.nightly
def test_eight_percent_is_found_within_three_nights(loaded: Project, shop: _Shop) -> None:
    url = f"http://127.0.0.1:{shop.server_port}"
    text = plan_of("rate: 12/s", url=url, allow="observe, change")
    head, _, rest = text.partition("        take: p95\n")
    head = head.replace("    criteria:\n", f"    criteria:\n{ENTRY}", 1)
    loaded.plan(head + CRITERION + rest.partition('"< 900ms"\n')[2])
    assert loaded.run("-m", "nightly", *PROD).ret == 0
    assert loaded.rollout("begin", "demo.nightly", *BY).ret == 0
    for known in range(PINNED):
        _, reason = night(loaded)
        assert f"{known} of {PINNED} needed stretches of {NIGHT}s of release v1" in reason
    deployed(loaded, shop, "v2")
    status, reason = until(loaded, 0)
    assert status == 0, reason
    deployed(loaded, shop, "v3", 1.08)
    status, reason = until(loaded, 10)
    assert status == 10, reason
    assert "worse than them by more than chance explains" in reason
    assert "in 2 runs of this stretch" in reason
