"""The files of a new plan, rendered, and what of the project is in their way."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import asdict
from functools import cache, partial
from pathlib import Path

from jinja2 import Environment, PackageLoader, StrictUndefined

from pytest_rollout.late_dataclass import dataclass
from pytest_rollout.scaffold.wishes import Template, Wishes

PLAN = "rollout.yaml"
STAND_INS = "attestations.embedded.yaml"
IGNORED = (".rollout/", "rollout-report/")
_OWN_SECTION = {"tox.ini": "[pytest]", "setup.cfg": "[tool:pytest]"}
_CONFIGURATION = ("pytest.toml", ".pytest.toml", "pytest.ini", ".pytest.ini", "pyproject.toml")
_JOBS = (Template.BATCH, Template.PIPELINE)


# What a template leaves open, and what stands there in the end.
_OPEN = (
    ("# embedded: {targets:", "how pytest starts the service in a rehearsal"),
    ('PATH = "/"', "ask what your users ask"),
    ("COMMAND = []", "the command, as a list of its words"),
    ('INPUT = ""', "the file that it reads"),
    ('OUTPUT = ""', "the file that it writes"),
    ("# name them: binds:", "the tests that must pass"),
)


@dataclass(frozen=True, slots=True)
class NewFile:
    """A file that is to be written."""

    path: str  # from the project's root
    text: str
    says: str  # what it is, for people


def rendered(wishes: Wishes, root: Path) -> Iterator[NewFile]:
    """Yield each file of a new plan; pytest's configuration only where there is none."""
    values = {
        **asdict(wishes),
        "target": wishes.target,
        "tests": wishes.tests,
        "folder": wishes.folder,
        "asks": wishes.asks,
        "criterion": wishes.template.criterion,
    }

    def file(path: str, template: str, says: str, **more: str) -> NewFile:
        return NewFile(path, _engine().get_template(template).render(**values, **more), says)

    kind, folder = wishes.template.value, wishes.folder
    yield file(f"{folder}/{PLAN}", f"{kind}/rollout.yaml.jinja", "the plan")
    if wishes.template in _JOBS:
        yield file(f"{folder}/conftest.py", f"{kind}/conftest.py.jinja", "what runs the job")
    if wishes.template is not Template.LIBRARY or wishes.target.module:
        for phase in wishes.phases:
            path = f"{folder}/test_{wishes.name}_{phase}.py"
            says = f"the checks of {phase}"
            yield file(path, f"{kind}/checks.py.jinja", says, phase=phase)
    says = "who answers for people in a rehearsal"
    yield file(f"{folder}/{STAND_INS}", "attestations.jinja", says)
    workflow = f".github/workflows/{wishes.name}-gate.yml"
    yield file(workflow, "workflow.jinja", "the gate of each merge")
    if not _has_configuration(root):
        yield file("pytest.ini", "pytest.jinja", "where plans are found")


def to_fill_in(files: Iterable[NewFile]) -> Iterator[str]:
    """Yield each line that people have to look at before a rehearsal can be GO."""
    for file in files:
        for number, line in enumerate(file.text.splitlines(), 1):
            for mark, says in _OPEN:
                if mark in line:
                    yield f"{file.path}:{number}: {says}"


def to_ignore(root: Path) -> Sequence[str]:
    """Return the lines that the project's .gitignore lacks."""
    path = root / ".gitignore"
    lines = path.read_text(encoding="utf-8").splitlines() if path.is_file() else []
    return [line for line in IGNORED if line not in lines and line.rstrip("/") not in lines]


def _has_configuration(root: Path) -> bool:
    """Whether pytest finds its root by a file of the project."""
    if any((root / name).is_file() for name in _CONFIGURATION):
        return True
    paths = ((root / name, section) for name, section in _OWN_SECTION.items())
    return any(path.is_file() and section in path.read_text("utf-8") for path, section in paths)


@cache
def _engine() -> Environment:
    """Templates whose marks are neither YAML's, nor Python's, nor GitHub's."""
    engine = Environment(
        loader=PackageLoader("pytest_rollout.scaffold"),
        variable_start_string="<<",
        variable_end_string=">>",
        block_start_string="<%",
        block_end_string="%>",
        trim_blocks=True,
        lstrip_blocks=True,
        keep_trailing_newline=True,
        undefined=StrictUndefined,
        autoescape=False,  # no page of HTML: texts are quoted as JSON, which YAML and Python read
    )
    engine.filters["quoted"] = partial(json.dumps, ensure_ascii=False)
    return engine
