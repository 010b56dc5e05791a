"""Secrets that a suite meets, through every door: none of them is stored or shown."""

from __future__ import annotations

import json
import random
import string
from base64 import b64encode
from http.server import BaseHTTPRequestHandler
from pathlib import Path
from urllib.parse import quote

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.session.project import PLAN, Project
from tests.targets.test_identity import answering

DOORS = """\
import base64, json, logging, pathlib, sys, warnings
import httpx
import pytest
from hypothesis import given, strategies as st

pytestmark = pytest.mark.canary
GIVEN = json.loads(pathlib.Path(__file__).with_name("given.json").read_text())
SECRET, TEXT = GIVEN["secret"], GIVEN["text"]
works = pytest.mark.criterion("works")


@pytest.fixture
def broken():
    raise OSError(TEXT)


@pytest.mark.criterion("ready")
def test_ready():
    pass


@works
def test_message():
    assert False, TEXT


@works
def test_comparison():
    shown = {"headers": {"authorization": f"Bearer {SECRET}"}, "text": TEXT}
    assert shown == {"text": "x"}


@works
def test_long_comparison():
    assert "x" * GIVEN["pad"] + SECRET + "y" * 300 == ""


@works
def test_chain():
    try:
        raise ValueError(TEXT)
    except ValueError as error:
        raise RuntimeError(base64.b64encode(f"u:{SECRET}".encode())) from error


@works
def test_captured():
    print(TEXT, repr(TEXT), json.dumps(TEXT))
    print(TEXT, file=sys.stderr)
    logging.warning("said %s", TEXT)


@works
def test_address():
    httpx.get(f"http://bob:{SECRET}@127.0.0.1:9/x?token={SECRET}", timeout=2)


@works
def test_skipped():
    pytest.skip(TEXT)


@works
@pytest.mark.xfail(reason=TEXT, strict=False)
def test_xfailed():
    assert False, TEXT


@works
def test_warned():
    warnings.warn(TEXT)


@works
def test_returned():
    return TEXT


@works
def test_fixture(broken):
    pass


@works
def test_group():
    raise ExceptionGroup(TEXT, [AssertionError(TEXT), ValueError(TEXT)])


@works
def test_property(record_property):
    record_property("seen", TEXT)
    record_property(TEXT, {"inner": [TEXT]})


@works
def test_subtests(subtests):
    with subtests.test(TEXT, why=TEXT):
        print(TEXT)
        assert False, TEXT


@works
@given(st.just(TEXT))
def test_falsified(text):
    assert not text


@pytest.mark.criterion("errors")
def test_errors(observe, phase):
    for number in range(3):
        observe("errors", 0, at=1_000 + number, user=TEXT, **{SECRET: number})
    observe(SECRET, 1)
    phase.record("incident", TEXT)
    observe.attach(TEXT, TEXT)
    observe.attach("raw", b"\\x00\\x01" + SECRET.encode() + b"\\x02", SECRET)
    observe.attach("wide", TEXT.encode("utf-16", "replace"))
    observe("errors", TEXT)
"""

BROKEN = """\
import json, pathlib, pytest
raise ImportError(json.loads(pathlib.Path(__file__).with_name("given.json").read_text())["text"])
"""


def leaks(root: Path, secret: str, said: str) -> list[str]:
    """Where a part of a secret is, in any spelling, among all that a run left and said."""
    raw = secret.encode()
    cores = [b64encode(bytes(n) + raw).decode()[4 * (n > 0) : -4] for n in range(3)]
    words = [secret[n : n + 10] for n in range(len(secret) - 9)]
    words += [quote(secret, safe=""), json.dumps(secret)[1:-1], *filter(None, cores)]
    spelled = {word.encode(form) for word in words for form in ("utf-8", "utf-16-le", "utf-16-be")}
    kept = {"the terminal": said.encode("utf-8", "surrogatepass")}
    folders = (root / ".rollout", root / "rollout-report")
    files = [path for folder in folders for path in folder.rglob("*") if path.is_file()]
    for path in (*files, root / "junit.xml"):
        kept[path.name] = path.read_bytes() if path.exists() else b""
        kept[f"the name of {path.name}"] = path.name.encode()
    return [name for name, data in kept.items() if any(word in data for word in spelled)]


def told(project: Project, secret: str, text: str, pad: int = 100) -> None:
    """Tell the suite its secret, by a file, so that no source holds it."""
    project.write(
        "suites/demo/given.json", json.dumps({"secret": secret, "text": text, "pad": pad})
    )


def everything(project: Project, *arguments: str) -> str:
    """What a run says when it says all it can."""
    arguments = (
        *arguments,
        "-rA",
        "--showlocals",
        "--junitxml=junit.xml",
        "-o",
        "junit_logging=all",
    )
    result = project.run_apart("-m", "canary", *arguments)
    assert result.ret in (10, 11), result.stderr.str()
    return result.stdout.str() + result.stderr.str()


SURROUNDINGS = st.text(st.characters(codec="utf-8", exclude_characters="\0"), max_size=30)


@settings(
    max_examples=3,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)
@given(st.randoms(use_true_random=False), SURROUNDINGS, SURROUNDINGS, st.integers(80, 130))
@pytest.mark.parametrize("parallel", [[], ["-n2"]], ids=["plain", "n2"])
def test_a_secret_of_the_environment_is_nowhere(
    project: Project,
    monkeypatch: pytest.MonkeyPatch,
    parallel: list[str],
    chance: random.Random,
    before: str,
    after: str,
    pad: int,
) -> None:
    letters = string.ascii_letters + string.digits + "+/=%&'\"-_.~!"
    secret = "".join(chance.choice(letters) for _ in range(chance.randrange(16, 60)))
    monkeypatch.setenv("DEMO_API_TOKEN", secret)
    project.tests(DOORS)
    told(project, secret, f"{before}{secret}{after}", pad)
    said = everything(project, *parallel)
    assert not leaks(project.root, secret, said)
    assert "[redacted]" in said
    assert "[redacted]" in json.dumps(project.decision())


SHAPED = {
    "a key": "ghp_Zk3vR9wQx7LmT2pYAb4c",
    "a JWT": "eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiIxMjM0In0.c2lnbmF0dXJl",
    "a webhook": "https://hooks.slack.com/services/T0AB12CD/B0EF34/Zk3vR9wQx7LmT2pY",
    "a private key": "-----BEGIN PRIVATE KEY-----\nMIIEvQIBADANBg\nkqhkiG9w0BAQ\n"
    "-----END PRIVATE KEY-----",
}


@pytest.mark.parametrize("what", SHAPED)
def test_what_can_be_nothing_but_a_secret_is_nowhere(project: Project, what: str) -> None:
    project.tests(DOORS)
    told(project, SHAPED[what], f"it said {SHAPED[what]} to me")
    project.change('base64.b64encode(f"u:{SECRET}".encode())', "SECRET")
    project.change(", **{SECRET: number}", "")
    project.change("bob:{SECRET}@", "")
    project.change('"x" * GIVEN["pad"] + SECRET', '"x"')
    project.change('b"\\x00\\x01" + SECRET', "SECRET")
    said = everything(project)
    assert not leaks(project.root, SHAPED[what][-20:], said)


@pytest.mark.parametrize("parallel", [[], ["-n2"]], ids=["plain", "n2"])
def test_a_secret_in_an_id_is_refused(
    project: Project, monkeypatch: pytest.MonkeyPatch, parallel: list[str]
) -> None:
    secret = "Zk3vR9wQx7LmT2pY"
    monkeypatch.setenv("DEMO_API_TOKEN", secret)
    project.change('["a", "b"]', f'["a", "{secret}"]')
    result = project.run_apart("-m", "canary", "-v", *parallel)
    assert result.ret == 4
    message = "*test_canary.py:*: the id of test_works holds the value of a secret variable (give*"
    result.stderr.fnmatch_lines([message])
    assert not leaks(project.root, secret, result.stdout.str() + result.stderr.str())


def test_a_module_that_cannot_be_collected_says_no_secret(
    project: Project, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("DEMO_API_TOKEN", "Zk3vR9wQx7LmT2pY")
    project.tests("import os\nraise ValueError(os.environ['DEMO_API_TOKEN'])\n", "demo/test_b.py")
    result = project.run_apart("-m", "canary")
    said = result.stdout.str() + result.stderr.str()
    assert "ValueError: [redacted]" in said
    assert "ValueError: [redacted]" in project.reasons()[0]
    assert not leaks(project.root, "Zk3vR9wQx7LmT2pY", said)


@pytest.mark.parametrize(
    ("line", "what"),
    [
        ("url: https://bob:open-sesame@web.example", "a password in an address"),
        ("url: https://hooks.slack.com/services/T0/B0/abcd", "a webhook's address"),
        ("url: https://web.example/ghp_Zk3vR9wQx7LmT2pYAb4c", "a key or token"),
        ("url: Zk3vR9wQx7LmT2pY", "the value of a secret variable"),
    ],
)
def test_a_secret_in_the_plan_is_refused_with_the_fix(
    project: Project, monkeypatch: pytest.MonkeyPatch, line: str, what: str
) -> None:
    monkeypatch.setenv("DEMO_API_TOKEN", "Zk3vR9wQx7LmT2pY")
    project.plan(PLAN + f"environments:\n  prod:\n    targets:\n      web: {{{line}}}\n")
    result = project.run_apart("-m", "canary")
    assert result.ret == 4
    fix = "(write ${NAME} and set it in the environment)"
    wanted = (
        f"ERROR: suites/demo/rollout.yaml:{PLAN.count(chr(10)) + 4}: {what} is written out {fix}"
    )
    assert wanted in result.stderr.lines
    secret = line.rpartition("/")[2].removeprefix("url: ").partition("@")[0]
    assert secret not in result.stdout.str() + result.stderr.str()
    assert not project.stored


def test_variables_in_the_plan_are_no_secrets(project: Project) -> None:
    address = "https://${DEMO_USER}:${DEMO_PASSWORD}@web.example"
    project.plan(PLAN + f"environments: {{prod: {{targets: {{web: '{address}'}}}}}}\n")
    assert project.run("-m", "canary").ret == 0


RELEASE = """\
release: {target: web, path: /version, json: version}
environments: {prod: {targets: {web: "${DEMO_URL}"}}}
"""


@pytest.mark.parametrize("body", ['{"version": "v-%s"}', '{"version": ["%s"]}', "%s"])
def test_a_release_that_says_a_secret(
    project: Project, monkeypatch: pytest.MonkeyPatch, body: str
) -> None:
    secret = "Zk3vR9wQx7LmT2pY"

    def respond(handler: BaseHTTPRequestHandler) -> None:
        handler.send_response(200)
        handler.end_headers()
        handler.wfile.write((body % secret).encode())

    project.plan(PLAN + RELEASE)
    with answering(respond) as url:
        monkeypatch.setenv("DEMO_URL", url.replace("://", f"://bob:{secret}@"))
        result = project.run_apart("-m", "canary", "--rollout-env", "prod")
        listed = project.rollout("targets", "--env", "prod")
    said = result.stdout.str() + result.stderr.str() + listed.stdout.str() + listed.stderr.str()
    assert "[redacted]" in said
    assert not leaks(project.root, secret, said)
    assert result.ret == 11
    assert "the release could not be read" in project.reasons("entry", environment="prod")[0]


def test_what_allure_is_told_of_an_exception(
    project: Project, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("DEMO_API_TOKEN", "Zk3vR9wQx7LmT2pY")
    project.change(
        "def test_works(part):\n    pass",
        "def test_works(part):\n    import os\n    assert not os.environ['DEMO_API_TOKEN']",
    )
    project.run_apart("-p", "allure_pytest", "-m", "canary", "--alluredir=.rollout/allure")
    told = [path.read_text() for path in (project.root / ".rollout/allure").iterdir()]
    assert any("[redacted]" in text for text in told)
    assert not any("Zk3vR9wQ" in text for text in told)
