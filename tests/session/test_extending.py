"""A package of others adds a format, a means and a channel: docs/how-to/extend.md, as printed."""

from __future__ import annotations

import os
import re
import sys
import textwrap
import tomllib
from pathlib import Path

import pytest

from pytest_rollout.model.channel import Channel
from pytest_rollout.notify import Notice, tell
from tests.session.project import INI, Project

PAGE = Path(__file__).parents[2] / "docs/how-to/extend.md"


def printed(language: str) -> str:
    """The one block of a language on the page."""
    (block,) = re.findall(rf"^```{language}\n(.*?)^```$", PAGE.read_text(), re.S | re.M)
    return str(block)


def install(project: Project, module: str, name: str = "acme") -> None:
    """Install a package outside of the project: a module, and its entry points."""
    groups = tomllib.loads(printed("toml"))["project"]["entry-points"]
    site = project.root.parent / f"site-{name}-{project.root.name}"
    info = site / f"{name}_rollout-1.0.dist-info"
    info.mkdir(parents=True)
    (site / f"{name}_rollout.py").write_text(module)
    (info / "METADATA").write_text(f"Metadata-Version: 2.1\nName: {name}-rollout\nVersion: 1.0\n")
    lines = [
        line.replace("acme", name)
        for group, entries in groups.items()
        for line in [f"[{group}]", *(f"{key} = {value}" for key, value in entries.items())]
    ]
    (info / "entry_points.txt").write_text("\n".join(lines))
    project.pytester.syspathinsert(site)


@pytest.fixture
def acme(pytester: pytest.Pytester) -> Project:
    """The page's plan, with nothing installed."""
    project = Project(pytester)
    pytester.makeini(INI)
    project.write("rollout.yaml", printed("yaml"))
    project.write("app.log", "started\nserving\n")
    return project


@pytest.fixture
def installed(acme: Project) -> Project:
    """The page's plan, with the page's package installed."""
    install(acme, printed("python"))
    return acme


REPORTS = "rollout-report/acme/embedded/canary"


@pytest.mark.parametrize("how", [[], ["-n2"]], ids=["plain", "n2"])
def test_the_page_as_printed(
    installed: Project, how: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    site = next(path for path in sys.path if "site-acme" in path)
    paths = [site, os.environ.get("PYTHONPATH", "")]
    monkeypatch.setenv("PYTHONPATH", os.pathsep.join(paths))
    result = installed.run_apart("-m", "canary", *how)
    assert result.ret == 0
    assert installed.verdicts(plan="acme") == {"no-errors": "pass"}
    table = (installed.root / REPORTS / "exit/report.csv").read_text()
    assert table == "criterion,verdict\nacme.canary.no-errors,pass\n"
    log = (installed.root / "decisions.log").read_text()
    assert log == "acme.canary/entry GO\nacme.canary/exit GO\n"
    for name in ("decision.json", "report.md", "report.html"):
        assert (installed.root / REPORTS / "exit" / name).is_file()


def test_its_means_can_say_no(installed: Project) -> None:
    installed.write("app.log", "started\nan ERROR\n")
    assert installed.run("-m", "canary").ret == 10
    assert installed.verdicts(plan="acme") == {"no-errors": "fail"}
    (installed.root / "app.log").unlink()
    assert installed.run("-m", "canary").ret == 11
    assert installed.verdicts(plan="acme") == {"no-errors": "error"}
    assert "there is no file app.log" in installed.reason("no-errors", plan="acme")


def test_its_reports_of_an_earlier_run_are_not_left(installed: Project) -> None:
    installed.run("-m", "canary")
    left = installed.root / REPORTS / "exit" / "report.old.csv"
    left.write_text("of a format that is gone\n")
    installed.run("-m", "canary")
    assert not left.exists()


def test_a_plan_whose_means_nobody_installed(acme: Project) -> None:
    result = acme.run("-m", "canary")
    assert result.ret == 4
    result.stderr.fnmatch_lines(
        ["*rollout.yaml:10: criterion no-errors: check: it has one of `command`*"]
    )


OFFENCES = {
    "a misspelt means": ("{lines: app.log, with", "{lnes: app.log, with", "did you mean `lines`?"),
    "an unknown option": ("with_word:", "with_wrod:", "did you mean `with_word`?"),
    "nothing asked": ("{lines: app.log, expect", '{lines: "", expect', "`lines` asks nothing"),
    "nothing judges": ('\n        pass: "<= 0"', "", "nothing says which answer is good"),
    "a misspelt channel": ("{file:", "{fiel:", "has one of `slack`, `webhook`, `pagerduty`"),
}


@pytest.mark.parametrize("what", OFFENCES)
def test_what_a_plan_may_not_say(installed: Project, what: str) -> None:
    old, new, said = OFFENCES[what]
    installed.change(old, new, "rollout.yaml")
    result = installed.run("-m", "canary")
    assert result.ret == 4
    assert said in result.stderr.str()
    assert "Traceback" not in result.stderr.str()


MEANS = """\
from pytest_rollout import ChannelExtension, CheckExtension, Effect, Reply
import time

def ask(check, labels, place, root):
    {body}

lines = CheckExtension(ask, options=("with_word",), effect=Effect.{effect})
file = ChannelExtension(print)
"""
BROKEN = {
    "an assertion": ("assert 0, 'not good'", "lines: AssertionError: not good"),
    "a failure of pytest": ("import pytest; pytest.fail('no')", "lines: Failed: no"),
    "a bug": ("return Reply.nothing", "lines: AttributeError"),
    "no reply": ("return 0", "lines gave 0, which is no Reply"),
    "no end": ("time.sleep(3)", "no whole answer within 0.2 s"),
}


@pytest.mark.parametrize("what", BROKEN)
def test_a_means_that_breaks_is_an_error(acme: Project, what: str) -> None:
    body, said = BROKEN[what]
    install(acme, MEANS.format(body=body, effect="OBSERVE"), f"b{list(BROKEN).index(what)}")
    acme.change("with: {with_word: ERROR}", "timeout: 200ms", "rollout.yaml")
    assert acme.run("-m", "canary").ret == 11
    assert acme.verdicts(plan="acme") == {"no-errors": "error"}
    assert said in acme.reason("no-errors", plan="acme")


def test_a_means_that_changes_its_target_says_so(acme: Project) -> None:
    install(acme, MEANS.format(body="return Reply()", effect="CHANGE"), "changing")
    acme.change("ERROR}}", "ERROR}, effect: observe}", "rollout.yaml")
    result = acme.run("-m", "canary")
    assert result.ret == 4
    result.stderr.fnmatch_lines(["*`lines` does more than observe (effect: change)*"])


@pytest.mark.parametrize(
    ("module", "said"),
    [
        ("raise RuntimeError('bang')", "`lines` (*) cannot be loaded: RuntimeError: bang"),
        ("lines = file = 3", "`lines` (*) is no CheckExtension"),
    ],
)
def test_a_means_that_cannot_be_loaded(acme: Project, module: str, said: str) -> None:
    name = f"m{len(module)}"
    install(acme, module, name)
    result = acme.run("-m", "canary", "-p", f"no:{name}-rollout")
    assert result.ret == 4
    result.stderr.fnmatch_lines([f"*{said.replace('[', '[[]')}*"])


HOOKS = """\
import pytest
from pytest_rollout import ReportFormat

def render(decision):
    {render}

def pytest_rollout_reports():
    {reports}

def pytest_rollout_decided(decision):
    {decided}
"""
HOSTILE = {
    "a format raises": ("1 / 0", "return [ReportFormat('x', '.x', render)]", "", "the report `x`*"),
    "a format ends pytest": (
        "pytest.exit('bye', 0)",
        "return [ReportFormat('x', '.x', render)]",
        "",
        "the report `x` of demo.canary/exit failed: Exit: bye",
    ),
    "a format gives no text": ("return 3", "return [ReportFormat('x', '.x', render)]", "", "*"),
    "a format of another's file": (
        "return ''",
        "return [ReportFormat('x', '.md', render), ReportFormat('json', '.json', render)]",
        "",
        "*`x` is left out: report.md is written by `markdown` of rollout-reports",
    ),
    "a format outside of the folder": (
        "return ''",
        "return [ReportFormat('x', '/../../x', render)]",
        "",
        "the report `x`: '/../../x' is no suffix",
    ),
    "no formats": ("", "return 3", "", "pytest_rollout_reports failed: TypeError*"),
    "no format": ("", "return ['x']", "", "pytest_rollout_reports gave 'x', which is no Rep*"),
    "a hook fails": ("", "return []", "pytest.fail('no')", "pytest_rollout_decided failed: *"),
    "a hook leaves": ("", "return []", "raise SystemExit(0)", "pytest_rollout_decided failed: *"),
    "a hook changes the decision": (
        "",
        "return []",
        "decision.decision = 'GO'",
        "pytest_rollout_decided failed: FrozenInstanceError: *",
    ),
}


@pytest.mark.parametrize("what", HOSTILE)
def test_hooks_of_others_change_no_decision(project: Project, what: str) -> None:
    render, reports, decided, said = HOSTILE[what]
    text = HOOKS.format(render=render or "...", reports=reports, decided=decided or "...")
    project.write("conftest.py", text)
    project.change("def test_works(part):\n    pass", "def test_works(part):\n    assert 0")
    result = project.run("-m", "canary")
    assert result.ret == 10
    result.stdout.fnmatch_lines([f"note: conftest.py: {said}"])
    assert project.decision()["decision"] == "NO-GO"
    folder = project.root / "rollout-report/demo/embedded/canary/exit"
    assert "NO-GO" in (folder / "report.md").read_text()
    assert (folder / "report.html").is_file()


def test_a_broken_plugin_keeps_no_other_from_hearing(project: Project) -> None:
    text = "def pytest_rollout_decided(decision):\n    "
    project.write("conftest.py", text + "1 / 0\n")
    project.write("suites/conftest.py", text + "print('heard', decision.address)\n")
    assert project.run("-m", "canary").ret == 0
    assert project.run("-m", "canary", "-s").stdout.str().count("heard demo.canary/") == 2


def test_a_channel_of_others(
    installed: Project, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("TRIPS", str(tmp_path / "trips.txt"))
    message = Notice("errors tripped", "more than 3", "k")
    done = tell(Channel("file", "${TRIPS}"), message)
    assert done.words == "file: told"
    assert (tmp_path / "trips.txt").read_text() == "errors tripped\n"
    monkeypatch.setenv("TRIPS", str(tmp_path / "secret" / "trips.txt"))
    done = tell(Channel("file", "${TRIPS}"), message)
    assert done.words.startswith("file: failed: FileNotFoundError")
    assert "secret" not in done.words
    assert tell(Channel("pigeon", "${TRIPS}"), message).why.startswith("`pigeon` is not installed")


def test_the_page_lists_what_is_exported() -> None:
    import pytest_rollout

    listed = PAGE.read_text().split("## What you may import")[1]
    names = re.findall(r"`([A-Z]\w+)`", listed)
    assert len(names) == 12
    assert set(names) <= set(pytest_rollout.__all__)


def test_the_module_of_the_page_is_no_longer_than_a_page() -> None:
    assert len(textwrap.dedent(printed("python")).splitlines()) <= 45
