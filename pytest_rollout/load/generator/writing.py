"""Records of load as files: written whole or not at all, and without holding up the load."""

from __future__ import annotations

import json
import os
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path

from pytest_rollout.model.coding import encode
from pytest_rollout.model.load import LoadRecord


def write(path: Path, record: LoadRecord, between: Callable[[], None] = lambda: None) -> None:
    """Write a record at once: readers see the one before, or all of it.

    ``between`` is called between its pieces, so that others may go on.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    beside = path.with_name(f"{path.name}.{os.getpid()}.tmp")
    with beside.open("w", encoding="utf-8") as file:
        for piece in _pieces(record):
            file.write(piece)
            between()
        file.flush()
        os.fsync(file.fileno())
    beside.replace(path)


def _pieces(record: LoadRecord) -> Iterator[str]:
    """The JSON text of a record: endpoints one by one, because their histograms are long."""
    shell = encode(replace(record, endpoints=()))
    del shell["endpoints"]
    yield json.dumps(shell)[:-1] + ', "endpoints": ['
    for number, endpoint in enumerate(record.endpoints):
        yield (", " if number else "") + json.dumps(encode(endpoint))
    yield "]}\n"
