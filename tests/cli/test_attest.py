"""The verbs by which people answer what no test can see."""

from __future__ import annotations

import time
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler
from pathlib import Path

import pytest

from pytest_rollout.targets.reference import IDENTITY_HEADER
from tests.cli.conftest import Answer, Project
from tests.evidence.runs import EXIT, Writer
from tests.targets.test_identity import answering, saying

PLAN = """\
plan: demo
title: A demo
roles: {sre: Reliability, pm: Product}
release: {target: api, path: /version, json: version}
environments:
  embedded: {targets: {api: {serve: "app:app"}}}
  prod: {targets: {api: "URL"}, max_age: 24h}
phases:
  - id: canary
    owners: [sre]
    criteria:
      - {id: ready, gate: entry, kind: operational, says: The target is ready}
      - {id: works, kind: demo, says: It works}
      - {id: errors, kind: slo, says: No request fails, metric: errors, take: max, pass: "<= 0",
         need: 2}
      - {id: retro, kind: manual, says: The retro was held, by: [pm], valid_for: 7d}
      - {id: runbook, kind: manual, says: The runbook was read}
"""
PM = ("--by", "A. Person", "--role", "pm", "--note", "held on Friday")
SRE = ("--by", "S. Person", "--role", "sre", "--note", "read it")


@pytest.fixture
def served(project: Project) -> Iterator[Project]:
    """The project with a target in prod that says it runs v1."""
    with answering(saying('{"version": "v1"}')) as url:
        project.plan.write_text(PLAN.replace("URL", url))
        yield project


def attest(project: Project, *more: str, slug: str = "retro") -> Answer:
    return project.rollout("attest", f"demo.canary.{slug}", *more)


def judged(project: Project, run: str = "r1") -> Writer:
    """A whole run in prod."""
    with project.ledger() as ledger:
        text, now = project.plan.read_text(), time.time_ns() // 1000 - 3_000_000
        return Writer(ledger, run=run, environment="prod", text=text, gates=(EXIT,)).good(t_us=now)


def test_an_answer_is_recorded_and_judged(served: Project) -> None:
    answer = attest(served, *PM)
    assert answer.status == 0
    assert answer.out == (
        "demo.canary.retro in prod of v1: attested by A. Person (pm); counts for 7d from the "
        "next run on (pytest -m canary --rollout-env prod)\n"
        "recorded in .rollout/ledger.db; where runs write to another ledger, bring it there: "
        "rollout merge .rollout/ledger.db\n"
    )
    assert attest(served, *SRE, slug="runbook").status == 0
    assert judged(served).decisions[0].answer.value == "GO"
    explained = served.rollout("explain", "demo.canary.retro", "--env", "prod").out
    assert "Asked: pm must attest it; it counts for 7d." in explained
    assert "attested by A. Person (pm) at" in explained
    assert "of v1: held on Friday" in explained


def test_a_no_is_recorded(served: Project) -> None:
    attest(served, *PM)
    assert "attested as failing" in attest(served, *PM, "--fail").out
    assert judged(served).decisions[0].answer.value == "NO-GO"
    explained = served.rollout("explain", "demo.canary.retro", "--env", "prod").out.splitlines()
    first = explained.index("  Answers so far:") + 1
    assert [line.split()[0] for line in explained[first : first + 2]] == ["pass:", "fail:"]


def test_its_file_is_kept(served: Project) -> None:
    minutes = served.root / "minutes.pdf"
    minutes.write_bytes(b"minutes")
    data = attest(served, *PM, "--file", str(minutes), "--json").json
    assert (data["file"], data["release"], data["environment"]) == ("minutes.pdf", "v1", "prod")
    assert (served.store.parent / "attachments" / data["digest"]).read_bytes() == b"minutes"
    assert served.rollout("verify").status == 0


@pytest.mark.parametrize(
    ("slug", "arguments", "said"),
    [
        ("retor", PM, "did you mean `retro`?"),
        ("works", PM, "is not attested: its kind is demo"),
        ("retro", SRE, "retro is attested by pm"),
        ("runbook", (*SRE[:3], "boss", *SRE[4:]), "the roles of demo are sre, pm"),
        ("retro", (*PM, "--env", "embedded"), "attestations.embedded.yaml"),
        ("retro", (*PM, "--env", "lab"), "no environment `lab` (known: embedded, prod)"),
        ("retro", (*PM, "--file", "nowhere.pdf"), "nowhere.pdf cannot be read"),
        ("retro", (*PM[:-1], "  "), "--note says nothing"),
        ("retro", ("--by", "x" * 201, *PM[2:]), "--by is longer than 200 characters"),
    ],
)
def test_wrong_use(served: Project, slug: str, arguments: tuple[str, ...], said: str) -> None:
    answer = attest(served, *arguments, slug=slug)
    assert answer.status == 4
    assert said in answer.err
    assert not served.store.exists()


def test_who_attests_is_whom_git_knows(served: Project, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("GIT_CONFIG_GLOBAL", str(served.root / "gitconfig"))
    monkeypatch.setenv("GIT_CONFIG_NOSYSTEM", "1")
    nobody = attest(served, *PM[2:])
    assert (nobody.status, "--by: git knows no user.email here; say who" in nobody.err) == (4, True)
    (served.root / "gitconfig").write_text("[user]\n  email = ada@example.com\n")
    assert "attested by ada@example.com (pm)" in attest(served, *PM[2:]).out


def test_which_environment_is_asked_where_there_are_several(served: Project) -> None:
    text = served.plan.read_text().replace(
        "phases:", '  lab: {targets: {api: "http://x"}}\nphases:'
    )
    served.plan.write_text(text)
    assert "--env: say which (known: lab, prod)" in attest(served, *PM).err
    assert attest(served, *PM, "--env", "prod").status == 0


def test_of_a_release_that_cannot_be_read_nothing_is_attested(project: Project) -> None:
    project.plan.write_text(PLAN.replace("URL", "http://127.0.0.1:1"))
    answer = attest(project, *PM)
    assert (answer.status, "the release could not be read" in answer.err) == (4, True)
    assert not project.store.exists()


def test_secrets_are_hidden_before_anything_is_kept(
    served: Project, monkeypatch: pytest.MonkeyPatch
) -> None:
    secret = "kX93-never-shown-77Qz"
    monkeypatch.setenv("DEPLOY_TOKEN", secret)
    minutes = served.root / "minutes.txt"
    minutes.write_text(f"token: {secret}\n")
    said = ("--by", "A. Person", "--role", "pm", "--note", f"used {secret}")
    answer = attest(served, *said, "--file", str(minutes))
    assert answer.status == 0
    kept = [path.read_bytes() for path in served.store.parent.rglob("*") if path.is_file()]
    assert len(kept) >= 2
    assert not any(secret.encode() in content for content in kept)
    assert served.rollout("verify").status == 0


def test_a_reference_target_is_no_release_to_attest(project: Project) -> None:
    def respond(handler: BaseHTTPRequestHandler) -> None:
        handler.send_response(200)
        handler.send_header(IDENTITY_HEADER, "demo")
        handler.end_headers()
        handler.wfile.write(b'{"version": "v1"}')

    with answering(respond) as url:
        project.plan.write_text(PLAN.replace("URL", url))
        answer = attest(project, *PM)
    assert (answer.status, "answers as a reference target (demo)" in answer.err) == (4, True)
    assert not project.store.exists()


def test_a_file_that_is_too_large(served: Project, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("pytest_rollout.cli.attest.MOST_ATTACHED", 3)
    large = served.root / "large"
    large.write_bytes(b"four")
    assert "larger than 3 bytes" in attest(served, *PM, "--file", str(large)).err


def test_the_checklist_of_each_role(served: Project) -> None:
    listed = served.rollout("checklist", "--env", "prod")
    assert listed.status == 0
    assert listed.out.splitlines() == [
        "pm in prod: 1 of 1 still to attest",
        "  open    demo.canary.retro: The retro was held",
        "          nobody has attested it",
        "sre in prod: 1 of 1 still to attest",
        "  open    demo.canary.runbook: The runbook was read",
        "          nobody has attested it",
    ]
    attest(served, *PM)
    attest(served, *SRE, "--fail", slug="runbook")
    after = served.rollout("checklist", "demo.canary", "--env", "prod").out
    assert "pm in prod: 0 of 1 still to attest" in after
    assert "  done    demo.canary.retro" in after
    assert "held on Friday; until 20" in after
    assert "  failed  demo.canary.runbook" in after
    mine = served.rollout("checklist", "demo", "--env", "prod", "--role", "pm", "--json").json
    assert [(one["id"], one["state"]) for one in mine["criteria"]] == [
        ("demo.canary.retro", "done")
    ]
    assert served.rollout("checklist", "--role", "boss").status == 4


def test_another_release_opens_the_checklist_again(served: Project) -> None:
    attest(served, *PM)
    with answering(saying('{"version": "v2"}')) as url:
        served.plan.write_text(PLAN.replace("URL", url))
        listed = served.rollout("checklist", "--env", "prod", "--role", "pm").out
    assert "nobody has attested it of v2, but of v1" in listed


def test_the_checklist_of_a_rehearsal_is_its_file(served: Project, tmp_path: Path) -> None:
    assert "has no stand-in" in served.rollout("checklist", "--env", "embedded").out
    (served.root / "attestations.embedded.yaml").write_text(
        "attestations: [{phase: canary, criterion: retro, by: x, role: pm, note: as if}]\n"
    )
    listed = served.rollout("checklist", "--role", "pm", "--env", "embedded").out
    assert "  done    demo.canary.retro" in listed
    assert "a stand-in for an attestation: x (pm): as if" in listed


def test_nothing_to_attest(project: Project) -> None:
    assert project.rollout("checklist").out == "nothing is to be attested\n"


def clear(project: Project) -> str:
    return project.rollout("clear", "demo.canary/exit", "--env", "prod").out


def hint(project: Project, slug: str) -> str:
    """What clear advises where it says that nobody attested a criterion."""
    lines = clear(project).splitlines()
    (place,) = [n for n, line in enumerate(lines) if f"demo.canary.{slug}: " in line]
    return lines[place + 1].strip()


def test_clear_says_that_an_answer_given_since_counts_from_the_next_run_on(
    served: Project,
) -> None:
    judged(served)
    explain = "-> `rollout explain demo.canary.retro --env prod` says what it needs"
    assert hint(served, "retro") == explain
    attest(served, *PM)
    told = hint(served, "retro")
    assert told.startswith("-> demo.canary.retro was attested by A. Person at ")
    assert "it counts from the next run on (`pytest -m canary --rollout-env prod" in told
    assert "`rollout join demo.canary/exit --env prod` decides the last run anew" in told
    assert "rollout explain demo.canary.runbook" in hint(served, "runbook")
    attest(served, *PM, "--fail")
    assert hint(served, "retro") == explain, "a no does not clear it"
    attest(served, *PM)
    attest(served, *SRE, slug="runbook")
    assert served.rollout("join", "demo.canary/exit", "--env", "prod").status == 0
    assert "clear" in clear(served).splitlines()[-1]
    assert "was attested by A. Person at" not in clear(served)


def test_clear_explains_nothing_that_is_no_criterion(served: Project) -> None:
    with served.ledger() as ledger:
        text = served.plan.read_text()
        run = Writer(ledger, environment="prod", text=text, gates=(EXIT,), release=None)
        run.good(t_us=time.time_ns() // 1000 - 3_000_000)
    lines = clear(served).splitlines()
    (place,) = [n for n, line in enumerate(lines) if "release: " in line and "HOLD" in line]
    assert "->" not in lines[place + 1]
    assert "CRITERION" not in "".join(lines)
