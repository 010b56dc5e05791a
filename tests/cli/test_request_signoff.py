"""The text that asks for signatures: what it says, whom it asks, and that it ties an approval."""

from __future__ import annotations

from pathlib import Path

import pytest

from pytest_rollout.report.escaping import plain
from tests.cli.conftest import Answer, Project
from tests.cli.github import GitHub
from tests.cli.test_ingest import COMMIT, digest, ingest, kept
from tests.cli.test_ingest import github as github  # fixtures
from tests.cli.test_ingest import keys as keys
from tests.cli.test_ingest import served as served
from tests.cli.test_sign import GATE, clear, decided, sign
from tests.evidence.runs import FAIL
from tests.test_notify import mail_server


def request(project: Project, *more: str) -> Answer:
    return project.rollout("request-signoff", GATE, "--env", "prod", *more)


def test_it_says_what_is_asked_of_whom(served: Project) -> None:
    answer = request(served)
    assert answer.status == 0
    lines = answer.out.splitlines()
    assert lines[0] == "## Sign-off of `demo.canary/entry` in prod"
    assert lines[2] == f"**GO**, release `{COMMIT}`"
    assert lines[3] == "<br>1 criterion: 1 pass"
    assert lines[4].startswith("<br>Decided at 20")
    assert lines[4].endswith(" by run `r1`")
    assert "- [ ] sre\n      by `ada@x.org` @ada, `bob@x.org` @Bob-B\n" in answer.out
    assert "- [ ] pm\n      by `bob@x.org` @Bob-B, `zoe@x.org`\n" in answer.out
    assert f"\n    rollout-substance: {digest(served)}\n" in answer.out
    assert "`rollout sign demo.canary/entry --env prod --as ROLE`" in answer.out
    assert "rollout ingest approvals demo.canary/entry --env prod --repo OWNER/NAME" in answer.out


def test_the_text_ties_the_approvals_of_the_pull_request_that_holds_it(
    served: Project, github: GitHub
) -> None:
    github.body = request(served).out
    github.review("ada")
    github.review("bob-b")
    assert ingest(served, github).out.count("tied by the text of the pull request") == 2
    assert clear(served).status == 0


def test_who_has_signed_is_ticked(served: Project, github: GitHub, keys: Path) -> None:
    sign(served, keys, "ada", "sre")
    github.review("bob-b", "CHANGES_REQUESTED", body="see @team: <b>INC-9</b>")
    ingest(served, github)
    text = request(served).out
    assert "- [x] sre: `ada@x.org` signed as sre at 20" in text
    assert "- GitHub review by bob-b at 20" in text
    assert "asks for changes: see `@team`: &lt;b>INC-9&lt;/b>" in text
    data = request(served, "--json").json
    assert data["missing"] == ["pm"]
    assert data["line"] == f"rollout-substance: {digest(served)}"
    assert data["text"] == text


def test_another_answer_is_asked_for_with_its_reasons(served: Project) -> None:
    decided(served, "r2", FAIL, release=COMMIT)
    text = request(served).out
    assert "**NO-GO**" in text
    assert "### Reasons\n\n- `demo.canary.ready`: " in text


def test_it_is_written_to_a_file_and_names_the_report(served: Project) -> None:
    link = "https://ci.example.org/runs/7"
    answer = request(served, "-o", "signoff.md", "--report", link)
    assert answer.out == f"the request for {GATE} in prod is in signoff.md\n"
    text = (served.root / "signoff.md").read_text()
    assert f"Report: <{link}>" in text
    assert "Report: `rollout-report/demo/prod/canary/entry/report.md`" in request(served).out
    assert "`javascript:alert(1)`" in request(served, "--report", "javascript:alert(1)").out


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (("--env", "embedded"), "a rehearsal is signed by nobody"),
        (("-o", "no/such/folder"), "no/such/folder cannot be written: No such file"),
    ],
)
def test_wrong_use(served: Project, arguments: tuple[str, ...], said: str) -> None:
    answer = request(served, *arguments)
    assert (answer.status, said in answer.err) == (4, True)


def test_it_records_nothing(served: Project) -> None:
    before = served.store.read_bytes()
    request(served)
    assert served.store.read_bytes() == before
    assert kept(served) == []


@pytest.mark.parametrize(
    ("words", "shown"),
    [
        ("eve made the change (dave@x.org cannot sign)", "(`dave@x.org` cannot sign)"),
        ("see (https://x.org/a_(b))", "see (`https://x.org/a_(b)`)"),
        ("(told @team)", "(told `@team`)"),
        ("@team:", "`@team`:"),
    ],
)
def test_brackets_are_no_part_of_an_address(words: str, shown: str) -> None:
    assert plain(words).endswith(shown)


def test_people_are_told_whose_signature_is_open(
    served: Project, keys: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert "no channel of `notify` says" in request(served, "--tell").err
    with mail_server() as (port, heard):
        monkeypatch.setenv("MAIL", f"smtp://127.0.0.1:{port}")
        channel = 'email: [a@x.org], from: r@x.org, smtp: "${MAIL}", about: [signoff]'
        served.plan.write_text(f"{served.plan.read_text()}notify: [{{{channel}}}]\n")
        sign(served, keys, "ada", "sre")
        assert "email: told" in request(served, "--tell").err
    assert "Subject: To sign: GO of demo.canary/entry in prod" in heard
    assert any(line.startswith("pm: bob@x.org, zoe@x.org") for line in heard)
    assert not any(line.startswith("sre: ") for line in heard)
