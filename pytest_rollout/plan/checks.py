"""The `check:` of a criterion: a command, a request, or a query, and what it must answer."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from itertools import islice
from typing import Any

from pytest_rollout import extensions
from pytest_rollout.model.check import Check, CheckMeans, Effect, Expect
from pytest_rollout.model.rule import Rule
from pytest_rollout.plan.expectations import EXPECTED, TEXTS, read_expect
from pytest_rollout.plan.extension_checks import extension_keys, read_extension
from pytest_rollout.plan.load_checks import NOT_BY_PYTEST, load_answers, read_load_check
from pytest_rollout.plan.reader import Reader, nearest
from pytest_rollout.plan.shell_steps import Hidden, hidden_in_words, hidden_steps
from pytest_rollout.plan.spec.check_keys import (
    METHODS,
    AskKeys,
    CommandKeys,
    HttpKeys,
    LoadCheckKeys,
    PrometheusKeys,
    SqlKeys,
)
from pytest_rollout.plan.spec.criterion_keys import GuardrailKeys
from pytest_rollout.plan.spec.keys import Key
from pytest_rollout.plan.tree import Tree, plain

_PLACES: Mapping[CheckMeans, type[AskKeys]] = {
    CheckMeans.COMMAND: CommandKeys,
    CheckMeans.HTTP: HttpKeys,
    CheckMeans.SQL: SqlKeys,
    CheckMeans.PROMETHEUS: PrometheusKeys,
    CheckMeans.LOAD: LoadCheckKeys,
}


def read_check(
    reader: Reader, key: Key[Tree | None], rule: Rule | None, *, judged: bool = False
) -> Check | None:
    """Return the check under a key; None where there is none or a broken one.

    ``judged`` is whether a cut beside it judges the number that it gives.
    """
    tree = reader.get(key)
    if tree is None:
        return None
    keys = tree.value if isinstance(tree.value, Mapping) else {}
    means: list[str] = [means for means in CheckMeans if means.value in keys]
    installed = [] if means else extensions.names(extensions.CHECKS)
    means += [name for name in installed if name in keys]
    inner = reader.inner(tree, _place(means), f"{reader.what}: check")
    if len(means) != 1:
        known = [*CheckMeans, *installed]
        fix = next((nearest(key, known, "") for key in keys if not means), "")
        *first, last = (f"`{name}`" for name in known)
        problem = f"{inner.what}: it has one of {', '.join(first)} and {last}"
        inner.problem(tree.line, problem, fix if fix.startswith("did") else "")
        return None
    (name,) = means
    check: Check | None
    if name is CheckMeans.LOAD:
        check = read_load_check(inner, read_fixtures(inner))
    elif isinstance(name, CheckMeans):
        check = read_means(inner, name)
    else:
        check = read_extension(inner, name)
    inner.done()
    if check is None:
        return None
    if check.means is CheckMeans.LOAD:
        load_answers(inner, rule, judged=judged)
    else:
        _answers(inner, check, rule, judged=judged)
    return check


def _place(means: Sequence[str]) -> type[AskKeys]:
    """The keys of a check, by the means that it names."""
    if not means:
        return AskKeys
    return _PLACES[means[0]] if isinstance(means[0], CheckMeans) else extension_keys(means[0])


def read_polled(reader: Reader, rules: Sequence[Rule]) -> Check | None:
    """The check of a guardrail, which a watch asks again and again."""
    judged = reader.has(GuardrailKeys.fail)
    check = read_check(reader, GuardrailKeys.check, rules[0] if rules else None, judged=judged)
    if check is None:
        return None
    line, stated = reader.line_of(GuardrailKeys.check), f"{reader.what}: `check`"
    if check.means is CheckMeans.LOAD:
        reader.problem(line, f"{stated}: {NOT_BY_PYTEST}", "state it as a criterion")
        return None
    if reader.has(GuardrailKeys.of):
        reader.problem(line, f"{stated} with `of`", "a check gives one series: state one rule")
    if check.effect is not Effect.OBSERVE:
        reader.problem(line, f"{stated} has effect {check.effect.value}: watching only observes")
    if check.fixtures:
        fix = "leave them out, or have tests observe the series"
        reader.problem(line, f"{stated}: fixtures are set up by pytest, not by a watch", fix)
    return check


def read_means(reader: Reader, means: CheckMeans) -> Check:
    """Return what a mapping asks by one means."""
    on = _targets(reader, means)
    effect = reader.get(AskKeys.effect)
    argv, text = _command(reader) if means is CheckMeans.COMMAND else ((), _asked(reader, means))
    check = Check(
        means,
        text,
        argv,
        on,
        reader.get(AskKeys.timeout),
        effect,
        read_fixtures(reader),
        line=reader.line,
        cwd=_cwd(reader) if means is CheckMeans.COMMAND else "",
        env=_variables(reader) if means is CheckMeans.COMMAND else None,
        method=_method(reader) if means is CheckMeans.HTTP else "GET",
        headers=_headers(reader, means)
        if means in (CheckMeans.HTTP, CheckMeans.PROMETHEUS)
        else {},
        send=_sent(reader) if means is CheckMeans.HTTP else None,
        json=_path(reader, means) if means in TEXTS else "",
        samples=means is CheckMeans.COMMAND and bool(reader.get(CommandKeys.samples)),
        expect=read_expect(reader, means) if means in EXPECTED else Expect(),
    )
    _text(reader, check)
    return check


_QUESTIONS: Mapping[CheckMeans, Key[Any]] = {
    CheckMeans.COMMAND: CommandKeys.command,
    CheckMeans.HTTP: HttpKeys.http,
    CheckMeans.SQL: SqlKeys.sql,
    CheckMeans.PROMETHEUS: PrometheusKeys.prometheus,
}


def _asked(reader: Reader, means: CheckMeans) -> str:
    return reader.get(_QUESTIONS[means]) or ""


def _text(reader: Reader, check: Check) -> None:
    assert isinstance(check.means, CheckMeans)
    key = _QUESTIONS[check.means]
    if not check.text.strip():
        reader.say(reader.line_of(key), f"`{key.name}` asks nothing")
    elif check.means is CheckMeans.HTTP and not check.text.startswith("/"):
        problem = f"{reader.what}: `http` is the path on a target of the environment"
        reader.problem(reader.line_of(key), problem, "http: /health, on: TARGET")


def _targets(reader: Reader, means: CheckMeans) -> tuple[str, ...]:
    on = reader.get(AskKeys.on) or ()
    if means is not CheckMeans.COMMAND and len(on) != 1:
        problem = f"{reader.what}: `{means.value}` asks one target of the environment"
        reader.problem(reader.line_of(AskKeys.on), problem, "on: TARGET")
    return on


def _command(reader: Reader) -> tuple[tuple[str, ...], str]:
    """The words of a command, or the line that a shell reads."""
    tree, wanted = reader.get(CommandKeys.command), reader.get(CommandKeys.shell)
    assert tree is not None
    if isinstance(tree.value, list):
        if wanted:
            problem = f"{reader.what}: a shell reads one line, not a list of words"
            reader.problem(tree.line, problem, "leave out `shell: true`, or write one text")
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


def _hides(reader: Reader, tree: Tree, hidden: Iterable[Hidden]) -> None:
    """A step whose failure nobody would see: the first one of a command."""
    for problem, fix in islice(hidden, 1):
        reader.problem(tree.line, f"{reader.what}: {problem}", f"write {fix}")


def _word(reader: Reader, tree: Tree) -> str:
    if isinstance(tree.value, (list, Mapping)) or tree.value is None:
        reader.problem(tree.line, f"{reader.what}: `command` holds something other than words")
    return tree.text


def _cwd(reader: Reader) -> str:
    folder = reader.get(CommandKeys.cwd) or ""
    if folder.startswith("/") or ".." in folder.split("/"):
        problem = f"{reader.what}: `cwd` is not a folder below the project's root"
        reader.problem(reader.line_of(CommandKeys.cwd), problem)
    return folder


def _variables(reader: Reader) -> tuple[str, ...] | None:
    names = reader.get(CommandKeys.env)
    for name in names or ():
        if not re.fullmatch(r"[A-Za-z_][A-Za-z0-9_]*", name):
            problem = f"{reader.what}: `env` lists names of variables, not {name!r:.60}"
            reader.problem(reader.line_of(CommandKeys.env), problem, "env: [TOKEN]")
    return names


def read_fixtures(reader: Reader) -> tuple[str, ...]:
    """Return the names of fixtures of a check."""
    names = reader.get(AskKeys.fixtures) or ()
    for name in names:
        if not name.isidentifier():
            line = reader.line_of(AskKeys.fixtures)
            reader.problem(line, f"{reader.what}: {name!r:.60} is no fixture's name")
    return names


def _method(reader: Reader) -> str:
    method = reader.get(HttpKeys.method).upper()
    if method not in METHODS:
        fix = nearest(method, METHODS)
        reader.problem(
            reader.line_of(HttpKeys.method), f"{reader.what}: unknown method `{method}`", fix
        )
    return method


def _headers(reader: Reader, means: CheckMeans) -> dict[str, str]:
    key = HttpKeys.headers if means is CheckMeans.HTTP else PrometheusKeys.headers
    headers = reader.get(key) or {}
    for name, value in headers.items():
        if not re.fullmatch(r"[A-Za-z0-9!#$%&'*+.^_`|~-]+", name) or not value.isprintable():
            line = reader.line_of(key)
            reader.problem(line, f"{reader.what}: `{name}` is no header of HTTP")
    return headers


def _sent(reader: Reader) -> object:
    tree = reader.get(HttpKeys.send)
    return plain(tree) if tree else None


def _path(reader: Reader, means: CheckMeans) -> str:
    return reader.get(CommandKeys.json if means is CheckMeans.COMMAND else HttpKeys.json) or ""


def _answers(reader: Reader, check: Check, rule: Rule | None, *, judged: bool) -> None:
    """Report a check that cannot fail, or whose judge does not fit its answer."""
    query = check.means not in (CheckMeans.COMMAND, CheckMeans.HTTP)
    stated = reader.states(CommandKeys.expect)
    if query and not judged and check.expect.value is None and not stated:
        fix = 'beside `check`, pass: ">= 1"'
        if check.means is not CheckMeans.PROMETHEUS:
            fix += ", or in it expect: {value: ok}"
        reader.problem(reader.line, f"{reader.what}: nothing says which answer is good", fix)
    if check.json and not judged:
        line, fix = reader.line_of(CommandKeys.json), 'pass: ">= 1"'
        reader.problem(line, f"{reader.what}: `json` names a number that no rule judges", fix)
    if check.samples and (check.json or not judged):
        line = reader.line_of(CommandKeys.samples)
        problem = (
            "no rule judges its samples"
            if not judged
            else "`json` and `samples` exclude each other"
        )
        reader.problem(line, f"{reader.what}: {problem}", 'take: sum, pass: "<= 0"')
    if rule and check.expect.value is not None:
        problem = f"{reader.what}: `expect: {{value}}` and a rule judge the same value"
        reader.problem(reader.line_of(CommandKeys.expect), problem, "keep one of the two")
    if rule and (rule.each or rule.where) and not query and not check.samples:
        problem = f"{reader.what}: `{check.means}` answers one number, without labels"
        fix = "`each` and `where` go with sql, prometheus and `samples: true`"
        reader.problem(reader.line, problem, fix)
