"""A project with a plan and a ledger, and the `rollout` command in it."""

from __future__ import annotations

import json
from collections.abc import Callable
from contextlib import AbstractContextManager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from pytest_rollout.cli import main
from pytest_rollout.evidence.ledger import Ledger
from tests.evidence.runs import PLAN, opened


@dataclass(frozen=True)
class Answer:
    """What the command answered."""

    status: int
    out: str
    err: str

    @property
    def json(self) -> Any:
        """Its output as JSON."""
        return json.loads(self.out)


@dataclass(frozen=True)
class Project:
    """A folder with a plan."""

    root: Path
    rollout: Callable[..., Answer]

    @property
    def plan(self) -> Path:
        """The plan's file."""
        return self.root / "rollout.yaml"

    @property
    def store(self) -> Path:
        """The ledger's file."""
        return self.root / ".rollout" / "ledger.db"

    def ledger(self) -> AbstractContextManager[Ledger]:
        """The ledger, made if need be."""
        return opened(self.store)


@pytest.fixture
def project(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> Project:
    """A project with the demo plan and no ledger yet; the command runs in this process."""
    root = tmp_path / "a project"
    root.mkdir()
    (root / "pytest.ini").write_text("[pytest]\n")
    (root / "rollout.yaml").write_text(PLAN)
    (root / "app.py").write_text("def app() -> None: ...\n")
    monkeypatch.chdir(root)

    def rollout(*arguments: str) -> Answer:
        capsys.readouterr()
        with pytest.raises(SystemExit) as ended:
            main(arguments)
        out, err = capsys.readouterr()
        assert "Traceback" not in out + err
        assert isinstance(ended.value.code, int)
        return Answer(ended.value.code, out, err)

    return Project(root, rollout)
