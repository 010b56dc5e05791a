"""The `check:` of a criterion: what is read, and what is refused with its fix."""

from __future__ import annotations

from decimal import Decimal
from pathlib import Path

import pytest

from pytest_rollout.model.check import Check, CheckMeans, Effect, Wording
from pytest_rollout.model.plan import Criterion
from pytest_rollout.plan.load import Loaded, parse

HEAD = """\
plan: x
environments:
  embedded: {targets: {web: {serve: "a:b"}, db: {file: a.db, of: web}}}
  prod: {targets: {web: "${WEB}", db: "${DB}"}}
phases:
  - id: a
    criteria:
"""


def read(check: str, rest: str = "") -> Loaded:
    more = f", {rest}" if rest else ""
    text = f"{HEAD}      - {{id: c, kind: slo, check: {check}{more}}}\n"
    return parse(text, Path("s/x/rollout.yaml"), "rollout.yaml")


def criterion(check: str, rest: str = "") -> Criterion:
    loaded = read(check, rest)
    assert [str(problem) for problem in loaded.problems] == []
    assert loaded.plan is not None
    return loaded.plan.phases[0].criteria[0]


def check_of(check: str, rest: str = "") -> Check:
    found = criterion(check, rest).check
    assert found is not None
    return found


def test_a_command_is_its_words() -> None:
    check = check_of("{command: [bin/health, --count, 5, true], on: [web, db], timeout: 10s}")
    assert check.argv == ("bin/health", "--count", "5", "true")
    assert (check.on, check.timeout_us, check.effect) == (("web", "db"), 10_000_000, Effect.OBSERVE)
    assert check.env is None


def test_a_shell_reads_a_line_only_where_it_is_asked_to() -> None:
    check = check_of("{command: 'a | b', shell: true, env: [TOKEN]}")
    assert (check.argv, check.text, check.env) == ((), "a | b", ("TOKEN",))


def test_a_request_has_a_method_headers_and_a_body() -> None:
    check = check_of(
        "{http: /lanes, on: web, method: post, effect: change, send: {caps: [1, 0.10]},"
        " headers: {Authorization: 'Bearer ${TOKEN}'}, fixtures: [lanes]}"
    )
    assert (check.means, check.text, check.method) == (CheckMeans.HTTP, "/lanes", "POST")
    assert check.send == {"caps": (1, Decimal("0.10"))}
    assert check.fixtures == ("lanes",)


def test_expectations_are_exact() -> None:
    check = check_of(
        "{http: /, on: web, expect: {status: [200, 204], json: {ok: true, p: 0.10, n: null},"
        " body: {has: ok, lacks: [a, b], matches: 'o.'}}}"
    )
    assert check.expect.status == (200, 204)
    assert check.expect.json == {"ok": True, "p": Decimal("0.10"), "n": None}
    assert check.expect.wordings == (Wording("body", None, ("ok",), ("a", "b"), "o."),)


def test_a_text_is_expected_exactly() -> None:
    check = check_of("{command: [a], expect: {exit: 3, stdout: ' yes '}}")
    assert check.expect.status == (3,)
    assert check.expect.wordings == (Wording("stdout", exactly="yes"),)


def test_a_rule_judges_the_one_number_under_the_name_of_its_criterion() -> None:
    rule = criterion('{sql: "select 1", on: db}', 'pass: ">= 4"').rule
    assert rule is not None
    assert (rule.metric, rule.take.text, rule.scopes[0].need) == ("c", "last", 1)
    named = criterion('{sql: "select 1", on: db}', 'metric: m, take: max, pass: ">= 4"').rule
    assert named is not None
    assert (named.metric, named.take.text) == ("m", "max")


SQL = '{sql: "select 1", on: db}'
WRONG = {
    "no means": ("{on: web}", "", "one of `command`, `http`, `sql`, `prometheus` and `load`"),
    "a means misspelt": ("{htp: /, on: web}", "", "did you mean `http`?"),
    "two means": ("{command: [a], http: /, on: web}", "", "has one of `command`"),
    "no mapping": ("curl", "", "is not a mapping"),
    "an unknown key": ("{command: [a], timout: 5s}", "", "did you mean `timeout`?"),
    "a key of another means": ("{http: /, on: web, shell: true}", "", "unknown key `shell`"),
    "a line without a shell": ("{command: a | b}", "", "or `shell: true` to have a shell read it"),
    "words for a shell": ("{command: [a], shell: true}", "", "a shell reads one line"),
    "shell is no word": ("{command: a, shell: 'yes'}", "", "`shell` is neither true nor false"),
    "no command": ("{command: []}", "", "`command` asks nothing"),
    "no path": ("{http: 'https://other', on: web}", "", "the path on a target"),
    "no target": ("{http: /}", "", "asks one target of the environment (on: TARGET)"),
    "an unknown target": ("{http: /, on: wbe}", "", "did you mean `web`?"),
    "a served file": ('{sql: "select 1", on: web}', 'pass: "> 0"', "serves `web`: `sql` asks a"),
    "http of a file": ("{http: /, on: db}", "", "`db` is a file, which answers no HTTP"),
    "an unknown target of a command": ("{command: [a], on: wbe}", "", "did you mean `web`?"),
    "a method that changes": ("{http: /, on: web, method: POST}", "", "(effect: change, or where"),
    "a header that changes": (
        "{http: /, on: web, headers: {X-HTTP-Method-Override: DELETE}}",
        "",
        "GET as DELETE / does more than observe",
    ),
    "an unknown method": ("{http: /, on: web, method: GETT}", "", "did you mean `GET`?"),
    "an unknown effect": ("{command: [a], effect: chnge}", "", "did you mean `change`?"),
    "no duration": ("{command: [a], timeout: 10}", "", "is no duration; write 30s"),
    "a query that nothing judges": (SQL, "", "nothing says which answer is good (beside `check`"),
    "prometheus without a rule": ("{prometheus: up, on: web}", "", "nothing says which answer"),
    "prometheus with expect": (
        "{prometheus: up, on: web, expect: {value: 1}}",
        "",
        "unknown key `expect`",
    ),
    "a rule without a threshold": (SQL, "take: max", "`take` without `pass`"),
    "a metric without a threshold": (SQL, "metric: m", "`metric` without `pass`"),
    "a number that no rule judges": ("{http: /, on: web, json: a}", "", "that no rule judges"),
    "two judges": (
        '{sql: "select 1", on: db, expect: {value: 1}}',
        'pass: "> 0"',
        "judge the same value",
    ),
    "NULL is no value": ('{sql: "select 1", on: db, expect: {value: null}}', "", "is no value"),
    "groups of a command": (
        "{command: [a]}",
        'pass: "> 0", each: {lane: [A]}',
        "answers one number, without labels",
    ),
    "a status of a command": ("{command: [a], expect: {status: 0}}", "", "unknown key `status`"),
    "an exit out of reach": ("{command: [a], expect: {exit: 256}}", "", "from 0 to 255"),
    "no exit at all": ("{command: [a], expect: {exit: []}}", "", "`exit` allows nothing"),
    "nothing expected": ("{command: [a], expect: {}}", "", "it expects nothing"),
    "no text expected": ("{command: [a], expect: {stdout: {}}}", "", "it expects nothing"),
    "a broken pattern": (
        "{command: [a], expect: {stdout: {matches: '('}}}",
        "",
        "is no regular expression",
    ),
    "no object": ("{http: /, on: web, expect: {json: ok}}", "", "`json` is no object"),
    "a folder outside": ("{command: [a], cwd: ../b}", "", "not a folder below the project's root"),
    "no variable": ("{command: [a], env: [A=b]}", "", "`env` lists names of variables"),
    "no fixture": ("{command: [a], fixtures: [a b]}", "", "is no fixture's name"),
    "no header": ("{http: /, on: web, headers: {'a b': c}}", "", "is no header of HTTP"),
}


@pytest.mark.parametrize("what", WRONG)
def test_an_offence_says_where_it_is_and_how_to_mend_it(what: str) -> None:
    check, rest, said = WRONG[what]
    found = [str(problem) for problem in read(check, rest).problems]
    assert any(said in one for one in found), found
    assert all(one.startswith("rollout.yaml:8: ") for one in found)


def test_all_offences_are_said_at_once() -> None:
    found = read("{http: health, on: wbe, method: GETT, timeout: 1, expect: {sttus: 1}}").problems
    assert len(found) == 6  # two environments lack the target


def test_an_environment_without_targets_is_not_asked_for_them() -> None:
    text = HEAD.replace("prod: {targets:", "prod: {max_age: 1h} #")
    loaded = parse(
        text + "      - {id: c, kind: slo, check: {http: /, on: web}}\n", Path("a/b"), "b"
    )
    assert loaded.problems == ()
