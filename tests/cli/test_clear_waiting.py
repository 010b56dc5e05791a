"""Waiting for a clearance: only for what time or other people can bring, and for so long."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from pytest_rollout.cli import blindness, waiting
from pytest_rollout.evidence.records import RecordKind
from tests.cli.clear_site import RESET, ROLES, Site
from tests.cli.clear_site import site as site
from tests.evidence.runs import FAIL


def happens(monkeypatch: pytest.MonkeyPatch, *steps: Callable[[], object]) -> list[float]:
    """What happens during each pause, in order; the pauses that were made."""
    left, paused = list(steps), list[float]()

    def pause(seconds: float) -> None:
        assert len(paused) < 20, "it waits for ever"
        paused.append(seconds)
        if left:
            left.pop(0)()

    monkeypatch.setattr(waiting.Waiting, "__init__", _with(pause))
    return paused


def _with(pause: Callable[[float], None]) -> Callable[..., None]:
    made = waiting.Waiting.__init__

    def init(self: waiting.Waiting, limit_us: int, zone: str) -> None:
        made(self, limit_us, zone, pause)

    return init


def test_it_ends_with_a_yes_once_the_freeze_is_lifted(
    site: Site, monkeypatch: pytest.MonkeyPatch
) -> None:
    site.decided()
    site.frozen()
    paused = happens(monkeypatch, lambda: None, lambda: site.frozen("resume"))
    answer = site.clear("--wait", "10m")
    assert (answer.status, len(paused)) == (0, 2)
    assert answer.err.count("waiting for freeze: frozen on record since ") == 1, "said once"
    clear, follows = answer.out.splitlines()[-2:]
    assert clear == "demo.canary/entry in prod: clear"
    assert follows == "  next: rollout begin demo.canary --env prod --by NAME"


def test_each_change_of_what_it_waits_for_is_said(
    site: Site, monkeypatch: pytest.MonkeyPatch
) -> None:
    (site.project.root / "roles.yaml").write_text(ROLES)
    site.change("    owners: [sre]\n", "    owners: [sre]\n    signoff: [pm]\n")
    site.decided()
    happens(monkeypatch, site.frozen, lambda: site.frozen("resume"), site.tripped)
    answer = site.clear("--wait")
    assert answer.status == 11
    lines = answer.err.splitlines()
    assert [line.split(":")[0] for line in lines if line.startswith("waiting for")] == [
        "waiting for signatures pm",
        "waiting for freeze",
    ]
    assert lines[-1] == "waiting cannot help: trips"


def no_go(site: Site) -> None:
    site.decided(ready=FAIL)


def another_release(site: Site) -> None:
    site.decided()
    site.version = "v2"


def trip(site: Site) -> None:
    site.decided()
    site.tripped()


def never_asked(site: Site) -> None: ...


@pytest.mark.parametrize(
    ("lay", "why"),
    [(no_go, "decision"), (another_release, "release"), (trip, "trips"), (never_asked, "decision")],
)
def test_it_ends_at_once_where_time_brings_nothing(
    site: Site, monkeypatch: pytest.MonkeyPatch, lay: Callable[[Site], object], why: str
) -> None:
    lay(site)
    paused = happens(monkeypatch)
    answer = site.clear("--wait", "1h")
    assert (answer.status in (10, 11), paused) == (True, [])
    assert answer.err.splitlines()[-1] == f"waiting cannot help: {why}"


def test_a_killed_run_is_not_waited_for_but_one_that_runs_is(
    site: Site, monkeypatch: pytest.MonkeyPatch
) -> None:
    writer = site.writer("r1")
    writer.start()

    def ends() -> None:
        writer.checks()
        writer.seal()
        writer.decide()

    paused = happens(monkeypatch, writer.manifest, ends)
    answer = site.clear("--wait", "1h")
    assert (answer.status, len(paused)) == (0, 2), answer
    assert "waiting for decision: run r1 never finished" in answer.err


def test_its_time_is_bounded(site: Site) -> None:
    site.decided()
    site.frozen()
    answer = site.clear("--wait", "10ms")
    assert answer.status == 11
    assert answer.err.splitlines()[-1] == "waited as long as --wait says"
    assert site.clear("--wait", "soon").status == 4
    assert site.clear("--for", "-1m").status == 4


def test_a_watch_that_was_killed_leaves_its_guardrail_blind_until_a_reset(
    site: Site, monkeypatch: pytest.MonkeyPatch
) -> None:
    site.decided()
    watch = site.writer("w1")
    start = {
        **{"plans": {}, "gates": [], "partial": [], "drill": None, "configured": {}},
        **{"zone_data": "", "versions": {}},
        "watch": {"phase": "demo.canary", "series": ["lag"]},
    }
    watch.append(RecordKind.RUN, start)
    watch.identify("start")
    assert site.clear().status == 0, "it may still look"
    monkeypatch.setattr(blindness, "_LEAST_US", 0)
    monkeypatch.setattr(blindness, "_LOOKS_LATE", 0)
    answer = site.clear()
    assert answer.status == 11
    assert "no   blind: demo.canary.rail is blind, because its watch left holes" in answer.out
    assert "-> `rollout reset demo.canary.rail --env prod" in answer.out
    assert site.project.rollout(*RESET).status == 0
    assert site.clear().status == 0
