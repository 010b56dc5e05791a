"""Without a plan the plugin costs nothing and shows nothing."""

from __future__ import annotations

import json

import pytest

PROBE = """\
import json
import sys


def test_probe(request):
    manager = request.config.pluginmanager
    names = [name for name, _ in manager.list_name_plugin()]
    markers = request.config.getini("markers")
    found = {
        "modules": sorted(sys.modules),
        "plugins": [name for name in names if name.startswith("rollout-")],
        "markers": [marker for marker in markers if marker.startswith(("criterion", "effect"))],
    }
    with open("probe.json", "w") as file:
        json.dump(found, file)
"""

HEAVY = ("httpx", "yaml", "jinja2", "click", "sqlite3", "uvicorn", "fastapi", "locust", "rich")


def probe(pytester: pytest.Pytester, *arguments: str) -> dict[str, list[str]]:
    """What a test sees of the plugin in a process of its own."""
    pytester.makepyfile(test_probe=PROBE)
    arguments = ("-p", "no:respx", "-p", "no:cacheprovider", *arguments)
    result = pytester.runpytest_subprocess(*arguments, "test_probe.py")
    assert result.ret == 0
    result.stdout.no_fnmatch_line("*rollout:*")
    found: dict[str, list[str]] = json.loads((pytester.path / "probe.json").read_text())
    return found


def test_nothing_is_registered_and_nothing_heavy_imported(pytester: pytest.Pytester) -> None:
    others = ("hypothesispytest", "allure_pytest", "anyio", "html", "html_fixtures")
    found = probe(pytester, *(word for name in others for word in ("-p", f"no:{name}")))
    assert found["plugins"] == []
    assert found["markers"] == []
    ours = [name for name in found["modules"] if name.startswith("pytest_rollout")]
    names = ("hookspecs", "on_the_way", "plugin")
    assert ours == ["pytest_rollout", *(f"pytest_rollout.{name}" for name in names)]
    assert [name for name in HEAVY if name in found["modules"]] == []


def test_with_a_plan_it_is_registered(pytester: pytest.Pytester) -> None:
    (pytester.path / "rollout.yaml").write_text("plan: demo\nphases: [{id: canary}]\n")
    found = probe(pytester)
    assert "rollout-collecting" in found["plugins"]
    assert len(found["markers"]) == 2


def test_workers_of_a_project_without_a_plan_are_left_alone(pytester: pytest.Pytester) -> None:
    pytester.makepyfile("def test_it(): pass")
    result = pytester.runpytest("-n2")
    assert result.ret == 0
    assert not (pytester.path / ".rollout").exists()


@pytest.mark.parametrize("plan", ["", "plan: demo\nphases: [{id: canary}]\n"])
def test_a_run_says_that_a_file_is_not_read(pytester: pytest.Pytester, plan: str) -> None:
    pytester.makepyfile("def test_it(): pass")
    (pytester.path / "rollout.yml").write_text("plan: demo\n")
    if plan:
        (pytester.path / "rollout.yaml").write_text(plan)
        (pytester.path / "waivers.yml").write_text("waivers: []\n")
    result = pytester.runpytest()
    assert result.ret == 0
    result.stdout.fnmatch_lines(["rollout: rollout.yml is not read; rename it to rollout.yaml"])
    if plan:
        result.stdout.fnmatch_lines(["rollout: waivers.yml is not read; rename it to waivers.yaml"])


def test_asking_for_a_phase_names_the_file_that_is_not_read(pytester: pytest.Pytester) -> None:
    (pytester.path / "rollout.yml").write_text("plan: demo\n")
    result = pytester.runpytest("--rollout-phase", "demo")
    assert result.ret == 4
    result.stderr.fnmatch_lines(["*no rollout plan was found*rollout.yml is not read*"])


def test_a_plan_that_is_not_asked_loads_no_room_of_decisions(pytester: pytest.Pytester) -> None:
    (pytester.path / "rollout.yaml").write_text("plan: demo\nphases: [{id: canary}]\n")
    found = probe(pytester, "-p", "no:html", "-p", "no:html_fixtures", "-p", "no:anyio")
    ours = [name.partition(".")[2] for name in found["modules"] if "pytest_rollout." in name]
    assert not {name.partition(".")[0] for name in ours} & {"judge", "report", "signoff"}
    assert not {"evidence.ledger", "evidence.bodies", "session.phase_run"} & set(ours)
    assert not {"httpx", "jinja2", "click"} & set(found["modules"])


def test_where_no_test_is_bound_none_is_looked_at(pytester: pytest.Pytester) -> None:
    (pytester.path / "rollout.yaml").write_text("plan: demo\nphases: [{id: canary}]\n")
    looking = {"rollout-running", "rollout-hiding"}
    assert not looking & set(probe(pytester)["plugins"])
    marked = PROBE.replace(
        "def test_probe", "import pytest\n\n\n@pytest.mark.canary\ndef test_probe"
    )
    pytester.makepyfile(test_marked=marked)
    assert pytester.runpytest_subprocess("-p", "no:cacheprovider", "test_marked.py").ret == 0
    found = json.loads((pytester.path / "probe.json").read_text())
    assert looking <= set(found["plugins"])
