"""How a rollback edits workflow files: schedules become comments, limits and flags go back."""

from __future__ import annotations

import re

from suites.pipeline.views.runs import dry, flags_of
from suites.pipeline.views.schedules import WorkflowFile

WEEK_1 = {"LIMIT": 10, "BATCH_SIZE": 5}
_STAGES = ("pipeline-monitor", "pipeline-assign", "pipeline-process")


def unscheduled(name: str, text: str) -> str:
    """A workflow whose schedule is commented out, with the limits of week 1."""
    kept, depth = [], -1
    for line in text.splitlines():
        indent = len(line) - len(line.lstrip())
        if depth >= 0 and (not line.strip() or indent <= depth):
            depth = -1
        if re.match(r"\s+schedule:\s*(#.*)?$", line) and depth < 0:
            depth = indent
        kept.append(f"{line[:depth]}# {line[depth:]}" if depth >= 0 else line)
    new = "\n".join(kept) + "\n"
    settings = WorkflowFile.read(name, new).settings
    for setting, limit in WEEK_1.items():
        if setting in settings:
            new = re.sub(rf"\b{setting}: *([\"']?)\d+\1", f'{setting}: "{limit}"', new)
    return new


def taken_back(file: WorkflowFile) -> bool:
    """Whether a workflow has no schedule, and no limit above those of week 1."""
    limits = {name: limit for name, limit in WEEK_1.items() if name in file.settings}
    return not file.crons and all(file.setting(name) <= limit for name, limit in limits.items())


def dried(text: str) -> str:
    """The daily workflow with `--dry-run` on the line of each stage."""
    lines = []
    for line in text.splitlines():
        command = re.search(rf"run: +(({'|'.join(_STAGES)})\b.*)$", line)
        live = command is not None and not dry(flags_of(command[1]))
        lines.append(f"{line.rstrip()} --dry-run" if live else line)
    return "\n".join(lines) + "\n"


def all_dry(file: WorkflowFile) -> bool:
    """Whether no stage of the daily workflow is live."""
    stages = [line for line in file.commands.values() if line.split()[0] in _STAGES]
    return bool(stages) and all(dry(flags_of(line)) for line in stages)
