"""The style sheet: words can be read in both schemes, and print shows what is folded."""

from __future__ import annotations

import re
from importlib.resources import files
from itertools import product

import pytest

from pytest_rollout.model.verdict import Answer
from pytest_rollout.report import document
from pytest_rollout.report.document import Document
from pytest_rollout.report.html import to_html
from tests.report import demonstration
from tests.report import report_decisions as given
from tests.report.report_reading import page

TONES = ("good", "held", "bad", "back", "note", "none")
PAIRS = [
    *product(("ink", "dim", "link", *TONES), ("paper", "surface")),
    *((tone, f"{tone}-tint") for tone in TONES),
    ("surface", "bad"),
    ("ink", "note-tint"),
    ("dim", "note-tint"),
]


def style() -> str:
    whole = "".join(str(words) for words in page(to_html(given.decision())).one("style").inside)
    plots = (files("pytest_rollout.report") / "templates/plot.css").read_text(encoding="utf-8")
    return whole.replace(plots, "")


def colours(scheme: str) -> dict[str, str]:
    blocks = re.findall(r":root \{(.*?)\}", style(), re.DOTALL)
    return dict(re.findall(r"--([\w-]+): (#[0-9a-f]{6})", blocks[scheme == "dark"]))


def luminance(colour: str) -> float:
    parts = [int(colour[i : i + 2], 16) / 255 for i in (1, 3, 5)]
    red, green, blue = (p / 12.92 if p <= 0.04045 else ((p + 0.055) / 1.055) ** 2.4 for p in parts)
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize(("front", "back"), PAIRS)
def test_contrast_is_enough_to_read(scheme: str, front: str, back: str) -> None:
    known = colours(scheme)
    high, low = sorted((luminance(known[front]), luminance(known[back])), reverse=True)
    assert (high + 0.05) / (low + 0.05) >= 4.5


def test_print_opens_what_is_folded() -> None:
    assert "details::details-content" in style().partition("@media print")[2]


def test_every_colour_is_a_named_one_and_every_class_is_used() -> None:
    rules = re.sub(r":root \{.*?\}", "", style(), flags=re.DOTALL)
    assert set(re.findall(r"#[0-9a-f]{3,6}\b", rules)) == set()
    pages = [given.no_go(), given.rollback(), given.held_partial(), given.go_with_conditions()]
    html = "".join(to_html(one) for one in pages)
    decision, story = demonstration.story()
    html += to_html(decision, story=story)
    html += document.to_html(Document("The end", (), (), Answer.GO, "in a rehearsal"))
    used = {word for words in re.findall(r'class="([^"]*)"', html) for word in words.split()}
    styled = set(re.findall(r"\.([a-z]+)\b", rules)) - {"more", "rest", "aside"}
    assert styled <= used


GRAPHICS = ("p50", "p95", "p99", "started", "answered")


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("name", GRAPHICS)
def test_lines_of_plots_stand_out_from_what_they_are_drawn_on(scheme: str, name: str) -> None:
    own, shared = plot_colours(scheme), colours(scheme)
    high, low = sorted((luminance(own[name]), luminance(shared["surface"])), reverse=True)
    assert (high + 0.05) / (low + 0.05) >= 3


def plot_colours(scheme: str) -> dict[str, str]:
    text = (files("pytest_rollout.report") / "templates/plot.css").read_text(encoding="utf-8")
    blocks = re.findall(r":root \{(.*?)\}", text, re.DOTALL)
    return dict(re.findall(r"--([\w-]+): (#[0-9a-f]{6})", blocks[scheme == "dark"]))
