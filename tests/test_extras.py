"""Whatever needs a library that is not installed names the extra that has it, with one command."""

from __future__ import annotations

import ast
import re
import sys
import tomllib
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import cast

import pytest

from pytest_rollout.cli.mutants import MutantsAsked, drill
from pytest_rollout.cli.served import unserved
from pytest_rollout.evidence import opening
from pytest_rollout.github.pull_requests import read_pull_request
from pytest_rollout.load import generator
from pytest_rollout.load.conduct import make as load
from pytest_rollout.model.channel import Channel, ChannelMeans
from pytest_rollout.model.load import LoadProfile
from pytest_rollout.monitoring.grafana import Grafana
from pytest_rollout.monitoring.serving import serve_grafana
from pytest_rollout.mutants.making import survey
from pytest_rollout.notify import Notice, tell
from pytest_rollout.plan.load import load as load_plan
from pytest_rollout.plan.load import parse
from pytest_rollout.receivers import Receivers
from pytest_rollout.signoff.envelope import sealed
from pytest_rollout.targets.launch import known_faults, launch
from pytest_rollout.targets.reference import Setting

ROOT = Path(__file__).parents[1]
PACKAGE = ROOT / "pytest_rollout"
PLAN = "plan: x\ntimezone: UTC\nphases: [{id: a}]\n"

# Loaded only where pytest has loaded the plugin that they belong to.
OF_A_PLUGIN = {"xdist": "parallel", "allure_commons": "allure"}


def _mail() -> None:
    with Receivers():
        pass


def _launch() -> None:
    launch("app:app", Setting(Path("data"), datetime.now(UTC)), Path())


def _calendar() -> None:
    folder = Path(__file__).parent / "plan"
    text = f"{PLAN}calendars: [{{file: ops.ics, as: freeze}}]\n"
    raise RuntimeError(str(parse(text, folder / "rollout.yaml", "x").problems[0]))


def _check() -> None:
    text = f'{PLAN}environments: {{embedded: {{targets: {{web: {{serve: "app:app"}}}}}}}}\n'
    plan = parse(text, Path("rollout.yaml"), "x").plan
    assert plan is not None
    raise RuntimeError("".join(unserved([plan])))


def _tell() -> None:
    channel = Channel(ChannelMeans.APPRISE, "json://127.0.0.1:9")
    raise RuntimeError(tell(channel, Notice("t", "t", "k", {}), ()).words)


USES: dict[str, dict[str, list[Callable[[], object]]]] = {
    "targets": {
        "fastapi": [lambda: serve_grafana(cast(Grafana, None))],
        "uvicorn": [_launch, lambda: known_faults("app:app", Path()), _check],
    },
    "receivers": {"aiosmtpd": [_mail]},
    "load": {
        name: [lambda: load(cast(LoadProfile, None), "", Path()), lambda: generator.LoadUser]
        for name in ("locust", "hdrh")
    },
    "notify": {"apprise": [_tell]},
    "postgres": {"psycopg": [lambda: opening.to_write("postgresql://127.0.0.1/ledger")]},
    "attestation": {
        name: [lambda: sealed([], Path("key"))] for name in ("securesystemslib", "cryptography")
    },
    "github": {"githubkit": [lambda: read_pull_request("o/n", 1, "token")]},
    "calendars": {name: [_calendar] for name in ("icalendar", "recurring_ical_events")},
    "mutants": {
        **{
            name: [lambda: survey([], Path())]
            for name in ("libcst", "mutmut", "sqlglot", "tree_sitter", "tree_sitter_bash")
        },
        "coverage": [lambda: drill(cast(MutantsAsked, None), Path(), Path(), as_json=False)],
    },
}


@pytest.mark.parametrize(
    ("extra", "library"), [(extra, name) for extra, names in USES.items() for name in names]
)
def test_what_needs_a_library_names_its_extra(
    extra: str, library: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(sys.modules, library, None)
    for use in USES[extra][library]:
        with pytest.raises(Exception, match="not installed") as said:
            use()
        command = re.escape(f"pip install 'pytest-rollout[{extra}]'")
        assert re.search(rf"{library} is not installed:? \(?{command}", str(said.value))


def _imported() -> set[str]:
    """The first names of all that the package imports from elsewhere, wherever it does."""
    names: set[str] = set()
    for path in PACKAGE.rglob("*.py"):
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if isinstance(node, ast.Import):
                names |= {alias.name for alias in node.names}
            elif isinstance(node, ast.ImportFrom) and node.module and not node.level:
                names.add(node.module)
    return {name.partition(".")[0] for name in names} - {"pytest_rollout", *sys.stdlib_module_names}


def test_every_library_that_the_package_imports_is_installed_with_it_or_by_an_extra() -> None:
    always = {"click", "httpx", "jinja2", "pytest", "yaml"}
    of_these = {"_pytest", "gevent", "httpcore", "iniconfig", "markupsafe"}
    by_extras = {name for names in USES.values() for name in names}
    assert _imported() == always | of_these | by_extras | OF_A_PLUGIN.keys()


def test_every_extra_is_of_a_use() -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    extras = set(project["optional-dependencies"]) - {"dev", "docs"}  # for who works on it
    assert extras == USES.keys() | set(OF_A_PLUGIN.values())
    page = (ROOT / "docs/reference/extras.md").read_text(encoding="utf-8")
    assert set(re.findall(r"^\| `(\w+)` \|", page, re.MULTILINE)) == extras


def test_a_plan_needs_no_library_for_calendars_that_it_does_not_have(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(sys.modules, "icalendar", None)
    (tmp_path / "rollout.yaml").write_text(PLAN, encoding="utf-8")
    assert load_plan(tmp_path / "rollout.yaml", "x").problems == ()
