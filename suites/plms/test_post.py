"""After the rollout: report sent, logs archived, a week of figures, thresholds published."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import date, datetime
from pathlib import Path

import pytest

from pytest_rollout import Observe, archive_differences
from suites.plms.scenarios.failure_drill import mailbox
from suites.plms.scenarios.follow_up import After
from suites.plms.scenarios.live_week import Entry
from suites.plms.views import run_figures, thresholds
from suites.plms.views.answers import not_done
from suites.plms.views.host import LOGS_INSIDE, ZONE, git, unpacked
from suites.plms.views.tables import rows

pytestmark = pytest.mark.post

LANES = ("Code-API", "Data-Schema")
ERROR, WIDTH = 0.40, 0.60  # beyond these a lane is an outlier
DAY_8, FIRST, LAST = date(2025, 11, 15), date(2025, 11, 15), date(2025, 11, 21)
FIGURES = ("error", "width", "pass_rate")
ROUNDED = 0.005  # figures may be noted in whole percent


@pytest.mark.criterion("day8-report-sent")
def test_stakeholders_got_the_report(followed_up: After) -> None:
    assert followed_up.report, "there is no report in the release"
    mails = [message for message in followed_up.messages if message.service == "mail"]
    about = [mail for mail in mails if "rollout report" in str(mail.body.get("subject")).casefold()]
    if not about:
        not_done("no mail with the report is in the inbox", "send it, and keep what was sent there")
    whole = [mail for mail in about if _same(str(mail.body.get("text", "")), followed_up.report)]
    assert whole, "what was sent is not the report that stands in the release"
    days = {_local(mail.at) for mail in whole}
    to = mailbox(followed_up.host)
    boxes = {mail.channel for mail in whole}
    assert to in boxes, f"the report went to {', '.join(sorted(boxes))}, not to {to}"
    assert DAY_8 in days, f"the report was sent on {sorted(map(str, days))}, not on {DAY_8}"


def _same(here: str, there: str) -> bool:
    """Whether two texts say the same; how their lines end does not count."""
    texts = [[line.rstrip() for line in text.strip().splitlines()] for text in (here, there)]
    return texts[0] == texts[1]


@pytest.mark.criterion("day8-logs-archived")
def test_logs_are_archived(followed_up: After, observe: Observe) -> None:
    archives = _archives(followed_up)
    plain = [said for archive in archives if (said := unpacked(archive))]
    assert not plain, "; ".join(plain)
    observe("archived_files", len(archives))
    if archives:
        logs, newest = followed_up.host.logs, archives[-1]
        assert any(path.stat().st_size for path in logs.rglob("*") if path.is_file()), (
            "the rollout left no log that says anything"
        )
        written = datetime.fromtimestamp(newest.stat().st_mtime, ZONE)
        since = written if written < followed_up.window[1] else None
        differences = archive_differences(newest, logs, inside=LOGS_INSIDE, grown_after=since)
        assert not differences, "; ".join(differences)


def _archives(after: After) -> list[Path]:
    """The archives of the rollout's logs, the newest last."""
    archives = after.archives.glob("*.tar*") if after.archives.is_dir() else ()
    return sorted(archives, key=lambda path: path.stat().st_mtime)


# A week of figures


@pytest.mark.criterion("day14-metrics-reviewed")
@pytest.mark.parametrize("lane", LANES)
def test_a_week_has_figures_that_its_runs_bear_out(
    followed_up: After, lane: str, observe: Observe
) -> None:
    noted = {
        _local(note.at): note for note in followed_up.of("figures") if note.says["lane"] == lane
    }
    covered = [day for day in sorted(noted) if FIRST <= day <= LAST]
    for day in covered:
        told = _told(followed_up, lane, day, day)
        assert told, f"figures of {lane} are noted for {day}, and no run of it ended on that day"
        off = [
            f"{name} {noted[day].says[name]:.3f}, by its runs {told[name]:.3f}"
            for name in FIGURES
            if abs(noted[day].says[name] - told[name]) > ROUNDED
        ]
        assert not off, f"{lane} on {day}: {'; '.join(off)}"
    observe("days_covered", len(covered), lane=lane)


def _told(after: After, lane: str, first: date, last: date) -> dict[str, float]:
    """The figures of a lane's runs that ended from one day to another; none without a run."""
    ended = [
        run
        for run in run_figures.finished(after.host.registry)
        if run["lane_name"] == lane
        and run["completed_at"]
        and first <= _local(datetime.fromisoformat(run["completed_at"])) <= last
    ]
    done = [run for run in ended if run["status"] == "completed"]
    figures = {
        "error": run_figures.mean([run_figures.error(run) for run in done]),
        "width": run_figures.mean([run_figures.width(run) for run in done]),
        "pass_rate": run_figures.mean([float(bool(run["validation_pass"])) for run in ended]),
    }
    known = {name: value for name, value in figures.items() if value is not None}
    return known if len(known) == len(figures) else {}


def _local(moment: datetime) -> date:
    return moment.astimezone(ZONE).date()


@pytest.mark.criterion("day14-outlier-lanes-tuned")
def test_outliers_were_tuned(followed_up: After, observe: Observe) -> None:
    ran = {run["lane_name"] for run in run_figures.finished(followed_up.host.registry)}
    for lane in sorted(ran):
        told = _told(followed_up, lane, FIRST, LAST)
        if told:
            outlier = told["error"] > ERROR or told["width"] > WIDTH
            tuned = _in_force(followed_up, lane)
            observe("untuned_outlier", outlier and not tuned, lane=lane)


def _in_force(after: After, lane: str) -> bool:
    """Whether something was tuned for a lane and stands in the registry now."""
    registry = after.host.registry
    caps = rows(registry, "SELECT lane_name, max_concurrent FROM lane_configs")
    settings = rows(registry, "SELECT key, value FROM system_config")
    now = {f"cap of {row['lane_name']}": row["max_concurrent"] for row in caps}
    now |= {row["key"]: row["value"] for row in settings}
    return any(
        entry.says.get("before") != entry.says.get("after")
        and str(now.get(str(entry.says.get("what")))) == str(entry.says.get("after"))
        for entry in _of_lane(after.of("tuned"), lane)
    )


def _of_lane(entries: Iterable[Entry], lane: str) -> list[Entry]:
    return [entry for entry in entries if entry.says.get("lane") == lane]


@pytest.mark.criterion("day14-thresholds-published")
def test_thresholds_are_published(followed_up: After) -> None:
    checkout, file = followed_up.release, thresholds.FILE
    main = git(checkout, "ls-remote", "origin", "refs/heads/main").partition("\t")[0]
    assert main, "the origin has no main"
    assert git(checkout, "ls-tree", "--name-only", main, file), f"main of the origin lacks {file}"
    tuned = [entry.says for entry in followed_up.of("tuned") if "metric" in entry.says]
    stated, due = thresholds.published(git(checkout, "show", f"{main}:{file}")), thresholds.PLANNED
    lacking = sorted(due.keys() - stated.keys())
    assert not lacking, f"{file} states no limits of {', '.join(lacking)}"
    wanted = thresholds.expected(tuned)
    assert stated == wanted, f"{file} states {stated}; the plan and what was tuned say {wanted}"
    at = git(checkout, "log", "-1", "--format=%cI", main, "--", file)
    published = _local(datetime.fromisoformat(at))
    assert published >= LAST, f"{file} is of {published}, before the review of {LAST}"
