"""Each fault of the bridge's core shows where it is looked for, and only where it is planted."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.bridge.probes import PROBES
from tests.bridge.probes_service import Probe
from tests.bridge.target import serving

pytestmark = pytest.mark.nightly
CASES = [(fault, probe) for probe, faults in PROBES.items() for fault in faults]


@pytest.fixture(scope="module")
def healthy(tmp_path_factory: pytest.TempPathFactory) -> dict[Probe, object]:
    """What each look sees of a healthy target."""
    seen = {}
    for number, probe in enumerate(PROBES):
        with serving(tmp_path_factory.mktemp("healthy") / str(number)) as bridge:
            seen[probe] = probe(bridge)
    return seen


@pytest.mark.parametrize(("fault", "probe"), CASES, ids=[fault for fault, _ in CASES])
def test_a_fault_shows(
    fault: str, probe: Probe, healthy: dict[Probe, object], tmp_path: Path
) -> None:
    with serving(tmp_path / "target", fault) as bridge:
        assert probe(bridge) != healthy[probe]
