"""`rollout merge` and `rollout join`: CI, a laptop and a PM's machine become one ledger."""

from __future__ import annotations

import json
import time
from collections.abc import Iterator
from contextlib import closing
from itertools import permutations
from pathlib import Path

import pytest

from pytest_rollout import processes
from pytest_rollout.evidence import opening
from pytest_rollout.evidence.bodies import Process, StoredEvent
from pytest_rollout.evidence.ledger import Ledger
from pytest_rollout.evidence.phase_life import PhaseLife
from pytest_rollout.evidence.records import RecordKind
from tests.cli.conftest import Answer, Project
from tests.cli.test_sign import keys  # noqa: F401  a fixture
from tests.evidence.runs import ENTRY, EXIT, FAIL, PASS, START, Writer, append, opened, tamper
from tests.targets.test_identity import answering, saying

PLAN = """\
plan: demo
roles: {sre: Reliability, pm: Product}
release: {target: api, path: /version, json: version}
environments:
  embedded: {targets: {api: {serve: "app:app"}}}
  prod: {targets: {api: "URL"}}
phases:
  - id: canary
    owners: [sre]
    criteria:
      - {id: ready, gate: entry, kind: operational, says: The target is ready}
      - {id: works, gate: entry, kind: demo, says: It works}
      - {id: told, gate: entry, kind: manual, says: Support was told, by: [pm]}
"""
GATE = "demo.canary/entry"
READY, WORKS = "t.py::test_ready", "t.py::test_w"
ITEMS: dict[str, tuple[str, ...]] = {
    "demo.canary.ready": (READY,),
    "demo.canary.works": (WORKS,),
    "demo.canary.told": (),
}


@pytest.fixture
def served(project: Project) -> Iterator[Project]:
    """A project whose target answers."""
    with answering(saying('{"version": "v1"}')) as url:
        project.plan.write_text(PLAN.replace("URL", url))
        yield project


def part(
    project: Project,
    ledger: str,
    run: str,
    *ran: str,
    verdicts: tuple[tuple[str, str], ...] = PASS,
    partial: bool = True,
) -> None:
    """A run of some of the checks, in a ledger of its own."""
    with opened(project.root / ledger) as store:
        writer = Writer(store, run, "prod", project.plan.read_text(), gates=(ENTRY,))
        writer.start()
        left = {name: "deselected by -k" for name in (READY, WORKS) if name not in ran}
        writer.manifest(items=ITEMS, dropped=left if partial else {})
        for name in ran:
            writer.batch(name, verdicts)
        writer.seal()
        writer.decide()


def told(project: Project, ledger: str) -> Answer:
    """The PM answers, on a machine of their own."""
    words = ("--by", "Ann", "--role", "pm", "--note", "on the phone", "--ledger", ledger)
    return project.rollout("attest", "demo.canary.told", *words)


@pytest.fixture
def machines(served: Project) -> Project:
    """CI and a laptop ran a part each, the PM answered."""
    part(served, "ci.db", "r1", READY)
    part(served, "laptop.db", "r2", WORKS)
    told(served, "pm.db")
    return served


@pytest.mark.slow
def test_three_machines_are_one_decision_in_every_order(machines: Project) -> None:
    stored, ledgers, heads = set(), set(), set()
    for number, order in enumerate(permutations(("ci.db", "laptop.db", "pm.db"))):
        into = f"merged{number}.db"
        for name in order:
            assert machines.rollout("merge", name, "--into", into).status == 0
        heads.add(
            json.dumps(machines.rollout("merge", *order, "--into", into, "--json").json["head"])
        )
        answer = machines.rollout("join", "demo.canary", "--ledger", into)
        assert answer.status == 0, answer.out
        where = ("--env", "prod", "--ledger", into)
        assert machines.rollout("verify", "--ledger", into).status == 0
        stored.add(machines.rollout("decide", GATE, *where, "--json").out)
        with closing(opening.to_read(into)) as ledger:
            ledgers.add(tuple(ledger.between(0)))
        assert "the same as was decided then" in machines.rollout("decide", GATE, *where).out
    assert (len(stored), len(heads), len(ledgers)) == (1, 1, 1)
    assert json.loads(stored.pop())["decision"] == "GO"


def test_a_part_that_nobody_ran_is_missing(machines: Project) -> None:
    machines.rollout("merge", "ci.db", "pm.db")
    answer = machines.rollout("join", "demo.canary", "--env", "prod")
    assert answer.status == 11
    assert "test_w" in answer.out
    report = json.loads(
        (machines.root / "rollout-report/demo/prod/canary/entry/decision.json").read_text()
    )
    verdicts = {one["id"].rpartition(".")[2]: one["verdict"] for one in report["criteria"]}
    assert verdicts == {"ready": "pass", "works": "missing", "told": "pass"}


def test_a_joined_decision_clears_and_a_part_that_came_later_is_no(machines: Project) -> None:
    machines.rollout("merge", "ci.db", "pm.db", "laptop.db")
    assert machines.rollout("join", "demo.canary").status == 0
    assert machines.rollout("clear", GATE, "--env", "prod").status == 0
    part(machines, "late.db", "r3", WORKS, verdicts=FAIL)
    assert machines.rollout("merge", "late.db").status == 0
    answer = machines.rollout("clear", GATE, "--env", "prod")
    assert answer.status == 11
    assert "r3" in answer.out


def test_a_no_that_was_known_elsewhere_is_not_passed_over(served: Project) -> None:
    """A GO that was made without knowing of another machine's no clears nothing after a merge."""
    words = ("--by", "Bob", "--role", "pm", "--note", "support is closed", "--fail")
    told(served, "ci.db")
    served.rollout("attest", "demo.canary.told", *words, "--ledger", "pm.db")
    part(served, "ci.db", "r1", READY, WORKS, partial=False)
    served.rollout("merge", "ci.db")
    assert served.rollout("clear", GATE, "--env", "prod").status == 0
    served.rollout("merge", "pm.db")
    answer = served.rollout("clear", GATE, "--env", "prod")
    assert answer.status == 11
    assert "GO was decided without what other ledgers knew by then; with it, it is NO-GO" in (
        answer.out
    )
    assert "rollout join demo.canary/entry --env prod" in answer.out
    assert "the same as was decided then" in served.rollout("decide", GATE, "--env", "prod").out
    assert served.rollout("join", "demo.canary").status == 10


def test_a_full_run_is_decided_anew_with_what_came_in(served: Project) -> None:
    part(served, "ci.db", "r1", READY, WORKS, partial=False)
    told(served, "pm.db")
    served.rollout("merge", "ci.db")
    assert served.rollout("join", "demo.canary").status == 11
    served.rollout("merge", "pm.db")
    assert served.rollout("join", "demo.canary").status == 0


def test_joining_twice_is_one_look(machines: Project) -> None:
    machines.rollout("merge", "ci.db", "pm.db", "laptop.db")
    first = machines.rollout("join", "demo.canary", "--json").json
    with machines.ledger() as ledger:
        head = ledger.head()
    again = machines.rollout("join", "demo.canary", "--json").json
    assert first["run"] == again["run"]
    assert first["joined"] == ["r1", "r2"]
    assert first["decisions"] == again["decisions"]
    with machines.ledger() as ledger:
        assert ledger.head() == head


def test_other_runs_than_those_that_were_joined_are_joined_anew(machines: Project) -> None:
    machines.rollout("merge", "ci.db", "pm.db", "laptop.db")
    both = machines.rollout("join", "demo.canary", "--json").json
    one = machines.rollout("join", "demo.canary", "--runs", "r1,r2", "--json").json
    assert both["run"] == one["run"]
    answer = machines.rollout("join", "demo.canary", "--runs", "r1")
    assert answer.status == 4
    assert "--runs leaves out run r2" in answer.err


def test_what_came_in_is_said(machines: Project) -> None:
    answer = machines.rollout("merge", "ci.db", "pm.db")
    assert "1 run, 1 attestation" in answer.out
    assert "rollout join" in answer.out
    assert "nothing new" in machines.rollout("merge", "pm.db").out
    part(machines, "more.db", "r9", READY)
    with opened(machines.root / "more.db") as ledger:
        Writer(ledger, "r10", "prod", machines.plan.read_text(), gates=(ENTRY,)).start()
    assert "run r10 never finished" in machines.rollout("merge", "more.db").out


def test_an_attestation_says_where_it_went(served: Project) -> None:
    out = told(served, "pm.db").out
    assert "pm.db" in out
    assert "rollout merge" in out


def test_a_damaged_ledger_is_refused_and_makes_nothing(machines: Project) -> None:
    tamper(machines.root / "laptop.db", "UPDATE records SET subject = 'x' WHERE sequence = 3")
    answer = machines.rollout("merge", "ci.db", "laptop.db")
    assert answer.status == 4
    assert "laptop.db is damaged and was not merged: record 3 (" in answer.err
    assert not machines.store.exists()


def test_a_file_that_was_left_behind_is_named(machines: Project) -> None:
    minutes = machines.root / "minutes.txt"
    minutes.write_text("minutes")
    pm = machines.root / "elsewhere" / "pm.db"
    words = ("--by", "Ann", "--role", "pm", "--note", "x", "--file", str(minutes))
    machines.rollout("attest", "demo.canary.told", *words, "--ledger", str(pm))
    (kept,) = (pm.parent / "attachments").iterdir()
    content = kept.read_bytes()
    kept.unlink()
    answer = machines.rollout("merge", str(pm))
    assert answer.status == 4
    assert "(minutes.txt) is gone" in answer.err
    kept.write_bytes(content)
    assert machines.rollout("merge", str(pm)).status == 0
    assert (machines.store.parent / "attachments" / kept.name).read_bytes() == content


def test_a_run_of_this_process_is_waited_for(served: Project) -> None:
    def started(ledger: Ledger) -> None:
        process = Process(*processes.this_process())
        body = {"host": process.host, "pid": process.pid, "began": process.began}
        append(ledger, RecordKind.RUN, "r1", {**START, "process": body})

    with opened(served.root / "other.db") as ledger:
        started(ledger)
    answer = served.rollout("merge", "other.db")
    assert answer.status == 4
    assert "run r1 still writes to" in answer.err


def test_signatures_come_along(machines: Project, keys: Path) -> None:  # noqa: F811
    text = machines.plan.read_text().replace("    owners:", "    signoff: [pm]\n    owners:")
    machines.plan.write_text(text)
    (machines.root / "roles.yaml").write_text("people:\n  - {id: ada@x.org, roles: [pm]}\n")
    (machines.root / "allowed_signers").write_text((keys / "allowed_signers").read_text())
    part(machines, "run.db", "r5", READY, WORKS, partial=False)
    machines.rollout("merge", "run.db", "pm.db")
    machines.rollout("join", "demo.canary")
    machines.rollout("merge", str(machines.store), "--into", "pm2.db")
    key = ("--key", str(keys / "ada"), "--by", "ada@x.org")
    signed = machines.rollout("sign", GATE, "--as", "pm", *key, "--ledger", "pm2.db")
    assert signed.status == 0, signed.err
    assert machines.rollout("clear", GATE, "--env", "prod").status == 11
    assert "1 signature" in machines.rollout("merge", "pm2.db").out
    answer = machines.rollout("clear", GATE, "--env", "prod")
    assert answer.status == 0, answer.out


def test_without_a_gate_the_next_one_is_joined(machines: Project) -> None:
    machines.rollout("merge", "ci.db", "pm.db", "laptop.db")
    entry = machines.rollout("join", "demo.canary", "--env", "prod")
    assert entry.status == 0
    assert "gate: demo.canary/entry (demo.canary has not begun in prod)" in entry.out
    with machines.ledger() as ledger:
        began = StoredEvent(type="begin", t_us=time.time_ns() // 1000, says="it began")
        PhaseLife(ledger, ENTRY, "prod").record(began)
    none = machines.rollout("join", "demo.canary", "--env", "prod")
    assert none.status == 4
    assert "no run has asked for demo.canary/exit in prod: nothing to join" in none.err
    assert "demo.canary has begun in prod" in none.err
    named = machines.rollout("join", "demo.canary/entry", "--env", "prod")
    assert named.status == 0, named.err
    with machines.ledger() as store:
        Writer(store, "r9", "prod", machines.plan.read_text(), gates=(EXIT,)).good()
    told = machines.rollout("join", "demo.canary", "--env", "prod")
    assert "gate: demo.canary/exit (demo.canary has begun in prod)" in told.out
