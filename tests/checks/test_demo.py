"""Demos: how they end, what they say, and whether they wait for somebody."""

from __future__ import annotations

import sys
import time
from pathlib import Path

import pytest

from pytest_rollout import Demo, RolloutError
from pytest_rollout.checks.demo import DemoOutput, masked

RUN = {"run": r"run-\w+", "time": r"\d\d:\d\d"}


def shown(folder: Path, script: str, limit_s: float = 20, **environ: str) -> DemoOutput:
    path = folder / "demo.sh"
    path.write_text(script, encoding="utf-8")
    return Demo(path, RUN, limit_s).run(environ, folder)


def test_it_says_everything_in_one_text_with_its_status(tmp_path: Path) -> None:
    seen = shown(tmp_path, "echo out\necho $WHO >&2\nexit 3\n", WHO="me")
    assert (seen.status, seen.text, seen.trouble, seen.asked) == (3, "out\nme\n", "", 0)


@pytest.mark.parametrize("line", ["false | cat", "false | tee log | grep -c x || exit", "cat none"])
def test_a_step_that_fails_ends_it_even_within_a_pipe(tmp_path: Path, line: str) -> None:
    seen = shown(tmp_path, f"{line}\necho '✓ all green'\n")
    assert seen.status != 0
    assert "green" not in seen.text


@pytest.mark.parametrize("prompt", ["read -r answer", "read answer || true", "cat > /dev/null"])
def test_a_prompt_is_answered_at_once_and_noticed(tmp_path: Path, prompt: str) -> None:
    seen = shown(tmp_path, f"echo 'press Enter'\n{prompt}\necho done\n")
    assert seen.status == 0
    assert seen.asked > 0


def test_what_reads_something_else_waits_for_nobody(tmp_path: Path) -> None:
    script = f"echo a | cat\n{sys.executable} -I - <<'END'\nprint('b')\nEND\n"
    seen = shown(tmp_path, script)
    assert (seen.text, seen.asked) == ("a\nb\n", 0)


def test_there_is_no_terminal_to_ask_at(tmp_path: Path) -> None:
    assert shown(tmp_path, "read -r answer < /dev/tty\n").status != 0


def test_what_takes_too_long_is_ended(tmp_path: Path) -> None:
    before = time.monotonic()
    seen = shown(tmp_path, "echo begun\nsleep 60\n", limit_s=0.3)
    assert time.monotonic() - before < 10
    assert seen.trouble == "the command did not end within 0.3 s"
    assert seen.text == "begun\n"


def test_a_script_that_is_missing_has_failed(tmp_path: Path) -> None:
    seen = Demo(tmp_path / "none.sh").run()
    assert (seen.status, seen.trouble) == (127, "there is no script none.sh")


def test_without_bash_it_says_what_to_install(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PATH", "")
    with pytest.raises(RolloutError, match=r"demo\.sh cannot start: install bash"):
        shown(tmp_path, "")


def test_a_masked_value_stays_the_same_value() -> None:
    text = "12:30 run-a\n12:31 run-b\n12:30 run-a"
    assert masked(text, RUN) == "<time 1> <run 1>\n<time 2> <run 2>\n<time 1> <run 1>"
    assert masked(text, {}) == text
    with pytest.raises(RolloutError, match="no regular expressions"):
        masked(text, {"run": "("})


def test_another_value_where_the_same_is_expected_is_a_difference() -> None:
    expected = "first <run 1>\nagain <run 1>\n"
    assert DemoOutput(0, "first run-x\nagain run-x  \n\n", masks=RUN).unlike(expected) == []
    assert DemoOutput(0, "first run-x\nagain run-y\n", masks=RUN).unlike(expected) == [
        "@@ -2 +2 @@",
        "-again <run 1>",
        "+again <run 2>",
    ]
    assert DemoOutput(0, "", masks=RUN).unlike(expected)
