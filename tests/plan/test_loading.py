"""A good plan becomes the model; every offence becomes one message with its place."""

from __future__ import annotations

from datetime import date, time
from fractions import Fraction
from pathlib import Path

import pytest

from pytest_rollout.model.errors import RolloutError
from pytest_rollout.model.plan import Address, Effect, Gate, Phase, Severity, Then
from pytest_rollout.model.rule import ScopeKind, Take
from pytest_rollout.plan.find import files, load_all
from pytest_rollout.plan.load import load
from tests.plan.example import TEXT, line_of, loaded, messages, spoiled


def day3() -> Phase:
    return day3_of(TEXT)


def day3_of(text: str) -> Phase:
    plan = loaded(text).plan
    assert plan is not None
    phase = plan.phase("day3")
    assert phase is not None
    return phase


def test_the_example_of_the_design_has_no_problems() -> None:
    assert messages(TEXT) == []


def test_phases_carry_date_hours_gates_and_roles() -> None:
    phase = day3()
    assert (phase.date, phase.requires, phase.marks) == (date(2025, 11, 10), ("day2",), ("day3",))
    assert phase.hours is not None
    assert (phase.hours.since, phase.hours.until) == (time(9), time(11))
    assert [one.id for one in phase.of(Gate.ENTRY)] == ["target-healthy"]
    assert phase.criteria[4].severity is Severity.OPTIONAL


def test_a_rule_is_exact_and_reads_its_own_run_unless_told_otherwise() -> None:
    rule = day3().criteria[3].rule
    assert rule is not None
    assert (rule.take.take, rule.where) == (Take.SHARE, {"demand": "yes"})
    assert rule.take.share_of is not None
    assert rule.take.share_of.limit == Fraction(1, 5)
    assert [(scope.kind, scope.need) for scope in rule.scopes] == [(ScopeKind.RUN, 12)]
    assert rule.each[0].names == ("Code-API", "Data-Schema")


def test_a_guardrail_has_its_scopes_in_order_and_only_fails() -> None:
    (rail,) = day3().guardrails
    kinds = [(scope.kind, scope.need) for scope in rail.rules[0].scopes]
    assert kinds == [(ScopeKind.SPAN, 7), (ScopeKind.LAST, 10), (ScopeKind.SINCE, 1)]
    assert rail.rules[0].scopes[0].span_us == 300_000_000
    assert rail.then == (Then.ROLLBACK, Then.NOTIFY)
    assert rail.rules[0].bands.fail is not None
    assert rail.rules[0].bands.passes.text == "<= 0"


def test_the_embedded_environment_allows_everything_and_others_what_they_say() -> None:
    plan = loaded(TEXT).plan
    assert plan is not None
    assert plan.environments["embedded"].allow == frozenset(Effect)
    assert plan.environments["prod"].allow == {Effect.OBSERVE, Effect.CHANGE}
    assert plan.environments["prod"].max_age_us == 86_400_000_000


def test_yaml_is_read_as_version_1_2() -> None:
    text = TEXT.replace("title: PLMS Tier 1, seven-day rollout", "title: 10:00").replace(
        "title: Demo hardening", "title: no"
    )
    plan = loaded(text).plan
    assert messages(text) == []
    assert plan is not None
    assert (plan.title, plan.phases[0].title) == ("10:00", "no")


def test_a_path_may_be_a_list_of_its_names() -> None:
    plan = loaded(TEXT.replace("json: version", "json: [http.server, 0]")).plan
    assert plan is not None
    assert plan.release is not None
    assert plan.release.json == '["http.server"].0'


def test_a_condition_is_due_on_a_day_or_at_a_gate() -> None:
    (at_gate, *_), (on_day, *_) = (
        day3_of(TEXT).criteria,
        day3_of(TEXT.replace("due: plms.day3/exit", "due: 2025-11-30")).criteria,
    )
    assert (at_gate.due, at_gate.due_gate) == ("plms.day3/exit", Address("plms", "day3", Gate.EXIT))
    assert (on_day.due, on_day.due_gate) == ("2025-11-30", None)


def test_labels_of_booleans_are_written_as_observations_have_them() -> None:
    plan = loaded(TEXT.replace('{demand: "yes"}', "{demand: true}")).plan
    assert plan is not None
    rule = plan.phases[1].criteria[3].rule
    assert rule is not None
    assert rule.where == {"demand": "yes"}


# what is changed in the example, into what, the text at the line of the offence, what is said
OFFENCES = {
    "duplicate key": (
        "    risk: medium\n",
        "    risk: low\n    risk: low\n",
        "duplicate key `risk`",
    ),
    "unknown key": ("severity: soft", "severty: soft", "did you mean `severity`?"),
    "unknown plan key": ("timezone:", "time_zone:", "did you mean `timezone`?"),
    "unknown phase": ("requires: [day2]", "requires: [day22]", "did you mean `day2`?"),
    "requires itself": ("requires: [day2]", "requires: [day3]", "requires itself"),
    "two comparisons": ('pass: "< 10"', 'pass: ">> 3"', "write <, <=, > or >= and a number"),
    "equality": ('pass: "< 10"', 'pass: "== 0"', "compare for equality in a test"),
    "no comparison": ('pass: "< 10"', "pass: 10", "is no threshold"),
    "endless threshold": ('"< 10"', '"< 1e999999999"', "beyond 10^1000"),
    "no number": ('pass: "< 10"', 'pass: "< 1.2.3"', "not a finite number"),
    "bare each": ("{lane: [Code-API, Data-Schema]}", "lane", "each: {lane: [A, B]}"),
    "empty each": ("each: {lane: [Code-API, Data-Schema]}", "each: {}", "names no label"),
    "no groups": ("[Code-API, Data-Schema]}", "[]}", "does not say which groups of `lane`"),
    "group twice": ("[Code-API, Data-Schema]}", "[A, A]}", "states lane A twice"),
    "group from series": ("[Code-API, Data-Schema]}", "{from: x}}", "no `at_least`"),
    "unknown take": ("take: max", "take: avg", "is no take; known: count"),
    "empty take": ('take: {share: "> 0.20"}', "take: {}", "no `share`"),
    "no take": ("        take: max\n        pass", "        pass", "`metric` without `take`"),
    "no pass": ('        pass: "< 10"\n', "", "`metric` without `pass`"),
    "rule without metric": ("        metric: queue_depth\n", "", "without `metric`"),
    "bands overlap": ('fail: ">= 12"', 'fail: ">= 9"', "overlap or face one way"),
    "bands face one way": ('fail: ">= 12"', 'fail: "< 2"', "overlap or face one way"),
    "warn on the wrong side": ('warn: ">= 8"', 'warn: "<= 8"', "not the worse part of pass"),
    "warn outside pass": ('warn: ">= 8"', 'warn: ">= 10"', "not the worse part of pass"),
    "need of nothing": ("need: 12", "need: 0", "`need` is not a whole number >= 1"),
    "need as text": ("need: 12", 'need: "12"', "`need` is not a whole number >= 1"),
    "endless need": ("need: 12", f"need: {'9' * 5000}", "`need` is not a whole number"),
    "guardrail passes": ('fail: "> 0"', 'fail: "> 0"\n        pass: "<= 0"', "only fails"),
    "guardrail never fails": ('        fail: "> 0"\n', "", "has no `fail`"),
    "no scope": ("over: [{span: 5m", "over: [{}, {span: 5m", "a scope has one of `span`, `last`"),
    "two scopes in one": ("{span: 5m, need", "{span: 5m, last: 8, need", "one of `span`, `last`"),
    "needs more than last": ("{last: 10, need: 10}", "{last: 9, need: 10}", "10 of the last 9"),
    "unknown since": ("{since: begin}", "{since: start}", "unknown since `start`"),
    "unknown zone": ("America/New_York", "America/New_Yrok", "did you mean `America/New_York`?"),
    "unknown owner": ("owners: [engineering", "owners: [enginering", "did you mean `engineering`?"),
    "unknown kind": ("kind: load", "kind: lode", "did you mean `load`?"),
    "no kind": ("        kind: load\n", "", "has no `kind`"),
    "unknown severity": ("severity: soft", "severity: sotf", "did you mean `soft`?"),
    "unknown gate": ("gate: entry", "gate: entrance", "unknown gate `entrance`"),
    "unknown risk": ("risk: medium", "risk: medum", "did you mean `medium`?"),
    "unknown effect": ("[observe, change]", "[observe, chnge]", "did you mean `change`?"),
    "unknown then": ("[rollback, notify]", "[rolback]", "did you mean `rollback`?"),
    "unknown target": ("{target: plms, path", "{target: plsm, path", "did you mean `plms`?"),
    "due to no gate": ("due: plms.day3/exit", "due: plms.day3", "write plan.phase/entry"),
    "due on no day": ("due: plms.day3/exit", "due: 2025-11-31", "write it as 2025-11-10"),
    "no path": ("json: version}", "json: a..b}", 'write lanes.0.depth, and names with dots as ["'),
    "empty path": ("json: version}", "json: []}", "`json` is not a single value"),
    "guardrail of nothing": (
        "        metric: running_minus_cap\n",
        "        of: []\n",
        "`of` has no rule, so nothing trips it",
    ),
    "due to another plan": (
        "due: plms.day3/exit",
        "due: web.day3/exit",
        "name a gate of plms, or the last day",
    ),
    "due to no phase": ("due: plms.day3/exit", "due: plms.day33/exit", "did you mean `day3`?"),
    "bad hours": ('hours: "09:00-11:00"', 'hours: "9-11"', 'write "09:00-16:00"'),
    "no hours": ('hours: "09:00-11:00"', 'hours: "09:00-09:00"', "begin and end at once"),
    "hours beyond": ('hours: "09:00-11:00"', 'hours: "09:00-25:00"', 'write "09:00-16:00"'),
    "bad days": ("days: mon-thu", "days: monday", "write mon-thu"),
    "bad date": ("date: 2025-11-10", "date: 2025-11-31", "write it as 2025-11-10"),
    "week date": ("date: 2025-11-10", "date: 2025-W46-1", "write it as 2025-11-10"),
    "ends early": ("until: 2025-11-10", "until: 2025-11-09", "ends before it begins"),
    "hours of no day": ("    date: 2025-11-10\n", "", "`hours` without `date`"),
    "bad duration": ("max_age: 24h", "max_age: 1 day", "write 30s, 5m, 48h or 7d"),
    "no condition": ("when: {configured: PD_ROUTING_KEY}", "when: {}", "states no condition"),
    "not a mapping": (
        "release: {target: plms, path: /version, json: version}",
        "release: x",
        "not a mapping",
    ),
    "not a list": (
        "windows:\n  change: [{days: mon-thu",
        "windows:\n  change: x\n  x: [{days: mon-thu",
        "`change` is not a list",
    ),
    "list for scalar": ("kind: load", "kind: [load]", "`kind` is not a single value"),
    "list for label": ('{demand: "yes"}', "{demand: [a]}", "`demand` is not a single value"),
    "nothing for names": ("owners: [engineering, operations]", "owners:", "other than names"),
    "text in number": ("title: Portfolio scheduler", "title: 3", "put it in quotes"),
    "number as phase": ("id: day2", "id: 3", "'3' is no marker"),
    "no name": ("id: queue-depth", 'id: "queue depth!"', "use letters, digits, - and _"),
    "no id": ("- id: queue-depth\n        kind", "- kind", "has no `id`"),
    "criterion twice": (
        "id: no-starvation",
        "id: queue-depth",
        "criterion queue-depth is stated twice",
    ),
    "criterion and guardrail": ("id: cap-exceeded", "id: queue-depth", "the id of a criterion"),
    "phase twice": ("id: day2\n", "id: day3\n", "phase day3 is stated twice"),
    "marker of the plan": ("marks: [day3]", "marks: [plms]", "the plan's own marker"),
    "no marker": ("marks: [day3]", "marks: []", "no marker selects it"),
    "marker is no word": ("marks: [day3]", "marks: [day-3]", "is no marker"),
    "tag": ("title: Portfolio", "title: !!python/object:os.system Portfolio", "without tags"),
    "served elsewhere": (
        'prod: {targets: {plms: "${PLMS_URL}"',
        "prod: {targets: {plms: {serve: x}",
        "only `embedded` serves",
    ),
}


@pytest.mark.parametrize("name", OFFENCES)
def test_an_offence_gets_a_message_with_its_rule(name: str) -> None:
    old, new, said = OFFENCES[name]
    assert any(said in message for message in spoiled(old, new)), spoiled(old, new)


def test_a_message_names_file_and_line() -> None:
    (message,) = spoiled("severity: soft", "severty: soft")
    assert message.startswith(f"rollout.yaml:{line_of('severity: soft')}: criterion queue-depth: ")


def test_a_count_cannot_show_that_nothing_happened() -> None:
    found = spoiled('take: max\n        pass: "< 10"', 'take: count\n        pass: "<= 0"')
    assert any("cannot show that something did not happen" in message for message in found)


def test_phases_that_require_each_other_are_named() -> None:
    found = spoiled("title: Demo hardening", "requires: [day3]")
    assert [m.partition(": ")[2] for m in found] == [
        "phase day2 requires itself through others",
        "phase day3 requires itself through others",
    ]


def test_several_offences_are_told_at_once_in_order_of_lines() -> None:
    text = TEXT.replace("risk: medium", "risk: huge").replace("take: max", "take: avg")
    found = messages(text.replace("America/New_York", "Mars"))
    assert len(found) == 4
    lines = [int(message.split(":")[1]) for message in found]
    assert lines == sorted(lines)


def test_an_unquoted_threshold_is_explained() -> None:
    (message,) = spoiled('pass: "< 10"', "pass: > 3")
    assert 'a threshold that begins with > is quoted: pass: "> 3"' in message


def test_a_tab_is_named_with_its_line() -> None:
    (message,) = spoiled("    title: Demo", "\ttitle: Demo")
    assert f"rollout.yaml:{line_of('title: Demo')}: a tab in the indentation" in message


@pytest.mark.parametrize("text", ["", "\n\n", "# only\n# comments\n"])
def test_a_file_without_content_is_called_empty(text: str) -> None:
    (message,) = messages(text)
    assert "rollout.yaml:1: the file is empty" in message


@pytest.mark.parametrize(
    "text", ["x", "- a\n- b", "3", "plan:", "plan: 3", "plan: [a]", "plan: a b"]
)
def test_what_is_no_plan_at_all_gets_a_message_and_no_plan(text: str) -> None:
    assert messages(text)
    assert loaded(text).plan is None


def test_two_documents_are_refused() -> None:
    (message,) = messages("plan: a\n---\nplan: b\n")
    assert "a plan is one document" in message


def test_a_shared_anchor_is_read() -> None:
    text = TEXT.replace(
        "owners: [engineering, operations]", "owners: &both [engineering, operations]"
    )
    assert messages(text.replace("signoff: [engineering, operations]", "signoff: *both")) == []


@pytest.mark.parametrize(
    "text",
    [
        "plan: p\nphases: &a [*a]\n",
        "a: &a [x, x, x, x, x, x, x, x]\n"
        + "".join(
            f"{b}: &{b} [{', '.join([f'*{a}'] * 8)}]\n" for a, b in ("ab", "bc", "cd", "de", "ef")
        ),
        "a: " + "[" * 300_000,
        "- " * 300_000,
        "{a: " * 100_000,
    ],
    ids=["circle", "bomb", "brackets", "dashes", "braces"],
)
def test_a_text_that_explodes_is_refused_at_once(text: str) -> None:
    (message,) = messages(text)
    assert "levels or 250000 values" in message


@pytest.mark.parametrize("text", ["title: ", "? ", "roles: {a: "])
def test_a_text_that_nobody_reads_to_its_end_is_named_with_its_line(text: str) -> None:
    long = "x" * 20_000 + ("}" if "{" in text else "")
    found = messages(f"plan: p\n{text}{long}\n")
    assert any(
        one.startswith("rollout.yaml:2: ") and "of 20,000 characters" in one for one in found
    )


def test_a_file_of_blank_lines_takes_no_time() -> None:
    (message,) = messages("\n" * 400_000)
    assert "is empty" in message


@pytest.mark.parametrize(
    ("content", "said"),
    [
        (b"plan: p\n" + b"#" * 5_000_000, "larger than 4000000 bytes"),
        (bytes(range(256)), "is not text in UTF-8"),
        ("plan: p\ntitle: é".encode("latin-1"), "is not text in UTF-8"),
        (b"plan: \x00", "not readable as YAML"),
        ("\N{BYTE ORDER MARK}plan: p".encode(), "the plan has no phases"),
    ],
    ids=["large", "binary", "latin-1", "nul", "byte order mark"],
)
def test_a_file_that_is_no_plan_text_gets_one_line(
    tmp_path: Path, content: bytes, said: str
) -> None:
    path = tmp_path / "rollout.yaml"
    path.write_bytes(content)
    (problem,) = load(path, "rollout.yaml").problems
    assert said in str(problem)
    assert "\n" not in str(problem)


def test_a_file_that_cannot_be_read_is_a_problem_without_its_full_path(tmp_path: Path) -> None:
    (problem,) = load(tmp_path / "rollout.yaml", "rollout.yaml").problems
    assert str(problem) == "rollout.yaml:1: cannot be read: No such file or directory"


def test_a_broken_plan_is_still_found_by_the_phases_it_asks_for() -> None:
    unreadable = TEXT.replace('pass: "< 10"', "pass: > 3")
    assert {"plms", "day2", "day3"} <= loaded(unreadable).names
    without_id = TEXT.replace("  - id: day3", "  - id: day3 !")
    assert loaded(without_id).plan is not None
    assert "day3" in loaded(without_id).names


def test_plans_are_found_below_the_root_in_order(tmp_path: Path) -> None:
    for name in ("b", "a"):
        (tmp_path / "suites" / name).mkdir(parents=True)
        (tmp_path / "suites" / name / "rollout.yaml").write_text(
            f"plan: {name}\nphases: [{{id: x}}]"
        )
    found = load_all(tmp_path, ["suites/*/rollout.yaml", "suites/a/rollout.yaml"])
    assert [one.id for one in found] == ["a", "b"]
    assert [one.plan.path for one in found if one.plan] == [
        "suites/a/rollout.yaml",
        "suites/b/rollout.yaml",
    ]


def test_a_mark_that_two_plans_have_is_asked_with_the_plan(tmp_path: Path) -> None:
    for name, phases in (("web", "{id: canary}, {id: full}"), ("batch", "{id: canary}")):
        (tmp_path / f"{name}.yaml").write_text(f"plan: {name}\nphases: [{phases}]")

    def chosen(*patterns: str) -> list[str]:
        found = [one.plan for one in load_all(tmp_path, patterns) if one.plan is not None]
        return [phase.chosen for plan in found for phase in plan.phases]

    assert chosen("*.yaml") == ['-m "batch and canary"', '-m "web and canary"', "-m full"]
    assert chosen("web.yaml") == ["-m canary", "-m full"]


@pytest.mark.parametrize("pattern", ["", "/etc/rollout.yaml"])
def test_a_pattern_that_leaves_the_root_is_an_error_in_words(tmp_path: Path, pattern: str) -> None:
    with pytest.raises(RolloutError, match="rollout_plans"):
        files(tmp_path, [pattern])


def test_a_plan_of_thousands_of_criteria_is_read_and_its_mistakes_have_lines() -> None:
    rule = 'metric: m, where: {lane: a}, take: p95, pass: "< 9", need: 5, over: [{last: 9}]'
    stated = [f"      - {{id: c{n}, kind: slo, says: Number {n}, {rule}}}\n" for n in range(5_000)]
    head = "plan: p\nphases:\n  - id: one\n    criteria:\n"
    stated[4_000] = stated[4_000].replace("need: 5", "need: 0")
    (message,) = messages(head + "".join(stated))
    assert message.startswith("rollout.yaml:4005: ")
    assert "`need`" in message
