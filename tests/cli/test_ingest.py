"""Approvals of a pull request: which count, who is told what, and what the ledger keeps."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest
import respx

from pytest_rollout.evidence import signatures
from tests.cli.conftest import Answer, Project
from tests.cli.github import GitHub, ago, serving
from tests.cli.test_sign import GATE, PLAN, clear, decided, sign
from tests.cli.test_sign import keys as keys  # a fixture
from tests.evidence.runs import ENTRY, FAIL
from tests.targets.test_identity import answering, saying

ROLES = """\
people:
  - {id: ada@x.org, roles: [sre], github: ada}
  - {id: bob@x.org, roles: [pm, sre], github: Bob-B}
  - {id: pam@x.org, roles: [], github: pam}
  - {id: zoe@x.org, roles: [pm]}
"""
COMMIT = "0123456789abcdef" * 2 + "01234567"
TOKEN = "ghp_never-shown-anywhere-77Qz"
ASK = ("ingest", "approvals", GATE, "--env", "prod", "--repo", "o/r", "--pull", "7")


@pytest.fixture
def github(monkeypatch: pytest.MonkeyPatch) -> GitHub:
    monkeypatch.setenv("GITHUB_TOKEN", TOKEN)
    monkeypatch.delenv("GH_TOKEN", raising=False)
    monkeypatch.delenv("GITHUB_API_URL", raising=False)
    return GitHub()


@pytest.fixture
def served(project: Project, keys: Path) -> Iterator[Project]:
    """A project whose entry is GO in prod, for a release that is a commit."""
    with answering(saying(f'{{"version": "{COMMIT}"}}')) as url:
        project.plan.write_text(PLAN.replace("URL", url))
        (project.root / "roles.yaml").write_text(ROLES)
        (project.root / "allowed_signers").write_text((keys / "allowed_signers").read_text())
        decided(project, "r1", release=COMMIT)
        yield project


def ingest(project: Project, github: GitHub, *more: str) -> Answer:
    with serving(github):
        return project.rollout(*ASK, *more)


def digest(project: Project) -> str:
    found = project.rollout("decide", GATE, "--env", "prod", "--json").json
    return str(found["substance_digest"])


def kept(project: Project) -> list[tuple[str, str, str]]:
    """Who is on record, in which role, with which stance."""
    with project.ledger() as ledger:
        found = [one.body.signed for one in signatures.all_of(ledger, ENTRY, "prod")]
    return [(one.person, one.role, one.stance.value) for one in found]


def test_approvals_of_the_release_clear_the_gate(served: Project, github: GitHub) -> None:
    github.review("ada", commit=COMMIT)
    github.review("bob-b", commit=COMMIT)
    answer = ingest(served, github)
    assert answer.status == 0
    lines = answer.out.splitlines()
    assert lines[0] == "  new  ada: approved by ada@x.org as sre, tied by the commit"
    assert lines[1] == "  new  bob-b: approved by bob@x.org as sre and pm, tied by the commit"
    assert lines[2].startswith("3 recorded from https://github.com/o/r/pull/7; `rollout clear")
    told = clear(served)
    assert told.status == 0, told.out
    assert "GitHub review by ada at 20" in told.out
    assert "(ada@x.org as sre), tied by the commit: https://github.com/o/r/pull/7#pullr" in told.out


def test_asking_again_changes_nothing(served: Project, github: GitHub) -> None:
    github.review("ada", commit=COMMIT)
    github.review("bob-b", "CHANGES_REQUESTED", body="too slow")
    ingest(served, github)
    before = kept(served)
    answer = ingest(served, github, "--json")
    assert answer.json["recorded"] == 0
    assert [one["recorded"] for one in answer.json["reviews"]] == [[], []]
    assert kept(served) == before
    assert "recorded before" in ingest(served, github).out


def test_one_reviewer_is_not_two_roles(served: Project, github: GitHub, keys: Path) -> None:
    github.review("bob-b", commit=COMMIT)
    ingest(served, github)
    assert "bob@x.org signed, but counts for another role" in clear(served).out
    sign(served, keys, "ada", "sre")
    assert clear(served).status == 0, "a review and a key are two people as well"


def test_a_review_that_names_the_decision_needs_no_commit(served: Project, github: GitHub) -> None:
    line = f"rollout-substance: {digest(served)}"
    github.review("ada", body=f"Fine.\n\n{line}\n")
    github.review("bob-b", body=line.upper())
    assert "tied by the text of the review" in ingest(served, github).out
    assert clear(served).status == 0


def test_a_review_after_the_pull_request_named_the_decision(
    served: Project, github: GitHub
) -> None:
    github.body, github.edited = f"rollout-substance: {digest(served)}", ago(60)
    github.review("ada", at=ago(30))
    github.review("bob-b", at=ago(90))
    answer = ingest(served, github)
    assert "ada: approved by ada@x.org as sre, tied by the text of the pull request" in answer.out
    assert "bob-b: approved, but nothing ties it to this decision" in answer.out
    assert "and the pull request names the decision only since 20" in answer.out
    assert kept(served) == [("ada@x.org", "sre", "for")]


def test_words_that_were_written_into_a_review_later_tie_nothing(
    served: Project, github: GitHub
) -> None:
    github.review("ada", body=f"rollout-substance: {digest(served)}", edited=ago())
    assert "and its text was edited afterwards" in ingest(served, github).out
    assert kept(served) == []


def test_who_looked_before_it_was_decided_has_not_seen_it(served: Project, github: GitHub) -> None:
    github.review("ada", commit=COMMIT, at=ago(3_600))
    answer = ingest(served, github)
    assert "ada: approved before this state was decided (20" in answer.out
    assert "approve it again, or with the line rollout-substance: " in answer.out
    assert kept(served) == []


@pytest.mark.parametrize("release", [f"shop@{COMMIT}", f"sha:{COMMIT}"])
def test_a_release_may_name_its_commit(project: Project, github: GitHub, release: str) -> None:
    with answering(saying(f'{{"version": "{release}"}}')) as url:
        project.plan.write_text(PLAN.replace("URL", url))
        (project.root / "roles.yaml").write_text(ROLES)
        decided(project, "r1", release=release)
        github.review("ada", commit=COMMIT)
        assert "tied by the commit" in ingest(project, github).out


@pytest.mark.parametrize("release", [COMMIT[:12], f"x{COMMIT}", "v1"])
def test_a_part_of_a_commit_is_none(project: Project, github: GitHub, release: str) -> None:
    with answering(saying(f'{{"version": "{release}"}}')) as url:
        project.plan.write_text(PLAN.replace("URL", url))
        (project.root / "roles.yaml").write_text(ROLES)
        decided(project, "r1", release=release)
        github.review("ada", commit=COMMIT)
        assert "nothing ties it to this decision" in ingest(project, github).out


def test_who_does_not_count_is_told_why(served: Project, github: GitHub) -> None:
    github.author = "Ada"
    github.review("ada", commit=COMMIT)
    github.review("eve", commit=COMMIT)
    github.review("pam", commit=COMMIT)
    github.review(None, commit=COMMIT)
    github.review("bob-b", "COMMENTED", commit=COMMIT)
    github.review("bob-b", "PENDING", commit=COMMIT)
    answer = ingest(served, github)
    assert answer.out.splitlines()[:4] == [
        "       ada: is the author of the pull request",
        "       eve: roles.yaml gives this login to nobody",
        f"       pam: pam@x.org did not hold the role sre or pm on {ago()[:10]}",
        "       an account that is gone: roles.yaml gives this login to nobody",
    ]
    assert answer.out.splitlines()[4].startswith("nothing recorded anew from ")
    assert kept(served) == []


def test_nobody_has_reviewed(served: Project, github: GitHub) -> None:
    assert "nobody has approved or requested changes of https://" in ingest(served, github).out


def test_a_request_for_changes_blocks_until_its_person_approves(
    served: Project, github: GitHub, keys: Path
) -> None:
    sign(served, keys, "ada", "sre")
    sign(served, keys, "bob", "pm")
    github.review("bob-b", "CHANGES_REQUESTED", body="INC-9 is open", commit="d" * 40)
    assert (
        "changes requested by bob@x.org as sre and pm: INC-9 is open" in ingest(served, github).out
    )
    told = clear(served)
    assert told.status == 11
    assert "GitHub review by bob-b at 20" in told.out
    assert "asks for changes: INC-9 is open (https://github.com/o/r/pull/7#pullr" in told.out
    github.review("bob-b", commit=COMMIT, at=ago(-2))
    ingest(served, github)
    assert clear(served).status == 0


def test_the_newest_review_of_an_account_counts(served: Project, github: GitHub) -> None:
    github.review("ada", commit=COMMIT, at=ago(1))
    github.review("ada", "CHANGES_REQUESTED", at=ago(-1))
    ingest(served, github)
    assert kept(served) == [("ada@x.org", "sre", "against")]


def test_an_approval_that_is_dismissed_is_withdrawn(served: Project, github: GitHub) -> None:
    github.review("ada", commit=COMMIT)
    bob = github.review("bob-b", commit=COMMIT)
    ingest(served, github)
    assert clear(served).status == 0
    bob["state"] = "DISMISSED"
    assert "the approval of bob@x.org as sre and pm was dismissed" in ingest(served, github).out
    told = clear(served)
    assert told.status == 11
    assert "bob@x.org: withdrew the signature" in told.out
    before = kept(served)
    assert "dismissed: it stands for nothing" in ingest(served, github).out
    assert kept(served) == before


def test_an_objection_that_is_dismissed_still_stands(served: Project, github: GitHub) -> None:
    ada = github.review("ada", "CHANGES_REQUESTED", body="no")
    ingest(served, github)
    ada["state"] = "DISMISSED"
    told = ingest(served, github).out
    assert "dismissed, but the objection of ada@x.org stands until they approve or sign" in told
    assert kept(served) == [("ada@x.org", "sre", "against")]


def test_a_dismissal_takes_no_other_signature_back(
    served: Project, github: GitHub, keys: Path
) -> None:
    ada = github.review("ada", commit=COMMIT)
    ingest(served, github)
    sign(served, keys, "ada", "sre")
    ada["state"] = "DISMISSED"
    ingest(served, github)
    assert kept(served)[-1] == ("ada@x.org", "sre", "for")


def test_an_older_review_replaces_no_newer_word(
    served: Project, github: GitHub, keys: Path
) -> None:
    """It is recorded later than the signature against, and was given before it."""
    sign(served, keys, "ada", "sre", "--against", "--why", "INC-9")
    github.review("ada", body=f"rollout-substance: {digest(served)}", at=ago(120))
    github.review("bob-b", commit=COMMIT)
    ingest(served, github)
    assert "ada@x.org signed against it as sre" in clear(served).out


def test_an_older_substance_does_not_count(served: Project, github: GitHub) -> None:
    github.review("ada", body=f"rollout-substance: {digest(served)}")
    ingest(served, github)
    decided(served, "r2", FAIL, release=COMMIT)
    assert "nothing ties it to this decision" in ingest(served, github).out
    assert "but the decision is another one since: sign again" in clear(served).out


def test_more_than_a_hundred_reviews_are_read(served: Project, github: GitHub) -> None:
    for _ in range(205):
        github.review("eve", "COMMENTED")
    github.review("ada", commit=COMMIT)
    assert "ada: approved by ada@x.org" in ingest(served, github).out
    given = [json.loads(one.content)["variables"]["after"] for one in github.asked]
    assert given == [None, "100", "200"]


def test_what_is_kept_of_a_review(served: Project, github: GitHub) -> None:
    review = github.review("ada", commit=COMMIT)
    ingest(served, github)
    with served.ledger() as ledger:
        (one,) = signatures.all_of(ledger, ENTRY, "prod")
    stored = one.body.review
    assert stored is not None
    assert one.body.armour == ""
    assert (stored.kind, stored.id, stored.url) == ("github review", "PRR_1", review["url"])
    assert (stored.login, stored.commit, stored.tied) == ("ada", COMMIT, "the commit")
    assert stored.submitted_at == one.body.signed.at == review["submittedAt"].replace("Z", "+00:00")
    assert (stored.pull, stored.author) == ("https://github.com/o/r/pull/7", "mallory")


@pytest.mark.parametrize(
    ("old", "new", "why"),
    [
        ("github: ada", "github: ada2", "roles.yaml does not give the GitHub login ada to ada@x"),
        (
            "{id: ada@x.org, roles: [sre]",
            "{id: ada@x.org, roles: [pm]",
            "did not hold the role sre",
        ),
    ],
)
def test_who_people_are_is_asked_when_it_is_cleared(
    served: Project, github: GitHub, old: str, new: str, why: str
) -> None:
    github.review("ada", commit=COMMIT)
    ingest(served, github)
    (served.root / "roles.yaml").write_text(ROLES.replace(old, new))
    assert why in clear(served).out


def test_without_keys_reviews_are_enough(served: Project, github: GitHub) -> None:
    (served.root / "allowed_signers").unlink()
    github.review("ada", commit=COMMIT)
    github.review("bob-b", commit=COMMIT)
    ingest(served, github)
    assert clear(served).status == 0


def test_secrets_in_an_objection_are_hidden(
    served: Project, github: GitHub, monkeypatch: pytest.MonkeyPatch
) -> None:
    secret = "kX93-never-shown-77Qz"
    monkeypatch.setenv("DEPLOY_TOKEN", secret)
    github.review("ada", "CHANGES_REQUESTED", body=f"it prints {secret} {'x' * 5_000}")
    answer = ingest(served, github)
    assert secret not in answer.out + clear(served).out
    files = [path.read_bytes() for path in served.store.parent.rglob("*") if path.is_file()]
    assert not any(secret.encode() in one or TOKEN.encode() in one for one in files)


def test_the_token_goes_to_github_and_nowhere_else(served: Project, github: GitHub) -> None:
    github.review("ada", commit=COMMIT)
    answer = ingest(served, github)
    assert TOKEN not in answer.out + answer.err
    (asked,) = github.asked
    assert asked.headers["authorization"].endswith(TOKEN)


@pytest.mark.parametrize("way", ["option", "variable"])
def test_github_enterprise(
    served: Project, github: GitHub, way: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    github.graphql = "https://git.example.org/api/graphql"
    github.review("ada", commit=COMMIT)
    api = "https://git.example.org/api/v3"
    more = ("--api", api) if way == "option" else ()
    if way == "variable":
        monkeypatch.setenv("GITHUB_API_URL", f"{api}/")
    assert ingest(served, github, *more).status == 0
    assert kept(served) == [("ada@x.org", "sre", "for")]


LIMIT = {"x-ratelimit-remaining": "0", "x-ratelimit-reset": "99999999999"}
TROUBLE = [
    (httpx.Response(401, json={"message": "Bad credentials"}), "refuses the token (401)"),
    (httpx.Response(403, json={"message": "Resource not accessible"}), "refuses the token (403)"),
    (httpx.Response(404), "is no API of GitHub (404"),
    (httpx.Response(502, text="<html>"), "answers with status 502"),
    (httpx.Response(302, headers={"location": "https://evil.example"}), "api.github.com "),
    (httpx.Response(403, headers={"retry-after": "90"}, json={}), "(rate limit): ask in 2 min"),
    (httpx.Response(403, headers=LIMIT, json={"message": "limit"}), "(rate limit): ask in "),
    (
        httpx.Response(200, json={"errors": [{"type": "RATE_LIMITED", "message": "slow down"}]}),
        "(rate limit): ask in 1 min",
    ),
    (
        httpx.Response(200, json={"errors": [{"type": "FORBIDDEN", "message": "SSO is needed"}]}),
        "refuses to tell of o/r: SSO is needed",
    ),
    (httpx.Response(200, text="<html>sign in</html>"), "api.github.com could not be asked: "),
    (httpx.Response(200, json=[7]), "api.github.com could not be asked: "),
    (httpx.Response(200, json={"data": {"repository": None}}), "knows no pull request 7 of o/r"),
    (
        httpx.Response(200, json={"data": {"repository": {"pullRequest": {"url": "x"}}}}),
        "answers something that is no pull request",
    ),
]


@pytest.mark.parametrize(("response", "said"), TROUBLE)
def test_trouble_with_the_api_is_one_message(
    served: Project, github: GitHub, response: httpx.Response, said: str
) -> None:
    with respx.mock(assert_all_called=False) as router:
        router.post(github.graphql).mock(return_value=response)
        router.route(host="127.0.0.1").pass_through()
        answer = served.rollout(*ASK)
    assert answer.status == 4
    assert said in answer.err
    assert len(answer.err.splitlines()) == 1
    assert TOKEN not in answer.out + answer.err
    assert kept(served) == []


@pytest.mark.parametrize(
    ("error", "said"),
    [
        (httpx.ConnectError("no route"), "could not be asked: no route"),
        (httpx.ReadTimeout("slow"), "did not answer within 20 s"),
    ],
)
def test_a_network_that_is_not_there(
    served: Project, github: GitHub, error: Exception, said: str
) -> None:
    with respx.mock(assert_all_called=False) as router:
        router.post(github.graphql).mock(side_effect=error)
        answer = served.rollout(*ASK)
    assert (answer.status, said in answer.err) == (4, True)


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (("--repo", "o"), "'o' is no repository (OWNER/NAME)"),
        (("--pull", "0"), "--pull"),
        (("--pull", "8"), "GitHub knows no pull request 8 of o/r, or the token may not see it"),
        (("--env", "embedded"), "a rehearsal is signed by nobody"),
        (("--api", "http://git.example.org"), "is no address of an API (https://"),
        (("--api", "https://ada:word@git.example.org"), "'git.example.org' is no address of an A"),
    ],
)
def test_wrong_use(served: Project, github: GitHub, arguments: tuple[str, ...], said: str) -> None:
    answer = ingest(served, github, *arguments)
    assert (answer.status, said in answer.err) == (4, True), answer.err


def test_without_a_token_github_is_not_asked(
    served: Project, github: GitHub, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("GITHUB_TOKEN")
    assert "GITHUB_TOKEN is not set" in ingest(served, github).err
    monkeypatch.setenv("GH_TOKEN", TOKEN)
    assert ingest(served, github).status == 0


def test_a_phase_that_nobody_signs(served: Project, github: GitHub) -> None:
    served.plan.write_text(served.plan.read_text().replace("    signoff: [sre, pm]\n", ""))
    assert "demo.canary is signed by nobody (`signoff`" in ingest(served, github).err


def test_the_extra_that_is_needed_is_named(
    served: Project, github: GitHub, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("pytest_rollout.extras.find_spec", lambda name: None)
    assert "pip install 'pytest-rollout[github]'" in ingest(served, github).err


def test_the_token_follows_no_redirect(served: Project, github: GitHub) -> None:
    with respx.mock(assert_all_called=False) as router:
        moved = httpx.Response(307, headers={"location": "https://api.github.com/elsewhere"})
        router.post(github.graphql).mock(return_value=moved)
        elsewhere = router.route(path="/elsewhere").mock(side_effect=github.answer)
        answer = served.rollout(*ASK)
    assert answer.status == 4
    assert not elsewhere.called
