"""The verbs on a ledger in PostgreSQL: each says what it says of the same ledger in a file."""

from __future__ import annotations

import re
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from pytest_rollout.evidence import opening
from tests.cli.conftest import Answer, Project
from tests.evidence import postgres
from tests.evidence.runs import ENTRY, EXIT, PLAN, Writer, opened, reading

PROD = ("--env", "prod")
BY = ("--by", "A. Person")
SEEN = ("--role", "sre", "--note", "seen", "--file", "pytest.ini")
READING = (
    ("status",),
    ("status", "--json"),
    ("decide", "demo.canary", *PROD),
    ("decide", "demo.canary", *PROD, "--json"),
    ("clear", "demo.canary", *PROD),
    ("explain", "demo.canary.errors", *PROD),
    ("checklist", "demo.canary", *PROD),
    ("report", "demo.canary", *PROD),
    ("standup",),
    ("trend", "demo.canary.errors", *PROD),
    ("verify",),
    ("verify", "--json"),
    ("export", "demo.canary/exit", *PROD, "-o", "out.zip"),
)


@pytest.fixture(scope="module")
def server() -> Iterator[str]:
    """The URL of a server."""
    with postgres.serving() as serving:
        yield serving.url


@pytest.fixture
def both(project: Project, server: str, tmp_path: Path) -> tuple[str, str]:
    """The same ledger in a file and in PostgreSQL, of three runs."""
    project.plan.write_text(
        PLAN.replace(
            "release: {target: api, path: /version, json: version}",
            "release: {command: [echo, v1]}",
        )
        + "      - {id: agreed, kind: manual, says: Ana agrees}\n"
    )
    text = project.plan.read_text()
    with project.ledger() as ledger:
        for run, gate in (("r1", ENTRY), ("r2", EXIT), ("r3", EXIT)):
            now_us = time.time_ns() // 1000
            Writer(ledger, run, "prod", text, gates=(gate,)).good(t_us=now_us - 3_000_000)
    place = postgres.place_of(server, tmp_path)
    done = project.rollout("merge", str(project.store), "--into", place)
    assert done.status == 0, done.err
    return str(project.store), place


def same(answer: Answer, ledger: str) -> tuple[int, str, str]:
    """An answer without what is another one in another place, or a moment later."""
    out = answer.out.replace(ledger, "LEDGER").replace(".rollout/ledger.db", "LEDGER")
    return answer.status, re.sub(r"\d\d:\d\d:\d\d(\.\d+)?|\d+ (s|min) ago", "T", out), answer.err


def test_each_verb_that_reads_says_the_same(project: Project, both: tuple[str, str]) -> None:
    file, place = both
    with reading(file) as one, reading(place) as other:
        assert one.head() == other.head()
    for verb in READING:
        said = [same(project.rollout(*verb, "--ledger", where), where) for where in both]
        assert said[0] == said[1], verb
        assert said[0][0] in (0, 11), (verb, said)
        if verb[0] == "export":
            digest = re.search(r"digest (\w+)", said[0][1])
            assert digest
            checked = project.rollout("verify", "out.zip", "--digest", digest[1])
            assert checked.status == 0, checked.out


def test_each_verb_that_writes_writes_the_same(project: Project, both: tuple[str, str]) -> None:
    verbs = (
        ("join", "demo.canary/exit", *PROD),
        ("begin", "demo.canary", *PROD, *BY),
        ("record", "demo.canary", "change", *PROD, *BY, "--says", "flag on"),
        ("record", "demo.canary", "freeze", *PROD, *BY, "--says", "wait"),
        ("settle", "r3", *BY, "--why", "it never was"),
        ("end", "demo.canary", *PROD, *BY),
        ("attest", "demo.canary.agreed", *PROD, *BY, *SEEN),
        ("sign", "demo.canary", *PROD, *BY, "--as", "sre", "--key", "none"),
        ("status",),
        ("verify",),
    )
    statuses = []
    for verb in verbs:
        said = [same(project.rollout(*verb, "--ledger", where), where) for where in both]
        assert [one[0] for one in said] == [said[0][0]] * 2, (verb, said)
        statuses.append(said[0][0])
        assert said[0][2].replace(both[0], "") == said[1][2].replace(both[1], ""), verb
    with reading(both[0]) as one, reading(both[1]) as other:
        kinds = [[(r.kind, r.subject) for r in ledger.between(0)] for ledger in (one, other)]
    assert statuses == [11, 0, 0, 0, 4, 11, 0, 4, 0, 0]
    assert kinds[0] == kinds[1]
    assert len(kinds[0]) > 20


def test_a_ledger_comes_back_out_of_postgres(project: Project, both: tuple[str, str]) -> None:
    with opened(both[1]) as ledger:
        kept = ledger.attach(b"minutes")
        ledger.keep_text("d" * 64, "a plan")
    back = project.rollout("merge", both[1], "--into", "copy.db")
    assert back.status == 0, back.err
    with reading("copy.db") as copy, reading(both[1]) as whole:
        assert copy.head() == whole.head()
        assert whole.lost_file(kept.digest) is None


def test_a_ledger_that_is_configured_is_the_projects(
    project: Project, both: tuple[str, str]
) -> None:
    (project.root / "pytest.ini").write_text(f"[pytest]\nrollout_ledger = {both[1]}\n")
    said = project.rollout("verify")
    assert (said.status, "whole" in said.out) == (0, True)
    assert opening.address_in(both[1], project.root) == both[1]
