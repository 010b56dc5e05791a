"""Day 7: the final report. What it says, who signed it, and where it stands."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Iterator
from datetime import date, datetime, timedelta

import pytest

from pytest_rollout import Observe, Stage
from suites.plms.scenarios.retro import Retro, git
from suites.plms.views import run_figures
from suites.plms.views.final_report import REPORT, Signature, Written, day_of, days_of, number
from suites.plms.views.portfolio import LANES, rows

pytestmark = pytest.mark.day7

LEAST = 0.0005  # half of the last digit that the report shows
ROLES = ("engineering", "operations", "pm")
GATES = tuple(f"day{number}" for number in range(7))
DAYS, LAST = 7, date(2025, 11, 14)
FIRST = (date(2025, 11, 7), date(2025, 11, 8))  # with day 0, or without it


@pytest.fixture(scope="module")
def written(retro_day: Retro) -> Written:
    """The report."""
    return Written.read(retro_day.release / REPORT)


@pytest.mark.criterion("report-exists")
def test_report_is_there(retro_day: Retro) -> None:
    assert (retro_day.release / REPORT).is_file(), f"there is no {REPORT}"


@pytest.mark.criterion("report-exists")
def test_report_is_one_of_this_rollout(written: Written) -> None:
    title = written.text.strip().split("\n", 1)[0]
    assert re.match(r"# .*PLMS Tier 1", title), f"the report is titled {title!r}"


# Header and summary


@pytest.mark.criterion("report-header")
@pytest.mark.parametrize("field", ["Date", "Version", "Status"])
def test_header_states(written: Written, field: str) -> None:
    assert field in written.header, f"the header has {', '.join(written.header)}, no {field}"


@pytest.mark.criterion("report-header")
def test_the_version_is_that_of_the_report(written: Written) -> None:
    told = written.header.get("Version", "")
    assert re.fullmatch(r"v?1\.0(\.0)?", told.strip()), f"the report is of version {told}, not 1.0"


@pytest.mark.criterion("report-header")
def test_the_date_is_that_of_the_retro(written: Written, phase: Stage) -> None:
    told, due = written.header.get("Date", ""), phase.window[0].date()
    assert day_of(told) == due, f"the report is dated {told}, the retro was on {due}"


@pytest.mark.criterion("report-executive-summary")
@pytest.mark.parametrize("field", ["Duration", "Projects Completed", "Incidents", "Uptime"])
def test_summary_states(written: Written, field: str) -> None:
    fields = written.fields("Executive Summary")
    assert field in fields, f"the summary has {', '.join(fields)}, no {field}"


@pytest.mark.criterion("report-executive-summary")
def test_the_duration_is_that_of_the_rollout(written: Written) -> None:
    told = written.fields("Executive Summary").get("Duration", "")
    days = re.search(r"(\d+) days?\b", told)
    assert days, f"the duration is {told!r}, without a number of days"
    assert int(days[1]) == DAYS, f"the duration is {told!r}, not {DAYS} days"
    spans = days_of(told)
    if spans:
        assert spans[0] in FIRST, f"the rollout is told to begin on {spans[0]}"
        assert spans[-1] == LAST, f"the rollout is told to end on {spans[-1]}, not on {LAST}"


# Figures


@pytest.mark.criterion("report-key-metrics-table")
@pytest.mark.parametrize("lane", LANES)
def test_metrics_have_a_row_of(written: Written, lane: str) -> None:
    of_lane = [row[1:] for row in written.table("Key Metrics") if row[0] == lane]
    listed = ", ".join(row[0] for row in written.table("Key Metrics"))
    assert len(of_lane) == 1, f"the table has rows of {listed}: {len(of_lane)} of {lane}"
    filled = [cell for cell in of_lane[0] if cell]
    assert len(filled) == 3, f"the row of {lane} is {', '.join(of_lane[0])}, not three figures"


@pytest.mark.criterion("report-figures-match-evidence")
def test_figures_are_those_of_the_evidence(
    retro_day: Retro, written: Written, observe: Observe
) -> None:
    wrong = []
    for what, told, computed in _figures(retro_day, written):
        differs = abs(told - computed) > LEAST
        observe("figure_mismatch", differs, what=what, told=told, found=computed)
        if differs:
            wrong.append(f"{what}: the report says {told:g}, the evidence {computed:.4g}")
    assert not wrong, "; ".join(wrong)


def _figures(retro: Retro, written: Written) -> Iterator[tuple[str, float, float]]:
    """Each figure of the report, with the same one computed again."""
    yield from _lane_figures(retro, written)
    done = {run["project_id"] for run in run_figures.completed(retro.registry)}
    days = {day: len(done & set(ids)) for day, ids in run_figures.DAYS.items()}
    summary = written.fields("Executive Summary")
    completed = summary.get("Projects Completed", "-1")
    yield "projects", number(completed), sum(days.values())
    for day, count in days.items():
        split = re.search(rf"{day} (\d+)", completed)
        yield day, float(split[1]) if split else -1.0, count
    probes = retro.operations["probes"]
    asked, answered = probes["asked"], probes["answered"]
    assert asked >= DAYS * 24, f"{asked} probes were made in {DAYS} days, less than one an hour"
    assert answered <= asked, f"{answered} of {asked} probes were answered"
    yield "uptime", number(summary.get("Uptime", "-100")) / 100, answered / asked
    if "Incidents" in summary:
        yield "incidents", number(summary["Incidents"]), _incidents(retro)


def _lane_figures(retro: Retro, written: Written) -> Iterator[tuple[str, float, float]]:
    stats = run_figures.lane_stats(retro.registry)
    for lane, *cells in written.table("Key Metrics"):
        assert lane in LANES, f"the report has a row of {lane}, which is no lane"
        for name, cell in zip(("error", "width", "pass_rate"), cells, strict=True):
            computed = stats.get(lane, {}).get(name)
            told = -1.0 if cell == "N/A" else number(cell) / (100 if "%" in cell else 1)
            yield f"{lane} {name}", told, -1.0 if computed is None else computed


def _incidents(retro: Retro) -> int:
    """Incidents on record, at least as many as nights on which the job found a violation."""
    bad = "SELECT 1 FROM invariant_runs WHERE trigger = 'timer' AND drill = 0 AND status <> 'OK'"
    nights = len(rows(retro.history, bad)) if retro.history.is_file() else 0
    return max(len(retro.operations["incidents"]), nights)


@pytest.mark.criterion("report-no-placeholders")
def test_no_placeholder_is_left(written: Written) -> None:
    placeholders = re.findall(r"\[[A-Z][A-Za-z ]*\]|_{3,}|\bTBD\b|\bTODO\b", written.text)
    assert not placeholders, f"placeholders are left: {', '.join(placeholders)}"
    empty = [role for role, who in written.fields("Sign-Off").items() if who.startswith(",")]
    assert not empty, f"nobody is named for {', '.join(empty)}"


@pytest.mark.criterion("report-status-matches-decision")
def test_status_is_that_of_the_gates(retro_day: Retro, written: Written) -> None:
    status, gates = written.header.get("Status"), retro_day.operations["gates"]
    unknown = [gate for gate in GATES if gate not in gates]
    assert not unknown, f"nobody says how {', '.join(unknown)} was decided"
    held = {gate: answer for gate, answer in gates.items() if answer != "GO"}
    expected = "Not approved" if held else "Production"
    told = None if status is None else re.sub(r"[^\w ]", "", status).strip()
    assert told in (expected, None), f"the status is {status}, gates not GO: {held or 'none'}"


# Signatures


def _signatures(written: Written) -> dict[str, str]:
    return {role.lower(): said for role, said in written.fields("Sign-Off").items()}


@pytest.mark.criterion("report-signoff-section")
@pytest.mark.parametrize("role", ROLES)
def test_role_signs_by_name(written: Written, role: str, phase: Stage) -> None:
    signed = _signatures(written)
    assert role in signed, f"the report is signed by {', '.join(signed)}, not by {role}"
    said = signed[role]
    signature = Signature.of(said)
    assert not signature.amiss, f"{role}: {signature.amiss}"
    assert signature.day, f"the signature of {role} has no date: {said!r}"
    written_on, today = day_of(written.header.get("Date", "")), phase.now().date()
    if written_on:
        early = f"{role} signed on {signature.day}, the report is of {written_on}"
        assert signature.day >= written_on, early
    assert signature.day <= today + timedelta(days=1), f"{role} signed on {signature.day}"
    if "[" not in said:  # a placeholder is told by another check
        assert re.match(r"\w+\W+\w+", signature.name), f"{role} is signed by {signature.name!r}"


@pytest.mark.criterion("report-signoff-section")
def test_nobody_signs_for_two_roles(written: Written) -> None:
    signed = {role: said for role, said in _signatures(written).items() if role in ROLES}
    names = [Signature.of(said).name for said in signed.values()]
    twice = sorted({name for name in names if names.count(name) > 1})
    assert not twice, f"more than one role is signed by {', '.join(twice)}"


@pytest.mark.criterion("report-signoff-section")
def test_what_was_signed_is_what_is_published(written: Written) -> None:
    told = written.fields("Sign-Off").get("Signed text", "")
    digest = re.search(r"\b[0-9a-f]{64}\b", told)
    assert digest, "the sign-off does not say which text was signed (- Signed text: sha256 …)"
    due = hashlib.sha256(written.signed_text.encode()).hexdigest()
    said = f"{digest[0][:12]}… was signed, the text above the signatures is {due[:12]}… now"
    assert digest[0] == due, said


# Where it stands


@pytest.mark.criterion("report-committed")
def test_report_is_committed(retro_day: Retro, phase: Stage) -> None:
    subject = git(retro_day.release, "log", "-1", "--format=%s", "--", REPORT).stdout.strip()
    assert subject.startswith("docs:"), f"the last commit of the report is {subject!r}, not docs:"
    left = git(retro_day.release, "status", "--porcelain", "--", REPORT).stdout.strip()
    assert not left, f"git says of the report: {left}"
    kept = git(retro_day.release, "show", f"HEAD:{REPORT}").stdout
    same = kept == (retro_day.release / REPORT).read_text(encoding="utf-8")
    assert same, "the committed report is not the one that stands in the checkout"
    made = git(retro_day.release, "log", "-1", "--format=%cI", "--", REPORT).stdout.strip()
    assert datetime.fromisoformat(made) >= phase.window[0], f"the report was committed {made}"


@pytest.mark.criterion("report-pushed")
def test_report_is_on_the_remote_main(retro_day: Retro) -> None:
    commit = git(retro_day.release, "log", "-1", "--format=%H", "--", REPORT).stdout.strip()
    assert commit, "no commit holds the report"
    listed = git(retro_day.release, "ls-remote", "origin", "refs/heads/main").stdout.split()
    assert listed, "the remote has no main"
    merged = git(retro_day.release, "merge-base", "--is-ancestor", commit, listed[0])
    assert merged.returncode == 0, f"main of the remote is at {listed[0][:12]}, without the report"
    published = git(retro_day.release, "show", f"{listed[0]}:{REPORT}").stdout
    same = published == (retro_day.release / REPORT).read_text(encoding="utf-8")
    assert same, "main of the remote has another report than the checkout"
