"""Situations before a change, from end to end: a service on loopback, a ledger, and the command."""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable

import pytest

from pytest_rollout.cli.clearing_notes import clearing_notes
from tests.cli.clear_site import PLAN, RESET, Site
from tests.cli.clear_site import site as site
from tests.evidence.runs import EXIT, FAIL, Writer, plan_of, tamper


def never_asked(site: Site) -> None: ...


def only_rehearsed(site: Site) -> None:
    with site.project.ledger() as ledger:
        Writer(ledger, text=site.project.plan.read_text()).good()


def no_go(site: Site) -> None:
    site.decided(ready=FAIL)


def deployed_since(site: Site) -> None:
    site.decided()
    site.version = "v2"


def moved_since(site: Site) -> None:
    site.decided()
    site.serve()


def is_down(site: Site) -> None:
    site.decided()
    site.stack.close()


def no_release(site: Site) -> None:
    site.change("release: {target: api, path: /version, json: version}\n", "")
    site.decided()


def none_to_read(site: Site) -> None:
    site.change("release: {target: api, path: /version, json: version}", "no_release: a pump")
    site.version = None
    site.decided()


def trips(site: Site) -> None:
    site.decided()
    site.tripped()


def trips_and_is_reset(site: Site) -> None:
    trips(site)
    assert site.project.rollout(*RESET).status == 0


def freezes(site: Site) -> None:
    site.decided()
    site.frozen()


def freezes_and_resumes(site: Site) -> None:
    freezes(site)
    site.frozen("resume")


def is_killed(site: Site) -> None:
    site.decided()
    killed = site.writer("r2")
    killed.start()
    killed.manifest()


def partial_red(site: Site) -> None:
    site.decided()
    partial = site.writer("r2")
    partial.partial = ("-k",)
    partial.start()
    partial.manifest()
    partial.batch("t.py::test_ready", FAIL)
    partial.seal()


def partial_red_of_no_release(site: Site) -> None:
    site.decided()
    site.version = None
    partial = site.writer("r2")
    partial.partial = ("-k",)
    partial.start()
    partial.manifest()
    partial.batch("t.py::test_ready", FAIL)
    partial.seal()
    partial.decide()
    site.version = "v1"


def nervous(site: Site) -> None:
    site.decided()
    site.decided("r2")


def red_again(site: Site) -> None:
    site.decided()
    site.decided("r2", FAIL)


def is_edited(site: Site) -> None:
    site.decided()
    tamper(site.project.store, "UPDATE records SET at_us = at_us - 1 WHERE sequence = 4")


def asks_otherwise(site: Site) -> None:
    site.decided()
    site.change("id: ready,", "id: ready, severity: soft,")


def requires_another_plan(site: Site) -> None:
    site.change("    owners: [sre]\n", "    owners: [sre]\n    requires: [base.done]\n")
    site.decided()


def other_ledger(site: Site) -> None:
    """P16: somebody wrote the report of another ledger into the project."""
    site.decided()
    shutil.copytree(site.project.store.parent, site.project.root / "other")
    for number in range(2, 5):
        site.decided(f"r{number}")
    (site.project.root / "rollout-report").mkdir()
    report = site.project.root / "rollout-report" / "decision.json"
    with site.project.ledger() as ledger:
        head = ledger.head()
    report.write_text(json.dumps({"run": "f1", "ledger": {"sequence": 4, "hash": head.hash}}))


SITUATIONS: list[tuple[Callable[[Site], None], int, str]] = [
    (never_asked, 11, "there is no ledger at"),
    (only_rehearsed, 11, "no full run has asked for demo.canary/entry"),
    (Site.decided, 0, "demo.canary/entry in prod: clear"),
    (no_go, 10, "no   decision: NO-GO: demo.canary.ready: test_ready: it broke"),
    (deployed_since, 11, "no   release: v1 was judged, v2 runs now"),
    (moved_since, 11, "no   target: api was judged at the address http://127.0.0.1:"),
    (is_down, 11, "no   release: the release could not be read"),
    (no_release, 11, "the plan states no `release:` (where to read it), and no `no_release:`"),
    (none_to_read, 0, "yes  release: no release is read, so none is compared (no_release: a pump)"),
    (trips, 11, "-> `rollout reset demo.canary.rail --env prod --by NAME --reason WHY`"),
    (trips_and_is_reset, 0, "demo.canary/entry in prod: clear"),
    (
        freezes,
        11,
        "-> `rollout record demo.canary resume --env prod --says WHY --by NAME` lifts it",
    ),
    (freezes_and_resumes, 0, "demo.canary/entry in prod: clear"),
    (is_killed, 11, "no   decision: run r2 never finished"),
    (partial_red_of_no_release, 11, "partial run r2, which began later, "),
    (
        partial_red,
        11,
        "partial run r2, which began later, saw it fail: demo.canary.ready: it broke",
    ),
    (nervous, 0, "yes  decision: GO of run r2"),
    (red_again, 10, "no   decision: NO-GO"),
    (is_edited, 11, "no   decision: the ledger was damaged"),
    (
        asks_otherwise,
        11,
        "-> `pytest -m canary --rollout-env prod --rollout-gate entry` decides it",
    ),
    (requires_another_plan, 11, "no   requires: base.done/exit is undecided"),
    (other_ledger, 11, "belongs to another ledger than "),
]


@pytest.mark.parametrize(
    ("lay", "status", "says"), SITUATIONS, ids=lambda one: getattr(one, "__name__", "")
)
def test_the_right_answer_in_the_right_words(
    site: Site, lay: Callable[[Site], None], status: int, says: str
) -> None:
    lay(site)
    answer = site.clear()
    assert answer.status == status, answer.out
    assert says in answer.out, answer.out


def test_a_required_phase_of_another_plan_counts_for_the_same_release(site: Site) -> None:
    rails = PLAN[PLAN.index("    guardrails:") :]
    site.change(rails, "")
    folder = site.project.root / "suites" / "web"
    folder.mkdir(parents=True)
    text = site.project.plan.read_text().replace("plan: demo", "plan: web")
    text = text.replace("id: canary", "id: go\n    requires: [demo.canary]")
    (folder / "rollout.yaml").write_text(text)

    def required() -> list[str]:
        lines = site.project.rollout("clear", "web.go").out.splitlines()
        return [line for line in lines if "requires" in line]

    site.decided()
    assert required() == ["  no   requires: demo.canary/exit is undecided"]
    site.writer("x1", gate=EXIT).good()
    assert required() == []
    site.version = "v2"
    says = "  no   requires: demo.canary/exit is GO for v1, and v2 runs now"
    assert [line.partition(" (any_release")[0] for line in required()] == [says]


def test_check_notes_what_keeps_every_change_from_being_cleared() -> None:
    text = PLAN.replace("URL", "http://127.0.0.1:1")
    bare = text.replace("release: {target: api, path: /version, json: version}\n", "")
    asking = text.replace(
        "    owners: [sre]\n", "    requires: [bse.done, base.dne, base.canary]\n"
    )
    base = plan_of(text.replace("plan: demo", "plan: base"))
    (nameless,) = clearing_notes(plan_of(bare), [base])
    assert nameless.startswith("demo: nothing is cleared in prod, because nobody knows which")
    assert list(clearing_notes(plan_of(asking), [base])) == [
        "demo.canary requires bse.done: no plan `bse` (did you mean `base`?)",
        "demo.canary requires base.dne, which base has not (known: canary)",
    ]
    assert not list(clearing_notes(base, [base]))
