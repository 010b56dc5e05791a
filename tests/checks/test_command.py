"""Commands: what they answer, their time, their output, and what they leave running."""

from __future__ import annotations

import os
import time
from pathlib import Path

import pytest

from pytest_rollout.checks import command
from pytest_rollout.checks.answer import MOST_BYTES, Reply
from pytest_rollout.checks.expect import unmet
from pytest_rollout.model.check import Check, CheckMeans, Expect, Wording
from pytest_rollout.model.errors import RolloutError


def argv(*words: str, **more: object) -> Check:
    return Check(CheckMeans.COMMAND, " ".join(words), words, **more)  # type: ignore[arg-type]


def shell(line: str, **more: object) -> Check:
    return Check(CheckMeans.COMMAND, line, **more)  # type: ignore[arg-type]


def run(check: Check, folder: Path = Path("/"), **given: str) -> Reply:
    return command.run(check, folder, given)


def test_it_answers_its_status_and_what_it_wrote() -> None:
    answer = run(argv("sh", "-c", "echo out; echo err >&2; exit 3"))
    assert answer.status == 3
    assert (answer.said["stdout"].text, answer.said["stderr"].text) == ("out\n", "err\n")
    assert unmet(argv("x"), answer) == ["exit status 3, expected 0; stderr ends: err"]
    assert unmet(argv("x", expect=Expect((3, 4))), answer) == []


def test_exit_0_with_the_wrong_words_is_not_what_was_expected() -> None:
    check = argv("echo", "not ok", expect=Expect(wordings=(Wording("stdout", exactly="ok"),)))
    assert unmet(check, run(check)) == ["stdout is 'not ok', expected 'ok'"]


def test_words_are_no_shell() -> None:
    assert run(argv("echo", "$HOME;", "*")).said["stdout"].text == "$HOME; *\n"


@pytest.mark.parametrize("line", ["false | cat", "false; true", "cat /none | wc -l"])
def test_no_step_of_a_shell_hides_that_it_failed(line: str) -> None:
    assert run(shell(line)).status == 1


def test_a_command_that_is_not_there_cannot_start(tmp_path: Path) -> None:
    with pytest.raises(RolloutError, match="cannot start: bin/none: No such file"):
        run(argv("bin/none"))
    with pytest.raises(RolloutError, match="there is no folder none"):
        run(argv("true", cwd="none"), tmp_path)
    (tmp_path / "script").write_text("echo", encoding="utf-8")
    with pytest.raises(RolloutError, match="Permission denied"):
        run(argv("./script"), tmp_path)
    assert "could not start" in run(shell("none --json")).trouble
    assert run(shell("exit 127", expect=Expect((127,)))).trouble == ""


def test_it_runs_where_it_is_told_to(tmp_path: Path) -> None:
    (tmp_path / "demos").mkdir()
    assert run(argv("pwd", cwd="demos"), tmp_path).said["stdout"].text.endswith("/demos\n")


def test_a_command_that_does_not_end_is_ended_with_its_children(tmp_path: Path) -> None:
    started = time.monotonic()
    line = "sleep 60 & echo $! > child; trap '' TERM; echo started; sleep 60; sleep 60"
    answer = run(shell(line, timeout_us=300_000), tmp_path)
    assert answer.trouble == "the command did not end within 0.3 s"
    assert answer.said["stdout"].text == "started\n"
    assert time.monotonic() - started < 30
    assert_ended(int((tmp_path / "child").read_text()))


def test_what_a_command_leaves_running_is_ended(tmp_path: Path) -> None:
    started = time.monotonic()
    answer = run(shell("sleep 60 & echo $! > child; echo done"), tmp_path)
    assert (answer.status, answer.trouble) == (0, "")
    assert answer.said["stdout"].text == "done\n"
    assert time.monotonic() - started < 30
    assert_ended(int((tmp_path / "child").read_text()))


def assert_ended(pid: int) -> None:
    """The process is gone, or dead and waiting for whoever adopted it."""
    patience = time.monotonic() + 10
    while time.monotonic() < patience:
        try:
            state = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0]
        except (FileNotFoundError, ProcessLookupError):
            return
        if state == "Z":
            return
        time.sleep(0.02)
    raise AssertionError(f"{pid} is still running")


def test_a_command_that_was_killed_gave_no_answer() -> None:
    assert run(shell("kill -9 $$")).trouble == "the command was ended by SIGKILL"


def test_much_output_is_read_and_cut_and_then_satisfies_nothing() -> None:
    line = f"head -c {3 * MOST_BYTES} /dev/zero | tr '\\\\0' y; echo end >&2"
    check = shell(line, expect=Expect(wordings=(Wording("stdout", has=("y",)),)))
    answer = run(check)
    assert (answer.status, answer.said["stderr"].text) == (0, "end\n")
    assert (len(answer.said["stdout"].text), answer.said["stdout"].cut) == (MOST_BYTES, True)
    with pytest.raises(RolloutError, match="stdout is longer than"):
        unmet(check, answer)
    assert unmet(shell(line), answer) == []


def test_output_that_is_no_text_is_kept_as_far_as_it_is() -> None:
    assert run(argv("printf", r"a\377b")).said["stdout"].text == "a\ufffdb"


def test_it_cannot_ask_the_terminal() -> None:
    before, (reading, writing) = os.dup(0), os.pipe()
    try:
        os.dup2(reading, 0)  # where somebody could type
        assert run(argv("cat", timeout_us=2_000_000)).trouble == ""
    finally:
        os.dup2(before, 0)
        for one in (before, reading, writing):
            os.close(one)


def test_it_is_told_where_its_targets_are(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TOKEN", "a b")
    told = run(argv("echo", "${ROLLOUT_TARGET_WEB}/x", "${TOKEN}"), ROLLOUT_TARGET_WEB="http://w")
    assert told.said["stdout"].text == "http://w/x a b\n"
    with pytest.raises(RolloutError, match="NONE_SUCH is not set"):
        run(argv("echo", "${NONE_SUCH}"))


def test_it_gets_every_variable_or_those_it_lists(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("ONE", "1")
    monkeypatch.setenv("TWO", "2")
    line = 'echo "$ONE-$TWO-$W"'
    assert run(shell(line), W="w").said["stdout"].text == "1-2-w\n"
    assert run(shell(line, env=("TWO",)), W="w").said["stdout"].text == "-2-w\n"
    assert run(argv("env", env=())).said["stdout"].text.count("\n") < len(os.environ)
    with pytest.raises(RolloutError, match="NONE_SUCH is not set"):
        run(argv("env", env=("NONE_SUCH",)))
