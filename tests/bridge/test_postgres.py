"""The same phases on PostgreSQL: each gate GO, and what was posted stands in its tables."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.bridge.postgres import kept, postgres
from tests.plms.rehearsal import rehearse

IN_CI = "bridge_phase3"
PHASES = ("bridge_phase1", "bridge_ops", "bridge_phase2", "bridge_load")


@pytest.fixture(scope="module")
def database() -> Iterator[str]:
    with postgres() as url:
        yield url


@pytest.mark.slow
@pytest.mark.parametrize(
    "phase", [IN_CI, *(pytest.param(name, marks=pytest.mark.nightly) for name in PHASES)]
)
def test_a_phase_is_go_on_postgres(tmp_path: Path, database: str, phase: str) -> None:
    before = kept(database)
    run = rehearse(tmp_path, phase=phase, BRIDGE_DATABASE_URL=database)
    assert run.status == 0, run.output[-4_000:]
    assert "NO-GO" not in run.last_line, run.last_line
    fresh = {name: count for name, count in kept(database).items() if name not in before}
    assert sum(fresh.values()) > 50, f"the tables of this run hold {fresh}"


def test_the_server_ends_with_the_test() -> None:
    with postgres() as url:
        assert kept(url) == {}
    with pytest.raises(Exception, match=r"refused|failed"):
        kept(url)
