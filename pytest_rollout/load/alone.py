"""One load, made alone on an embedded target: nothing is judged, and nothing is stored."""

from __future__ import annotations

import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path

from pytest_rollout.load.conduct import make
from pytest_rollout.model.errors import RolloutError
from pytest_rollout.model.load import LoadProfile, LoadRecord
from pytest_rollout.model.plan import EMBEDDED, Plan
from pytest_rollout.targets.address import filled
from pytest_rollout.targets.launch import launch
from pytest_rollout.targets.reference import Setting


def make_alone(
    plan: Plan, profile: LoadProfile, root: Path, seen: Callable[[LoadRecord], None]
) -> LoadRecord:
    """Return the record of a load on the plan's embedded target, which is served meanwhile.

    Raises RolloutError where there is no such target, or no record.
    """
    with _served(plan, profile, root) as url:
        return make(profile, url, root, seen=seen)


@contextmanager
def _served(plan: Plan, profile: LoadProfile, root: Path) -> Iterator[str]:
    target = plan.environments[EMBEDDED].targets.get(profile.target)
    if target is None:
        raise RolloutError(f"{plan.path}: {EMBEDDED} has no target `{profile.target}`")
    beside = plan.environments[EMBEDDED].targets.get(target.of) if target.of else None
    app = target.serve or (beside and beside.serve)
    if not app:
        yield filled(str(target.address), target.name)
        return
    with tempfile.TemporaryDirectory(prefix="rollout-") as folder:
        served = launch(app, Setting(Path(folder), datetime.now(UTC)), root)
        try:
            written = served.folder / str(target.address)
            yield served.url if target.serve else written.read_text(encoding="utf-8").strip()
        finally:
            served.stop()
