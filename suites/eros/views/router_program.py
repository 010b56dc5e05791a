"""Calling the router's program, which decides without the service."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Mapping, Sequence

from pytest_rollout import Reported, RolloutError, Stage


def route(
    phase: Stage, names: Sequence[str], environ: Mapping[str, str], *, typed_in: bool = False
) -> list[Reported]:
    """What the router's program decides from an environment of these variables alone.

    Names are its arguments, or ``typed_in``, a line each.
    """
    program = phase.file("router")
    if not program.exists():
        raise RolloutError(f"there is no router at {program.name}")
    command = [str(program), *(() if typed_in else names)]
    if program.read_bytes()[:2] != b"#!":
        command = [sys.executable, *command]
    plain = {"PATH": "/usr/local/bin:/usr/bin:/bin", **environ}
    done = subprocess.run(
        command,
        env=plain,
        input="".join(f"{name}\n" for name in names) if typed_in else "",
        capture_output=True,
        text=True,
        timeout=30,
        check=False,
    )
    if done.returncode:
        raise RolloutError(f"the router ended with {done.returncode}: {done.stderr.strip()[-200:]}")
    return [Reported(json.loads(line), "eros-route") for line in done.stdout.splitlines()]
