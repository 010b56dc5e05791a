"""Programs and libraries that only some uses need: what is missing is named with its remedy."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import cast

import pytest

from pytest_rollout import (
    Grafana,
    MissingToolError,
    Receivers,
    RolloutError,
    find_program,
    serve_grafana,
)
from pytest_rollout.targets import tools
from pytest_rollout.targets.launch import known_faults, launch
from pytest_rollout.targets.reference import Setting

# In a process of its own: here another test may have loaded what an extra has.
_LOADED = """
import sys, pytest_rollout as p
for name in ("Receivers", "Prometheus", "Alertmanager", "Grafana", "serve_grafana", "read_inbox"):
    getattr(p, name)
print(*sorted({"fastapi", "uvicorn", "aiosmtpd"} & set(sys.modules)))
"""


def start_mail() -> None:
    with Receivers():
        pass


USES: dict[str, tuple[str, str, Callable[[], object]]] = {
    "mail": ("receivers", "aiosmtpd", start_mail),
    "grafana": ("targets", "fastapi", lambda: serve_grafana(cast(Grafana, None))),
    "launch": (
        "targets",
        "uvicorn",
        lambda: launch("app:app", Setting(Path("data"), datetime.now(UTC)), Path()),
    ),
    "faults": ("targets", "uvicorn", lambda: known_faults("app:app", Path())),
}


@pytest.mark.parametrize("use", USES)
def test_the_extra_of_a_missing_library_is_named(use: str, monkeypatch: pytest.MonkeyPatch) -> None:
    extra, library, do = USES[use]
    monkeypatch.setattr(tools, "find_spec", lambda name: None)
    with pytest.raises(MissingToolError) as missing:
        do()
    assert (
        str(missing.value) == f"{library} is not installed: pip install 'pytest-rollout[{extra}]'"
    )


def test_a_program_that_is_missing_is_named_with_its_package() -> None:
    with pytest.raises(RolloutError, match=r"apt-get install .* some-package"):
        find_program(("no-such-tool",), "some-package")


def test_the_first_program_that_is_installed_is_found() -> None:
    assert Path(find_program(("no-such-tool", "sh"), "dash")).name == "sh"


def test_receivers_and_monitoring_load_no_extra_before_they_are_used() -> None:
    command = [sys.executable, "-c", _LOADED]
    done = subprocess.run(command, capture_output=True, text=True, check=True)
    assert done.stdout.strip() == ""
