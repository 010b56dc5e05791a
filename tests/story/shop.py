"""A shop that is rolled out, on loopback, and the project that guards its rollout."""

from __future__ import annotations

import http.server
import json
import shutil
import sys
import threading
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

from tests.story.guarded import Answer, Guarded

DAY, OFFSET = "2025-11-10", "-05:00"  # a Monday in New York
ENGINEER, OPERATOR = "emil@example.com", "olga@example.com"
PEOPLE = {ENGINEER: "engineering", OPERATOR: "operations"}
ENTRY, EXIT = "shop.canary/entry", "shop.canary/exit"

PLAN = """\
plan: shop
title: A shop moves to its new checkout
timezone: America/New_York
release: {target: shop, path: /version, json: version}
environments:
  prod: {targets: {shop: "${SHOP_URL}"}, max_age: 24h, allow: [observe, change]}
windows:
  change: [{days: mon-thu, hours: "09:00-16:00"}]
phases:
  - id: canary
    title: One server of ten
    date: 2025-11-10
    hours: "09:00-11:00"
    owners: [engineering, operations]
    signoff: [engineering, operations]
    every: 1s
    criteria:
      - id: healthy
        gate: entry
        kind: operational
        says: The shop answers its health probe
        check: {http: /health, on: shop, expect: {status: 200}}
      - id: quick
        gate: entry
        kind: slo
        says: A page takes less than half a second
        metric: seconds
        take: max
        pass: "< 0.5"
        need: 3
      - id: moved
        kind: operational
        says: The new checkout gets its share of requests
      - id: announced
        kind: operational
        says: The change is on record
      - id: no-errors
        kind: slo
        says: No order fails
        metric: failed_orders
        take: max
        pass: "<= 0"
        need: 3
    guardrails:
      - id: lag
        says: Orders are not waiting
        check: {http: /lag, on: shop, json: lag}
        fail: "> 5"
        then: [rollback]
    rollback: [all requests go to the old checkout]
    on_rollback: {revalidate: [canary/entry]}
"""

CHECKS = """\
import time

import pytest

from pytest_rollout import scenario

pytestmark = pytest.mark.canary


@pytest.fixture(scope="session")
def shop(phase):
    return phase.target("shop").client


@scenario(effect="change")
def moved(phase):
    return phase.target("shop").client.post("/share", json={"new": 10}).json()


@pytest.mark.criterion("quick")
def test_pages_are_quick(shop, observe):
    for _ in range(3):
        page = shop.get("/page").json()
        time.sleep(page["pause"])
        observe("seconds", page["seconds"])


@pytest.mark.criterion("moved")
def test_the_new_checkout_gets_requests(moved):
    assert moved["new"] == 10


@pytest.mark.criterion("announced")
def test_the_change_is_on_record(phase):
    says = [event.says for event in phase.events("change")]
    assert says == ["the new checkout is switched on (Olga)"]


@pytest.mark.criterion("no-errors")
def test_no_order_fails(shop, observe):
    for _ in range(3):
        observe("failed_orders", shop.get("/orders").json()["failed"])
"""


@dataclass
class Shop:
    """What the shop answers, and what it was asked to change."""

    version: str = "1.4.0"
    seconds: float = 0.1  # that a page takes
    pause: float = 0  # seconds that the check of pages waits, each time
    lag: float = 0
    failed: int = 0
    changed: list[str] = field(default_factory=list)
    pages: int = 0  # that were asked for
    orders: int = 0
    url: str = ""

    def heal(self) -> None:
        """Be as it is when nothing is wrong."""
        healthy = Shop(url=self.url)
        for name in Shop.__dataclass_fields__:
            setattr(self, name, getattr(healthy, name))

    def answers(self, path: str) -> Mapping[str, object]:
        """The answer to a GET."""
        self.pages += path == "/page"
        self.orders += path == "/orders"
        known: Mapping[str, Mapping[str, object]] = {
            "/version": {"version": self.version},
            "/page": {"seconds": self.seconds, "pause": self.pause},
            "/lag": {"lag": self.lag},
            "/orders": {"failed": self.failed},
        }
        return known.get(path, {})


@contextmanager
def opened() -> Iterator[Shop]:
    """A shop that is open while the context lasts."""
    shop = Shop()

    class Handler(http.server.BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            self.send(json.dumps(shop.answers(self.path)).encode())

        def do_POST(self) -> None:
            shop.changed.append(self.path)
            self.send(self.rfile.read(int(self.headers.get("content-length", 0))))

        def send(self, body: bytes) -> None:
            self.send_response(200)
            self.send_header("content-type", "application/json")
            self.send_header("content-length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, format: str, *args: object) -> None:  # noqa: A002
            """Say nothing."""

    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    shop.url = f"http://127.0.0.1:{server.server_port}"
    try:
        yield shop
    finally:
        server.shutdown()
        thread.join()
        server.server_close()


@dataclass(frozen=True, slots=True)
class Monday:
    """The Monday of the rollout: what is done at which time of it."""

    project: Guarded

    @classmethod
    def planned(cls, folder: Path, url: str) -> Monday:
        """A project with the plan, its checks and its people."""
        suite = folder / "project/suites/shop"
        suite.mkdir(parents=True)
        suite.joinpath("rollout.yaml").write_text(PLAN)
        suite.joinpath("test_canary.py").write_text(CHECKS)
        project = Guarded(folder / "project", {"SHOP_URL": url})
        project.has_people(suite, PEOPLE)
        return cls(project)

    def copied(self, folder: Path) -> Monday:
        """The same Monday so far, in a folder of its own."""
        source = self.project.folder.parent
        shutil.copytree(source, folder, dirs_exist_ok=True)
        return Monday(Guarded(folder / "project", self.project.given))

    @property
    def plan(self) -> Path:
        """The plan's file."""
        return self.project.folder / "suites/shop/rollout.yaml"

    def pytest(self, time_: str, *more: str) -> Answer:
        """What `pytest -m canary --rollout-env prod` says at a time."""
        return self.decide(time_, "canary", *more)

    def decide(self, time_: str, phase: str, *more: str) -> Answer:
        """What pytest says of a phase."""
        return self.project.run(*_at(time_), *_PYTEST, "-m", phase, *more)

    def pytest_cancelled(self, time_: str, shop: Shop) -> Answer:
        """The same, ended by TERM as soon as it has asked the shop for pages."""
        asked, shop.pause = shop.pages, 30
        process = self.project.started(*_at(time_), *_PYTEST, "-m", "canary")
        until = time.monotonic() + 60
        while shop.pages == asked and time.monotonic() < until:
            time.sleep(0.05)
        shop.pause = 0
        process.terminate()
        said, _ = process.communicate(timeout=60)
        assert shop.pages > asked, said
        return Answer(process.returncode, said)

    def rollout(self, time_: str, *words: str) -> Answer:
        """What the `rollout` command says at a time."""
        return self.project.run(*_at(time_), "pytest_rollout.cli", *words)

    def clear(self, time_: str, phase: str = "canary") -> Answer:
        """What `rollout clear` says."""
        return self.rollout(time_, "clear", f"shop.{phase}", "--env", "prod")

    def begin(self, time_: str) -> Answer:
        """What `rollout begin` says."""
        return self.life(time_, "begin", "canary")

    def end(self, time_: str) -> Answer:
        """What `rollout end` says."""
        return self.life(time_, "end", "canary")

    def life(self, time_: str, verb: str, phase: str) -> Answer:
        """What `rollout begin` or `rollout end` says of a phase."""
        return self.rollout(time_, verb, f"shop.{phase}", "--env", "prod", "--by", "Olga")

    def record(self, time_: str, type_: str, says: str) -> Answer:
        """What `rollout record` says."""
        words = ("record", "shop.canary", type_, "--says", says, "--by", "Olga", "--env", "prod")
        return self.rollout(time_, *words)

    def switch_on(self, time_: str) -> None:
        """Somebody makes the change and puts it on record."""
        told = self.record(time_, "change", "the new checkout is switched on")
        assert told.status == 0, told.said

    def watch(self, time_: str, seconds: int, phase: str = "canary") -> Answer:
        """What `rollout watch` says after so many seconds, or once a trip ends it."""
        lasting = ("--for", f"{seconds}s")
        return self.rollout(time_, "watch", f"shop.{phase}", "--env", "prod", *lasting)

    def sign(self, time_: str, gate: str, person: str, *more: str) -> Answer:
        """What `rollout sign` says to one person."""
        key = str(self.project.key(person))
        who = ("--as", PEOPLE[person], "--by", person, "--key", key)
        return self.rollout(time_, "sign", gate, "--env", "prod", *who, *more)

    def signed(self, time_: str, gate: str) -> None:
        """Everybody signs a gate."""
        for person in PEOPLE:
            told = self.sign(time_, gate, person)
            assert told.status == 0, told.said


def _at(time_: str) -> tuple[str, ...]:
    return (sys.executable, "-m", "tests.story.clock", f"{DAY}T{time_}{OFFSET}")


_PYTEST = (
    *("pytest", "--rollout-env", "prod"),
    *("-p", "no:cacheprovider", "-p", "no:randomly", "-W", "ignore::pytest.PytestWarning"),
)
