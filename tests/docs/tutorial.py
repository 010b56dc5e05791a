"""A page as a reader does it: write its files, run its commands, and compare what comes out."""

from __future__ import annotations

import os
import re
from collections.abc import Iterator, Sequence
from pathlib import Path

from tests.plms.test_prod import free_port
from tests.story.printed import Printed, commands_of, run

_BLOCK = re.compile(r"^```(\w+)\n(.*?)^```$", re.DOTALL | re.MULTILINE)
_PORT = "8700"


def steps(text: str) -> Iterator[Printed]:
    """Yield what a reader does, in order: a block that begins with `# NAME` is a file to write."""
    for language, block in _BLOCK.findall(text):
        if language == "console":
            yield from commands_of(block)
        elif named := re.match(r"# ([\w./]+\.\w+)\n", block):
            yield Printed(f"cat > {named[1]} <<'END OF FILE'\n{block}END OF FILE", [])


def with_programs(folder: Path) -> dict[str, str]:
    """Return an environment where programs of a folder come first, and nothing is of this run."""
    kept = {
        key: value
        for key, value in os.environ.items()
        if not key.startswith(("PYTEST_", "PYTHONPATH", "VIRTUAL_ENV"))
    }
    return {**kept, "PATH": f"{folder}{os.pathsep}{os.environ['PATH']}", "COLUMNS": "200"}


def differences(page: Path, folder: Path, python: Path, environ: dict[str, str]) -> list[str]:
    """Do a page in a folder with the programs beside a python; what came out otherwise."""
    port = str(free_port())
    done = list(todo(page, port))
    outputs = do(done, folder, python, environ, port)
    return [said for step, out in zip(done, outputs, strict=True) if (said := step.unlike(out))]


def todo(page: Path, port: str) -> Iterator[Printed]:
    """Yield the steps of a page on a port, but for those that install something."""
    for step in steps(page.read_text(encoding="utf-8").replace(_PORT, port)):
        if not step.command.startswith(("pip ", "python3 -m venv")):
            yield step


def do(
    done: Sequence[Printed], folder: Path, python: Path, environ: dict[str, str], port: str
) -> list[str]:
    """Do steps in a folder with the programs beside a python; what comes out of each."""
    waiting = f"'{python}' {Path(__file__).parents[1] / 'story/wait_for_port.py'} {port}"
    return run(done, folder, {**with_programs(python.parent), **environ}, waiting)
