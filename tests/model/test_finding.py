"""Findings as data: to JSON and back, by a schema, also those of an earlier judge."""

from __future__ import annotations

import copy
import json
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import fields
from importlib.resources import files
from pathlib import Path
from typing import Any, get_type_hints

import jsonschema
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pytest_rollout.model.coding import decode, encode
from pytest_rollout.model.decision import (
    SCHEMA,
    Cause,
    Condition,
    Decision,
    from_json,
    stored_values,
    substance,
)
from pytest_rollout.model.finding import (
    Attempted,
    Estimate,
    Finding,
    Labels,
    Part,
    Reason,
    Subject,
    SubjectKind,
    codes,
    said,
)
from pytest_rollout.model.provenance import Bound
from pytest_rollout.model.verdict import Answer, State, Verdict
from pytest_rollout.report import sentences
from pytest_rollout.report.stored import schema, to_json
from pytest_rollout.report.text import attempt

SHIPPED = files("pytest_rollout.report").joinpath("decision.schema.json")
EARLIER = Path(__file__).with_name("decision.schema1.json").read_text("utf-8")  # of judge 1

CODES = st.text("abc", min_size=1).map("x.{}".format)  # of no sentence in the table
PLAIN_FACTS = st.none() | st.booleans() | st.integers() | st.text()
REASONS = st.recursive(
    st.builds(Reason, CODES, st.dictionaries(st.text(), PLAIN_FACTS, max_size=3)),
    lambda inner: st.builds(
        Reason,
        CODES,
        st.dictionaries(
            st.text(), PLAIN_FACTS | inner | st.lists(inner | PLAIN_FACTS).map(tuple), max_size=3
        ),
    ),
    max_leaves=5,
)
LABELS = st.dictionaries(st.text(), st.text(), max_size=3).map(lambda held: tuple(held.items()))


def made(kind: type[Any], **known: st.SearchStrategy[Any]) -> st.SearchStrategy[Any]:
    """Records of a kind whose fields are all drawn, also those with a default."""
    hints = get_type_hints(kind)
    named = {"reason": REASONS, **known}
    return st.builds(
        kind,
        **{
            field.name: named.get(field.name, LABELS)
            if field.name in named or hints[field.name] == Labels
            else st.from_type(hints[field.name])
            for field in fields(kind)
        },
    )


def some(strategy: st.SearchStrategy[Any]) -> st.SearchStrategy[tuple[Any, ...]]:
    return st.lists(strategy, max_size=2).map(tuple)


PARTS = made(
    Part,
    subject=made(Subject),
    estimate=st.none() | made(Estimate),
    attempts=some(made(Attempted)),
)
FINDINGS = made(Finding, parts=some(PARTS))
FITS = jsonschema.Draft202012Validator(schema())
DECISIONS = made(
    Decision,
    reasons=some(made(Cause)),
    conditions=some(made(Condition)),
    ends=some(made(Bound)),
    demands=some(FINDINGS),
    criteria=some(FINDINGS),
    guardrails=some(FINDINGS),
    schema=st.just(SCHEMA),
)


@pytest.mark.slow
@given(DECISIONS)
@settings(deadline=None, max_examples=30)
def test_a_decision_comes_back_as_it_was_stored(decision: Decision) -> None:
    stored = to_json(decision)
    FITS.validate(json.loads(stored))
    assert from_json(stored) == decision
    assert to_json(from_json(stored)) == stored


@given(PARTS)
def test_a_record_comes_back_without_its_sentences_too(part: Part) -> None:
    assert decode(Part, json.loads(json.dumps(encode(part)))) == part


def test_a_reason_stands_beside_its_sentence_at_every_depth() -> None:
    inner = said("it broke")
    outer = Reason("several", {"reasons": (Reason("told", {"subject": "a", "reason": inner}),)})
    shape = encode(outer, said=lambda reason: sentences.text(reason, "UTC"))
    assert shape["text"] == "a: it broke"
    (told,) = shape["facts"]["reasons"]
    assert (told["text"], told["facts"]["reason"]["text"]) == ("a: it broke", "it broke")
    assert list(codes(outer)) == ["several", "told", "said"]
    assert decode(Reason, shape) == outer


STORED: dict[str, Any] = json.loads(to_json(from_json(EARLIER)))
WRONG = {
    "a list": ("", []),
    "no decision": ("decision", ...),
    "an unknown answer": ("decision", "MAYBE"),
    "a number for a text": ("run", 3),
    "a text for a number": ("looks", "3"),
    "yes for a number": ("looks", True),
    "an object for a list": ("criteria", {}),
    "a list for an object": ("ledger", []),
    "a finding without a verdict": ("criteria.0.verdict", ...),
    "a reason without a code": ("reasons.0.reason.code", ...),
    "a reason without facts": ("reasons.0.reason.facts", ...),
    "a text for a reason": ("criteria.0.reason", "it passed"),
    "a fraction for a fact": ("criteria.0.reason.facts", {"n": 0.5}),
    "labels in a list": ("criteria.0.parts.0.subject.labels", []),
    "another schema": ("schema", 3),
    "no schema": ("schema", ...),
}


def changed(path: str, value: object) -> Any:
    """The stored form with one value replaced; ... takes it out."""
    data: Any = copy.deepcopy(STORED)
    *way, last = path.split(".")
    place = data
    for step in way:
        place = place[int(step) if isinstance(place, list) else step]
    if not path:
        return value
    if value is ...:
        del place[last]
    else:
        place[last] = value
    return data


@pytest.mark.parametrize("how", WRONG)
def test_what_is_no_decision_is_refused(how: str) -> None:
    data = changed(*WRONG[how])
    with pytest.raises(ValueError, match=r"decision|no `|is no|not a valid"):
        from_json(json.dumps(data))
    if how != "another schema":
        assert not FITS.is_valid(data)


def test_the_shipped_schema_is_that_of_the_types() -> None:
    jsonschema.Draft202012Validator.check_schema(schema())
    command = [sys.executable, "-m", "pytest_rollout.report.stored"]
    written = subprocess.run(command, capture_output=True, check=True, text=True).stdout
    assert SHIPPED.read_text("utf-8") == written, " ".join(command[1:])
    assert json.loads(written) == schema()


@pytest.mark.parametrize("path", ["more", "criteria.0.more", "reasons.0.reason.more"])
def test_a_key_that_nobody_knows_fits_no_schema(path: str) -> None:
    assert FITS.is_valid(STORED)
    assert not FITS.is_valid(changed(path, "x"))


def test_a_sentence_is_part_of_what_is_stored() -> None:
    assert not FITS.is_valid(changed("reasons.0.reason.text", ...))


# --- what an earlier judge stored -------------------------------------------------------------


def sentences_of(decision: Decision) -> Iterator[str]:
    """Every sentence of a decision, in order."""
    yield from (sentences.text(one.reason, decision.timezone) for one in decision.reasons)
    yield from (sentences.text(one.reason, decision.timezone) for one in decision.conditions)
    for finding in (*decision.demands, *decision.criteria, *decision.guardrails):
        yield sentences.text(finding.reason, decision.timezone)
        yield from (sentences.text(part.reason, decision.timezone) for part in finding.parts)


def test_a_decision_of_schema_1_says_what_it_said() -> None:
    old: dict[str, Any] = json.loads(EARLIER)
    findings = [*old["demands"], *old["criteria"], *old["guardrails"]]
    expected = [*old["reasons"], *(condition["because"] for condition in old["conditions"])]
    for finding in findings:
        expected += [finding["reason"], *(part["because"] for part in finding["evidence"])]
    assert list(sentences_of(from_json(EARLIER))) == expected


def test_nothing_that_a_signature_covers_is_lost_of_schema_1() -> None:
    decision = from_json(EARLIER)
    assert substance(decision) == decision.substance_digest
    assert (decision.answer, str(decision.address)) == (Answer.GO, "p.one/exit")
    assert (decision.looks, decision.release, decision.judge) == (2, "v1", "1")
    assert [(one.id, one.owner, one.due) for one in decision.conditions][2] == (
        *("p.one.slow", "B. Two", "2025-11-30"),
    )
    assert [rail.state for rail in decision.guardrails] == [State.TRIPPED, State.QUIET]
    assert (decision.waivers[0].limit, decision.resets[0].by) == ("< 1s", "A. Person")


def test_measurements_and_attempts_of_schema_1_are_kept() -> None:
    _, again, rate, slow = from_json(EARLIER).criteria
    assert [attempt(one, "UTC") for one in again.parts[0].attempts] == ["fail: it broke", "pass"]
    assert rate.parts[1].estimate == Estimate(
        "1", 20, low="0.831566", high="1", method="Clopper-Pearson"
    )
    named = [(part.subject.name, part.estimate) for part in slow.parts]
    assert named == [
        ("t.py::test_slow", None),
        ("lane A", Estimate("0.65", 2, unit="s")),
        ("lane B", Estimate("0.3", 1, unit="s")),
    ]


def test_what_was_read_of_schema_1_is_stored_by_todays_schema() -> None:
    decision = from_json(EARLIER)
    assert from_json(to_json(decision)) == decision
    assert json.loads(to_json(decision))["schema"] == SCHEMA
    FITS.validate(STORED)


@pytest.mark.parametrize("key", ["decision", "criteria", "ledger", "reasons"])
def test_half_a_decision_of_schema_1_is_refused(key: str) -> None:
    data = json.loads(EARLIER)
    del data[key]
    with pytest.raises(ValueError, match=key):
        from_json(json.dumps(data))


# --- names and states -------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("subject", "name"),
    [
        (Subject(SubjectKind.GROUP), ""),
        (Subject(SubjectKind.GROUP, labels=(("lane", "A"), ("site", "x"))), "lane A, site x"),
        (Subject(SubjectKind.GROUP, "site"), "every site"),
        (Subject(SubjectKind.GROUP, "site", (("lane", "A"),)), "every site of lane A"),
        (Subject(SubjectKind.CHECK, "d/t.py::T::test_c[1]"), "test_c[1]"),
        (Subject(SubjectKind.ATTESTATION), "attestation"),
        (Subject(SubjectKind.GATE, "one/exit"), "one/exit"),
        (Subject(SubjectKind.MEMBER, "clarity"), "clarity"),
    ],
)
def test_the_name_of_a_subject(subject: Subject, name: str) -> None:
    assert subject.name == name


@pytest.mark.parametrize(
    ("verdicts", "state", "blind"),
    [
        ((Verdict.PASS,), State.QUIET, False),
        ((Verdict.PASS, Verdict.MISSING), State.BLIND, True),
        ((Verdict.FAIL, Verdict.PASS), State.TRIPPED, False),
        ((Verdict.FAIL, Verdict.INCONCLUSIVE), State.TRIPPED, True),
        ((), State.BLIND, True),
    ],
)
def test_the_state_of_a_guardrail(verdicts: tuple[Verdict, ...], state: State, blind: bool) -> None:
    parts = tuple(Part(Subject(SubjectKind.GROUP), one, said("")) for one in verdicts)
    worst = min(verdicts, key=lambda one: one.rank, default=Verdict.MISSING)
    finding = Finding("g", worst, said(""), parts=parts)
    assert (finding.state, finding.blind) == (state, blind)


@pytest.mark.parametrize("layout", [None, 2, 4])
def test_some_values_of_a_stored_form_are_read_without_the_rest(layout: int | None) -> None:
    text = json.dumps(STORED, indent=layout)
    found = stored_values(text, "run", "decision", "ledger")
    assert found == {key: STORED[key] for key in ("run", "decision", "ledger")}


def test_a_value_is_read_at_the_top_and_nowhere_else() -> None:
    inner = {"reason": 'a text that says\n  "run": "r0"', "of": {"run": "r1"}, "run": "r2"}
    assert stored_values(json.dumps(inner, indent=2), "run") == {"run": "r2"}
    twice = '{\n  "run": "r1",\n  "run": "r2"\n}'
    assert stored_values(twice, "run") == json.loads(twice)
    for wrong in ("[]", "{}", '"run"'):
        with pytest.raises(ValueError, match="is not there"):
            stored_values(wrong, "run")
