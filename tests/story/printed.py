"""The commands of a page and what it says they print, and running them as they are printed."""

from __future__ import annotations

import re
import subprocess
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

_BLOCK = re.compile(r"^```console\n(.*?)^```$", re.DOTALL | re.MULTILINE)
_MARK = "=== command "
_LONGEST_S = 900
# What differs from run to run, and what stands for it.
_VARYING = (
    (re.compile(r"\d{4}-\d\d-\d\d \d\d:\d\d:\d\d [A-Z]{3,4}"), "TIME"),
    (re.compile(r"\d{8}T\d{6}-\w{6}"), "RUN"),
)


@dataclass(frozen=True, slots=True)
class Printed:
    """A command as a page prints it, and the lines that should come out."""

    command: str
    lines: Sequence[str]

    def unlike(self, output: str) -> str:
        """Say what differs from an output; empty where it is what the page prints.

        `...` alone stands for any lines, and within a line for any text.
        """
        pattern = "".join(map(_pattern, self.lines))
        if re.fullmatch(pattern, _same(output)):
            return ""
        wanted = "\n".join(self.lines)
        return f"$ {self.command}\n--- the page prints\n{wanted}\n--- what comes out\n{output}"


def commands(page: Path) -> Iterator[Printed]:
    """Each command of a page's console blocks, in order."""
    for block in _BLOCK.findall(page.read_text(encoding="utf-8")):
        yield from commands_of(block)


def commands_of(block: str) -> Iterator[Printed]:
    """Each command of one console block, in order."""
    for part in re.split(r"^\$ ", block, flags=re.MULTILINE)[1:]:
        command, *lines = part.splitlines()
        yield Printed(command, lines)


def run(
    printed: Sequence[Printed], folder: Path, environ: Mapping[str, str], waiting: str
) -> list[str]:
    """Run commands one after the other in one shell: what each one wrote, to both outputs.

    ``waiting`` is run after a command that goes on in the background.
    """
    script = ["exec 2>&1"]
    for number, one in enumerate(printed):
        script += [f"echo '{_MARK}{number}'", one.command]
        if one.command.endswith("&"):
            script.append(waiting)
    done = subprocess.run(
        ["bash", "-c", "\n".join(script)],
        cwd=folder,
        env=environ,
        capture_output=True,
        text=True,
        check=False,
        timeout=_LONGEST_S,
    )
    outputs = re.split(rf"^{_MARK}\d+\n", done.stdout, flags=re.MULTILINE)[1:]
    assert len(outputs) == len(printed), done.stdout
    return outputs


def _pattern(line: str) -> str:
    if line == "...":
        return r"(?:.*\n)*?"
    return ".*".join(map(re.escape, _same(line).split("..."))) + r"\n"


def _same(text: str) -> str:
    for varying, same in _VARYING:
        text = varying.sub(same, text)
    return text
