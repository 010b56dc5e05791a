"""Where a program that the plan starts finds its targets, and GitHub as it asks it."""

from __future__ import annotations

import os
import sys
from pathlib import Path

import httpx

from suites.pipeline.views.hub import REHEARSED, Hub


def place(target: str) -> Path:
    """The path of a target; ends the program where the plan did not hand it on."""
    stated = os.environ.get(f"ROLLOUT_TARGET_{target.upper()}", "")
    if not stated:
        sys.exit(f"the plan hands on no target {target}: say `on: [{target}]`")
    return Path(stated)


def hub() -> Hub:
    """GitHub, by the address that the plan hands on."""
    address = os.environ.get("ROLLOUT_TARGET_GITHUB", "")
    if not address:
        sys.exit("the plan hands on no target github: say `on: [github]`")
    client = httpx.Client(base_url=address, timeout=20, trust_env=False)
    repository = os.environ.get("PIPELINE_REPOSITORY", REHEARSED)
    return Hub(client, repository, os.environ.get("PIPELINE_GITHUB_TOKEN", ""))
