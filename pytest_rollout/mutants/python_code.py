"""Changes of Python code by the operators of mutmut, at the places that libcst knows."""

from __future__ import annotations

import ast
import warnings
from collections.abc import Callable, Iterable, Iterator, Mapping
from functools import cache
from typing import Any

import libcst as cst
from libcst.metadata import CodeRange, MetadataWrapper, PositionProvider
from mutmut.mutation.mutators import mutation_operators

from pytest_rollout.mutants import python_strings
from pytest_rollout.mutants.edits import Edit, UnreadableError
from pytest_rollout.mutants.python_places import Lines, Place, children, smallest

_Operator = Callable[[Any], Iterable[cst.CSTNode]]
# Names of lists for tools and tests, which say nothing of what the code does.
_LISTS = ("__all__", "__slots__", "FAULTS")
_OF_TYPES = ("TypeVar", "ParamSpec", "NewType", "TypeVarTuple")
_ALWAYS_FAIL = ("len", "isinstance")  # no argument of theirs can be left out or be None
_WORDS: Mapping[str, str] = {
    **{"name": "boolean", "string": "text", "arg_removal": "argument", "keywords": "keyword"},
    **{"remove_unary_ops": "not", "if_exp": "condition", "match": "case"},
    "symmetric_string_methods_swap": "string method",
    "unsymmetrical_string_methods_swap": "string method",
}
_SWAPPED: Mapping[type[cst.CSTNode], str] = {
    cst.ComparisonTarget: "comparison",
    cst.BooleanOperation: "and/or",
}


_SCOPES = (cst.FunctionDef, cst.ClassDef)
_TEXTS = (cst.SimpleString, cst.ConcatenatedString, cst.FormattedString)
_EMPTY = frozenset(
    {
        *(cst.SimpleWhitespace, cst.ParenthesizedWhitespace, cst.TrailingWhitespace),
        *(cst.Newline, cst.EmptyLine, cst.Comment, cst.Comma, cst.Dot, cst.Colon),
        *(cst.LeftParen, cst.RightParen, cst.LeftSquareBracket, cst.RightSquareBracket),
    }
)
# What is most of a module, and holds no operator itself.
_WITHOUT_OPERATOR = frozenset(
    {
        *(cst.Name, cst.Attribute, cst.Call, cst.Arg, cst.SimpleString, cst.Subscript),
        *(cst.SimpleStatementLine, cst.IndentedBlock, cst.Expr, cst.Param, cst.Parameters),
        *(cst.AssignTarget, cst.Assign, cst.AssignEqual, cst.Integer, cst.Index),
        *(cst.SubscriptElement, cst.Element, cst.FormattedStringText),
    }
)
_SOMETIMES_LEFT_ALONE = frozenset(
    {
        *(cst.Annotation, cst.Import, cst.ImportFrom, cst.TypeAlias, cst.Expr, cst.Assign),
        *(cst.AnnAssign, cst.Call, cst.Decorator),
    }
)


def of_python(text: str) -> list[Edit]:
    """Return the changes of a module that leave it Python.

    Docstrings, annotations, imports, what stands under TYPE_CHECKING, ``__all__`` and the faults
    that a reference target declares are left alone. Raises UnreadableError where it is no Python.
    """
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # of code that is odd, with a change or without
        finder = _walked(text)
    return finder.edits


def _walked(text: str) -> _Finder:
    try:
        ast.parse(text)
        wrapper = MetadataWrapper(cst.parse_module(text), unsafe_skip_copy=True)
    except SyntaxError as error:
        raise UnreadableError(f"is no Python: {error.msg}", error.lineno or 1) from error
    except (cst.ParserSyntaxError, ValueError, RecursionError) as error:
        raise UnreadableError(f"is no Python: {' '.join(str(error).split())[:120]}", 1) from error
    finder = _Finder(wrapper, text)
    finder.walk(wrapper.module)
    return finder


class _Finder:
    """Walks a module, and collects its changes.

    It only looks, so it needs no visitor of libcst, which makes each node anew.
    """

    def __init__(self, wrapper: MetadataWrapper, text: str) -> None:
        self.edits: list[Edit] = []
        self._text = text
        self._lines = Lines(text)
        self._module = wrapper.module
        self._positions: Mapping[cst.CSTNode, CodeRange] = wrapper.resolve(PositionProvider)
        self._scopes: list[str] = []
        self._outermost: cst.CSTNode | None = None  # the expression that all of it stands in
        self._data: set[cst.CSTNode] = set()  # texts that are changed as data
        self._functions = 0

    def walk(self, node: cst.CSTNode) -> None:
        """Collect the changes of a node and of all within it."""
        if type(node) in _EMPTY:
            return
        if self._enter(node):
            for child in children(node):
                self.walk(child)
        self._leave(node)

    def _enter(self, node: cst.CSTNode) -> bool:
        """Change a node; whether what is within it may be changed as well."""
        kind = type(node)
        if kind in _SCOPES:
            self._scopes.append(node.name.value)  # type: ignore[attr-defined]
            self._functions += kind is cst.FunctionDef
        if self._outermost is None and _is_expression(kind):
            self._outermost = node
        if kind is cst.If and isinstance(node, cst.If) and _asks_for_types(node.test):
            if node.orelse:
                self.walk(node.orelse)
            return False
        if kind in _SOMETIMES_LEFT_ALONE and _left_alone(node):
            return False
        if kind in _TEXTS:
            self._as_data(node)
        self._change(node)
        return True

    def _leave(self, node: cst.CSTNode) -> None:
        kind = type(node)
        if kind in _SCOPES:
            self._scopes.pop()
            self._functions -= kind is cst.FunctionDef
        if self._outermost is node:
            self._outermost = None

    def _as_data(self, node: cst.CSTNode) -> None:
        """Change a text that holds data as what it holds."""
        if node in self._data:
            return
        place = self._place(node)
        if place is None:
            return
        edits = python_strings.of_text(self._text, place.start, place.end)
        if edits is None:
            return
        self._data |= {node, *_parts(node)}
        for edit in edits:
            self._keep(edit.moved(0, ".".join(self._scopes)), node)

    def _change(self, node: cst.CSTNode) -> None:
        """Change a node by every operator that is for its kind."""
        if node in self._data or _fails_anyway(node):
            return
        for operator in _operators(type(node)):
            for replacement in operator(node):
                edit = self._edit(node, replacement, _word(operator, node))
                if edit is not None:
                    self._keep(edit, node)

    def _edit(self, node: cst.CSTNode, replacement: cst.CSTNode, word: str) -> Edit | None:
        if isinstance(replacement, cst.Return) and not self._functions:
            return None  # for a `break` outside of a function
        scope = ".".join(self._scopes)
        change = smallest(node, replacement, self._place)
        if change is None:
            return None
        place, new = change
        code = new if isinstance(new, str) else self._module.code_for_node(new).strip()
        if "\n" in code:  # lines inside of a block, whose indentation only the module knows
            return self._by_module(node, replacement, word, scope)
        by = int(
            not code and self._text[place.start] == self._text[place.end : place.end + 1] == "\n"
        )
        return Edit(place.start + by, place.end + by, code, word, scope)

    def _by_module(
        self, node: cst.CSTNode, replacement: cst.CSTNode, word: str, scope: str
    ) -> Edit:
        """The difference of two modules, one with the change."""
        changed = self._module.deep_replace(node, replacement)
        assert isinstance(changed, cst.Module)
        old, new = self._text, changed.code
        most = min(len(old), len(new))
        start = next((at for at in range(most) if old[at] != new[at]), most)
        rest = most - start
        same = next((at for at in range(rest) if old[-1 - at] != new[-1 - at]), rest)
        return Edit(start, len(old) - same, new[start : len(new) - same], word, scope)

    def _keep(self, edit: Edit, node: cst.CSTNode) -> None:
        """Keep a change where the expression around it, or the module, is still Python."""
        around = None if self._outermost is None else self._place(self._outermost)
        if around is None or not (around.start <= edit.start and edit.end <= around.end):
            around = self._statement(node)
        inner = self._text[around.start : edit.start] + edit.replacement
        piece = inner + self._text[edit.end : around.end]
        if _is_python(f"(\n{piece}\n)" if around.expression else piece):
            self.edits.append(edit)

    def _statement(self, node: cst.CSTNode) -> Place:
        """A small statement, by itself; the whole module for what spans more lines."""
        if isinstance(node, cst.BaseSmallStatement):
            place = self._place(node)
            if place is not None:
                return Place(place.start, place.end, expression=False)
        return Place(0, len(self._text), expression=False)

    def _place(self, node: cst.CSTNode) -> Place | None:
        """Where a node stands, without the parentheses and spaces around it."""
        span = self._positions.get(node)
        if span is None:
            return None
        start = self._lines.offset(span.start.line, span.start.column)
        end = self._lines.offset(span.end.line, span.end.column)
        piece = self._text[start:end]
        return Place(
            start + len(piece) - len(piece.lstrip(" \t")),
            end - len(piece) + len(piece.rstrip(" \t")),
        )


@cache
def _is_expression(kind: type[cst.CSTNode]) -> bool:
    return issubclass(kind, cst.BaseExpression)


@cache
def _operators(kind: type[cst.CSTNode]) -> tuple[_Operator, ...]:
    """The operators for a kind of node."""
    return tuple(
        operator
        for mine, operator in mutation_operators
        if issubclass(kind, mine) and not (mine is cst.CSTNode and kind in _WITHOUT_OPERATOR)
    )


def _is_python(piece: str) -> bool:
    try:
        ast.parse(piece)
    except (SyntaxError, ValueError, RecursionError):
        return False
    return True


def _word(operator: _Operator, node: cst.CSTNode) -> str:
    """An operator of mutmut as people read it."""
    name = getattr(operator, "__name__", "change").removeprefix("operator_")
    if name == "swap_op":
        return _SWAPPED.get(type(node), "arithmetic")
    return _WORDS.get(name, name.replace("_", " "))


def _left_alone(node: cst.CSTNode) -> bool:
    """Whether nothing is changed in a node."""
    if isinstance(node, cst.Annotation | cst.Import | cst.ImportFrom | cst.TypeAlias):
        return True
    if isinstance(node, cst.Expr):  # docstrings, of what stands before them too
        return isinstance(node.value, cst.BaseString)
    if isinstance(node, cst.Assign):
        targets = [target.target for target in node.targets]
        of_types = isinstance(node.value, cst.Call) and _last_name(node.value.func) in _OF_TYPES
        return of_types or any(
            isinstance(target, cst.Name) and target.value in _LISTS for target in targets
        )
    if isinstance(node, cst.AnnAssign):
        named = isinstance(node.target, cst.Name) and node.target.value in _LISTS
        return named or _last_name(node.annotation.annotation) == "TypeAlias"
    if isinstance(node, cst.Call):
        return _last_name(node.func) in (*_OF_TYPES, "fault")
    return isinstance(node, cst.Decorator) and _decorates_data(node.decorator)


def _decorates_data(node: cst.BaseExpression) -> bool:
    """Whether a decorator makes a record: what it is told changes hardly anything."""
    return isinstance(node, cst.Call) and _last_name(node.func) == "dataclass"


def _asks_for_types(test: cst.BaseExpression) -> bool:
    return _last_name(test) == "TYPE_CHECKING"


def _fails_anyway(node: cst.CSTNode) -> bool:
    return type(node) is cst.Call and _last_name(node.func) in _ALWAYS_FAIL


def _last_name(node: cst.BaseExpression) -> str:
    if type(node) is cst.Attribute:
        return node.attr.value
    return node.value if type(node) is cst.Name else ""


def _parts(node: cst.CSTNode) -> Iterator[cst.CSTNode]:
    """The literals that a text is put together from."""
    if isinstance(node, cst.ConcatenatedString):
        for part in (node.left, node.right):
            yield part
            yield from _parts(part)
