"""`rollout schema`: where the JSON Schemas of a plan's files are, and copies for editors."""

from __future__ import annotations

import json
from collections.abc import Iterable
from pathlib import Path

import click

from pytest_rollout import plan as plan_room
from pytest_rollout.cli.project import Project, print_json
from pytest_rollout.cli.saying import say
from pytest_rollout.model.errors import UnknownNameError
from pytest_rollout.model.plan import Plan
from pytest_rollout.model.spelling import nearest
from pytest_rollout.plan.spec.schema import SCHEMAS, text

COPY = "rollout.schema.json"
_PLAN = "schema.json"


@click.command("schema")
@click.argument("file", required=False, metavar="[FILE]")
@click.option("--copy", is_flag=True, help=f"write {COPY} beside each plan of the project")
@click.option("--root", help="the project's folder (default: found as pytest does)")
@click.option("--json", "as_json", is_flag=True, help="answer in JSON")
def command(file: str | None, root: str | None, *, copy: bool, as_json: bool) -> int:
    """Print where the JSON Schema of FILE is, for editors (default: of rollout.yaml).

    FILE may also be a file that stands beside a plan, as waivers.yaml.
    """
    paths = _paths()
    name = file or "rollout.yaml"
    if name not in paths:
        why = f"no schema of `{name}` ({nearest(name, paths)})"
        raise UnknownNameError(why, "file", name, paths)
    written = []
    if copy:
        project = Project.here(root, None)
        for loaded in project.loaded:
            path = loaded.path.with_name(COPY)
            path.write_text(copied(), encoding="utf-8")
            written.append(path.relative_to(project.root).as_posix())
    if as_json:
        print_json(
            {"schemas": {name: str(path) for name, path in paths.items()}, "written": written}
        )
    elif copy:
        say(f"written: {', '.join(written)}")
    else:
        say(str(paths[name]))
    return 0


def copied() -> str:
    """Return the schema of a plan as its copy holds it: in one line, for programs."""
    return json.dumps(json.loads(text(_PLAN)), ensure_ascii=False) + "\n"


def outdated(root: Path, plans: Iterable[Plan]) -> list[str]:
    """Return a note for each copy beside a plan that another version of the package wrote."""
    copies = [(root / plan.path).with_name(COPY) for plan in plans]
    stale = [copy for copy in copies if copy.is_file() and copy.read_text("utf-8") != copied()]
    return [
        f"{path.relative_to(root).as_posix()} is of another version of pytest-rollout, so editors "
        "may be wrong (`rollout schema --copy` writes it anew)"
        for path in stale
    ]


def _paths() -> dict[str, Path]:
    """The schema of each file that people write."""
    folder = Path(plan_room.__file__).parent
    return {start.title: folder / name for name, (start, _) in SCHEMAS.items()}
