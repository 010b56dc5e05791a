"""The `check:` of a criterion: a command, a request, or a query, and what it must answer."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from decimal import Decimal
from itertools import islice

from pytest_rollout.model.check import Check, CheckMeans, Effect, Expect, Wording
from pytest_rollout.model.rule import Rule
from pytest_rollout.plan import terms
from pytest_rollout.plan.reader import Reader, nearest
from pytest_rollout.plan.shell_steps import Hidden, hidden_in_words, hidden_steps
from pytest_rollout.plan.tree import Tree

_LOOKING = ("GET", "HEAD", "OPTIONS")
_METHODS = (*_LOOKING, "POST", "PUT", "PATCH", "DELETE")
_TEXTS = {CheckMeans.COMMAND: ("stdout", "stderr"), CheckMeans.HTTP: ("body",)}
_STATUS = {CheckMeans.COMMAND: ("exit", 0, 255), CheckMeans.HTTP: ("status", 100, 599)}


def read_check(reader: Reader, rule: Rule | None, *, judged: str = "pass") -> Check | None:
    """The check that a criterion states; None where it states none or a broken one.

    ``judged`` is the key beside it that judges the number that it gives.
    """
    tree = reader.tree("check")
    if tree is None:
        return None
    inner = reader.reader(tree, f"{reader.what}: check")
    means = [one for one in CheckMeans if inner.has(one.value)]
    if len(means) != 1:
        keys = tree.value if isinstance(tree.value, Mapping) else {}
        fix = next((nearest(key, [*CheckMeans], "") for key in keys if not means), "")
        what = f"{inner.what}: it has one of `command`, `http`, `sql` and `prometheus`"
        inner.problem(tree.line, what, fix if fix.startswith("did") else "")
        return None
    check = read_means(inner, means[0], Effect.OBSERVE)
    inner.done()
    _answers(inner, check, rule, judged=reader.has(judged))
    return check


def read_polled(reader: Reader, rules: Sequence[Rule]) -> Check | None:
    """The check of a guardrail, which a watch asks again and again."""
    check = read_check(reader, rules[0] if rules else None, judged="fail")
    if check is None:
        return None
    line, what = reader.line_of("check"), f"{reader.what}: `check`"
    if reader.has("of"):
        reader.problem(line, f"{what} with `of`", "a check gives one series: state one rule")
    if check.effect is not Effect.OBSERVE:
        reader.problem(line, f"{what} has effect {check.effect.value}: watching only observes")
    if check.fixtures:
        fix = "leave them out, or have tests observe the series"
        reader.problem(line, f"{what}: fixtures are set up by pytest, not by a watch", fix)
    return check


def read_means(reader: Reader, means: CheckMeans, usual: Effect) -> Check:
    """What a mapping asks by one means; ``usual`` is its effect unless it says another."""
    on = _targets(reader, means)
    timeout = reader.parsed("timeout", terms.duration_us)
    effect = reader.choice("effect", Effect, usual)
    argv, text = _command(reader) if means is CheckMeans.COMMAND else ((), reader.text(means.value))
    asked = Check(
        means,
        text,
        argv,
        on,
        timeout or 30_000_000,
        effect,
        _fixtures(reader),
        line=reader.line,
        cwd=_cwd(reader) if means is CheckMeans.COMMAND else "",
        env=_variables(reader) if means is CheckMeans.COMMAND else None,
        method=_method(reader, effect) if means is CheckMeans.HTTP else "GET",
        headers=_headers(reader) if means in (CheckMeans.HTTP, CheckMeans.PROMETHEUS) else {},
        send=_sent(reader) if means is CheckMeans.HTTP else None,
        json=_path(reader) if means in _TEXTS else "",
        expect=_expect(reader, means) if means is not CheckMeans.PROMETHEUS else Expect(),
    )
    _text(reader, asked)
    return asked


def _text(reader: Reader, check: Check) -> None:
    key = check.means.value
    if not check.text.strip():
        reader.problem(reader.line_of(key), f"{reader.what}: `{key}` asks nothing")
    elif check.means is CheckMeans.HTTP and not check.text.startswith("/"):
        what = f"{reader.what}: `http` is the path on a target of the environment"
        reader.problem(reader.line_of(key), what, "http: /health, on: TARGET")


def _targets(reader: Reader, means: CheckMeans) -> tuple[str, ...]:
    on = reader.words("on")
    if means is not CheckMeans.COMMAND and len(on) != 1:
        what = f"{reader.what}: `{means.value}` asks one target of the environment"
        reader.problem(reader.line_of("on"), what, "on: TARGET")
    return on


def _command(reader: Reader) -> tuple[tuple[str, ...], str]:
    """The words of a command, or the line that a shell reads."""
    tree, shell = reader.tree("command"), reader.tree("shell")
    assert tree is not None
    if shell is not None and not isinstance(shell.value, bool):
        reader.problem(shell.line, f"{reader.what}: `shell` is neither true nor false")
    wanted = shell is not None and shell.value is True
    if isinstance(tree.value, list):
        if wanted:
            what = f"{reader.what}: a shell reads one line, not a list of words"
            reader.problem(tree.line, what, "leave out `shell: true`, or write one text")
        argv = tuple(_word(reader, item) for item in tree.value)
        _hides(reader, tree, hidden_in_words(argv))
        return argv, " ".join(argv)
    if not isinstance(tree.value, str):
        reader.problem(tree.line, f"{reader.what}: `command` is not a list of words")
    elif not wanted:
        words = ", ".join(tree.value.split()[:4])
        fix = f"command: [{words}], or `shell: true` to have a shell read it"
        reader.problem(tree.line, f"{reader.what}: `command` is a list of words", fix)
    else:
        _hides(reader, tree, hidden_steps(tree.value))
    return (), tree.text


def _hides(reader: Reader, tree: Tree, found: Iterable[Hidden]) -> None:
    """A step whose failure nobody would see: the first one of a command."""
    for what, fix in islice(found, 1):
        reader.problem(tree.line, f"{reader.what}: {what}", f"write {fix}")


def _word(reader: Reader, tree: Tree) -> str:
    if isinstance(tree.value, (list, Mapping)) or tree.value is None:
        reader.problem(tree.line, f"{reader.what}: `command` holds something other than words")
    return tree.text


def _cwd(reader: Reader) -> str:
    folder = reader.text("cwd")
    if folder.startswith("/") or ".." in folder.split("/"):
        what = f"{reader.what}: `cwd` is not a folder below the project's root"
        reader.problem(reader.line_of("cwd"), what)
    return folder


def _variables(reader: Reader) -> tuple[str, ...] | None:
    names = reader.words("env")
    for name in names:
        if not re.fullmatch(r"[A-Za-z_][A-Za-z0-9_]*", name):
            what = f"{reader.what}: `env` lists names of variables, not {name!r:.60}"
            reader.problem(reader.line_of("env"), what, "env: [TOKEN]")
    return names if reader.has("env") else None


def _fixtures(reader: Reader) -> tuple[str, ...]:
    names = reader.words("fixtures")
    for name in names:
        if not name.isidentifier():
            line = reader.line_of("fixtures")
            reader.problem(line, f"{reader.what}: {name!r:.60} is no fixture's name")
    return names


def _method(reader: Reader, effect: Effect) -> str:
    method = (reader.word("method") or "GET").upper()
    if method not in _METHODS:
        fix = nearest(method, _METHODS)
        reader.problem(reader.line_of("method"), f"{reader.what}: unknown method `{method}`", fix)
    elif method not in _LOOKING and effect is Effect.OBSERVE:
        what = f"{reader.what}: {method} does more than observe"
        reader.problem(reader.line_of("method"), what, "effect: change")
    return method


def _headers(reader: Reader) -> dict[str, str]:
    headers = reader.pairs("headers")
    for name, value in headers.items():
        if not re.fullmatch(r"[A-Za-z0-9!#$%&'*+.^_`|~-]+", name) or not value.isprintable():
            line = reader.line_of("headers")
            reader.problem(line, f"{reader.what}: `{name}` is no header of HTTP")
    return headers


def _sent(reader: Reader) -> object:
    tree = reader.tree("send")
    return plain(tree) if tree else None


def _path(reader: Reader) -> str:
    return (reader.word("json") or "").removeprefix(".")


def _expect(reader: Reader, means: CheckMeans) -> Expect:
    tree = reader.tree("expect")
    if tree is None:
        return Expect()
    inner = reader.reader(tree, f"{reader.what}: expect")
    if means is CheckMeans.SQL:
        expect = Expect(value=_value(inner))
    else:
        json = inner.tree("json")
        if json is not None and not isinstance(json.value, (list, Mapping)):
            inner.problem(json.line, f"{inner.what}: `json` is no object", "json: {status: ok}")
        wordings = (_wording(inner, name) for name in _TEXTS[means])
        expect = Expect(
            status=_statuses(inner, *_STATUS[means]),
            wordings=tuple(one for one in wordings if one is not None),
            json=plain(json) if json else None,
        )
    inner.done()
    if tree.value == {}:
        inner.problem(tree.line, f"{inner.what}: it expects nothing")
    return expect


def _value(reader: Reader) -> object:
    tree = reader.tree("value")
    if tree is None:
        return None
    if isinstance(tree.value, (list, Mapping)) or tree.value is None:
        what = f"{reader.what}: `value` is not a single value"
        reader.problem(tree.line, what, "NULL is no value: count the rows instead")
    return plain(tree)


def _statuses(reader: Reader, key: str, least: int, most: int) -> tuple[int, ...]:
    tree = reader.tree(key)
    if tree is None:
        return ()
    items = tree.value if isinstance(tree.value, list) else [tree]
    found = []
    for item in items:
        if type(item.value) is int and least <= item.value <= most:
            found.append(item.value)
        else:
            what = f"{reader.what}: `{key}` is a number from {least} to {most}, or a list of them"
            reader.problem(item.line, what)
    if not items:
        reader.problem(tree.line, f"{reader.what}: `{key}` allows nothing")
    return tuple(found)


def _wording(reader: Reader, key: str) -> Wording | None:
    tree = reader.tree(key)
    if tree is None:
        return None
    if not isinstance(tree.value, Mapping):
        return Wording(key, exactly=(reader.word(key) or "").strip())
    inner = reader.reader(tree, f"{reader.what}: {key}")
    wording = Wording(
        key,
        has=inner.words("has"),
        lacks=inner.words("lacks"),
        matches=inner.parsed("matches", _pattern),
    )
    inner.done()
    if not (wording.has or wording.lacks or wording.matches):
        inner.problem(tree.line, f"{inner.what}: it expects nothing", f"{key}: {{has: ok}}")
    return wording


def _pattern(text: str) -> str:
    try:
        re.compile(text)
    except (re.error, RecursionError, OverflowError) as error:
        raise ValueError(f"{text!r:.60} is no regular expression: {error}") from None
    return text


def _answers(reader: Reader, check: Check, rule: Rule | None, *, judged: bool) -> None:
    """That the check can fail, and that what judges it fits what it answers."""
    query = check.means in (CheckMeans.SQL, CheckMeans.PROMETHEUS)
    if query and not judged and check.expect.value is None and not reader.has("expect"):
        fix = 'beside `check`, pass: ">= 1"'
        if check.means is CheckMeans.SQL:
            fix += ", or in it expect: {value: ok}"
        reader.problem(reader.line, f"{reader.what}: nothing says which answer is good", fix)
    if check.json and not judged:
        line, fix = reader.line_of("json"), 'pass: ">= 1"'
        reader.problem(line, f"{reader.what}: `json` names a number that no rule judges", fix)
    if rule and check.expect.value is not None:
        what = f"{reader.what}: `expect: {{value}}` and a rule judge the same value"
        reader.problem(reader.line_of("expect"), what, "keep one of the two")
    if rule and (rule.each or rule.where) and not query:
        what = f"{reader.what}: `{check.means.value}` answers one number, without labels"
        reader.problem(reader.line, what, "`each` and `where` go with sql and prometheus")


def plain(tree: Tree) -> object:
    """A value as JSON has it, its numbers exact; mappings and tuples instead of trees."""
    if isinstance(tree.value, Mapping):
        return {name: plain(value) for name, value in tree.value.items()}
    if isinstance(tree.value, list):
        return tuple(plain(item) for item in tree.value)
    return Decimal(tree.text) if isinstance(tree.value, float) else tree.value
