"""What is wrong with waivers and stand-ins is said at once, each with file, line and fix."""

from __future__ import annotations

import datetime as dt
import json
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pytest_rollout import calendar
from pytest_rollout.plan import find
from pytest_rollout.plan.load import Loaded, load, parse
from pytest_rollout.plan.waivers import expired

PLAN = """\
plan: p
timezone: America/New_York
roles: {pm: PM, ops: Operations}
phases:
  - {id: zero}
  - id: one
    requires: [zero]
    owners: [ops]
    criteria:
      - {id: slow, kind: slo, metric: s, take: p95, pass: "< 0.5", need: 2}
      - {id: busy, kind: slo, metric: b, take: min, pass: ">= 5", need: 2}
      - {id: plain, kind: demo}
      - {id: retro, kind: manual, by: [pm], valid_for: 7d}
      - {id: runbook, kind: documentation}
    guardrails:
      - {id: cap, metric: c, take: max, fail: "> 0"}
"""
GOOD = {
    "phase": "one",
    "criterion": "slow",
    "reason": "a second host arrives on Friday",
    "author": "A. Author",
    "approver": "B. Approver",
    "until": "2025-11-30",
}


def waivers(*given: dict[str, str]) -> Loaded:
    """The plan with waivers, each on a line of its own from line 2 on."""
    lines = ["waivers:"]
    for one in given:
        inside = ", ".join(f"{key}: {value}" for key, value in one.items() if value != "-")
        lines.append(f"  - {{{inside}}}")
    return beside({"waivers.yaml": "\n".join(lines) + "\n"})


def beside(texts: dict[str, str], plan: str = PLAN) -> Loaded:
    return parse(plan, Path("suites/p/rollout.yaml"), "suites/p/rollout.yaml", texts)


def messages(loaded: Loaded) -> list[str]:
    return [str(problem) for problem in loaded.problems]


def test_a_waiver_is_read() -> None:
    loaded = waivers({**GOOD, "limit": '"<= 0.9"', "release": "1.10"})
    assert messages(loaded) == []
    assert loaded.plan is not None
    (one,) = loaded.plan.waivers
    assert (one.phase, one.what, one.until) == ("one", "slow", dt.date(2025, 11, 30))
    assert (one.release, one.limit and one.limit.text) == ("1.10", "<= 0.9")
    assert (one.file, one.line) == ("suites/p/waivers.yaml", 2)


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({"criterion": "slwo"}, "phase one has no criterion `slwo` (did you mean `slow`?)"),
        ({"phase": "onne"}, "unknown phase `onne` (did you mean `one`?)"),
        ({"phase": "-"}, "names no `phase` to end with"),
        ({"criterion": "-"}, "names one of `criterion`, `window` and `requires`"),
        ({"criterion": '""'}, "`criterion` names nothing"),
        ({"criterion": "[slow]"}, "`criterion` is not a single value"),
        ({"window": "freeze"}, "names one of `criterion`, `window` and `requires`"),
        ({"criterion": "-", "window": "freze"}, "did you mean `freeze`?"),
        ({"criterion": "-", "requires": "one"}, "phase one does not require `one`"),
        ({"criterion": "-", "guardrail": "cap"}, "a guardrail cannot be waived"),
        ({"criterion": "cap"}, "`cap` is a guardrail, which cannot be waived"),
        ({"reason": "-"}, "the waiver of slow has no `reason`"),
        ({"reason": '" "'}, "`reason` says nothing"),
        ({"author": "-"}, "has no `author`"),
        ({"approver": "-"}, "has no `approver`"),
        ({"approver": '"a.  AUTHOR"'}, "is author and approver (somebody else approves it)"),
        ({"until": "-"}, "has no `until`"),
        ({"until": "2025-11-31"}, "is no day"),
        ({"untl": "2025-11-30"}, "unknown key `untl` (did you mean `until`?)"),
        ({"limit": "0.9"}, "is no threshold"),
        ({"limit": '">= 0.9"'}, "do not face one way"),
        ({"limit": '"< 0.5"'}, 'limit "< 0.5" admits no more than pass "< 0.5"'),
        ({"limit": '"<= 0.4"'}, "admits no more than"),
        ({"criterion": "busy", "limit": '"> 5"'}, "admits no more than"),
        ({"criterion": "plain", "limit": '"<= 0.9"'}, "`limit` without a rule"),
        ({"criterion": "-", "window": "freeze", "limit": '"<= 1"'}, "`limit` without a rule"),
    ],
)
def test_offences(change: dict[str, str], said: str) -> None:
    (message,) = messages(waivers({**GOOD, **change}))
    assert message.startswith("suites/p/waivers.yaml:2: ")
    assert said in message


@pytest.mark.parametrize(
    ("criterion", "limit"), [("slow", "<= 0.5"), ("slow", "< 0.6"), ("busy", ">= 4")]
)
def test_limits_that_admit_more(criterion: str, limit: str) -> None:
    assert messages(waivers({**GOOD, "criterion": criterion, "limit": f'"{limit}"'})) == []


def test_all_offences_at_once() -> None:
    bad = {**GOOD, "criterion": "slwo", "reason": "-", "approver": "A. Author", "x": "1"}
    found = messages(waivers(bad, {**GOOD, "until": "soon"}))
    assert [one.split(": ")[0].rpartition(":")[2] for one in found] == ["2", "2", "2", "2", "3"]


def test_one_thing_is_waived_once() -> None:
    (message,) = messages(waivers(GOOD, {**GOOD, "until": "2025-12-01"}))
    assert "waivers.yaml:3: slow of phase one is waived twice, first at line 2" in message
    v1, v2 = {**GOOD, "release": "v1"}, {**GOOD, "release": "v2"}
    assert messages(waivers(v1, v2)) == []
    assert "twice" in messages(waivers(v1, GOOD))[0]
    assert "twice" in messages(waivers(v1, v1))[0]


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("", "the file is empty"),
        ("waivers: {a: 1}\n", "`waivers` is not a list"),
        ("waivers: [text]\n", "a waiver is not a mapping"),
        ("waviers: []\n", "unknown key `waviers` (did you mean `waivers`?)"),
        ("- {}\n", "waivers.yaml is not a mapping"),
        ("waivers: [\n", "not readable as YAML"),
    ],
)
def test_files_of_another_shape(text: str, said: str) -> None:
    (message,) = messages(beside({"waivers.yaml": text}))
    assert said in message


def test_an_expired_waiver_is_an_offence_from_the_midnight_after_its_last_day() -> None:
    plan = waivers(GOOD).plan
    assert plan is not None
    midnight = calendar.to_us(dt.datetime.fromisoformat("2025-12-01T00:00:00-05:00"))
    assert expired(plan, midnight - 1) == []
    (problem,) = expired(plan, midnight)
    assert str(problem).startswith(
        "suites/p/waivers.yaml:2: the waiver of slow in phase one expired at the end of 2025-11-30"
    )


def test_files_beside_a_plan_are_found(tmp_path: Path) -> None:
    folder = tmp_path / "suites" / "p"
    folder.mkdir(parents=True)
    (folder / "rollout.yaml").write_text(PLAN)
    assert load(folder / "rollout.yaml", "r").digests == {}
    (folder / "waivers.yaml").write_bytes(b"\xff")
    (found,) = find.load_all(tmp_path, ["suites/*/rollout.yaml"])
    assert messages(found) == [
        "suites/p/waivers.yaml:1: is not text in UTF-8: invalid start byte at byte 0"
    ]
    (folder / "waivers.yaml").write_text(
        "waivers: [{phase: one, criterion: slow, reason: r, author: a, approver: b, "
        "until: 2025-11-30}]\n"
    )
    (now,) = find.load_all(tmp_path, ["suites/*/rollout.yaml"])
    assert (now.problems, list(now.digests)) == ((), ["waivers.yaml"])
    (later,) = find.load_all(tmp_path, ["suites/*/rollout.yaml"], 2**60)
    assert "expired" in messages(later)[0]


def test_a_secret_in_a_file_beside_a_plan_is_an_offence(tmp_path: Path) -> None:
    (tmp_path / "rollout.yaml").write_text(PLAN)
    (tmp_path / "waivers.yaml").write_text("# ghp_" + "a1B2" * 9 + "\nwaivers: []\n")
    (message,) = messages(load(tmp_path / "rollout.yaml", "rollout.yaml"))
    assert message.startswith("waivers.yaml:1: ")
    assert "is written out" in message


STAND_IN = {"phase": "one", "criterion": "retro", "by": "x", "role": "pm", "note": "n"}


def stand_ins(*given: dict[str, str]) -> list[str]:
    rows = [
        "  - {" + ", ".join(f"{k}: {v}" for k, v in one.items() if v != "-") + "}\n"
        for one in given
    ]
    return messages(beside({"attestations.embedded.yaml": "attestations:\n" + "".join(rows)}))


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({"criterion": "retor"}, "phase one has no criterion `retor` (did you mean `retro`?)"),
        ({"criterion": "runbook"}, "criterion runbook is not attested: its kind is documentation"),
        ({"phase": "two"}, "unknown phase `two`"),
        ({"role": "ops"}, "role `ops` may not attest it (known: pm)"),
        ({"note": "-"}, "has no `note`"),
        ({"by": "-"}, "has no `by`"),
        ({"fail": "maybe"}, "`fail` is true or false"),
        ({"faults": "[':size=1']"}, "`faults`: ':size=1' has no fault name before the colon"),
        ({"who": "x"}, "unknown key `who`"),
    ],
)
def test_offences_of_stand_ins(change: dict[str, str], said: str) -> None:
    (message,) = stand_ins({**STAND_IN, **change})
    assert message.startswith("suites/p/attestations.embedded.yaml:2: ")
    assert said in message


def test_one_criterion_is_answered_once() -> None:
    assert stand_ins(STAND_IN) == []
    assert "answered twice, first at line 2" in stand_ins(STAND_IN, STAND_IN)[0]


def test_roles_and_shelf_lives_of_criteria() -> None:
    wrong = PLAN.replace("by: [pm]", "by: [pmm]").replace(
        "{id: runbook, kind: documentation}", "{id: runbook, kind: documentation, valid_for: 1d}"
    )
    found = messages(beside({}, wrong))
    assert "criterion retro: unknown role `pmm` (did you mean `pm`?)" in found[0]
    assert "criterion runbook: `valid_for` is of attestations" in found[1]


ANYTHING: list[object] = [None, 1, 1.5, "x", "", [], {}, [[]], [None], {"a": None}, True]


@pytest.mark.parametrize("value", ANYTHING, ids=repr)
def test_any_value_may_be_replaced(value: object) -> None:
    limited = {**GOOD, "limit": "<= 0.9", "release": "v1"}
    for name, top, good in (
        ("waivers.yaml", "waivers", limited),
        ("attestations.embedded.yaml", "attestations", {**STAND_IN, "fail": False}),
    ):
        documents: list[object] = [{top: [{**good, key: value}]} for key in good]
        for document in (*documents, {top: [value]}, {top: value}, value):
            loaded = beside({name: json.dumps(document)})
            assert loaded.plan is not None
            assert all(one.line >= 1 and one.what for one in loaded.problems), document


@given(st.text(max_size=60))
@settings(max_examples=100, deadline=None)
def test_any_text_is_answered(text: str) -> None:
    for name in ("waivers.yaml", "attestations.embedded.yaml"):
        assert all(one.what for one in beside({name: text}).problems)
