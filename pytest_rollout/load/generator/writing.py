"""Records of load as files: written whole or not at all, and without holding up the load."""

from __future__ import annotations

import json
import os
from collections.abc import Callable, Iterator
from dataclasses import replace
from functools import lru_cache
from itertools import count
from pathlib import Path

from pytest_rollout.model.coding import encode
from pytest_rollout.model.load import LoadRecord, LoadSecond

_numbers = count()


def write_status(
    path: Path, record: LoadRecord, between: Callable[[], None], current: Callable[[], bool]
) -> None:
    """Write a record at once: readers see the one before, or all of it.

    ``between`` is called between its pieces, so that others may go on; where the record is not
    ``current`` any more by its end, it is dropped.
    """
    beside = _written(path, record, between)
    if current():
        beside.replace(path)
    else:
        beside.unlink()


def write_record(path: Path, record: LoadRecord) -> None:
    """Write a record at once, and return when the disk has it."""
    _written(path, record, lambda: None, keep=True).replace(path)


def _written(
    path: Path, record: LoadRecord, between: Callable[[], None], *, keep: bool = False
) -> Path:
    """Write a record beside its place; return where."""
    path.parent.mkdir(parents=True, exist_ok=True)
    beside = path.with_name(f"{path.name}.{os.getpid()}-{next(_numbers)}.tmp")
    with beside.open("w", encoding="utf-8") as file:
        for piece in _pieces(record):
            file.write(piece)
            between()
        if keep:  # it would hold up a load
            file.flush()
            os.fsync(file.fileno())
    return beside


def _pieces(record: LoadRecord) -> Iterator[str]:
    """The JSON text of a record, in pieces that take no long time each: this is in a load."""
    shell = encode(replace(record, endpoints=(), seconds=(), start_delay={}))
    for left_out in ("endpoints", "seconds", "start_delay"):
        del shell[left_out]
    yield json.dumps(shell)[:-1]
    yield f', "start_delay": {json.dumps(record.start_delay)}'
    yield f', "seconds": [{", ".join(map(_text_of_second, record.seconds))}]'
    yield ', "endpoints": ['
    for number, end in enumerate(record.endpoints):
        figures = encode(replace(end, latency={}, service_time={}))
        del figures["latency"], figures["service_time"]
        yield (", " if number else "") + json.dumps(figures)[:-1]
        yield f', "latency": {json.dumps(end.latency)}'
        yield f', "service_time": {json.dumps(end.service_time)}}}'
    yield "]}\n"


@lru_cache(maxsize=100_000)
def _text_of_second(second: LoadSecond) -> str:
    return json.dumps(encode(second))
