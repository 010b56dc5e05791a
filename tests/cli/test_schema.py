"""Where schemas are, and the copies beside plans that editors read."""

from __future__ import annotations

import json
from pathlib import Path

from tests.cli.conftest import Project


def test_it_prints_the_path_of_a_schema(project: Project) -> None:
    for arguments in ((), ("rollout.yaml",), ("waivers.yaml",), ("roles.yaml",)):
        path = Path(project.rollout("schema", *arguments).out.rstrip("\n"))
        assert json.loads(path.read_text("utf-8"))["type"] == "object"
    shown = project.rollout("schema", "--json").json
    assert {Path(path).is_file() for path in shown["schemas"].values()} == {True}
    assert shown["written"] == []


def test_a_copy_stands_beside_each_plan_and_is_noted_once_it_is_old(project: Project) -> None:
    assert project.rollout("schema", "--copy").out == "written: rollout.schema.json\n"
    copy = project.root / "rollout.schema.json"
    path = Path(project.rollout("schema").out.rstrip("\n"))
    assert json.loads(copy.read_text("utf-8")) == json.loads(path.read_text("utf-8"))
    assert "rollout.schema.json" not in project.rollout("check").out
    copy.write_text("{}")
    notes = project.rollout("check", "--json").json["notes"]
    (note,) = (one for one in notes if "rollout.schema.json" in one)
    assert note.endswith("(`rollout schema --copy` writes it anew)")
