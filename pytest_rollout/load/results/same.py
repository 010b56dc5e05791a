"""What a file says, however it is written: packed, with other line ends, or with empty lines."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterator

from pytest_rollout.load.results.figures import Figures, UnreadableError
from pytest_rollout.load.results.json_values import parsed
from pytest_rollout.load.results.reading import inflated
from pytest_rollout.load.results.xml_events import elements

_SPACE = " \t\r\n"


def fingerprint(content: bytes, figures: Figures) -> str:
    """Return a digest of what a file says; two files that say the same have the same one.

    Of requests with their times that is what they come to, in whatever order they stand in it.
    """
    if figures.started_us is not None and figures.requests:
        material: object = _counted(figures)
    else:
        material = _as_written(inflated(content))
    text = json.dumps(material, sort_keys=True, separators=(",", ":"))
    return hashlib.sha256(text.encode()).hexdigest()


def _counted(figures: Figures) -> object:
    ends = (figures.started_us, figures.ended_us, figures.requests, figures.started)
    endpoints = [
        (endpoint.name, endpoint.failures, sorted(endpoint.times.items()))
        for endpoint in sorted(figures.endpoints, key=lambda endpoint: endpoint.name)
    ]
    return ends, endpoints, sorted(figures.seconds.items())


def _as_written(content: bytes) -> object:
    """The elements of XML, the value of JSON, or the lines of text, without what says nothing."""
    text = content.decode("utf-8-sig", "replace").strip(_SPACE)
    try:
        if text.startswith("<"):
            return list(_elements(content))
        if text.startswith("{"):
            return parsed(text)
    except UnreadableError:
        pass
    lines = (line.strip(_SPACE) for line in text.splitlines())
    return [line for line in lines if line and not line.startswith("#")]


def _elements(content: bytes) -> Iterator[object]:
    for event, element in elements(content):
        if event == "end":
            yield element.depth, element.tag, element.attributes, element.text.strip(_SPACE)
