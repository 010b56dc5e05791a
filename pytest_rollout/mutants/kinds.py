"""The kind of a file, by its name or by its first line."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Mapping
from pathlib import PurePosixPath

from pytest_rollout.mutants import (
    cron_files,
    python_code,
    settings,
    shell,
    sql,
    trees,
    unit_files,
)
from pytest_rollout.mutants.edits import Edit

Make = Callable[[str], Iterable[Edit]]


def _script(text: str) -> Iterable[Edit]:
    return shell.of_shell(text, strict=True)


def _toml(text: str) -> Iterable[Edit]:
    return settings.of_settings(text, toml=True)


def _system_crontab(text: str) -> Iterable[Edit]:
    return cron_files.of_crontab(text, users=True)


_BY_SUFFIX: Mapping[str, Make] = {
    **dict.fromkeys((".py", ".pyi"), python_code.of_python),
    **dict.fromkeys((".yaml", ".yml"), trees.of_yaml),
    ".json": trees.of_json,
    ".sql": sql.of_sql,
    **dict.fromkeys((".sh", ".bash"), _script),
    **dict.fromkeys(
        (".service", ".timer", ".socket", ".path", ".target", ".mount", ".slice"),
        unit_files.of_unit,
    ),
    **dict.fromkeys((".cron", ".crontab"), cron_files.of_crontab),
    ".toml": _toml,
    **dict.fromkeys((".ini", ".env", ".conf", ".cfg"), settings.of_settings),
}
_SHEBANG = re.compile(r"#!\s*\S*?(?:/env\s+(?:-S\s+)?)?(python|bash|dash|zsh|ksh|sh)[\d.]*(?:\s|$)")
_DROP_IN = re.compile(r"\.(service|timer|socket|path|target|mount|slice)\.d$")


def of_file(file: str, text: str) -> Make | None:
    """Return what makes the changes of a file's text; None where its kind is not known."""
    path = PurePosixPath(file)
    if path.suffix == ".conf" and _DROP_IN.search(path.parent.name):
        return unit_files.of_unit
    if path.name == "crontab" or path.parent.name == "cron.d":
        of_system = path.parent.name in ("etc", "cron.d")
        return _system_crontab if of_system else cron_files.of_crontab
    if path.name == ".env" or path.name.startswith(".env."):
        return settings.of_settings
    if path.suffix:
        return _BY_SUFFIX.get(path.suffix.lower())
    program = _SHEBANG.match(text)
    if program is None:
        return None
    return python_code.of_python if program[1] == "python" else _script
