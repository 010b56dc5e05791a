"""The dashboard: its panels, and what their queries answer of the ingested telemetry."""

from __future__ import annotations

import json
import shutil
import sqlite3
from collections.abc import Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from pytest_rollout import NoValueError, Reported, RolloutError


@dataclass(frozen=True)
class Dashboard:
    """A folder with a dashboard and its data."""

    folder: Path

    @property
    def data(self) -> Path:
        """The database; raises NoValueError where nothing was ingested."""
        path = self.folder / "telemetry.db"
        if not path.is_file():
            raise NoValueError("the dashboard has no telemetry.db, so nothing was ingested")
        return path

    def panel(self, title: str) -> str:
        """The query of a panel; raises NoValueError where there is no panel with one."""
        path = self.folder / "pipeline.json"
        if not path.is_file():
            raise NoValueError("there is no dashboard pipeline.json")
        said = Reported(json.loads(path.read_text(encoding="utf-8")), "pipeline.json")
        for panel in said.each("panels"):
            if panel.get("title") == title:
                queries = [target.text("expr") for target in panel.each("targets")]
                if len(queries) == 1:
                    return queries[0]
                raise NoValueError(f"panel {title} has {len(queries)} queries, not one")
        raise NoValueError(f"the dashboard has no panel {title}")

    def rows(self, title: str, data: Path | None = None) -> list[tuple[Any, ...]]:
        """What a panel shows; raises RolloutError where its query cannot be answered."""
        query = self.panel(title)
        with closing(sqlite3.connect(f"file:{data or self.data}?mode=ro", uri=True)) as base:
            try:
                return base.execute(query).fetchall()
            except sqlite3.Error as error:
                raise RolloutError(f"panel {title}: {error}") from None

    def ingested(self) -> dict[int, int]:
        """How many records of each run were ingested."""
        with closing(sqlite3.connect(f"file:{self.data}?mode=ro", uri=True)) as base:
            return dict(base.execute("select run_id, count(*) from records group by run_id"))

    @contextmanager
    def copied(self) -> Iterator[sqlite3.Connection]:
        """A copy of the data to change; its file is that of the connection."""
        with TemporaryDirectory() as folder:
            path = Path(folder) / "telemetry.db"
            shutil.copyfile(self.data, path)
            with closing(sqlite3.connect(path)) as base:
                yield base


def figures(rows: list[tuple[Any, ...]], column: int = -1, keys: int = 1) -> dict[str, float]:
    """Figures by what stands in the first columns, as words with blanks between."""
    return {" ".join(map(str, row[:keys])): row[column] for row in rows}
