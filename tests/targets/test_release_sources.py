"""Where releases are read: headers, commands, variables, a part of a text, and reasons in words."""

from __future__ import annotations

import os
import sys
import time
from collections.abc import Callable
from contextlib import suppress
from http.server import BaseHTTPRequestHandler
from pathlib import Path

import pytest

from pytest_rollout.model.evidence import ReleaseFact
from pytest_rollout.model.plan import EMBEDDED, Environment, FactSource, Plan, Target
from pytest_rollout.targets import fact_sources
from pytest_rollout.targets.identity import identify, read_identity
from tests.targets.test_identity import JSON, TEXT, answering, saying

Respond = Callable[[BaseHTTPRequestHandler], None]
SEMVER = r"v?(\d+\.\d+\.\d+)"
TOKEN = "x7Kd93mQpLz02"


def read(respond: Respond, source: FactSource) -> ReleaseFact:
    with answering(respond) as url:
        return read_identity("start", url, source, None)


def answered(body: str, source: FactSource = JSON, kind: str = "application/json") -> ReleaseFact:
    return read(saying(body, kind), source)


def plan(release: FactSource, configuration: FactSource | None = None) -> Plan:
    return Plan("shop", "Shop", "UTC", (), {}, release, configuration=configuration)


def told(release: FactSource, folder: Path, *, embedded: bool = False) -> ReleaseFact:
    """What an environment without a page says."""
    environment = Environment(EMBEDDED if embedded else "prod")
    return identify("start", plan(release), environment, folder)


def program(*lines: str) -> FactSource:
    return FactSource(command=(sys.executable, "-c", "\n".join(lines)))


@pytest.mark.parametrize(
    ("body", "why"),
    [
        ('{"ver": "1"}', "has no key `version` (the keys that are there: ver)"),
        ("{}", "has no key `version` (the keys that are there: none)"),
        ('{"version": null}', "is null at `version`"),
        ('{"version": 1.10}', "has the number 1.10 at `version`, and 1.10 and 1.1 are the same"),
        ('{"version": 1e3}', "has the number 1e3 at `version`"),
        ('{"version": NaN}', "has the number NaN at `version`"),
        ('{"version": true}', "has true or false at `version`"),
        ('{"version": {"a": 1}}', "has an object at `version`"),
        ('{"version": [1]}', "has a list at `version`"),
        ('{"version": " "}', "its text is empty"),
        ("[1]", "holds nothing at version; the top is a list of 1"),
        ("<!doctype html><p>Sign in", "answers no JSON: it begins with"),
        ("", "answers nothing, where JSON is expected"),
        ('{"version": "' + "x" * 300 + '"}', "longer than 200 characters"),
    ],
)
def test_a_reason_says_what_was_there(body: str, why: str) -> None:
    fact = answered(body)
    assert fact.release is None
    assert why in str(fact.error)
    assert "Error" not in str(fact.error)


def test_a_login_page_shows_how_it_begins() -> None:
    fact = answered("<!doctype html><title>Sign in</title>", kind="text/html")
    assert "it begins with `<!doctype html><title>Sign in</title>`" in str(fact.error)
    page = answered(" <!DOCTYPE html><p>1.4.0", TEXT, "text/plain")
    assert "answers a page, not a release" in str(page.error)


def test_keys_with_dots() -> None:
    body = '{"http.server.requests": {"p95": "0.2", "p.99": 1}}'
    assert answered(body, FactSource("w", "/", '["http.server.requests"].p95')).release == "0.2"
    missing = answered(body, FactSource("w", "/", '["http.server.requests"].p90')).error
    assert '(the keys that are there: p95, ["p.99"])' in str(missing)


@pytest.mark.parametrize(
    ("text", "matches", "release"),
    [
        ("v1.4.0", SEMVER, "1.4.0"),
        ("1.4.0", SEMVER, "1.4.0"),
        ("registry/web:1.4.0@sha256:ab", ":(?P<release>[^@]+)", "1.4.0"),
        ("web 1.4.0", r"(web) (?P<release>\S+)", "1.4.0"),
        ("build 17 of 1.4.0", r"\d+\.\d+\.\d+", "1.4.0"),
    ],
)
def test_a_part_of_the_text_counts(text: str, matches: str, release: str) -> None:
    source = FactSource("web", "/", matches=matches)
    assert answered(text, source, "text/plain").release == release
    inside = FactSource("web", "/", "version", matches=matches)
    assert answered(f'{{"version": "{text}"}}', inside).release == release


@pytest.mark.parametrize(
    ("matches", "why"),
    [
        (SEMVER, "nothing in `latest` matches v?"),
        ("latest(-.*)?", "the group of latest(-.*)? is empty in `latest`"),
        ("latest()", "is empty in"),
    ],
)
def test_no_match_is_an_error(matches: str, why: str) -> None:
    fact = answered("latest", FactSource("web", "/", matches=matches), "text/plain")
    assert fact.release is None
    assert why in str(fact.error)


def behind_a_token(handler: BaseHTTPRequestHandler) -> None:
    """An answer that stands in a header, for who has the token; the body repeats what was sent."""
    known = handler.headers.get("Authorization") == f"Bearer {TOKEN}"
    handler.send_response(200 if known else 401)
    handler.send_header("X-Release", "v2.0.1")
    handler.send_header("X-Echo", f"1-{handler.headers.get('Authorization')}")
    handler.send_header("X-Two", "1")
    handler.send_header("X-Two", "2")
    handler.end_headers()
    handler.wfile.write(b"x" * 100)


def tokened(header: str) -> FactSource:
    headers = {"Authorization": "Bearer ${SHOP_LOGIN}"}
    return FactSource("web", "/", header=header, headers=headers)


def test_a_header_behind_a_token(monkeypatch: pytest.MonkeyPatch) -> None:
    unset = read(behind_a_token, tokened("X-Release"))
    assert "the environment variable SHOP_LOGIN is not set" in str(unset.error)
    monkeypatch.setenv("SHOP_LOGIN", "not this one")
    assert "401" in str(read(behind_a_token, tokened("X-Release")).error)
    monkeypatch.setenv("SHOP_LOGIN", TOKEN)
    assert read(behind_a_token, tokened("x-release")).release == "v2.0.1"
    other = str(read(behind_a_token, tokened("X-Version")).error)
    assert "answers without the header X-Version (there are: " in other
    assert "x-release" in other
    assert "2 times" in str(read(behind_a_token, tokened("X-Two")).error)


def test_what_is_sent_is_never_stored(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SHOP_LOGIN", TOKEN)
    fact = read(behind_a_token, tokened("X-Echo"))
    assert fact.release is None
    assert "holds the value of a header that was sent" in str(fact.error)
    assert TOKEN not in str(fact)
    monkeypatch.setenv("SHOP_LOGIN", f"{TOKEN}\nX-Other: 1")
    broken = read(behind_a_token, tokened("X-Release"))
    assert "the value of header Authorization holds a line break" in str(broken.error)
    assert TOKEN not in str(broken)


def test_a_variable(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    source = FactSource(variable="SHOP_SHA", matches="^[0-9a-f]{7}")
    assert "SHOP_SHA is not set" in str(told(source, tmp_path).error)
    monkeypatch.setenv("SHOP_SHA", "0123456789abcdef")
    assert told(source, tmp_path).release == "0123456"


def test_a_command(tmp_path: Path) -> None:
    (tmp_path / "VERSION").write_text("v1.4.0\n", encoding="utf-8")
    printed = program("print(open('VERSION').read())")
    assert told(printed, tmp_path).release == "v1.4.0"
    image = program('print(\'{"image": "web:1.4.0"}\')')
    inside = FactSource(command=image.command, json="image", matches=SEMVER)
    assert told(inside, tmp_path).release == "1.4.0"


@pytest.mark.parametrize(
    ("source", "why"),
    [
        (program("import sys", "sys.exit('no such deployment')"), "status 1: no such deployment"),
        (program("print('1.4.0')", "raise SystemExit(3)"), "status 3: it said nothing"),
        (program("print('x' * 2_000_000)"), "prints more than 1000000 bytes"),
        (program("pass"), "names no release: its text is empty"),
        (program("import os", "os.kill(os.getpid(), 9)"), "was ended by SIGKILL"),
        (FactSource(command=("no-such-program",)), "cannot start: No such file"),
        (FactSource(command=("echo", "${SHOP_UNSET}")), "variable SHOP_UNSET is not set"),
    ],
)
def test_a_command_that_gives_none(source: FactSource, why: str, tmp_path: Path) -> None:
    fact = told(source, tmp_path)
    assert fact.release is None
    assert why in str(fact.error)


def test_a_command_is_ended_with_all_that_it_started(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(fact_sources, "_COMMAND_S", 1.0)
    child = "import os, time; open('child', 'w').write(str(os.getpid())); time.sleep(60)"
    source = program(
        "import subprocess, sys, time",
        f"subprocess.Popen([sys.executable, '-c', {child!r}])",
        "time.sleep(60)",
    )
    before = time.monotonic()
    assert "did not end within 1 s" in str(told(source, tmp_path).error)
    assert time.monotonic() - before < 20
    pid = int((tmp_path / "child").read_text(encoding="utf-8"))
    until = time.monotonic() + 10
    with suppress(ProcessLookupError):
        while time.monotonic() < until:
            state = Path(f"/proc/{pid}/stat")
            if not state.exists() or state.read_text().rpartition(")")[2].split()[0] == "Z":
                return
            os.kill(pid, 0)
            time.sleep(0.05)
        pytest.fail("the child of the command still runs")


def test_a_rehearsal_runs_no_command(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    source = program("open('ran', 'w')", "print('9.9')")
    served = Environment(EMBEDDED, {"web": Target("web", serve="shop:app")})
    assert identify("start", plan(source), served, tmp_path).release == "shop:app"
    assert told(source, tmp_path, embedded=True).release == "embedded"
    assert not (tmp_path / "ran").exists()
    monkeypatch.setenv("SHOP_SHA", "abc")
    assert told(FactSource(variable="SHOP_SHA"), tmp_path, embedded=True).release == "abc"
    monkeypatch.delenv("SHOP_SHA")
    assert told(FactSource(variable="SHOP_SHA"), tmp_path, embedded=True).release == "embedded"


def test_a_configuration_is_read_where_it_says(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("SHOP_SHA", "abc")
    release = FactSource(variable="SHOP_SHA")
    with answering(saying('{"a": 1, "b": 2}')) as one, answering(saying('{"b": 2}')) as other:
        targets = {"one": Target("one", address=one), "other": Target("other", address=other)}
        facts = [
            identify(
                "start",
                plan(release, source),
                Environment("prod", targets),
                tmp_path,
            )
            for source in (
                FactSource("one", "/"),
                FactSource("other", "/"),
                FactSource("one", "/", "b"),
                program("print('{\"b\": 2}')"),
                program("print('text')"),
                FactSource(variable="SHOP_SHA"),
            )
        ]
    assert [fact.error for fact in facts] == [None] * 6
    one_, other_, part, printed, text, variable = [fact.configuration for fact in facts]
    assert other_ == printed
    assert len({one_, other_, part, text, variable}) == 5
