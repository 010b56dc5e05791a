"""The parts that the projects of traps are made of."""

from __future__ import annotations

import textwrap

PLAN = """\
plan: p
title: A plan
phases:
  - id: one
    owners: [ops]
    criteria:
      - {id: ready, gate: entry, kind: operational, says: It is ready}
      - {id: works, kind: demo, says: It works}
      - {id: safe, kind: invariant, says: It is safe}
"""

# The markers are registered for the runs of bare pytest.
INI = """\
[pytest]
markers =
    one: a phase
    criterion: what a test is evidence for
"""

_CHECKS = """\
import pytest
{above}
pytestmark = pytest.mark.one


@pytest.mark.criterion("ready")
def test_ready():
    pass


@pytest.mark.criterion("safe")
def test_safe():
    pass


{works}
"""

_WORKS = """\
{marks}
@pytest.mark.criterion("works")
def test_works({args}):
{body}
"""

# Stands in for the plugin's fixture where bare pytest runs.
_BARE = """\
import pytest

@pytest.fixture(scope="session")
def observe():
    return lambda *values, **labels: None
"""


def works(
    body: str = "assert 1 + 1 == 2", *, above: str = "", marks: str = "", args: str = ""
) -> dict[str, str]:
    """The base project's checks, one of them with this body."""
    inner = textwrap.indent(flush(body), "    ")
    text = _WORKS.format(marks=flush(marks).strip(), args=args, body=inner)
    return module(text.lstrip(), above=above)


def module(text: str, *, above: str = "") -> dict[str, str]:
    """The base project's checks, with this text in the place of the one for `works`."""
    return {"suites/p/test_one.py": _CHECKS.format(above=flush(above), works=flush(text))}


def conftest(text: str, folder: str = ".") -> dict[str, str]:
    """A conftest.py of the project."""
    return {f"{folder}/conftest.py".removeprefix("./"): flush(text)}


def another(text: str, name: str = "suites/p/test_two.py") -> dict[str, str]:
    """A second module of checks."""
    return {name: f"import pytest\npytestmark = pytest.mark.one\n\n{flush(text)}"}


def flush(text: str) -> str:
    """A text as it stands in a file, wherever it was indented in the catalogue."""
    return textwrap.dedent(text).strip("\n") + "\n"


def listed(*more: str) -> dict[str, str]:
    """The reviewed list: the base project's checks, and more for `works`."""
    base = "suites/p/test_one.py::test_"
    lines = [f"p.one.{name} {base}{name}" for name in ("ready", "works", "safe")]
    lines += [f"p.one.works {item}" for item in more]
    return {"suites/p/bindings.txt": "".join(f"{line}\n" for line in lines)}


def rule(text: str) -> dict[str, str]:
    """A plan whose `works` is a rule, and what bare pytest needs to run its check."""
    old = "{id: works, kind: demo, says: It works}"
    new = "{id: works, kind: slo, says: It works, " + text + "}"
    return {"suites/p/rollout.yaml": PLAN.replace(old, new), "bare_observe.py": _BARE}
