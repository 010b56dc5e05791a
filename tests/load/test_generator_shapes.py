"""Shapes as locust sees them, in a process of its own: locust changes the one it is in."""

from __future__ import annotations

import json
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import pytest

from pytest_rollout.model.coding import encode
from pytest_rollout.model.load import LoadProfile, Offer, Shape, ShapeKind
from tests.load.locust_run import LOCUSTFILE, ROOT

pytestmark = pytest.mark.slow

_TICKS = """
import json, sys
from types import SimpleNamespace
from pytest_rollout.load.generator import Burst, Ramp, Soak, Spike, Stairs, Steady

told = {}
for shape in (Burst, Ramp, Soak, Spike, Stairs, Steady):
    own = type("Own", (shape,), {"abstract": False, "steps": 4, "every": 4, "lasts": 2})()
    options = SimpleNamespace(run_time=10, num_users=8)
    own.runner = SimpleNamespace(environment=SimpleNamespace(parsed_options=options))
    ticks = []
    for second in range(11):
        own.get_run_time = lambda second=second: second + 0.5
        tick = own.tick()
        ticks.append(tick and tick[0])
    told[shape.__name__] = ticks
print(json.dumps(told))
"""
_FOLLOWED = """
import json, sys
from pytest_rollout.model.coding import decode
from pytest_rollout.model.load import LoadProfile
from pytest_rollout.load.generator.shapes import FollowProfile

told = []
for data in json.load(sys.stdin):
    profile = decode(LoadProfile, data)
    now = [0.0]
    shape = FollowProfile(profile, lambda: now[0], lambda: now[0] > 12)
    ticks = []
    for second in (-1, 0, 1, 3, 5, 9, 11, 13):
        now[0] = second
        tick = shape.tick()
        ticks.append(tick and tick[0])
    told.append(ticks)
print(json.dumps(told))
"""


def said(code: str, given: object = None) -> object:
    """What a piece of Python prints, as JSON."""
    ran = subprocess.run(
        [sys.executable, "-c", code],
        input=json.dumps(given),
        env={"PYTHONPATH": str(ROOT), "PATH": "/usr/bin:/bin"},
        capture_output=True,
        text=True,
        timeout=60,
        check=True,
        cwd=Path(__file__).parent,
    )
    return json.loads(ran.stdout)


def test_each_shape_has_its_users_over_time() -> None:
    assert said(_TICKS) == {
        "Burst": [8, 8, 0, 0, 8, 8, 0, 0, 8, 8, None],
        "Ramp": [1, 2, 4, 6, 7, 8, 8, 8, 8, 8, None],
        "Soak": [8] * 10 + [None],
        "Spike": [8, 8, 8, 8, 16, 16, 8, 8, 8, 8, None],
        "Stairs": [2, 2, 4, 4, 4, 6, 6, 8, 8, 8, None],
        "Steady": [8] * 10 + [None],
    }


def test_the_shape_of_a_profile_follows_it_until_all_has_ended() -> None:
    stairs = LoadProfile(
        "a", "", "lf.py", "web", Offer(10_000_000, users=8), Shape(ShapeKind.STAIRS, steps=2)
    )
    arrivals = replace(stairs, offer=Offer(10_000_000, rate=10))
    few = replace(stairs, offer=Offer(10_000_000, rate=10, users=3))
    assert said(_FOLLOWED, [encode(one) for one in (stairs, arrivals, few)]) == [
        [4, 4, 4, 4, 8, 8, 8, None],
        [20] * 7 + [None],
        [3] * 7 + [None],
    ]


def test_a_shape_of_the_locustfile_itself_wins_over_one_that_it_imports(tmp_path: Path) -> None:
    lines = LOCUSTFILE.replace("LoadUser\n", "LoadUser, Stairs\n", 1) + (
        "class Mine(Stairs):\n    duration = 0.2\n    users = 3\n"
    )
    at = tmp_path / "lf.py"
    at.write_text(lines, encoding="utf-8")
    ran = subprocess.run(
        [sys.executable, "-m", "locust", "-f", str(at), "--headless", "--host", "http://[::1]:9"],
        env={"PYTHONPATH": str(ROOT), "PATH": "/usr/bin:/bin"},
        capture_output=True,
        text=True,
        timeout=30,
        check=False,
        cwd=tmp_path,
    )
    assert "no load of a plan has" in ran.stderr
    assert "Shape test updating to 1 users" in ran.stderr  # the first of four stairs
    assert "Shape test stopping" in ran.stderr
