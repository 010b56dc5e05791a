"""Run a module as a command at another time.

`python -m tests.story.clock 2025-11-10T08:40-05:00 pytest -m canary`: whatever Python reads of
the wall clock in this process is that time, and time passes.
"""

from __future__ import annotations

import runpy
import sys
from datetime import datetime

import time_machine


def main(moment: str, module: str, *arguments: str) -> None:
    """Run a module; its exit status is that of this process."""
    sys.argv = [module, *arguments]
    with time_machine.travel(datetime.fromisoformat(moment), tick=True):
        runpy.run_module(module, run_name="__main__", alter_sys=True)


if __name__ == "__main__":
    main(*sys.argv[1:])
