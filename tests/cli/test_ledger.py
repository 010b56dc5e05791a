"""`rollout ledger compact`: what it says before, does, and what other verbs say afterwards."""

from __future__ import annotations

from tests.cli.conftest import Project
from tests.evidence.runs import Writer

BEFORE = ("ledger", "compact", "--before", "2999-01-01T00:00:00Z")


def written(project: Project) -> None:
    """Four releases, two runs each."""
    with project.ledger() as ledger:
        for number in range(1, 5):
            for turn in "ab":
                run = Writer(ledger, f"r{number}{turn}", "prod", release=f"v{number}")
                run.good(errors=(0, 0, 0))


def test_without_a_name_nothing_is_done(project: Project) -> None:
    written(project)
    before = project.store.read_bytes()
    answer = project.rollout(*BEFORE)
    assert answer.status == 0
    assert answer.out.splitlines()[0] == "can be taken out: 12 observations of 4 runs"
    assert "4 decisions of demo.canary/exit in prod could no longer be judged again" in answer.out
    assert "nothing was changed: --by NAME --why WHY does it" in answer.out
    assert project.store.read_bytes() == before


def test_it_says_so_itself_later(project: Project) -> None:
    written(project)
    done = project.rollout(*BEFORE, "--by", "Ada", "--why", "old")
    assert (done.status, done.out.splitlines()[0]) == (
        0,
        "taken out: 12 observations of 4 runs",
    )
    verified = project.rollout("verify")
    assert verified.status == 0
    assert "4 runs cannot be judged again: the observations were taken out at " in verified.out
    assert project.rollout("verify", "--json").json["compacted"][0]["by"] == "Ada"
    again = project.rollout("decide", "demo.canary/exit", "--env", "prod")
    assert again.status == 0  # the newest decision can be judged as ever
    assert project.rollout(*BEFORE).out.splitlines()[0] == "nothing can be taken out"


def test_both_who_and_why_are_needed(project: Project) -> None:
    written(project)
    answer = project.rollout(*BEFORE, "--by", "Ada")
    assert (answer.status, answer.err) == (
        4,
        "rollout: --why: a compaction stays on record: say why it is done\n",
    )


def test_for_programs(project: Project) -> None:
    written(project)
    shape = project.rollout(*BEFORE, "--json").json
    assert (shape["done"], shape["runs"], shape["observations"]) == (
        False,
        ["r1a", "r1b", "r2a", "r2b"],
        12,
    )
    assert {"gate": "demo.canary/exit", "environment": "prod", "decisions": 4} in shape["not_again"]


def test_a_broken_plan_hides_what_it_compares_with(project: Project) -> None:
    written(project)
    project.plan.write_text(project.plan.read_text() + "nonsense: 1\n")
    answer = project.rollout(*BEFORE, "--by", "Ada", "--why", "old")
    assert (answer.status, "nonsense" in answer.err) == (4, True)
