"""Where a program that the plan starts finds its targets, and GitHub as it asks it."""

from __future__ import annotations

import os
import sys
from pathlib import Path

import httpx

from pytest_rollout import RolloutError, handed_on
from suites.pipeline.views.hub import REHEARSED, Hub


def place(target: str) -> Path:
    """The path of a target; ends the program where the plan did not hand it on."""
    return Path(_stated(target))


def hub() -> Hub:
    """GitHub, by the address that the plan hands on."""
    client = httpx.Client(base_url=_stated("github"), timeout=20, trust_env=False)
    repository = os.environ.get("PIPELINE_REPOSITORY", REHEARSED)
    return Hub(client, repository, os.environ.get("PIPELINE_GITHUB_TOKEN", ""))


def _stated(target: str) -> str:
    try:
        return handed_on(target)
    except RolloutError as error:
        sys.exit(str(error))
