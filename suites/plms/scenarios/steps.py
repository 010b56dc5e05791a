"""Steps of the plan that somebody does while a scenario watches."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import httpx

from pytest_rollout import RolloutError, Stage


class Steps:
    """Steps of the operator; one that cannot be done takes down only what reads it."""

    def __init__(self, phase: Stage) -> None:
        self._phase = phase
        self.trouble: dict[str, str] = {}

    def do(self, step: str, **arguments: object) -> Mapping[str, Any]:
        """What came of a step; nothing where it failed, which `trouble` then says."""
        try:
            return self._phase.operate("plms", step, **arguments)
        except httpx.HTTPStatusError as error:
            self.trouble[step] = f"{step} was refused ({error.response.status_code})"
            return {}
        except (RolloutError, httpx.HTTPError) as error:
            self.trouble[step] = f"{type(error).__name__}: {error}"
            return {}
