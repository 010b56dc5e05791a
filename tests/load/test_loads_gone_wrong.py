"""Loads that go wrong: each has a clear reason, and none is a GO."""

from __future__ import annotations

import pytest

from tests.load.loaded import (
    decided,
    kill,
    kill_worker,
    makers,
    once_begun,
    plan_of,
    shop,
    starve,
)
from tests.session.project import Project

pytestmark = pytest.mark.slow
ERROR = dict.fromkeys(("quick", "reliable", "steady"), "error")
HOLD, NO_GO = 11, 10


def wrong(project: Project, said: str, verdict: str = "error") -> str:
    """Run the phase; every criterion says the same of the load."""
    status, verdicts, reasons = decided(project)
    assert (status, set(verdicts.values())) == (HOLD, {verdict}), reasons
    assert all(said in reason for reason in reasons.values()), reasons
    assert makers(project) == []
    return reasons["quick"]


def test_locust_is_killed_in_the_middle(loaded: Project) -> None:
    loaded.change("duration: 2s", "duration: 20s", "suites/demo/rollout.yaml")
    with once_begun(loaded, kill):
        reason = wrong(loaded, "load small: the load broke off: locust was ended by SIGKILL")
    assert "did not run to its planned end: it was ended after" in reason


def test_a_worker_is_killed(loaded: Project) -> None:
    loaded.plan(plan_of(more="generators: {processes: 2}\nrehearsal: {duration: 4s}"))
    with once_begun(loaded, kill_worker):
        wrong(loaded, "was lost before the end")


def test_no_request_is_made(loaded: Project) -> None:
    loaded.change('self.client.get("/start", name="start")', "pass", "load/web.py")
    wrong(loaded, "load small: no request was made, though 80 arrivals started", "missing")


def test_the_target_is_down_from_the_start(loaded: Project) -> None:
    loaded.write("shop.py", shop(0, "dies"))
    status, verdicts, reasons = decided(loaded)
    assert (status, verdicts) == (NO_GO, {"quick": "error", "reliable": "fail", "steady": "fail"})
    assert "every request failed in every second: the target was not there" in reasons["quick"]
    assert "rate of load_failed was 100 %" in reasons["reliable"]


def test_the_target_dies_in_the_middle(loaded: Project) -> None:
    loaded.plan(plan_of(more="rehearsal: {duration: 4s}"))
    loaded.write("shop.py", shop(60, "dies"))
    status, verdicts, reasons = decided(loaded)
    assert (status, verdicts) == (NO_GO, {"quick": "error", "reliable": "fail", "steady": "fail"})
    assert "every request failed in the last" in reasons["quick"]


def test_the_generator_is_starved(loaded: Project) -> None:
    loaded.plan(plan_of(more="rehearsal: {duration: 3s}"))
    with once_begun(loaded, starve):
        reason = wrong(loaded, "1 in 100 arrivals started more than")
    assert "its machine has too much to do" in reason


def test_the_clock_is_set_back(loaded: Project) -> None:
    text = (loaded.root / "load/web.py").read_text(encoding="utf-8")
    loaded.write(
        "load/web.py",
        f"""\
import time

from pytest_rollout.load.generator import clock

asked = []
clock.wall = lambda: time.time() - (30 if len(asked) > 40 else 0)
{text}        asked.append(self)
""",
    )
    wrong(loaded, "was set by 30s while the load ran")


def test_too_few_answers_decide_nothing(loaded: Project) -> None:
    loaded.change("need: 20", "need: 81", "suites/demo/rollout.yaml")
    wrong(loaded, "load small: 80 answers after the warm-up, 81 are needed", "inconclusive")


@pytest.mark.parametrize(
    ("old", "new", "said"),
    [
        ("from locust import task", "from locust import tasc", "cannot import name 'tasc'"),
        ("class Visitor(LoadUser)", "class Visitor", "No User class found"),
        ("@task", "@tasc", "name 'tasc' is not defined"),
    ],
)
def test_a_locustfile_that_is_broken(loaded: Project, old: str, new: str, said: str) -> None:
    loaded.change(old, new, "load/web.py")
    wrong(loaded, said)


def test_no_locustfile(loaded: Project) -> None:
    (loaded.root / "load/web.py").unlink()
    wrong(loaded, "load small: there is no locustfile load/web.py")


def test_locust_is_not_installed(loaded: Project, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("pytest_rollout.extras.find_spec", lambda name: None)
    loaded.plan(
        plan_of(url="http://127.0.0.1:9").replace('serve: "shop:app"', 'url: "http://127.0.0.1:9"')
    )
    wrong(loaded, "locust is not installed: pip install 'pytest-rollout[load]'")
