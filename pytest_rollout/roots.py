"""The root of the project and its ini values, as a run of pytest would find them."""

from __future__ import annotations

import shlex
import tomllib
from collections.abc import Mapping
from pathlib import Path

from iniconfig import IniConfig, ParseError

_FIRST = ("pytest.toml", ".pytest.toml")  # these win over the files that are read here


def root_and_ini(root: str | None, here: Path) -> tuple[Path, Mapping[str, object]]:
    """The root of the project as a run from ``here`` would find it, and its ini values.

    Where the folder itself has a plain `pytest.ini` or `pyproject.toml`, pytest need not be
    imported to know: it is the root. Anything else is left to pytest. Raises RolloutError.
    """
    ini = None if root is not None else _plain(here)
    if ini is not None:
        return here, ini
    import pytest  # a tenth of a second, which a deploy script need not wait for

    from pytest_rollout.model.errors import RolloutError
    from pytest_rollout.session.seams import root_and_ini as asked_of_pytest

    try:
        return asked_of_pytest(root, Path(root or here))
    except pytest.UsageError as error:
        raise RolloutError(str(error)) from error


def patterns_of(ini: Mapping[str, object]) -> list[str] | None:
    """Return where plans are, as `rollout_plans` says; None where it says nothing.

    A text is words of a shell, as it is for pytest. Raises RolloutError where a quote is open.
    """
    stated = ini.get("rollout_plans")
    if stated is None:
        return None
    if isinstance(stated, list):
        return list(map(str, stated))
    try:
        return shlex.split(str(stated))
    except ValueError as error:
        from pytest_rollout.model.errors import RolloutError

        raise RolloutError(f"rollout_plans: {stated}: {error}") from error


def _plain(here: Path) -> Mapping[str, object] | None:
    """The ini values of a folder whose own file says all; None where pytest must be asked."""
    if any((here / name).exists() for name in _FIRST):
        return None
    try:
        if (here / "pytest.ini").is_file():
            sections = IniConfig(str(here / "pytest.ini")).sections
            return dict(sections.get("pytest", {}))
        if (here / ".pytest.ini").exists() or not (here / "pyproject.toml").is_file():
            return None
        return _of_pyproject(tomllib.loads((here / "pyproject.toml").read_text("utf-8")))
    except (OSError, ValueError, ParseError, AttributeError):
        return None  # pytest says what is wrong


def _of_pyproject(document: Mapping[str, object]) -> Mapping[str, object] | None:
    """The values of `[tool.pytest.ini_options]`, where that is all that it says of pytest."""
    tool = document.get("tool")
    stated = tool.get("pytest") if isinstance(tool, dict) else None
    options = stated.get("ini_options") if isinstance(stated, dict) else None
    if not isinstance(options, dict) or not isinstance(stated, dict) or len(stated) > 1:
        return None
    return {
        name: value if isinstance(value, list) else str(value) for name, value in options.items()
    }
