"""Done means done: what the days found still stands, and the figures of all runs are good."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

import pytest

from pytest_rollout import Observe, Stage, run_checker
from suites.plms.scenarios.follow_up import Published
from suites.plms.views import rollout_runs, run_figures
from suites.plms.views.answers import not_done
from suites.plms.views.checker import PLANTED, broken_copy
from suites.plms.views.final_report import REPORT, Signature
from suites.plms.views.host import ZONE, Host, git
from suites.plms.views.nights import left_out, nights

pytestmark = pytest.mark.done

_SIGNED = re.compile(
    r"^(?P<name>[A-Z][^\W\d_.]*(?:[ '-][^\W\d_]+\.?)+), (?P<word>\w+), (?P<date>\d{4}-\d\d-\d\d)$"
)
_NIGHTS = 3
_BLANK = re.compile(r"\b(?:tbd|todo|name|n/?a|none|nobody|somebody|xxx+)\b", re.IGNORECASE)


@pytest.mark.criterion("estimation-error")
@pytest.mark.parametrize("quantity", rollout_runs.QUANTITIES)
def test_mean_error_of_each_lane(registry: Path, observe: Observe, quantity: str) -> None:
    _demand_all(run_figures.finished(registry), rollout_runs.PROJECTS)
    for lane, runs in run_figures.by_lane(run_figures.completed(registry)).items():
        error = run_figures.mean([rollout_runs.error(run, quantity) for run in runs])
        assert error is not None, f"no run of {lane} has both an estimate and an actual"
        observe("lane_error", error, lane=lane, of=quantity, runs=len(runs))


@pytest.mark.criterion("ci-coverage")
def test_actuals_lie_within_their_intervals(registry: Path, observe: Observe) -> None:
    estimated = [
        run for run in run_figures.completed(registry) if run["tokens_ci_lower"] is not None
    ]
    _demand_all(estimated, rollout_runs.ESTIMATED)
    for run in estimated:
        contained = rollout_runs.contained(run)
        assert contained is not None, f"{run['run_id']} lacks an actual or the end of an interval"
        observe("contained", contained, run=run["run_id"])


@pytest.mark.criterion("kpi-pass-rate")
def test_runs_keep_their_kpis(registry: Path, observe: Observe) -> None:
    """Believed are values of receipts; what a run says of itself only where it is the worse."""
    finished = run_figures.finished(registry)
    _demand_all(finished, rollout_runs.PROJECTS)
    for run in finished:
        slips = rollout_runs.slips(registry, run)
        told = bool(run["validation_pass"])
        observe("kpi_passed", told and not slips, run=run["run_id"], why="; ".join(slips)[:200])
        day = next(
            (name for name, ids in run_figures.DAYS.items() if run["project_id"] in ids), "else"
        )
        completed = run["status"] == "completed"
        observe("project_completed", completed, project=run["project_id"], day=day)


def _demand_all(runs: list[rollout_runs.Run], projects: tuple[int, ...]) -> None:
    missing = rollout_runs.left_out(runs, projects)
    if missing:
        not_done(f"no such run of projects {missing} is in the registry", "see what became of them")


@pytest.mark.criterion("invariants-three-nights")
def test_nights_are_clean(phase: Stage, observe: Observe) -> None:
    counted = nights(phase.file("history"))
    if not counted:
        not_done("the timer never began a run at 02:00 in New York", "see why: systemctl status")
    for night in counted:
        said = ", ".join(night.problems) or "clean"
        observe("night_violated", bool(night.problems), at=night.ended, found=said)
    missing = [f"{night:%A %Y-%m-%d}" for night in left_out(counted, phase.now(), _NIGHTS)]
    assert not missing, (
        f"the timer began no run at 02:00 in New York on {' and on '.join(missing)}: "
        f"the last {_NIGHTS} nights must each have one"
    )


@pytest.mark.criterion("invariants-three-nights")
def test_checker_of_the_nights_finds_nothing_now_but_broken_rows(
    host: Host, tmp_path: Path
) -> None:
    """A night is worth what its checker sees: all is well now, and broken rows are noticed."""
    command = (host.checker, "--strict", "--json", "--db")
    now = run_checker([*command, host.registry])
    now.demand()
    broken = run_checker([*command, broken_copy(host.registry, tmp_path)])
    assert broken.violations >= PLANTED, (
        f"the checker counts {broken.violations} of {PLANTED} broken rows in a copy"
    )
    assert broken.problems, "the checker says OK of broken rows too"


@pytest.mark.criterion("lessons-learned")
def test_lessons_are_written_down(final_report: Published) -> None:
    lines = [line.strip(" -*\t") for line in final_report.report.lines("Lessons Learned")]
    said = [line for line in lines if len(line.split()) > 3 and not _BLANK.fullmatch(line)]
    assert said, f"the section on lessons says {lines or 'nothing'}: no sentence"


@pytest.mark.criterion("report-published")
def test_origin_has_the_report(final_report: Published) -> None:
    """Published is what others can read: the file on the remote's main is the one that is here."""
    here = git(final_report.release, "hash-object", REPORT)
    main = git(final_report.release, "ls-remote", "origin", "refs/heads/main").partition("\t")[0]
    assert main, "the origin has no branch main"
    listed = git(final_report.release, "ls-tree", main, REPORT).split()
    assert listed, f"main of the origin holds no {REPORT}"
    assert listed[2] == here, f"{REPORT} on the origin is another text than here"


# The signatures


def _signatures(final_report: Published) -> Iterator[tuple[str, str]]:
    """Role and signature, once for each line: a role that signs twice is seen twice."""
    for line in final_report.report.lines("Sign-Off"):
        role, separator, said = line.lstrip("- ").partition(": ")
        if separator:
            yield role.strip().casefold(), said.strip()


@pytest.mark.parametrize(
    "role",
    [
        pytest.param("engineering", marks=pytest.mark.criterion("signoff-engineering")),
        pytest.param("operations", marks=pytest.mark.criterion("signoff-operations")),
        pytest.param("pm", marks=pytest.mark.criterion("signoff-pm")),
    ],
)
def test_role_has_signed(final_report: Published, phase: Stage, role: str) -> None:
    said = [text for of, text in _signatures(final_report) if of == role]
    assert said, f"{role} has not signed"
    assert len(said) == 1, f"{role} stands {len(said)} times in the sign-off: {said}"
    signed = _SIGNED.match(said[0])
    why = Signature.of(said[0]).amiss or "not first and last name, word, date"
    assert signed, f"the signature of {role} is {said[0]!r}: {why}"
    assert not _BLANK.search(signed["name"]), f"{signed['name']!r} is no name"
    assert signed["word"] == "approved", f"{signed['name']} says {signed['word']!r}, not approved"
    due = f"{phase.window[0].astimezone(ZONE):%Y-%m-%d}"
    last = f"{max(phase.window[1], phase.now()).astimezone(ZONE):%Y-%m-%d}"
    assert due <= signed["date"] <= last, (
        f"{role} signed on {signed['date']}; the decision is of {due}, and today is {last}"
    )


@pytest.mark.criterion("signoff-engineering")
@pytest.mark.criterion("signoff-operations")
@pytest.mark.criterion("signoff-pm")
def test_those_who_signed_are_different_people(final_report: Published) -> None:
    people = [text.partition(",")[0].casefold() for _, text in _signatures(final_report)]
    twice = sorted({name for name in people if people.count(name) > 1})
    assert not twice, f"{', '.join(twice)} signed for more than one role"
