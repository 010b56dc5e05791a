"""Projects with a criterion for each variation of a situation, so that one run tries them all."""

from __future__ import annotations

import contextlib
import io
import textwrap
from collections.abc import Mapping
from pathlib import Path

from pytest_rollout.cli import main
from tests.session.project import Project

_HEAD = """\
import pytest

pytestmark = pytest.mark.canary
bound = pytest.mark.criterion({slug!r})
"""
_GOOD = """
@bound
def test_good():
    pass
"""
_BARE = """\
import pytest

@pytest.fixture
def observe():
    def see(*values, **labels): pass
    see.ratio = see.distribution = see.attach = see
    return see

@pytest.fixture(scope='session')
def phase():
    return None
"""


def vary(project: Project, bodies: Mapping[str, str], *, more: str = "", rule: str = "") -> None:
    """Write a plan with a criterion for each variation, and one that is good; a module for each.

    ``more`` stands before the phases; ``rule`` makes each criterion one over samples.
    """
    (project.root / "suites/demo/test_canary.py").unlink(missing_ok=True)
    kind = f"kind: slo, {rule}" if rule else "kind: demo"
    lines = [f"      - {{id: {slug}, {kind}, says: It holds}}\n" for slug in bodies]
    project.plan(
        f"plan: demo\n{textwrap.dedent(more)}phases:\n  - id: canary\n    owners: [sre]\n"
        "    criteria:\n      - {id: good, gate: entry, kind: demo, says: It is good}\n"
        "      - {id: fine, kind: demo, says: It is fine}\n" + "".join(lines)
    )
    for slug, body in {"good": _GOOD, "fine": _GOOD, **bodies}.items():
        name = slug.replace("-", "_")
        project.tests(_HEAD.format(slug=slug) + textwrap.dedent(body), f"demo/test_{name}.py")


def command(project: Project, *arguments: str) -> tuple[int, str]:
    """The exit status of the `rollout` command, run in this process, and what it printed."""
    said = io.StringIO()
    with contextlib.chdir(project.root), contextlib.redirect_stdout(said):
        with contextlib.redirect_stderr(said):
            try:
                main(arguments)
            except SystemExit as ended:
                assert "Traceback" not in said.getvalue()
                return int(ended.code or 0), said.getvalue()
    raise AssertionError("the command did not exit")


def bare(project: Project, *arguments: str) -> int:
    """The exit status of pytest without the plugin."""
    stub = project.root / "bare_observe.py"
    stub.write_text(_BARE, encoding="utf-8")
    plugins = ("-p", "no:rollout", "-p", "bare_observe")
    try:
        return int(project.run_apart(*plugins, *arguments).ret)
    finally:
        stub.unlink()


def reasons(project: Project, *slugs: str, **where: str) -> dict[str, str]:
    """Why each of these criteria has its verdict."""
    return {slug: project.reason(slug, **where) for slug in slugs}


def ledger(project: Project) -> Path:
    """The file of the project's ledger."""
    return project.root / ".rollout/ledger.db"
