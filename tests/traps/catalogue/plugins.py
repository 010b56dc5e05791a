"""Other plugins that answer in the gate's place, or get in its way."""

from __future__ import annotations

from tests.traps.parts import conftest, module, rule, works
from tests.traps.trap import NO_GO, NOTHING, PLAIN, Trap

_SKIP = works("pytest.skip('no host')")

_BAD = works("assert False, 'it does not work'")

_LOCUST = """
import json, subprocess, sys, time
from pathlib import Path

def load(*options, end=None):
    command = [sys.executable, "-m", "locust", "-f", "suites/p/load.py", "--headless", "-u1"]
    command += ["-t2s", "--json-file", "load", "--host=http://127.0.0.1:9", *options]
    process = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    while end and not Path("began").exists() and process.poll() is None:
        time.sleep(0.05)
    if end:
        process.send_signal(end)
    assert process.wait(40) == 0, "locust itself says that it failed"
    return json.loads(Path("load.json").read_text()) if Path("load.json").exists() else []
"""

_LOAD = """\
from pathlib import Path

from locust import HttpUser, task
from locust.exception import StopUser

class Nobody(HttpUser):
    def on_start(self):
        Path("began").touch()
        raise StopUser
    @task
    def never(self): self.client.get('/')
"""

_RULE = "metric: seconds, take: max, pass: '< 1', need: 3"

_OBSERVE = """\
for row in load({}):
    for seconds in row['response_times']: observe('seconds', float(seconds) / 1000)"""

_OTHERS = (
    Trap(
        "allure-history",
        "two parameters that Allure takes for one: the failing one is hidden",
        "it does not work",
        NO_GO,
        files=works(
            "assert first, 'it does not work'",
            args="first, second",
            marks='@pytest.mark.parametrize("first, second", [("", "admin"), ("admin", "")])',
        ),
        args=("--alluredir=out/allure",),
        needs=("allure_pytest",),
        numbers=("E23",),
    ),
    Trap(
        "coverage-green",
        "coverage is complete, and a check fails",
        "it does not work",
        NO_GO,
        files=_BAD,
        args=("--cov=suites", "--cov-fail-under=1"),
        needs=("pytest_cov",),
    ),
    Trap(
        "reports-green",
        "reports of HTML and JSON are written, and a check skips",
        "skipped: no host",
        files=_SKIP,
        args=("--html=out/a.html", "--json-report", "--json-report-file=out/a.json"),
        needs=("html", "html_fixtures", "metadata", "pytest_jsonreport"),
    ),
    Trap(
        "async-skips",
        "an async check skips itself",
        "skipped: no host",
        files=module(
            """
            @pytest.mark.criterion('works')
            @pytest.mark.asyncio
            async def test_works():
                pytest.skip('no host')
            """
        ),
        needs=("asyncio",),
    ),
    Trap(
        "async-fails",
        "an async check fails",
        "it does not work",
        NO_GO,
        files=module(
            """
            @pytest.mark.criterion('works')
            @pytest.mark.asyncio
            async def test_works():
                assert False, 'it does not work'
            """
        ),
        needs=("asyncio",),
    ),
    Trap(
        "async-task-fails",
        "an async check fails in a task that nobody awaits",
        "never retrieved",
        files=module(
            """
            @pytest.mark.criterion('works')
            @pytest.mark.asyncio
            async def test_works():
                import asyncio
                async def work(): assert False
                task = asyncio.ensure_future(work())
                await asyncio.sleep(0)
                await asyncio.sleep(0)
            """
        ),
        needs=("asyncio",),
    ),
    Trap(
        "timeout",
        "a check exceeds its timeout",
        "Timeout",
        NO_GO,
        files=works("import time; time.sleep(5)"),
        args=("--timeout=0.5", "--timeout-method=signal"),
        needs=("timeout",),
    ),
    Trap(
        "host-option",
        "a conftest.py adds `--host` beside Locust's plugin",
        "already added",
        NOTHING,
        files=conftest("""
        def pytest_addoption(parser):
            parser.addoption('--host')
        """),
        needs=("locust",),
        numbers=("E28",),
        modes=(PLAIN,),
    ),
    Trap(
        "locust-without-requests",
        "Locust sends nothing and exits 0",
        "no sample",
        files=works(_OBSERVE.format(""), args="observe", above=_LOCUST)
        | rule(_RULE)
        | {"suites/p/load.py": _LOAD},
        numbers=("E30",),
        modes=(PLAIN,),
    ),
    Trap(
        "locust-stopped",
        "Locust is stopped early and exits 0",
        "no sample",
        files=works(_OBSERVE.format("end=15"), args="observe", above=_LOCUST)
        | rule(_RULE)
        | {"suites/p/load.py": _LOAD},
        numbers=("E30",),
        modes=(PLAIN,),
    ),
)

TRAPS = _OTHERS
