"""Reading a line of the shell: its commands, their words, and what each is followed by."""

from __future__ import annotations

import re
from dataclasses import field

from pytest_rollout.late_dataclass import dataclass

_ASSIGNS = re.compile(r"[A-Za-z_][A-Za-z0-9_]*(\[[^]]*\])?\+?=")
_OPERATORS = ("&&", "||", "|&", ";;", "&", "|", ";", "\n", "(", ")")
_HERE = re.compile(r"<<(-?)\s*(['\"\\]?)([A-Za-z_][A-Za-z0-9_]*)['\"]?")
_ASKS = ("if", "elif", "while", "until")
_KEYWORDS = (*_ASKS, "then", "else", "fi", "do", "done", "for", "case", "esac", "in", "{", "}")


@dataclass(slots=True)
class ShellWord:
    """A word, without its quotes, and what is substituted into it."""

    text: str = ""
    inner: list[ShellLine] = field(default_factory=list)  # of $(…) and `…`
    of_process: bool = False  # <(…) or >(…)
    assigns: bool = False  # NAME=value


@dataclass(slots=True)
class Command:
    """The words of a command, and the operator that follows it."""

    words: list[ShellWord] = field(default_factory=list)
    after: str = ""
    asks: bool = False  # the condition of an `if` or a loop begins with it


@dataclass(slots=True)
class ShellLine:
    """The commands of a line, in order; groups and conditions are not told apart."""

    commands: list[Command] = field(default_factory=list)


def read_line(text: str) -> ShellLine:
    """Return the commands of a line; one that is no shell is read as far as it goes."""
    return _Reader(text).line("")


class _Reader:
    def __init__(self, text: str) -> None:
        self._text = text
        self._at = 0
        self._here: list[tuple[str, bool, ShellWord]] = []  # here-documents whose text is to come

    def line(self, end: str) -> ShellLine:
        """Read up to an end, which is taken as well, or to the end of the text."""
        line, command, word = ShellLine(), Command(), None
        depth = 0
        while self._at < len(self._text):
            if end and self._text.startswith(end, self._at) and depth == 0:
                self._at += len(end)
                break
            if self._skipped(word):
                continue
            operator = self._operator()
            if not operator and not self._text[self._at].isspace():
                word = self._more(word)
                continue
            self._ended(command, word)
            word = None
            if not operator:
                self._at += 1
                continue
            depth += {"(": 1, ")": -1}.get(operator, 0)
            self._at += len(operator)
            if operator == "\n":
                self._documents()
            if command.words and operator != "(":
                command.after = ";" if operator in (";;", ")") else operator
                line.commands.append(command)
                command = Command()
        self._ended(command, word)
        if command.words:
            line.commands.append(command)
        return line

    def _ended(self, command: Command, word: ShellWord | None) -> None:
        if word is None:
            return
        plain = not (word.inner or word.of_process)
        if plain and not command.words and word.text in _KEYWORDS:
            command.asks |= word.text in _ASKS
        else:
            command.words.append(word)

    def _skipped(self, word: ShellWord | None) -> bool:
        """Pass over a comment, or a line that is continued."""
        if self._text.startswith("\\\n", self._at):
            self._at += 2
            return True
        if self._text[self._at] == "#" and word is None:
            end = self._text.find("\n", self._at)
            self._at = len(self._text) if end < 0 else end
            return True
        return False

    def _operator(self) -> str:
        before = self._text[self._at - 1 : self._at]
        after = self._text[self._at + 1 : self._at + 2]
        if self._text[self._at] == "&" and (before in ("<", ">") or after == ">"):
            return ""  # of a redirection, as in 2>&1
        return next(
            (operator for operator in _OPERATORS if self._text.startswith(operator, self._at)), ""
        )

    def _more(self, word: ShellWord | None) -> ShellWord:
        """Read one more part of a word."""
        part = word or ShellWord()
        here = _HERE.match(self._text, self._at)
        if here and not self._text.startswith("<<<", self._at):
            self._here.append((here[3], not here[2], part))
            part.text += here[0]
            self._at = here.end()
            return part
        char = self._text[self._at]
        self._at += 1
        if char == "\\":
            part.text += self._text[self._at : self._at + 1]
            self._at += 1
        elif char == "'":
            end = self._text.find("'", self._at)
            end = len(self._text) if end < 0 else end
            part.text += self._text[self._at : end]
            self._at = end + 1
        elif char == '"':
            self._quoted(part)
        elif char in "<>" and self._text.startswith("(", self._at):
            part.of_process = True
            self._at += 1
            self.line(")")
        elif not self._substituted(char, part):
            part.text += char
            part.assigns |= char == "=" and _ASSIGNS.fullmatch(part.text) is not None
        return part

    def _quoted(self, word: ShellWord) -> None:
        while self._at < len(self._text) and self._text[self._at] != '"':
            char = self._text[self._at]
            self._at += 1
            if char == "\\":
                word.text += self._text[self._at : self._at + 1]
                self._at += 1
            elif not self._substituted(char, word):
                word.text += char
        self._at += 1

    def _substituted(self, char: str, word: ShellWord) -> bool:
        """Read a substitution that begins with a character, if one does."""
        if char == "`":
            end = self._text.find("`", self._at)
            end = len(self._text) if end < 0 else end
            word.inner.append(read_line(self._text[self._at : end]))
            self._at = end + 1
            return True
        if char == "$" and self._text.startswith("((", self._at):
            end = self._text.find("))", self._at)
            self._at = len(self._text) if end < 0 else end + 2
            return True
        if char == "$" and self._text.startswith("(", self._at):
            self._at += 1
            word.inner.append(self.line(")"))
            return True
        return False

    def _documents(self) -> None:
        """Read the texts of the here-documents that a line has announced."""
        for name, filled, word in self._here:
            body: list[str] = []
            while self._at < len(self._text):
                end = self._text.find("\n", self._at)
                end = len(self._text) if end < 0 else end
                said = self._text[self._at : end]
                self._at = end + 1
                if said.strip() == name:
                    break
                body.append(said)
            if filled:
                inside = _Reader("\n".join(body) + '"')
                inside._quoted(word)
        self._here = []
