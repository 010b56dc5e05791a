"""Changes of shell scripts: commands that do nothing, flags, tests and values, by tree-sitter."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import zip_longest

import tree_sitter_bash
from tree_sitter import Language, Node, Parser

from pytest_rollout.mutants import sql, values
from pytest_rollout.mutants.edits import Edit, UnreadableError

_TESTS = {
    **{"-lt": "-le", "-le": "-lt", "-gt": "-ge", "-ge": "-gt", "-eq": "-ne", "-ne": "-eq"},
    **{"=": "!=", "!=": "=", "==": "!=", "-z": "-n", "-n": "-z"},
    **{"<": "<=", "<=": "<", ">": ">=", ">=": ">"},
}
_JUNCTIONS = {"&&": "||", "||": "&&"}
_NOTHING = ("true", ":")
_TESTING = ("test_command", "binary_expression", "unary_expression")


def of_shell(text: str, *, strict: bool = False) -> Iterator[Edit]:
    """Yield the changes of a script, each within its function.

    With ``strict`` a script that cannot be read raises UnreadableError; else it gives what it can.
    """
    root = Parser(Language(tree_sitter_bash.language())).parse(_ascii(text)).root_node
    if strict and root.has_error:
        raise UnreadableError("is no shell script", _first_error(root) + 1)
    yield from _Script(text).changes(root, "")


def _ascii(text: str) -> bytes:
    """A text with a letter for each character that is not ASCII, so that a byte is a character.

    The scanner of the grammar crashes the process on some characters beyond.
    """
    return "".join(char if char.isascii() else "x" for char in text).encode("ascii")


def _first_error(node: Node) -> int:
    """The first line with what cannot be read, from 0."""
    broken = next((child for child in node.children if child.has_error or child.is_missing), None)
    return node.start_point.row if broken is None else _first_error(broken)


class _Script:
    """A script; places in its tree are characters."""

    def __init__(self, text: str) -> None:
        self._text = text

    def _edit(self, node: Node, text: str, operator: str, scope: str) -> Edit:
        return Edit(node.start_byte, node.end_byte, text, operator, scope)

    def changes(self, node: Node, scope: str) -> Iterator[Edit]:
        """Yield the changes of a node and of all within it."""
        if node.is_error or node.type in ("comment", "heredoc_body"):
            return
        if node.type == "function_definition":
            name = node.child_by_field_name("name")
            scope = self._code(name) if name else scope
        if node.type == "command":
            yield from self._command(node, scope)
        elif node.type in _JUNCTIONS and node.parent and node.parent.type == "list":
            yield self._edit(node, _JUNCTIONS[node.type], "and/or", scope)
        elif node.parent is not None and node.parent.type in _TESTING and not node.named_children:
            code = self._code(node)
            if code in _TESTS:
                yield self._edit(node, _TESTS[code], "comparison", scope)
            elif code in _JUNCTIONS:
                yield self._edit(node, _JUNCTIONS[code], "and/or", scope)
            elif node.type in ("word", "number"):
                yield from self._value(node, scope, name="")
        elif node.type == "declaration_command":
            yield self._edit(node, "true", "command", scope)
        elif node.type == "variable_assignment":
            value = node.child_by_field_name("value")
            if value is not None and value.type in ("word", "number", "raw_string"):
                yield from self._value(value, scope)
        elif node.type == "string_content":
            yield from self._value(node, scope)
        for child in node.children:
            yield from self.changes(child, scope)

    def _command(self, node: Node, scope: str) -> Iterator[Edit]:
        """The changes of a command: nothing instead, one flag less, other values."""
        name = node.child_by_field_name("name")
        called = self._code(name) if name else ""
        if called and called not in _NOTHING:
            yield self._edit(node, "true", "command", scope)
        arguments = node.children_by_field_name("argument")
        for argument, following in zip_longest(arguments, arguments[1:]):
            code = self._code(argument)
            if argument.type == "word" and code.startswith("-") and code.strip("-"):
                start = self._before(argument)
                yield Edit(start, argument.end_byte, "", "flag dropped", scope)
                if following is not None and "=" not in code and self._code(following)[0] != "-":
                    yield Edit(start, following.end_byte, "", "flag dropped", scope)
            elif argument.type in ("word", "number", "raw_string"):
                yield from self._value(argument, scope)

    def _before(self, node: Node) -> int:
        """Where the spaces before a node begin."""
        start = node.start_byte
        return len(self._text[:start].rstrip(" \t"))

    def _value(self, node: Node, scope: str, name: str = "-other") -> Iterator[Edit]:
        start, code = node.start_byte, self._code(node)
        quoted = node.type == "raw_string"
        inner = code[1:-1] if quoted else code
        for edit in sql.of_sql(inner) if sql.is_sql(inner) else values.of_value(inner, name=name):
            safe = (
                quoted or node.type == "string_content" or not set(edit.replacement) & set("<>&|; ")
            )
            if safe:
                yield edit.moved(start + quoted, scope)

    def _code(self, node: Node) -> str:
        return self._text[node.start_byte : node.end_byte]
