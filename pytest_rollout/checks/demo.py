"""Demos: scripts that show something, run as nobody would watch them."""

from __future__ import annotations

import os
import re
import shutil
from collections.abc import Mapping
from dataclasses import field
from difflib import unified_diff
from pathlib import Path

from pytest_rollout.checks.answer import kept
from pytest_rollout.late_dataclass import dataclass
from pytest_rollout.model.errors import RolloutError
from pytest_rollout.targets.process import SHELL, run_bounded

_NOT_FOUND = 127  # what a shell answers for a script that is not there
_ENTER = b"\n" * 1024  # fits into any pipe, and answers any prompt at once


@dataclass(frozen=True, slots=True)
class DemoOutput:
    """What a demo did: its exit status and all that it wrote, errors among it.

    ``trouble`` says why it did not end by itself; ``asked`` is how many bytes it read from its
    standard input, where nobody answers: more than 0 means that it waits for a person.
    """

    status: int
    text: str
    trouble: str = ""
    asked: int = 0
    masks: Mapping[str, str] = field(default_factory=dict)

    @property
    def masked(self) -> str:
        """The text without what differs from run to run."""
        return masked(self.text, self.masks)

    def unlike(self, expected: str) -> list[str]:
        """The lines in which the masked text differs from what is expected (`-` and `+`)."""
        lines = (expected.split("\n"), self.masked.split("\n"))
        wanted, seen = ([line.rstrip() for line in text if line.strip()] for text in lines)
        return list(unified_diff(wanted, seen, "expected", "seen", lineterm="", n=0))[2:]


@dataclass(frozen=True, slots=True)
class Demo:
    """A shell script that is evidence by its exit status and by what it says.

    It is read by bash so that a step that fails, also within a pipe, ends it; it has no terminal
    and ``limit_s`` seconds. ``masks`` are regular expressions by name: what one matches is shown
    as `<name 1>`, `<name 2>`, … in order of appearance, so that the same value stays the same.
    """

    script: Path
    masks: Mapping[str, str] = field(default_factory=dict)
    limit_s: float = 60.0

    def run(
        self, environ: Mapping[str, str] | None = None, folder: Path | None = None
    ) -> DemoOutput:
        """Run it, with some variables more, in a folder (default: here).

        Raises RolloutError where there is no bash. A script that is missing has failed.
        """
        if not self.script.is_file():
            return DemoOutput(_NOT_FOUND, "", f"there is no script {self.script.name}")
        if shutil.which(SHELL[0]) is None:
            raise RolloutError(f"demo {self.script.name} cannot start: install {SHELL[0]}")
        reader, writer = os.pipe()
        try:
            with os.fdopen(writer, "wb") as prompt:
                prompt.write(_ENTER)
            ended = run_bounded(
                [*SHELL, str(self.script.resolve())],
                folder or Path.cwd(),
                {**os.environ, **(environ or {})},
                self.limit_s,
                stdin=reader,
                together=True,
            )
            asked = len(_ENTER) - len(os.read(reader, len(_ENTER)))
        finally:
            os.close(reader)
        return DemoOutput(ended.status, kept(ended.out).text, ended.trouble, asked, self.masks)


def masked(text: str, masks: Mapping[str, str]) -> str:
    """A text in which each match of a mask is its name and number.

    Raises RolloutError where a mask is no regular expression.
    """
    if not masks:
        return text
    try:
        either = re.compile("|".join(f"(?P<{name}>{mask})" for name, mask in masks.items()))
    except re.error as error:
        raise RolloutError(f"the masks {dict(masks)} are no regular expressions: {error}") from None
    seen: dict[str, dict[str, int]] = {}

    def name(match: re.Match[str]) -> str:
        kind = match.lastgroup or ""
        numbers = seen.setdefault(kind, {})
        return f"<{kind} {numbers.setdefault(match[0], len(numbers) + 1)}>"

    return either.sub(name, text)
