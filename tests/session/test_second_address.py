"""A served target writes the address of another one of its own to a file in its folder."""

from __future__ import annotations

import pytest

from tests.session.project import Project

APP = """\
import json
import threading
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path

from pytest_rollout import ReferenceTarget


class Admin(BaseHTTPRequestHandler):
    def do_GET(self):
        self.send_response(200)
        self.end_headers()
        self.wfile.write(b"admin")

    def log_message(self, *_):
        pass


async def plain(scope, receive, send):
    if scope["type"] == "lifespan":
        while True:
            message = await receive()
            await send({"type": message["type"] + ".complete"})
            if message["type"] == "lifespan.shutdown":
                return
    await send({"type": "http.response.start", "status": 200, "headers": []})
    await send({"type": "http.response.body", "body": b"web"})


def app():
    target = ReferenceTarget("web")
    server = HTTPServer(("127.0.0.1", 0), Admin)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    (target.folder / "admin.url").write_text(f"http://127.0.0.1:{server.server_port}\\n")
    return target.serve(plain)
"""
PLAN = """\
plan: demo
environments:
  embedded: {targets: {web: {serve: "shop:app"}, admin: {url: admin.url, of: web}}}
phases:
  - id: canary
    owners: [sre]
    criteria:
      - {id: ready, gate: entry, kind: operational, says: The web answers}
      - {id: both, kind: demo, says: Both answer}
"""
TESTS = """\
import pytest

pytestmark = pytest.mark.canary


@pytest.mark.criterion("ready")
def test_ready(phase):
    assert phase.target("web").client.get("/").text == "web"


@pytest.mark.criterion("both")
def test_both(phase):
    assert phase.target("admin").client.get("/").text == "admin"
    assert phase.address("admin") == phase.target("admin").url
"""


@pytest.fixture
def served(project: Project) -> Project:
    project.write("shop.py", APP)
    project.plan(PLAN)
    project.tests(TESTS)
    project.pytester.makeini("[pytest]\npythonpath = .\n")
    return project


def test_its_address_is_read_from_the_file(served: Project) -> None:
    served.run("-m", "canary").assert_outcomes(passed=2)


def test_a_file_that_is_not_there_is_an_error_in_words(served: Project) -> None:
    served.change("url: admin.url", "url: other.url", "suites/demo/rollout.yaml")
    output = served.run("-m", "canary")
    output.assert_outcomes(passed=1, failed=1)
    output.stdout.fnmatch_lines(["*target admin: no address stands in other.url*"])
