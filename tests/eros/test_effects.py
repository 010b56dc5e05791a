"""What the target really does where a report alone could say it: healthy, and with its fault."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from fixtures.eros.learning.behaviour import Reflecting
from fixtures.eros.learning.reflection import YES
from fixtures.eros.learning.site import Desk
from fixtures.eros.places import Places
from pytest_rollout.receivers import Mode, Receivers
from tests.eros.target import serving

MIDNIGHT = datetime(2026, 1, 5, tzinfo=UTC)


@pytest.mark.parametrize(("fault", "on_v5"), [("", False), ("jobs-keep-the-day", True)])
def test_jobs_after_a_switch_at_noon_are_for_v4(tmp_path: Path, fault: str, on_v5: bool) -> None:
    with serving(tmp_path / "target", fault, MIDNIGHT) as eros:
        eros.flags(ENABLED="true", CREATORS="alexia")
        eros.operate("days", count=0.55)
        assert {run["pipeline"] for run in eros.runs(creator="alexia")} == {"v5"}
        eros.flags(ENABLED="false")
        noon = eros.get("/reference/clock")["now"].replace("+00:00", "Z")
        eros.operate("days", count=0.5)
        later = eros.runs(since=noon, creator="alexia")
        assert later
        assert ("v5" in {run["pipeline"] for run in later}) is on_v5


@pytest.mark.parametrize(("fault", "plans"), [("", 3), ("v4-frozen-when-off", 1)])
def test_v4_plans_each_day_anew_while_v5_is_off(tmp_path: Path, fault: str, plans: int) -> None:
    with serving(tmp_path / "target", fault, MIDNIGHT) as eros:
        eros.flags(ENABLED="true")
        eros.post("/generate", creator="alexia")
        eros.flags(ENABLED="false")
        found = set()
        for _ in range(3):
            schedule = eros.post("/generate", creator="alexia")["schedule"]
            found.add(json.dumps([(item["at"][11:], item["kind"]) for item in schedule]))
            eros.operate("days", count=1)
        assert len(found) == plans


@pytest.mark.parametrize(
    ("fault", "slack", "pager", "alerted"),
    [
        ("", Mode.OK, Mode.OK, True),
        ("", Mode.REFUSE, Mode.OK, False),
        ("", Mode.OK, Mode.REFUSE, False),
        ("refusal-counts-as-told", Mode.REFUSE, Mode.REFUSE, True),
        ("one-channel-is-enough", Mode.REFUSE, Mode.OK, True),
        ("one-channel-is-enough", Mode.REFUSE, Mode.REFUSE, False),
    ],
)
def test_an_alert_is_told_once_its_channels_took_it(
    tmp_path: Path, fault: str, slack: Mode, pager: Mode, alerted: bool
) -> None:
    with Receivers() as ours, serving(tmp_path / "target", fault) as eros:
        ours.slack.mode, ours.pagerduty.mode = slack, pager
        file = eros.folder / "etc/alerting.json"
        to = json.loads(file.read_text(encoding="utf-8"))
        urls = {"SLACK_WEBHOOK_URL": ours.slack.url, "PD_EVENTS_URL": ours.pagerduty.url}
        file.write_text(json.dumps({**to, **urls}), encoding="utf-8")
        assert eros.post("/rollback", reason="a drill", by="tests")["alerted"] is alerted
        assert len(ours.messages()) == [slack, pager].count(Mode.OK)
        refused = 0 if fault == "refusal-counts-as-told" else [slack, pager].count(Mode.REFUSE)
        assert len(eros.logged("monitoring", "undelivered")) == refused


@pytest.mark.parametrize(("fault", "untold"), [("", 0), ("retry-untold", 45)])
def test_a_run_takes_as_long_as_it_lasts(tmp_path: Path, fault: str, untold: float) -> None:
    with serving(tmp_path / "target", fault) as eros:
        eros.flags(ENABLED="true", CREATORS="alexia")
        eros.serve(1, fails="hang-once")
        (run,) = eros.runs()
        began, ended = (datetime.fromisoformat(run[name]) for name in ("started", "ended"))
        assert (ended - began).total_seconds() - run["duration_s"] == pytest.approx(untold)


@pytest.mark.parametrize(("fault", "percentile"), [("", 400), ("slow-runs-dropped", 170)])
def test_a_slow_run_is_in_the_percentile(tmp_path: Path, fault: str, percentile: float) -> None:
    with serving(tmp_path / "target", fault) as eros:
        eros.flags(ENABLED="true", CREATORS="alexia")
        eros.serve(1, seconds=170)
        eros.serve(1, seconds=400)
        assert eros.get("/monitoring")["duration_s_p95"] == percentile


class Learning:
    """/reflect on a repository of its own, at a time that passes by hand."""

    def __init__(self, folder: Path, does: Reflecting) -> None:
        self.now = MIDNIGHT + timedelta(hours=10)
        places = Places(folder)
        places.make()
        self.desk = Desk(places, lambda: self.now, does)
        self.desk.begin_empty(folder / "bin/reflect", identity=True)
        self.reflect = self.desk.reflect

    def session(self, name: str, *says: str) -> None:
        """A validation with these findings, and the session's end."""
        found = [{"rule": "advice", "says": text} for text in says]
        event = {"session": name, "creator": "alexia", "findings": found}
        self.reflect.hook("validation", [event])
        self.reflect.hook("session-end", [event])

    @property
    def learnt(self) -> list[str]:
        """The texts that stand in the file."""
        return [entry.text for entry in self.reflect.book.entries]


@pytest.mark.parametrize(
    ("asked", "learnt"), [(True, ["First"]), (False, ["First", "Second"])], ids=["", "remembered"]
)
def test_a_yes_is_one_to_its_own_proposal(tmp_path: Path, asked: bool, learnt: list[str]) -> None:
    learning = Learning(tmp_path / "desk", Reflecting(each_asked=asked))
    learning.reflect.set_auto(on=True, by="Olga")
    learning.session("one", "First")
    assert learning.learnt == []
    learning.reflect.reflect("one", lambda _: YES, "Olga")
    learning.session("two", "Second")
    assert learning.learnt == learnt


@pytest.mark.parametrize("lasts", [True, False])
def test_off_lasts_past_midnight(tmp_path: Path, lasts: bool) -> None:
    learning = Learning(tmp_path / "desk", Reflecting(off_lasts=lasts))
    learning.reflect.set_auto(on=True, by="Olga")
    learning.reflect.set_auto(on=False, by="Olga")
    learning.session("the same day", "First")
    assert not learning.reflect.memory.auto
    learning.now += timedelta(days=1)
    learning.session("the day after", "Second")
    assert learning.reflect.memory.auto is not lasts


@pytest.mark.parametrize(("each", "signals"), [(True, [0, 1, 2, 3]), (False, [0, 1, 1, 1])])
def test_each_finding_is_a_signal(tmp_path: Path, each: bool, signals: list[int]) -> None:
    learning = Learning(tmp_path / "desk", Reflecting(each_finding=each))
    found = []
    for count in range(4):
        learning.session(f"{count}", *(f"{count}.{number}" for number in range(count)))
        found.append(len(learning.reflect.memory.open_signals(f"{count}")))
    assert found == signals
