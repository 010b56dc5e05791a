"""Worlds to try things in, and GitHub's API of one without a server."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from pathlib import Path

import httpx

from fixtures.pipeline.actions.command import Command
from fixtures.pipeline.all_faults import FAULTS
from fixtures.pipeline.core.days import day
from fixtures.pipeline.core.world import World
from fixtures.pipeline.operations.rollout_days import RolloutDays
from fixtures.pipeline.rest.api import application
from pytest_rollout.model.fault import Fault
from pytest_rollout.targets.reference import AsgiApp
from tests.pipeline.github_reader import Repository

URL = "http://127.0.0.1:1"


class AtOnce(httpx.BaseTransport):
    """Asks an application itself, without a socket."""

    def __init__(self, app: AsgiApp) -> None:
        self._inner = httpx.ASGITransport(app=app)

    def handle_request(self, request: httpx.Request) -> httpx.Response:
        """What the application answers."""

        async def asked() -> httpx.Response:
            sent = httpx.Request(
                request.method, request.url, headers=request.headers, content=request.read()
            )
            answer = await self._inner.handle_async_request(sent)
            content = await answer.aread()
            return httpx.Response(answer.status_code, headers=answer.headers, content=content)

        return asyncio.run(asked())


def bare_world(folder: Path, opens: float | None = None, fault: str = "") -> World:
    """A world at the beginning of a phase in which nobody lives yet."""
    planted = FAULTS.planted(Fault.parse(fault) if fault else None)
    return World(folder, planted, day(1) if opens is None else opens)


def rollout_world(
    folder: Path,
    opens: float,
    commands: Mapping[str, Command],
    fault: str = "",
) -> World:
    """A world with the workflow files of the rollout and commands of its own, at its phase."""
    world = bare_world(folder, opens, fault)
    world.actions.commands = commands
    days = RolloutDays(world, lambda what: None)
    world.kept[RolloutDays] = days
    days.begin()
    world.agenda.run_until(opens - 0.001)
    return world


def client_of(world: World) -> httpx.Client:
    """A client of the API of a world."""
    return httpx.Client(transport=AtOnce(application(world)), base_url=URL)


def repository_of(world: World, account: str = "rollout-suite") -> Repository:
    """The repository of a world as the suite reads it."""
    return Repository(client_of(world), account, "acme/site-pipeline")
