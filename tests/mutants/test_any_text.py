"""Whatever the text: each mutant can still be read, and differs in one value and nowhere else."""

from __future__ import annotations

import ast
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml
from hypothesis import given, settings
from hypothesis import strategies as st

from pytest_rollout import mutants
from pytest_rollout.mutants import cron_files, shell, sql, trees, unit_files, values
from pytest_rollout.mutants import settings as settings_files
from pytest_rollout.mutants.edits import Edit, as_mutants
from pytest_rollout.mutants.python_code import of_python

ROOT = Path(__file__).parents[2]
TEXT = st.text(
    st.characters(codec="utf-8", exclude_categories=("Cc", "Cs")), max_size=12
) | st.sampled_from(["30s", "02:00", "> 3", "1.4.0", "20%", "a and b < 2", "0 2 * * *", "no", "5"])
SCALAR = st.none() | st.booleans() | st.integers(-99, 999) | st.floats(0, 9, width=16) | TEXT
DOCUMENT = st.recursive(
    SCALAR,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(TEXT, inner, max_size=3),
    max_leaves=8,
)


def leaves(value: Any, way: tuple[Any, ...] = ()) -> Iterator[tuple[tuple[Any, ...], Any]]:
    """Every scalar of a document, with the way to it."""
    if isinstance(value, dict):
        for key, inner in value.items():
            yield from leaves(inner, (*way, key))
    elif isinstance(value, list):
        for place, inner in enumerate(value):
            yield from leaves(inner, (*way, place))
    else:
        yield way, value


def others(before: Any, after: Any) -> list[tuple[Any, ...]]:
    """The ways to the scalars that differ; all of them where the shapes do."""
    first, second = list(leaves(before)), list(leaves(after))
    assert [way for way, _ in first] == [way for way, _ in second]
    return [
        way for (way, old), (_, new) in zip(first, second, strict=True) if repr(old) != repr(new)
    ]


def checked(text: str, edits: list[Edit]) -> Iterator[str]:
    """The texts with each change; all else of them is as it was."""
    for mutant in as_mutants("a", text, edits):
        changed = mutants.apply(text, mutant)
        assert changed != text
        rest = len(text) - mutant.end
        assert changed[: mutant.start] == text[: mutant.start]
        assert changed[len(changed) - rest :] == text[mutant.end :]
        yield changed


@settings(max_examples=60, deadline=None)
@given(DOCUMENT, st.sampled_from([None, 1, 4]), st.booleans())
def test_json(document: Any, indent: int | None, escaped: bool) -> None:
    text = json.dumps(document, indent=indent, ensure_ascii=escaped)
    for changed in checked(text, list(trees.of_json(text))):
        assert len(others(document, json.loads(changed))) == 1


@settings(max_examples=60, deadline=None)
@given(DOCUMENT, st.sampled_from([None, True, False]), st.sampled_from([None, "'", '"', "|"]))
def test_yaml(document: Any, flow: bool | None, style: str | None) -> None:
    text = yaml.safe_dump(document, default_flow_style=flow, default_style=style)
    before = yaml.safe_load(text)
    for changed in checked(text, list(trees.of_yaml(text))):
        assert len(others(before, yaml.safe_load(changed))) == 1


FILES = sorted(
    path
    for folder in ("pytest_rollout/judge", "fixtures/plms/host", "fixtures/kit")
    for path in (ROOT / folder).rglob("*.py")
    if path.stat().st_size
)


@settings(max_examples=4, deadline=None)
@given(st.sampled_from(FILES))
def test_python(path: Path) -> None:
    text = path.read_text(encoding="utf-8")
    before = ast.dump(ast.parse(text))
    for changed in checked(text, of_python(text)):
        assert ast.dump(ast.parse(changed)) != before


@settings(max_examples=100)
@given(st.text(max_size=60))
@pytest.mark.parametrize(
    "make",
    [
        *(values.of_value, sql.of_sql, unit_files.of_unit, cron_files.of_crontab),
        *(settings_files.of_settings, shell.of_shell),
    ],
)
def test_any_text_is_borne(make: Any, text: str) -> None:
    list(checked(text, list(make(text))))
