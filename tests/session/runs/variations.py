"""Projects with a criterion for each variation of a situation, so that one run tries them all."""

from __future__ import annotations

import contextlib
import io
import textwrap
from collections.abc import Mapping
from types import MappingProxyType

from pytest_rollout.cli import main
from tests.session.project import Project

# Plugins that cost each process of a run a second; a situation that needs one loads it.
_UNUSED = ("hypothesispytest", "allure_pytest", "anyio", "locust", "respx")
QUICK = "".join(f"    -p no:{name}\n" for name in _UNUSED)
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


def vary(
    project: Project,
    bodies: Mapping[str, str],
    *,
    more: str = "",
    stated: Mapping[str, str] = MappingProxyType({}),
) -> None:
    """Write a plan with a criterion for each variation, and one that is good; a module for each.

    ``more`` stands before the phases; ``stated`` is what the plan states of a criterion, by
    default that it is a demo.
    """
    (project.root / "suites/demo/test_canary.py").unlink(missing_ok=True)
    lines = [
        f"      - {{id: {slug}, {stated.get(slug, 'kind: demo')}, says: It holds}}\n"
        for slug in bodies
    ]
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
    out, err = contextlib.redirect_stdout(said), contextlib.redirect_stderr(said)
    with contextlib.chdir(project.root), out, err:
        try:
            main(arguments)
        except SystemExit as ended:
            assert "Traceback" not in said.getvalue()
            return int(ended.code or 0), said.getvalue()
    raise AssertionError("the command did not exit")
