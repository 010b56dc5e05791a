"""Programs and libraries that only some uses need: what is missing is named with its remedy."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from pytest_rollout import RolloutError, find_program

# In a process of its own: here another test may have loaded what an extra has.
_LOADED = """
import sys, pytest_rollout as p
for name in ("Receivers", "Prometheus", "Alertmanager", "Grafana", "serve_grafana", "read_inbox"):
    getattr(p, name)
print(*sorted({"fastapi", "uvicorn", "aiosmtpd"} & set(sys.modules)))
"""


def test_a_program_that_is_missing_is_named_with_its_package() -> None:
    with pytest.raises(RolloutError, match=r"apt-get install .* some-package"):
        find_program(("no-such-tool",), "some-package")


def test_the_first_program_that_is_installed_is_found() -> None:
    assert Path(find_program(("no-such-tool", "sh"), "dash")).name == "sh"


def test_receivers_and_monitoring_load_no_extra_before_they_are_used() -> None:
    command = [sys.executable, "-c", _LOADED]
    done = subprocess.run(command, capture_output=True, text=True, check=True)
    assert done.stdout.strip() == ""
