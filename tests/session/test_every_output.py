"""Ten hostile texts through every output of one run, and whether all of them say the same."""

from __future__ import annotations

import csv
import io
import json
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from xml.etree import ElementTree

import pytest

from tests.report.report_reading import page
from tests.session.project import Project

SECRET = "ghp_0123456789abcdefghijABCDEFGHIJ012345"
HOSTILE = {
    "script": "<script>alert(1)</script>",
    "attribute": "\"'><img src=x onerror=alert(1)>",
    "svg": "</title></svg><svg onload=alert(1)>",
    "link": "[click](javascript:alert(1)) <javascript:alert(1)> ![](http://evil.example/x)",
    "ansi": "\x1b[2J\x1b]0;title\x07\x9b31m",
    "turned": "\u202egnp.exe\u2066",
    "huge": "long " * 20_000,
    "formula": "=HYPERLINK(1)",
    "workflow": "\n::error::told by a test\n::set-output name=x::y",
    "secret": f"token {SECRET} in a message",
}
CONTROL = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f\u202a-\u202e\u2066-\u2069\ud800-\udfff]")
OTHERS_ON = ("allure_pytest", "html", "html_fixtures", "metadata")
TESTS = """
import json, pathlib
import pytest

pytestmark = pytest.mark.canary
HOSTILE = json.loads(pathlib.Path(__file__).with_name("hostile.json").read_text())


@pytest.mark.criterion("ready")
def test_ready():
    pass


@pytest.mark.criterion("works")
@pytest.mark.parametrize("text", HOSTILE.values(), ids=HOSTILE)
def test_works(text, observe, record_property):
    observe("errors", 0, note=text)
    observe.attach(text[:100], text)
    record_property("seen", text)
    print(text)
    assert False, text


@pytest.mark.criterion("nice")
def test_nice():
    pass


@pytest.mark.criterion("errors")
def test_errors(phase):
    for text in HOSTILE.values():
        phase.record("incident", text)
"""


BY_PYTEST = ("terminal.txt", "junit.xml", "page.html")  # which cut no message


@dataclass(frozen=True)
class Outputs:
    """What a run and the verbs after it wrote, by name."""

    project: Project
    status: int
    texts: Mapping[str, str]

    def of(self, suffix: str) -> dict[str, str]:
        """Those with such an ending."""
        return {name: text for name, text in self.texts.items() if name.endswith(suffix)}


@pytest.fixture
def outputs(project: Project, monkeypatch: pytest.MonkeyPatch) -> Outputs:
    """One run with two workers, reruns, JUnit, Allure, pytest-html, GitHub, and every report."""
    project.write("suites/demo/test_canary.py", TESTS)
    project.write("suites/demo/hostile.json", json.dumps(HOSTILE))
    monkeypatch.setenv("GITHUB_ACTIONS", "true")
    monkeypatch.setenv("GITHUB_STEP_SUMMARY", str(project.root / "summary.md"))
    monkeypatch.setenv("GITHUB_OUTPUT", str(project.root / "output"))
    given = ("--junitxml=junit.xml", "--alluredir=allure", "--html=page.html", "--reruns=1")
    plugins = [word for name in OTHERS_ON for word in ("-p", name)]
    result = project.run_apart(*plugins, "-m", "canary", "-n2", "--self-contained-html", *given)
    texts = {"terminal.txt": result.stdout.str(), "stderr.txt": result.stderr.str()}
    for name, verb in VERBS.items():
        texts[name] = project.rollout(*verb).stdout.str()
    for path in _written(project.root):
        texts[path.relative_to(project.root).as_posix()] = path.read_text(encoding="utf-8")
    return Outputs(project, int(result.ret), texts)


VERBS = {
    "observations.csv": ("report", "demo.canary", "--format", "csv"),
    "status.txt": ("status",),
    "status.json": ("status", "--json"),
    "standup.txt": ("standup",),
    "explain.txt": ("explain", "demo.canary.works"),
    "board.txt": ("status", "--html"),
}


def _written(root: Path) -> Iterator[Path]:
    for place in ("rollout-report", "allure", "junit.xml", "page.html", "summary.md", "output"):
        path = root / place
        found = path.rglob("*") if path.is_dir() else [path]
        yield from (one for one in found if one.is_file())


def test_hostile_texts_are_inert_in_every_output_and_all_agree(outputs: Outputs) -> None:
    _all_are_there(outputs)
    for name, text in outputs.texts.items():
        if name != "page.html":  # pytest-html's own page
            assert SECRET not in text, name
            assert name.startswith("allure/") or not CONTROL.search(text), name
        if name not in BY_PYTEST and not name.startswith("allure/"):
            assert len(text) < 1_000_000, name
    assert len(_ours(outputs)) < 20_000
    _pages_are_inert(outputs)
    _markdown_is_inert(outputs)
    _tables_are_inert(outputs)
    _workflow_commands_are_ours(outputs)
    _all_say_no_go(outputs)


def _all_are_there(outputs: Outputs) -> None:
    gate = "rollout-report/demo/embedded/canary/exit"
    own = {f"{gate}/{name}" for name in ("report.html", "report.md", "report.junit.xml")}
    own |= {f"{gate}/report.prom", f"{gate}/decision.json", "rollout-report/index.html"}
    assert own | {"junit.xml", "page.html", "summary.md", "output"} <= set(outputs.texts)
    assert any(name.startswith("allure/") for name in outputs.texts)


def _pages_are_inert(outputs: Outputs) -> None:
    for name, text in outputs.of(".html").items():
        if name == "page.html":
            continue
        for node in page(text).all():
            assert node.tag not in ("script", "img", "iframe", "object"), name
            assert not [key for key in node.attributes if key.startswith("on")], name
            assert "javascript:" not in str(node.attributes.get("href", "")), name


def _markdown_is_inert(outputs: Outputs) -> None:
    for name, text in outputs.of(".md").items():
        outside = re.sub(r"```.*?```|`[^`\n]*`", "", text, flags=re.DOTALL)
        assert "<script" not in outside, name
        assert "<img" not in outside, name
        assert not re.search(r"(?<!\\)\]\(javascript:", outside), name
        assert not re.search(r"!\[\]\(http", outside), name


def _tables_are_inert(outputs: Outputs) -> None:
    rows = list(csv.reader(io.StringIO(outputs.texts["observations.csv"])))
    assert len(rows) > len(HOSTILE)
    for row in rows:
        assert not [cell for cell in row if cell.startswith(("=", "+", "@"))]
    for name, text in outputs.of(".xml").items():
        assert ElementTree.fromstring(text) is not None, name


def _workflow_commands_are_ours(outputs: Outputs) -> None:
    told = [line for line in _ours(outputs).splitlines() if line.lstrip().startswith("::")]
    assert told
    assert all(re.match(r"::(error|warning) title=(NO-GO|HOLD) ", line) for line in told)
    output = outputs.texts["output"].splitlines()
    assert all(re.fullmatch(r"[a-z_]+=[A-Z-]+", line) for line in output), output


def _all_say_no_go(outputs: Outputs) -> None:
    gate = "rollout-report/demo/embedded/canary/exit"
    assert outputs.status == 10
    assert json.loads(outputs.texts[f"{gate}/decision.json"])["decision"] == "NO-GO"
    assert page(outputs.texts[f"{gate}/report.html"]).one("strong").text == "NO-GO"
    assert "NO-GO" in outputs.texts[f"{gate}/report.md"].splitlines()[0]
    for name in ("junit.xml", f"{gate}/report.junit.xml"):
        suites = ElementTree.fromstring(outputs.texts[name]).iter("testsuite")
        ours = [one for one in suites if "demo.canary/exit" in one.attrib["name"]]
        assert [case.attrib["name"] for one in ours for case in one if _red(case)], name
    prom = outputs.texts[f"{gate}/report.prom"]
    assert re.search(r'rollout_decision\{[^}]*answer="NO-GO"[^}]*\} 1', prom)
    assert "decision=NO-GO" in outputs.texts["output"].splitlines()
    assert "NO-GO" in outputs.texts["summary.md"]
    allure = [json.loads(text) for name, text in outputs.of("-result.json").items()]
    gates = {one["name"]: one["status"] for one in allure if "demo.canary/" in one["name"]}
    assert sorted(gates.values()) == ["failed", "passed"]
    assert outputs.texts["terminal.txt"].rstrip().splitlines()[-1].startswith("NO-GO: ")


def _ours(outputs: Outputs) -> str:
    """What the terminal shows of the gates, below what pytest shows of tests."""
    return outputs.texts["terminal.txt"].partition("= rollout =")[2]


def _red(case: ElementTree.Element) -> bool:
    return case.find("failure") is not None or case.find("error") is not None
