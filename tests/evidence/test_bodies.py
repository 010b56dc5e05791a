"""Bodies of records: one encoder and decoder, words that are searched, damage and mistakes."""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Callable
from contextlib import closing
from dataclasses import replace
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pytest_rollout.evidence import bodies, decoding, looks, opening, run_facts
from pytest_rollout.evidence.body_texts import PlanId
from pytest_rollout.evidence.decoding import UndecodableError, decoded, encoded, words_of
from pytest_rollout.evidence.drill_bodies import DrilledHealthy, StoredDrill
from pytest_rollout.evidence.history import History
from pytest_rollout.evidence.ledger import Draft, Ledger
from pytest_rollout.evidence.mutation_bodies import (
    StoredChange,
    StoredMutant,
    StoredMutationDrill,
    StoredNotice,
    StoredPhase,
    StoredTrial,
)
from pytest_rollout.evidence.records import Entry, Record, RecordKind, spelled
from pytest_rollout.evidence.rollbacks import last_rollback
from pytest_rollout.evidence.run_log import RunLog
from pytest_rollout.evidence.verify import verify
from pytest_rollout.model import coding
from pytest_rollout.model.decision import from_json
from pytest_rollout.model.errors import LedgerError
from pytest_rollout.model.evidence import FailedBefore, ReleaseFact
from pytest_rollout.model.ingest import ResultKind
from pytest_rollout.model.mutants import MutantOutcome
from pytest_rollout.model.mutation import Weight
from pytest_rollout.model.people import Authors, Signature, Stance
from pytest_rollout.model.plan import EMBEDDED, Address, Gate
from pytest_rollout.model.review import Reviewed, ReviewState
from pytest_rollout.model.verdict import Answer, Verdict
from pytest_rollout.report.stored import says_all_of, to_json
from tests.cli.watched import happen
from tests.evidence.runs import (
    EXIT,
    START,
    Place,
    Writer,
    append,
    append_text,
    opened,
    plan_of,
    reading,
    tamper,
)
from tests.evidence.test_rollbacks import TEXT, WHERE, lacking, run

OLDER = Path(__file__).with_name("ledger.schema1.sql")
BODIES: tuple[bodies.Body, ...] = (
    bodies.RunStart(
        {"p": "d"}, ("p.one/exit",), ("-k",), "slow", {"KEY": True}, "2025b", {"a": "1"}
    ),
    bodies.RunStart({}, (), (), None, {}, "", {}, authors={"p": Authors(("Ada <a@x.org>",), "")}),
    bodies.RunStart({}, (), (), None, {}, "", {}, begins={"p.one": 7}),
    bodies.RunStart({}, (), (), None, {}, "", {}, watch=bodies.Watching("p.one", ("lag",))),
    bodies.RunStart(
        *({}, (), (), None, {}, "", {}),
        result=bodies.StoredResult(
            *("p.one", ResultKind.LOAD, "checkout", "k6 samples", "out.json", "d", "A", "v1"),
            release_from="said",
            times_from="file",
            started_us=7,
            ended_us=9,
            requests=100,
            started=90,
            dropped=3,
            doubts=("cut off",),
            unsaid=("no failures",),
        ),
    ),
    bodies.WorkerManifest(
        "gw0",
        {"p.one.a": ("t.py::a",)},
        {"t.py::a": "p.one"},
        {"t.py::a": "deselected"},
        ((PlanId("p"), "t.py: SyntaxError"),),
        ("t.py::b",),
    ),
    bodies.ItemReport(
        "t.py::a",
        "p.one",
        "gw0",
        ((Verdict.FAIL, "it broke"), (Verdict.PASS, "")),
        3,
        "d",
        (bodies.Attached("x.txt", "d", 7, "text/plain"),),
    ),
    ReleaseFact("start", None, error="refused"),
    bodies.StoredEvent(type="begin", t_us=7, says="it began", scenario="s"),
    bodies.TripEvent(
        type="trip", t_us=7, guardrail="p.one.cap", answer=Answer.ROLLBACK, release="v1"
    ),
    bodies.StepTaken(type="rollback-step", t_us=7, step="00ff", outcome="done", trip=3),
    bodies.PeopleTold(type="notify", t_us=7, failed=False),
    bodies.Seal(("worker gw1 was lost",), 8, "d"),
    bodies.Stop("Ctrl-C"),
    bodies.StoredDecision(
        '{"decision": "GO", "drill": null, "looks": 1, "ledger": {"sequence": 1, "hash": ""}}',
        True,
        "v1",
        (FailedBefore("r1", 3, ("p.one.a",)),),
    ),
    bodies.StoredAttestation("A", "sre", "read", True, "v1", "e.pdf", "d"),
    bodies.StoredAttestation("A", "sre", "read", True, "v1", "", "", "2025-11-10", "-----BEGIN"),
    bodies.StoredReset("A", "repaired", "tripped", "v1"),
    bodies.StoredSignature(
        Signature("p.one/exit", "prod", "v1", "GO", "d", "sre", "ada", Stance.FOR, "2025-11-10"),
        "-----BEGIN SSH SIGNATURE-----",
    ),
    bodies.StoredSignature(
        Signature("p.one/exit", "prod", "v1", "GO", "d", "sre", "ada", Stance.FOR, "2025-11-10"),
        "",
        Reviewed("PRR_1", "u", "ada", ReviewState.APPROVED, "c", "2025-11-10", "p", "bob", "it"),
    ),
    bodies.PhaseBegun(
        type="begin", t_us=7, by="A", release="v1", configuration=None, entry="d", asked="e"
    ),
    bodies.PhaseBegun(
        **{"type": "begin", "by": "A", "release": "v1", "configuration": "c", "entry": "d"},
        t_us=7,
        asked="e",
        plan_digest="p",
        beside={"roles.yaml": "r"},
        stated={"works": "s"},
        words={"works": "It works"},
        targets={"api": "http://api"},
        baselines={"works": "v0"},
    ),
    bodies.StatementAmended(
        **{"type": "amendment", "criterion": "works", "by": "A", "approved_by": "B", "why": "x"},
        **{"was": "d", "now": "e", "stated": "It works", "amended": "", "verdict": "fail"},
        t_us=7,
        runs=2,
        failed=1,
        seen="it broke",
        plan_digest="p",
    ),
    bodies.PhaseEnded(type="end", t_us=8, by="A", exit="d"),
    bodies.ClearanceGiven(
        type="clearance",
        t_us=9,
        gate="p.one/entry",
        release="v1",
        substance="d",
        receipt="e",
        until_us=10,
    ),
    bodies.ClearanceOverridden(
        type="override",
        t_us=9,
        gate="p.one/entry",
        release=None,
        substance="d",
        by=("a", "b"),
        why="INC-7",
        accepted=("clearance.window clear.frozen",),
        until_us=10,
    ),
    bodies.RunSettled(type="settle", t_us=9, settled="r0", by="A", says="seen"),
    bodies.Seal(("ended",), 3, "d", "ended"),
    StoredDrill(
        "p.one",
        "d",
        "v1",
        0,
        DrilledHealthy({"exit": Answer.GO}, {"a": Verdict.PASS}, 1.5, ""),
        (),
        ("slow",),
        1,
    ),
    StoredMutationDrill(
        plan="p",
        plan_digest="d",
        phases=(StoredPhase("one", {"exit": Answer.GO}, "v1", 1.5, stated={"exit": ("sweet",)}),),
        paths=("app",),
        population=9,
        chosen=1,
        seed=3,
        results=(
            StoredMutant(
                StoredChange("app.py:1", "app.py", 1, "number", "1", "2", 0, 1, "2", "1", 1),
                MutantOutcome.HARD,
                (
                    StoredTrial(
                        "one",
                        (StoredNotice("sweet", Gate.EXIT, Weight.HARD, Verdict.FAIL, "sour"),),
                        ("sweet",),
                        {"exit": Answer.NO_GO},
                        False,
                        False,
                        "",
                        2.5,
                    ),
                ),
                "",
            ),
        ),
        changed_since="",
        stopped="",
    ),
)


def recorded(text: object, kind: RecordKind = RecordKind.EVENT) -> Record:
    """A record with such a body, of run r1."""
    return Record(4, kind, "r1", "", "", "", 0, text, "", "", None)  # type: ignore[arg-type]


@pytest.mark.parametrize("body", BODIES, ids=lambda body: type(body).__name__)
def test_a_body_is_read_as_it_was_written(body: bodies.Body) -> None:
    kind = bodies.kind_of_body(body)
    text = encoded(body)
    assert decoded(recorded(text, kind)) == body
    assert text == json.dumps(json.loads(text), sort_keys=True, separators=(",", ":"))


_NAMES = st.text('té":,{}\\\u2028\U0001f600', max_size=8) | st.sampled_from(
    ['a","item":"b', '"item":"a","', "attempts", '","observations":1,"item":"']
)


@given(
    st.lists(st.tuples(_NAMES, _NAMES, st.integers(0, 2)), min_size=2, max_size=4),
    st.sampled_from([(Verdict.PASS, ""), (Verdict.FAIL, '"item":"x","')]),
    _NAMES,
)
def test_a_report_is_read_as_it_was_written_whatever_its_item_is(
    reports: list[tuple[str, str, int]], attempt: tuple[Verdict, str], subject: str
) -> None:
    for item, worker, observations in reports:
        body = bodies.ItemReport(item, "p.one", worker, (attempt,), observations, "d")
        for said in (item, subject):
            record = replace(recorded(encoded(body), RecordKind.BATCH), subject=said)
            assert decoded(record) == body


def test_each_kind_of_record_has_its_body() -> None:
    assert {bodies.kind_of_body(body) for body in BODIES} == set(bodies.KINDS)
    assert set(bodies.KINDS) == set(RecordKind) - {RecordKind.UNKNOWN}


@pytest.mark.parametrize(
    "text",
    [
        *("", "{", "[]", "7", "null", "[" * 100_000, b"{}", None, 1.5),
        '{"type": "begin"}',
        '{"type": "begin", "t_us": "7"}',
        '{"type": "begin", "t_us": Infinity}',
        '{"type": "begin", "t_us": 999999999999999999999}',
        '{"type": "trip", "t_us": 7, "guardrail": "g", "answer": "MAYBE"}',
    ],
    ids=repr,
)
def test_what_cannot_be_decoded_is_said_with_its_place_and_its_run(text: object) -> None:
    with pytest.raises(UndecodableError, match=r"^record 4 \(event\) of run r1 cannot be read: "):
        decoded(recorded(text))


def test_an_event_of_the_users_own_may_be_called_as_ours_are(ledger: Ledger) -> None:
    for type_ in ("trip", "rollback-step", "notify"):
        body = decoded(
            recorded(json.dumps({"type": type_, "t_us": 7, "says": "x", "scenario": ""}))
        )
        assert type(body) is bodies.StoredEvent


# ROLLBACK in other spellings of JSON; none of them holds the letters as they are searched.
SPELLINGS: dict[str, Callable[[str], str]] = {
    "spaces": lambda text: json.dumps(json.loads(text), indent=3),
    "escaped letters": lambda text: text.replace("ROLLBACK", "\\u0052OLLBAC\\u004b"),
    "escaped twice": lambda text: text.replace("ROLLBACK", "\\\\u0052OLLBACK"),
    "another order": lambda text: json.dumps(dict(reversed(json.loads(text).items()))),
}


@pytest.mark.parametrize("how", SPELLINGS)
@pytest.mark.parametrize("older", [False, True], ids=["with words", "of an older version"])
def test_a_rollback_is_found_however_it_is_spelled(
    ledger: Ledger,
    how: str,
    older: bool,
) -> None:
    happen(ledger)
    first = run(ledger, "r1", EXIT)
    assert last_rollback(ledger, WHERE, "prod") is None
    decided = replace(first.decisions[0], decision=Answer.ROLLBACK)
    stored = bodies.StoredDecision(to_json(decided), True, "v1")
    text = SPELLINGS[how](encoded(stored))
    assert how in ("spaces", "another order") or '\\"ROLLBACK\\"' not in text
    where = (RecordKind.DECISION, "r9", text, "demo", str(EXIT), "prod")
    if older:
        at = ("r9", "demo", str(EXIT), "prod")
        ledger.store.append(Entry(RecordKind.DECISION, *at, text, None), [])
    else:
        append_text(ledger, *where)
    back = last_rollback(ledger, WHERE, "prod")
    assert back is not None
    assert back.what == "run r9 decided ROLLBACK"
    assert list(lacking(ledger)) == ["canary/entry"]


@pytest.mark.parametrize("words", ["''", "'\nGO\n'", "NULL", "'\nROLLBACK\n\n'"])
def test_words_cannot_be_changed_alone(place: Place, words: str) -> None:
    with opened(place) as ledger:
        happen(ledger)
        run(ledger, "r1", EXIT, 9)
        assert verify(ledger, ()).problems == ()
    tamper(place, f"UPDATE records SET words = {words} WHERE kind = 'decision'")
    with opened(place) as ledger:
        assert "(decision) was changed after it was written" in verify(ledger, ()).problems[0]
        found = History(ledger).standing(EXIT, "prod")
        assert found is not None
        assert found.decision is None


def test_a_record_that_is_searched_for_what_it_does_not_say_is_damage(ledger: Ledger) -> None:
    Writer(ledger, "r1", "prod").good()
    assert Writer(ledger, "r1", "prod").judged().answer is Answer.GO
    text = json.dumps({**START, "plans": {"demo": "d"}, "gates": [str(EXIT)]})
    hidden = Entry(RecordKind.RUN, "r2", "", "", "prod", text, spelled(("demo.other/exit",)))
    ledger.store.append(hidden, [])
    says = f"record {ledger.head().sequence} (run) of run r2 is searched for what it does not say"
    assert f"run r2: {says}" in verify(ledger, ()).problems
    found = History(ledger).standing(EXIT, "prod")
    assert found is not None
    assert (found.decision, found.damage) == (None, says)
    assert Writer(ledger, "r1", "prod").judged().answer is Answer.HOLD


def test_words_of_a_release_are_told_from_none() -> None:
    assert words_of(ReleaseFact("start", None)) == spelled(("no release",))
    assert words_of(ReleaseFact("start", "no release")) == spelled(("release no release",))
    assert words_of(ReleaseFact("start", "a\nb\ud800")).count("\n") == 2


def test_a_run_that_cannot_be_read_takes_older_answers_with_it(ledger: Ledger) -> None:
    Writer(ledger, "r1", "prod").good()
    append(ledger, RecordKind.RUN, "r2", {"gates": 7}, environment="prod")
    found = History(ledger).standing(EXIT, "prod")
    assert found is not None
    assert str(found.damage).endswith("(run) of run r2 cannot be read: no `plans` in a RunStart")


@pytest.mark.parametrize("kind", sorted(set(RecordKind) - {RecordKind.UNKNOWN}))
def test_verify_names_each_record_that_cannot_be_read(ledger: Ledger, kind: RecordKind) -> None:
    Writer(ledger, "r1").good()
    Writer(ledger, "r2").start()
    append(ledger, kind, "r2", {"what": "is this"}, "demo", "demo.canary")
    says = f"record {ledger.head().sequence} ({kind}) of run r2 cannot be read: no `"
    assert any(says in problem for problem in verify(ledger, ()).problems)


READERS = (
    *((run_facts, name) for name in ("run_of", "manifest_of", "observations_of")),
    (RunLog, "_of"),
    (looks, "judged"),
    *((coding, "decode"), (decoding, "_words")),
)


@pytest.mark.parametrize(
    ("module", "name"), READERS, ids=lambda part: getattr(part, "__name__", part)
)
@pytest.mark.parametrize("error", [TypeError, AttributeError, KeyError, IndexError])
def test_a_mistake_of_ours_is_not_damage(
    ledger: Ledger,
    monkeypatch: pytest.MonkeyPatch,
    module: object,
    name: str,
    error: type[Exception],
) -> None:
    Writer(ledger, "r0", "prod").good()
    late = Writer(ledger, "r1", "prod").good()

    def broken(*_: object, **__: object) -> object:
        raise error("a mistake of ours")

    monkeypatch.setattr(module, name, broken)
    with pytest.raises(error, match="a mistake of ours"):
        late.read() if name != "_words" else verify(ledger, ())


@pytest.fixture
def old(tmp_path: Path) -> Path:
    """A ledger as the previous version wrote it: its records have no words."""
    path = tmp_path / "old.db"
    with closing(sqlite3.connect(path)) as db:
        db.executescript(OLDER.read_text(encoding="utf-8"))
    return path


def test_a_ledger_of_the_previous_version_verifies_and_decides_the_same(old: Path) -> None:
    before = old.read_bytes()
    with reading(old) as ledger:
        assert verify(ledger, ()).problems == ()
        _decides_the_same(ledger)
    assert old.read_bytes() == before  # looking changes nothing
    with opened(old) as ledger:
        assert verify(ledger, ()).problems == ()
        _decides_the_same(ledger)
        happen(ledger, "end")
        assert verify(ledger, ()).problems == ()
    with reading(old, until_us=2**62) as ledger:
        assert verify(ledger, ()).problems == ()


def _decides_the_same(ledger: Ledger) -> None:
    decided = [one for one in ledger.between(0) if one.kind is RecordKind.DECISION]
    assert len(decided) > 5
    for record in decided:
        body = decoded(record)
        assert isinstance(body, bodies.StoredDecision)
        start = decoded(ledger.of_run(record.run)[0])
        assert isinstance(start, bodies.RunStart)
        text = ledger.text(start.plans["demo"])
        assert text is not None
        again = Writer(ledger, record.run, record.environment, text)
        decision = again.judged(Address.parse(record.subject))
        assert says_all_of(to_json(decision), body.document)
        assert decision.substance_digest == from_json(body.document).substance_digest
    back = last_rollback(ledger, Address("demo", "canary"), "prod")
    assert back is not None
    assert back.what == "demo.canary.cap tripped while it was watched"


def test_an_older_ledger_is_told_by_its_gates_and_trips(old: Path) -> None:
    with reading(old) as ledger:
        found = History(ledger).standing(EXIT, "prod")
        assert found is not None
        assert (found.asked.run, found.decision and found.decision.answer) == ("r5", Answer.HOLD)
        assert History(ledger).standing(Address("demo", "canary", Gate.ENTRY), EMBEDDED)


def test_a_url_of_another_database_is_one_message() -> None:
    for use in (opening.to_write, opening.to_read, opening.exists):
        with pytest.raises(LedgerError, match=r"^no store for mysql:// is installed; ") as caught:
            use("mysql://bob:open@db/ledger")
        assert "open" not in str(caught.value)
    assert opening.address_in("postgresql://db/x", "/root") == "postgresql://db/x"
    assert opening.address_in("a/b.db", "/root") == "/root/a/b.db"


def test_texts_are_redacted_where_they_are_appended(
    place: Place, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("DEMO_API_TOKEN", "Tr0ub4dor-and-3")
    secret, told = "it said Tr0ub4dor-and-3", "it said [redacted]"
    with opened(place) as ledger:
        for body in (
            bodies.StoredEvent(type="change", t_us=1, says=secret),
            bodies.Seal((secret,), 0, ""),
            bodies.Stop(secret),
            ReleaseFact("start", None, error=secret),
            bodies.StoredAttestation(secret, "sre", secret, True, None, "", ""),
            bodies.StoredReset(secret, secret, secret, None),
            bodies.WorkerManifest("w", {}, {}, {"t.py::a": secret}, ((PlanId("p"), secret),)),
            bodies.RunStart({}, (), (secret,), None, {}, "", {}),
        ):
            ledger.append(Draft(body, "r1"))
        texts = [record.body for record in ledger.between(0)]
    assert not any("Tr0ub4dor" in text for text in texts)
    assert all(told in text for text in texts)


def test_ids_are_kept_as_they_are(place: Place, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DEMO_API_TOKEN", "Tr0ub4dor-and-3")
    name = "t.py::test[Tr0ub4dor-and-3]"
    with opened(place) as ledger:
        manifest = bodies.WorkerManifest("w", {"p.one.a": (name,)}, {name: "p.one"}, {}, ())
        ledger.append(Draft(manifest, "r1"))
        assert decoded(next(ledger.between(1))) == manifest


def test_a_long_text_is_cut_after_it_was_redacted(ledger: Ledger) -> None:
    says = "x" * 1_990 + " token='" + "s3cr3t" * 10 + "' " + "y" * 500
    ledger.append(Draft(bodies.StoredEvent(type="change", t_us=1, says=says), "r1"))
    body = decoded(next(ledger.between(1)))
    assert isinstance(body, bodies.StoredEvent)
    assert len(body.says) == 2_000
    assert "s3c" not in body.says


def test_the_plan_of_these_tests_has_no_problems() -> None:
    assert plan_of(TEXT).phase("canary") is not None
