"""What the target really does where a report alone could say it: healthy, and with its fault."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from pathlib import Path

import pytest

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
