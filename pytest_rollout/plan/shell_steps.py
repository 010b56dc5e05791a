"""Steps of a shell line whose failure nobody would see, though the shell runs with -e and pipefail.

A small reading of the shell's language: words, quotes, operators and substitutions. It asks of
each command whether its status decides the line's. The condition of an `if`, `while` or `until`,
and what stands left of the last `&&`, are questions; the plan states those on purpose.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from pytest_rollout.late_dataclass import dataclass
from pytest_rollout.plan.shell_words import Command, ShellLine, ShellWord, read_line

Hidden = tuple[str, str]  # what hides a failed step, and what to write instead

_SHELLS = ("sh", "bash", "dash", "ash", "zsh", "ksh")
_BEFORE = ("env", "command", "exec", "nice", "nohup", "sudo", "time")  # run the rest as a command
_DECLARES = ("local", "export", "declare", "typeset", "readonly")
_NOTHING = ("true", ":", "echo", "printf")
_ASSIGN = "x=$(COMMAND) on a line of its own, and $x"
_STRICT = "command: LINE with `shell: true`, which runs it with -e and pipefail"


@dataclass(frozen=True, slots=True)
class Means:
    """Which of the shell's own means against hidden failures are on."""

    errexit: bool = True
    pipefail: bool = True


def hidden_steps(line: str) -> list[Hidden]:
    """Return what hides a failed step in a line that is read with -e and pipefail."""
    return _read(line, Means())


def hidden_in_words(words: Sequence[str]) -> list[Hidden]:
    """Return what hides a failed step where the words of a command start a shell with a line."""
    inner = _inner(words)
    return [] if inner is None else _read(*inner)


def _read(line: str, means: Means) -> list[Hidden]:
    try:
        return list(_hidden(read_line(line), means))
    except RecursionError:
        return [("it is nested too deeply to be read", "a script, and its path as the command")]


def _hidden(line: ShellLine, means: Means) -> Iterator[Hidden]:
    for position, command in enumerate(line.commands):
        last = position == len(line.commands) - 1
        yield from _of_operators(command.after, means, last=last)
        yield from _of_words(command.words, last=last)
        inner = _inner([word.text for word in command.words])
        if inner is not None:
            yield from _hidden(read_line(inner[0]), inner[1])
    yield from _going_on(line, means)
    for position, command in enumerate(line.commands[1:], 1):
        if line.commands[position - 1].after == "||" and _is_nothing(command.words):
            yield "`|| true` takes every failure for a success", "expect: {exit: [0, 1]} and no ||"


def _going_on(line: ShellLine, means: Means) -> Iterator[Hidden]:
    """A row of `&&` that is not the last: where its left side fails, the line goes on."""
    row: list[Command] = []
    for position, command in enumerate(line.commands):
        row.append(command)
        if command.after in ("&&", "||", "|", "|&"):
            continue
        chained = any(command.after == "&&" and not _open_test(command) for command in row)
        if chained and not row[0].asks and position < len(line.commands) - 1 and means.errexit:
            yield "the line goes on where the left side of `&&` failed", "each on a line of its own"
        row = []


def _open_test(command: Command) -> bool:
    """Whether a command is the first half of [[ one && other ]]."""
    texts = [word.text for word in command.words]
    return "[[" in texts and "]]" not in texts


def _of_operators(after: str, means: Means, *, last: bool) -> Iterator[Hidden]:
    if after == "&":
        yield "`&` leaves a step behind, and nobody asks how it ended", "the step without `&`"
    if after in ("|", "|&") and not means.pipefail:
        yield "a pipe hides that a step before its end failed", _STRICT
    if after in (";", "\n") and not last and not means.errexit:
        yield f"{'a new line' if after != ';' else '`;`'} goes on after a failed step", _STRICT


def _of_words(words: Sequence[ShellWord], *, last: bool) -> Iterator[Hidden]:
    texts = [word.text for word in words]
    first = texts[0] if texts else ""
    assigns = bool(words) and all(word.assigns for word in words)
    for word in words:
        if word.of_process:
            yield "<(…) hides how its command ended", "COMMAND > file on a line of its own"
        if word.inner and not assigns:
            where = f"`{first}`" if first in _DECLARES else "a command's words"
            yield f"$(…) in {where} hides that its command failed", _ASSIGN
        for inner in word.inner:
            if len(inner.commands) > 1 and any(
                command.after not in ("|", "|&") for command in inner.commands[:-1]
            ):
                yield "several commands in $(…): only the last one counts", "a line for each"
            yield from _hidden(inner, Means(errexit=True))
    if first == "!" and not last:
        yield "`!` switches off that a failure ends the line", "`if COMMAND; then exit 1; fi`"
    if first == "set" and any(text.startswith("+") for text in texts[1:]):
        yield f"`{' '.join(texts)}` lets failed steps pass", "leave it out"
    if first in ("trap", "coproc"):
        yield f"`{first}` can hide how a step ended", "leave it out, or write a script"


def _is_nothing(words: Sequence[ShellWord]) -> bool:
    texts = [word.text for word in words]
    return bool(texts) and (texts[0] in _NOTHING or texts[:2] == ["exit", "0"])


def _inner(words: Sequence[str]) -> tuple[str, Means] | None:
    """The line that a command gives to a shell, and the means that its options switch on."""
    rest = list(words)
    while rest and (rest[0].rpartition("/")[2] in _BEFORE or "=" in rest[0]):
        rest.pop(0)
    if not rest or rest[0].rpartition("/")[2] not in _SHELLS:
        return None
    errexit = pipefail = given = False
    options = iter(rest[1:])
    for option in options:
        if not option.startswith("-") or option == "--":
            return (option, Means(errexit, pipefail)) if given else None
        if option.startswith("--"):
            continue
        given |= "c" in option
        errexit |= "e" in option
        if "o" in option:
            name = next(options, "")
            errexit, pipefail = errexit or name == "errexit", pipefail or name == "pipefail"
    return None
