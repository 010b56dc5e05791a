"""Worlds in which the pipeline, Copilot and people have lived up to an instant."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import yaml

from fixtures.pipeline.commands.workshop import Workshop, workshop
from fixtures.pipeline.core.world import World
from fixtures.pipeline.serving import live_through
from tests.pipeline.worlds import bare_world


def lived(folder: Path, opens: float, fault: str = "", until: float | None = None) -> World:
    """A world whose phase opens at an instant, and that went on to another one."""
    world = bare_world(folder, opens, fault)
    live_through(world)
    if until is not None:
        world.agenda.run_until(until)
    workshop(world).dashboard.begin()
    return world


def shop_of(world: World) -> Workshop:
    """What the commands of a world share."""
    return workshop(world)


def records_of(world: World) -> list[dict[str, Any]]:
    """All telemetry, as the files have it."""
    texts = [path.read_text() for path in sorted((world.folder / "telemetry").glob("*.jsonl"))]
    return [json.loads(line) for text in texts for line in text.splitlines()]


def items_of(world: World, stage: str, result: str = "ok") -> list[dict[str, Any]]:
    """The records of issues that a stage worked on."""
    return [
        record
        for record in records_of(world)
        if (record["event"], record["stage"], record["result"]) == ("item", stage, result)
    ]


def kept(world: World, name: str) -> Any:
    """A YAML file of the records."""
    return yaml.safe_load((world.folder / "records" / name).read_text(encoding="utf-8"))


def lines(world: World, name: str) -> list[dict[str, Any]]:
    """The lines of a JSON Lines file of the target's folder."""
    path = world.folder / name
    return [json.loads(line) for line in path.read_text().splitlines()] if path.exists() else []
