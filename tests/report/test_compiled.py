"""Templates are compiled once, and again where they were changed."""

from __future__ import annotations

import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from jinja2 import Environment, FileSystemLoader

from pytest_rollout.report.compiled import Compiled


@pytest.fixture
def shown(tmp_path: Path) -> Callable[[], tuple[str, int]]:
    """What a process shows of a template, and how many it compiled for that."""

    def show() -> tuple[str, int]:
        environment = Environment(
            loader=FileSystemLoader(tmp_path), autoescape=True, bytecode_cache=Compiled(tmp_path)
        )
        compiled: list[Any] = []
        compile_ = environment.compile
        environment.compile = lambda *a, **k: compiled.append(a) or compile_(*a, **k)  # type: ignore[method-assign,assignment,func-returns-value]
        return environment.get_template("page.html").render(name="<b>"), len(compiled)

    (tmp_path / "page.html").write_text("of {{ name }}")
    return show


def test_a_template_is_compiled_once(
    shown: Callable[[], tuple[str, int]], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sys, "dont_write_bytecode", False)
    assert [shown(), shown()] == [("of &lt;b&gt;", 1), ("of &lt;b&gt;", 0)]


def test_a_template_that_was_changed_is_compiled_anew(
    shown: Callable[[], tuple[str, int]], monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setattr(sys, "dont_write_bytecode", False)
    shown()
    (tmp_path / "page.html").write_text("now {{ name }}")
    assert shown() == ("now &lt;b&gt;", 1)


@pytest.mark.parametrize("torn", [b"", b"j2", b"\0" * 200])
def test_what_cannot_be_read_is_compiled_anew(
    shown: Callable[[], tuple[str, int]],
    monkeypatch: pytest.MonkeyPatch,
    tmp_path: Path,
    torn: bytes,
) -> None:
    monkeypatch.setattr(sys, "dont_write_bytecode", False)
    shown()
    (kept,) = tmp_path.glob("__pycache__/*")
    kept.write_bytes(torn)
    assert shown() == ("of &lt;b&gt;", 1)


def test_nothing_is_kept_where_python_keeps_nothing(
    shown: Callable[[], tuple[str, int]], monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setattr(sys, "dont_write_bytecode", True)
    shown()
    assert [path.name for path in tmp_path.iterdir()] == ["page.html"]


def test_a_folder_that_nothing_can_be_kept_in_changes_nothing(
    shown: Callable[[], tuple[str, int]], monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setattr(sys, "dont_write_bytecode", False)
    (tmp_path / "__pycache__").write_text("a file")
    assert shown() == ("of &lt;b&gt;", 1)
