"""What changes a target is declared, or never sent: in a rehearsal as in a real environment."""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Thread
from typing import Any

import pytest

from tests.session.project import Project

PLAN = """\
plan: shop
release: {{target: web, path: /version, json: version}}
environments:
  embedded: {{targets: {{web: {{serve: "shop:app", reads: ["POST /search"]}}}}}}
  prod:
    targets: {{web: {{url: "{url}", reads: ["POST /search", "POST /of/*/find"]}}}}
    allow: [{allow}]
phases:
  - id: canary
    criteria:
      - {{id: ready, gate: entry, kind: operational, says: It is ready}}
      - {{id: works, kind: demo, says: It works}}
"""
SHOP = """\
import json

made = []


async def app(scope, receive, send):
    if scope["type"] != "http":
        return
    if scope["method"] not in ("GET", "HEAD"):
        made.append(scope["path"])
    body = json.dumps({"version": "1.0", "made": len(made)}).encode()
    headers = [(b"content-type", b"application/json")]
    status = 404 if scope["path"].startswith("/reference") else 200
    await send({"type": "http.response.start", "status": status, "headers": headers})
    await send({"type": "http.response.body", "body": body})
"""
HEAD = """\
import threading
from concurrent.futures import ThreadPoolExecutor

import httpx
import pytest

from pytest_rollout import Idempotency, scenario

pytestmark = pytest.mark.canary


@pytest.mark.criterion("ready")
def test_ready(phase):
    assert phase.target("web").client.get("/version").is_success


"""


class Shop:
    """A shop that counts what was written to it."""

    def __init__(self) -> None:
        self.written: list[str] = []
        self.on_write: Any = None
        shop = self

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def answer(self) -> None:
                length = int(self.headers.get("content-length") or 0)
                self.rfile.read(length)
                if self.path == "/moved":
                    self.send_response(307)
                    self.send_header("location", "/orders")
                    self.send_header("content-length", "0")
                    self.end_headers()
                    return
                override = self.headers.get("x-http-method-override")
                if self.command not in ("GET", "HEAD") or override:
                    shop.written.append(f"{override or self.command} {self.path}")
                    if shop.on_write:
                        shop.on_write()
                body = json.dumps({"version": "1.0", "id": len(shop.written)}).encode()
                self.send_response(200)
                self.send_header("content-length", str(len(body)))
                self.end_headers()
                self.wfile.write(body)

            do_GET = do_POST = do_PUT = do_DELETE = do_PATCH = answer  # noqa: N815

            def log_message(self, format: str, *args: object) -> None:  # noqa: A002
                """Say nothing."""

        self._server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.url = f"http://127.0.0.1:{self._server.server_port}"

    @contextmanager
    def open(self) -> Iterator[Shop]:
        """Serve meanwhile."""
        thread = Thread(target=self._server.serve_forever)
        thread.start()
        try:
            yield self
        finally:
            self._server.shutdown()
            thread.join()
            self._server.server_close()


@pytest.fixture
def shop() -> Iterator[Shop]:
    """A real shop."""
    with Shop().open() as opened:
        yield opened


def made(project: Project, shop: Shop, test: str, allow: str = "change") -> None:
    """Write the suite with one check of the exit gate, whose name is test_works."""
    project.plan(PLAN.format(url=shop.url, allow=allow), "shop")
    project.write("shop.py", SHOP)
    (project.root / "suites/demo/rollout.yaml").unlink()
    (project.root / "suites/demo/test_canary.py").unlink()
    project.tests(HEAD + test, "shop/test_canary.py")


def begun(project: Project) -> None:
    """Begin the phase in prod."""
    entry = project.run("-m", "canary", "--rollout-env", "prod")
    assert entry.ret == 0, entry.outlines
    assert project.rollout("begin", "shop.canary", "--env", "prod", "--by", "Ada").ret == 0


def run(project: Project, environment: str = "prod", *more: str) -> tuple[int, str, str]:
    """Exit status, verdict and reason of the check."""
    result = project.run("-m", "canary", "--rollout-env", environment, *more)
    where = {"plan": "shop", "environment": environment}
    verdict = project.verdicts("exit", **where)["works"]
    return int(result.ret), verdict, project.reason("works", "exit", **where)


WRITES = {
    "a post": "web.client.post('/orders')",
    "a put": "web.client.put('/orders/1')",
    "a delete": "web.client.delete('/orders/1')",
    "an unknown method": "web.client.request('PURGE', '/orders')",
    "small letters": "web.client.request('post', '/orders')",
    "built before": "web.client.send(web.client.build_request('POST', '/orders'))",
    "another client's": "web.client.send(httpx.Request('POST', web.url + '/orders'))",
    "streamed": "web.client.stream('POST', '/orders').__enter__()",
    "overridden": "web.client.get('/orders', headers={'X-HTTP-Method-Override': 'DELETE'})",
    "overridden reads": "web.client.post('/orders', headers={'X-HTTP-Method': 'GET'})",
    "stated, overridden": "web.client.post('/search', headers={'X-Method-Override': 'PUT'})",
    "beside what only reads": "web.client.post('/search/../orders')",
    "in disguise": "web.client.post('/of/%2e%2e/find')",
    "elsewhere": "web.client.post('http://localhost:1/search')",
    "without hooks": "(web.client.event_hooks.update(request=[]), web.client.post('/orders'))",
    "the console of others": "web.client.post('/reference/clock')",
    "in a thread": "thread(lambda: web.client.post('/orders'))",
    "in a pool": "list(ThreadPoolExecutor(2).map(web.client.post, ['/orders'] * 3))",
    "the kit": "Idempotency(web.client, '/orders').survives({}, at_once=5)",
}
CHECK = """
def thread(work):
    started = threading.Thread(target=work)
    started.start()
    started.join()


{fixture}{mark}@pytest.mark.criterion("works")
def test_works({asks}):
    {body}
"""


def check(body: str, mark: str = "", fixture: str = "", asks: str = "phase") -> str:
    """A suite's check; ``body`` is its one statement on the target ``web``."""
    whole = f"web = phase.target('web')\n    {body}" if asks == "phase" else body
    marked = f"@pytest.mark.effect({mark!r})\n" if mark else ""
    return CHECK.format(body=whole, mark=marked, fixture=fixture, asks=asks)


@pytest.mark.parametrize("write", WRITES.values(), ids=list(WRITES))
def test_nothing_is_written_that_was_not_declared(project: Project, shop: Shop, write: str) -> None:
    made(project, shop, check(write))
    begun(project)
    status, verdict, reason = run(project)
    assert (status, verdict) == (11, "error")
    assert "declares no effect; nothing was sent" in reason
    assert '@pytest.mark.effect("change") above the check' in reason
    assert "test_works would send " in reason
    assert shop.written == []


SWALLOWED = """
    try:
        web.client.post("/orders")
    except BaseException:
        pass
"""


@pytest.mark.parametrize(
    "body",
    [
        SWALLOWED.strip(),
        "threading.excepthook = lambda said: None; thread(lambda: web.client.post('/orders'))",
        "ThreadPoolExecutor(1).submit(web.client.post, '/orders').exception()",
    ],
    ids=["in the body", "in a thread", "in a future"],
)
def test_who_swallows_the_refusal_has_not_passed(
    project: Project, shop: Shop, body: str, how: list[str]
) -> None:
    made(project, shop, check(body))
    begun(project)
    status, verdict, reason = run(project, "prod", *how)
    assert (status, verdict) == (11, "error")
    assert "declares no effect; nothing was sent" in reason
    assert shop.written == []


def test_a_rehearsal_shows_the_same_mistake(project: Project, shop: Shop) -> None:
    made(project, shop, check("web.client.post('/orders')"))
    status, verdict, reason = run(project, "embedded")
    assert (status, verdict) == (11, "error")
    assert "test_works would send POST /orders to web, and declares no effect" in reason
    made_none = check("assert web.client.get('/').json()['made'] == 0")
    project.tests(HEAD + made_none, "shop/test_canary.py")
    assert run(project, "embedded")[:2] == (0, "pass")


def test_what_is_declared_and_allowed_is_sent(project: Project, shop: Shop) -> None:
    body = "(web.client.post('/orders'), list(ThreadPoolExecutor(2).map(web.client.post, ['/a'])))"
    made(project, shop, check(body, "change"))
    assert run(project, "embedded")[:2] == (0, "pass")
    begun(project)
    assert run(project)[:2] == (0, "pass")
    assert sorted(shop.written) == ["POST /a", "POST /orders"]


def test_what_only_reads_needs_no_effect(project: Project, shop: Shop) -> None:
    body = "(web.client.post('/search?q=1'), web.client.post('/of/7/find'))"
    made(project, shop, check(body))
    begun(project)
    assert run(project)[:2] == (0, "pass")
    assert shop.written == ["POST /search?q=1", "POST /of/7/find"]


def test_a_redirect_that_keeps_the_method_is_asked_for_again(project: Project, shop: Shop) -> None:
    stated = PLAN.replace('"POST /search", "POST /of', '"POST /moved", "POST /of')
    made(project, shop, check("web.client.post('/moved', follow_redirects=True)"))
    project.plan(stated.format(url=shop.url, allow="change"), "shop")
    begun(project)
    status, verdict, reason = run(project)
    assert (status, verdict) == (11, "error")
    assert "POST /orders" in reason
    assert shop.written == []


SCENARIO = """
@scenario({effect})
def ordered(phase):
    web = phase.target("web")
    {work}
    yield web
    {clean}


"""


def scenic(effect: str, work: str, clean: str = "pass", *, body: str = "ordered") -> str:
    """A suite whose check reads a scenario."""
    fixture = SCENARIO.format(effect=effect, work=work, clean=clean)
    return check(body, fixture=fixture, asks="ordered")


POST = "web.client.post('/orders')"
TRY = "\n    try:\n        web.client.post('/orders')\n    except Exception:\n        pass\n"


@pytest.mark.parametrize(
    "suite",
    [
        scenic("", POST),
        scenic("", TRY),
        scenic("", "pass", POST),
        scenic("", "pass", TRY),
        scenic("effect='observe'", POST),
    ],
    ids=["set-up", "swallowed", "tear-down", "swallowed in tear-down", "observes"],
)
def test_a_scenario_declares_its_own_effect(project: Project, shop: Shop, suite: str) -> None:
    # The check's own mark is no word about what the scenario does.
    made(project, shop, suite.replace('@pytest.mark.criterion("works")', MARKED))
    begun(project)
    status, verdict, reason = run(project)
    assert (status, verdict) == (11, "error")
    assert "ordered would send POST /orders to web, and declares no effect" in reason
    assert '@scenario(effect="change") above ordered' in reason
    assert shop.written == []


MARKED = '@pytest.mark.effect("change")\n@pytest.mark.criterion("works")'


def test_a_scenario_may_do_what_it_declares(project: Project, shop: Shop) -> None:
    made(project, shop, scenic("effect='change'", POST, POST))
    begun(project)
    assert run(project)[:2] == (0, "pass")
    assert len(shop.written) == 2


def test_its_threads_go_on_while_a_check_looks(project: Project, shop: Shop) -> None:
    work = "go = threading.Event()\n    pool = ThreadPoolExecutor(1)\n    " + (
        "done = pool.submit(lambda: (go.wait(10), web.client.post('/orders')))\n    "
        "worker = threading.Thread(target=lambda: (go.wait(10), web.client.post('/more')))\n    "
        "worker.start()\n    web.let = lambda: (go.set(), done.result(), worker.join())"
    )
    made(project, shop, scenic("effect='change'", work, body="ordered.let()"))
    begun(project)
    assert run(project)[:2] == (0, "pass")
    assert sorted(shop.written) == ["POST /more", "POST /orders"]


def test_a_check_writes_nothing_by_a_scenario_that_may(project: Project, shop: Shop) -> None:
    made(project, shop, scenic("effect='change'", "pass", body="ordered.client.post('/orders')"))
    begun(project)
    status, verdict, reason = run(project)
    assert (status, verdict) == (11, "error")
    assert "test_works would send POST /orders" in reason
    assert shop.written == []


PLAIN = """
@pytest.fixture
def ordered(phase):
    phase.target("web").client.post("/orders")


"""


def test_a_plain_fixture_is_part_of_its_check(project: Project, shop: Shop) -> None:
    suite = check("pass", fixture=PLAIN, asks="ordered")
    made(project, shop, suite)
    begun(project)
    status, verdict, reason = run(project)
    assert (status, verdict) == (11, "error")
    assert "test_works would send POST /orders" in reason
    project.tests(HEAD + suite.replace('@pytest.mark.criterion("works")', MARKED), TESTS)
    assert run(project)[:2] == (0, "pass")
    assert shop.written == ["POST /orders"]


TESTS = "shop/test_canary.py"


def test_before_the_phase_and_where_it_is_not_allowed_nothing_is_sent(
    project: Project, shop: Shop
) -> None:
    three_hundred = "[web.client.post('/orders') for _ in range(300)]"
    made(project, shop, check(three_hundred, "change"), allow="observe")
    project.run("-m", "canary", "--rollout-env", "prod", "--rollout-gate", "exit")
    reason = project.reason("works", "exit", plan="shop", environment="prod")
    assert "the environment does not allow it (`allow: [observe, change]` would)" in reason
    project.plan(PLAN.format(url=shop.url, allow="change"), "shop")
    project.run("-m", "canary", "--rollout-env", "prod", "--rollout-gate", "exit")
    reason = project.reason("works", "exit", plan="shop", environment="prod")
    assert "shop.canary has not begun (rollout begin shop.canary --env prod" in reason
    assert shop.written == []


def test_a_freeze_in_the_middle_stops_the_next_change_and_no_look(
    project: Project, shop: Shop
) -> None:
    body = """
    import time
    for number in range(40):
        assert web.client.get("/version").is_success
        assert web.client.get("/version").json()["version"] == "1.0"
        with open("looked", "a") as file:
            file.write("x")
        try:
            web.client.post("/orders")
        except Exception:
            pass
        time.sleep(0.1)
    """.strip()
    made(project, shop, check(body, "change"))
    begun(project)

    frozen = []

    def freeze() -> None:
        if len(shop.written) == 3:
            words = ("record", "shop.canary", "freeze", "--says", "the bank closes", "--by", "Ada")
            frozen.append(project.rollout(*words, "--env", "prod").ret)

    shop.on_write = freeze
    status, verdict, reason = run(project)
    assert frozen == [0]
    assert (status, verdict) == (11, "error")
    assert "refused in prod: it is frozen on record: " in reason
    assert "the bank closes" in reason
    assert 3 <= len(shop.written) < 15  # what is remembered for a second, and no more
    assert len((project.root / "looked").read_text(encoding="utf-8")) == 40


def test_what_runs_says_how_many_checks_change_something(project: Project, shop: Shop) -> None:
    made(project, shop, check(POST, "change"))
    few = "shop.canary observe: 0 of 1 declare an effect, all else is refused"
    many = "shop.canary change: 1 of 1 declares an effect, all else is refused"
    entry = project.run("-m", "canary", "--rollout-env", "prod")
    entry.stdout.fnmatch_lines([f"rollout: checks of {few}"])
    leaving = project.run("-m", "canary", "--rollout-env", "prod", "--rollout-gate", "exit")
    leaving.stdout.fnmatch_lines([f"rollout: checks of {many}"])


def test_without_a_phase_asked_nothing_is_sent_either(project: Project, shop: Shop) -> None:
    made(project, shop, check(POST))
    result = project.run("suites/shop/test_canary.py", "--rollout-env", "prod")
    assert result.ret == 1
    result.stdout.fnmatch_lines(["*declares no effect; nothing was sent*"])
    assert shop.written == []
    assert not project.stored
