"""Day 1 of Phase 7: what must stand before it, and that feedback is captured on it."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime, timedelta
from pathlib import Path

import pytest

from pytest_rollout import NoValueError, Observe, Reported, Stage
from suites.eros.scenarios.learning import Before, FirstDay
from suites.eros.scenarios.learning_sandbox import MEASURED, Figured, Hooked, clone
from suites.eros.scenarios.learning_told import TOLD
from suites.eros.views.contract import demand_answer, demand_lines
from suites.eros.views.learning_conditions import held_at
from suites.eros.views.learning_history import Version, changes, git, ran
from suites.eros.views.learning_log import LEARNING, happened
from suites.eros.views.learnings import FIGURES, FILE, figures, parsed

pytestmark = [pytest.mark.learning_day1, pytest.mark.learning]

DOCUMENTS = {  # and words that each must hold
    "doc-protocol": (
        "docs/SELF_IMPROVING_SKILLS.md",
        ("HIGH", "MEDIUM", "LOW", "validation", "user", "performance", "confirm"),
    ),
    "doc-runbook": ("docs/RUNBOOK.md", ("Section 9",)),
    "doc-learnings": (FILE, ("## HIGH", "## MEDIUM", "## LOW")),
    "doc-command": (
        "commands/reflect.md",
        ("/reflect on", "/reflect off", "/reflect status", "min_signals", "require_confirmation"),
    ),
}
BLOCKS = {**FIGURES, "last_7_days": ("added", "promoted", "deprecated")}
ANY_PROGRAM = re.compile(r"PATH|HOME|LANG|LC_\w+|TZ|PYTHON\w*|GIT_\w+")
FLAGS = re.compile(r"EROS_V5_(ENABLED|SHADOW_MODE|PERCENTAGE|CREATORS|AUTO_FALLBACK)")
MOVES = ("at", "captured")  # fields of the status that differ between two looks


# Entry: may Phase 7 begin?


@pytest.mark.criterion("prereq-cutover-complete")
def test_every_creator_is_served_by_v5(before_learning: Before) -> None:
    decided = before_learning.decisions
    left = sorted(creator for creator, pipeline in decided.items() if pipeline != "v5")
    assert not left, f"{len(left)} of {len(decided)} names are not routed to v5, as {left[0]}"
    served = before_learning.served
    unlike = {name: sorted(by) for name, by in served.items() if by != {"v5"}}
    assert not unlike, f"in the last day these were not served by v5 alone: {unlike}"


@pytest.mark.criterion("prereq-7d-stable")
def test_seven_days_had_no_rollback(before_learning: Before, observe: Observe) -> None:
    now = before_learning.now
    if not any(before_learning.ran_on):
        raise NoValueError("nothing ran in the seven days, so they show nothing")
    for ago, runs in enumerate(before_learning.ran_on):
        end = now - timedelta(days=ago)
        back = [at for at in before_learning.rollbacks if end - timedelta(days=1) <= at < end]
        if runs or back:  # a day on which nothing ran shows nothing
            observe("rollback_on_day", bool(back), at=end)


@pytest.mark.criterion("prereq-learnings-file")
def test_learnings_have_their_structure(before_learning: Before) -> None:
    path = before_learning.repository / FILE
    assert path.is_file(), f"the repository has no {FILE}"
    file = parsed(path.read_text(encoding="utf-8"))
    assert not file.problems, f"{FILE}: {'; '.join(file.problems)}"
    wrong = [f"{name}: {said}" for name, said in file.mismatches.items() if said]
    assert not wrong, f"{FILE}: {'; '.join(wrong)}"


@pytest.mark.criterion("prereq-reflect-available")
def test_reflect_can_be_called(before_learning: Before) -> None:
    done = before_learning.status
    assert done.status == 0, f"/reflect status ended with {done.status}: {done.errors.strip()}"
    assert done.text.strip(), "/reflect status says nothing"


@pytest.mark.criterion("prereq-git")
def test_a_learning_can_be_committed(before_learning: Before, phase: Stage, tmp_path: Path) -> None:
    """In a clone, with the settings of the repository and no others that would make up for them."""
    copy = clone(before_learning.repository, tmp_path)
    if not (copy / FILE).is_file():
        raise NoValueError(f"the repository has no {FILE} to commit a change of")
    with (copy / FILE).open("a", encoding="utf-8") as file:
        file.write("\na line\n")
    # Who commits in production may have an identity of their own; a rehearsal has the target's.
    alone = {"GIT_CONFIG_GLOBAL": "/dev/null", "GIT_CONFIG_NOSYSTEM": "1"} if phase.embedded else {}
    head = git(copy, "rev-parse", "HEAD")
    words = ("-c", "user.useConfigOnly=true", "commit", "--quiet", "--message", "reflect: a trial")
    done = ran(copy, *words, FILE, **alone)
    assert done.returncode == 0, f"git commit: {' '.join(done.stderr.split())}"
    assert git(copy, "rev-parse", "HEAD^") == head, "git says that it committed, and did not"


@pytest.mark.criterion("prereq-hooks")
def test_hook_of_the_validation_makes_signals(
    hooks_tried: Sequence[Hooked], observe: Observe
) -> None:
    for tried in hooks_tried:
        said = [signal.text("says") for signal in tried.signals]
        for finding in tried.found:
            observe("signals_per_finding", said.count(finding))
        sources = {signal.text("source") for signal in tried.signals}
        assert sources <= {"validation"}, f"findings of the validation became signals of {sources}"
        assert sorted(said) == sorted(tried.found), (
            f"a validation found {list(tried.found)}; its signals are {said}"
        )


# Exit: is feedback captured?


@pytest.mark.criterion("no-new-env")
def test_no_other_variable_is_read(first_day: FirstDay, observe: Observe) -> None:
    read = {line.text("variable") for line in happened(first_day.log, "environment")}
    for name in sorted(read):
        known = FLAGS.fullmatch(name) or ANY_PROGRAM.fullmatch(name)
        observe("new_variable_read", not known, variable=name)
    full, bare = (_lasting(done.said()) for done in (first_day.after, first_day.bare))
    assert full == bare, f"with the flags alone the status is {bare}, else it is {full}"


def _lasting(status: Reported) -> dict[str, object]:
    return {name: value for name, value in status.items() if name not in MOVES}


@pytest.mark.criterion("active-with-v1")
def test_capture_is_on_without_being_switched_on(first_day: FirstDay) -> None:
    before, after = first_day.before.said(), first_day.after.said()
    assert before.flag("active"), "the status says that no signals are captured"
    switched = [setting.text("setting") for setting in happened(first_day.log, "setting")]
    assert not switched, f"somebody set {', '.join(switched)} before"
    grown = after.whole("captured") - before.whole("captured")
    left = [
        signal
        for signal in happened(first_day.log, "signal")
        if signal.text("session") in first_day.sessions.values()
    ]
    assert grown == len(left), f"the status counts {grown} new signals, the log has {len(left)}"
    assert grown >= 7, f"six findings and a correction made {grown} signals"


@pytest.mark.criterion("step1-validation-signals")
def test_a_finding_becomes_a_signal(first_day: FirstDay, observe: Observe) -> None:
    demand_lines(LEARNING, first_day.log)
    clean = first_day.findings["clean"]
    assert not clean, f"a schedule of the service has findings: {clean[0]}"
    for tried, least in (("overlapping", 1), ("two rules", 2), ("three rules", 3)):
        findings = first_day.findings[tried]
        assert len(findings) >= least, f"{tried}: the validation finds {len(findings)} things wrong"
        signals = first_day.signals(tried, "validation")
        observe("signals_from_validation", len(signals))
        said, due = ([report.text("says") for report in part] for part in (signals, findings))
        assert sorted(said) == sorted(due), f"the findings are {due}, the signals {said}"
    assert not first_day.signals("clean", "validation"), "a clean schedule became a signal"


@pytest.mark.criterion("step1-user-corrections")
def test_a_correction_becomes_a_signal(first_day: FirstDay, observe: Observe) -> None:
    tries = ("corrected", "unchanged")
    refused = {name: first_day.statuses[name] for name in tries if first_day.statuses[name] != 202}
    assert not refused, f"POST /corrections answers with {refused}"
    signals = first_day.signals("corrected", "user")
    observe("correction_undetected", not signals)
    said = [signal.text("says") for signal in signals]
    assert said in ([], [first_day.corrected]), f"{first_day.corrected!r} became {said}"
    assert not first_day.signals("unchanged", "user"), "what was saved unchanged became a signal"


@pytest.mark.criterion("step1-status-active")
def test_status_says_that_it_is_active(first_day: FirstDay) -> None:
    said = first_day.words.demand().text
    assert re.search(r"signal detection:? (is )?active\b", said), f"the status says {said!r:.200}"
    assert first_day.after.said().flag("active"), "the status has active: false"


@pytest.mark.criterion("step1-status-active")
def test_each_kind_of_feedback_is_taken(first_day: FirstDay) -> None:
    refused = {name: first_day.statuses[name] for name in TOLD if first_day.statuses[name] != 202}
    assert not refused, f"what agents and users told was answered with {refused}"
    signals = happened(first_day.log, "signal")
    for tried, due in (("measured", ["performance"]), ("corrected", ["user"]), ("unchanged", [])):
        mine = [signal for signal in signals if signal["session"] == first_day.sessions[tried]]
        became = [(signal.text("source"), signal.text("says")) for signal in mine]
        wanted = [(source, first_day.corrected) for source in due]
        assert became == wanted, f"what was {tried} became {became}, not {wanted}"
    ended = [end.text("session") for end in happened(first_day.log, "session-end")]
    assert first_day.sessions["ended"] in ended, "the log does not know that a session ended"
    assert not first_day.unrefused, "; ".join(first_day.unrefused)
    odd = [
        line["says"] for line in first_day.log if line.get("session") == first_day.sessions["odd"]
    ]
    assert not odd, f"what was refused became a signal: {odd}"


@pytest.mark.criterion("status-format")
def test_status_has_its_nine_figures(first_day: FirstDay, observe: Observe) -> None:
    text, said = first_day.words.demand().text, first_day.after.said()
    demand_answer("status", said)
    words = {block: _in_words(text, block) for block in BLOCKS}
    for block, names in BLOCKS.items():
        shown = said.get(block)
        shown = shown if isinstance(shown, Mapping) else {}
        for name in names:
            observe("status_figure_missing", name not in words[block], form="words", figure=name)
            observe("status_figure_missing", name not in shown, form="json", figure=name)
        assert words[block] == dict(shown), f"{block} is {words[block]} in words, {shown} in JSON"
    due = _due(first_day.history, said.moment("at"))
    wrong = [f"{block} is {said.get(block)}, not {due[block]}" for block in _unlike(said, due)]
    assert not wrong, f"by {FILE} and its history {'; '.join(wrong)}"


@pytest.mark.criterion("status-format")
def test_figures_are_those_of_what_came_rose_and_went(figured: Figured) -> None:
    came = {change.learning.text for change in changes(figured.history) if change.kind == "added"}
    missed = [what for what, due in MEASURED.items() if (f"Measured: {what}" in came) != due]
    assert not missed, f"100 was expected, and of {missed} something else was learnt than is due"
    for said, text in figured.looks:
        demand_answer("status", said)
        due = _due(figured.history, said.moment("at"))
        wrong = [f"{block} is {said.get(block)}, not {due[block]}" for block in _unlike(said, due)]
        assert not wrong, f"by the history of the file {'; '.join(wrong)}"
        words = {block: _in_words(text, block) for block in BLOCKS}
        assert words == due, f"in words the status says {words}, not {due}"
        given = sorted(warning.text("id") for warning in said.each("warnings"))
        warned = sorted(held_at(figured.history, said.moment("at")))
        assert given == warned, f"at {said['at']} it warns of {given}, not of {warned}"
        captured = said.whole("captured")
        felt = sum(signal.moment("at") <= said.moment("at") for signal in figured.signals)
        assert captured == felt, f"it counts {captured} signals, the log has {felt}"
        assert not said.flag("auto"), "it says that auto is on, and nobody switched it on"
        unsaid = [
            warning["id"] for warning in said.each("warnings") if warning.text("says") not in text
        ]
        assert not unsaid, f"in words the status does not warn of {', '.join(map(str, unsaid))}"
        lines = [line for line in figured.log if line.inner("answered") == said]
        assert lines, f"the log has no line of the status of {said['at']}"
        assert lines[0].text("by") == "suite", f"by the log {lines[0]['by']} looked, not suite"


def _due(history: Sequence[Version], at: datetime) -> dict[str, dict[str, int]]:
    """The figures of a status at a moment, by the versions of the file until then."""
    versions = [version for version in history if version.at <= at]
    young = [change for change in changes(versions) if change.version.at > at - timedelta(days=7)]
    lately = {name: sum(change.kind == name for change in young) for name in BLOCKS["last_7_days"]}
    return {**versions[-1].file.counted, "last_7_days": lately}


def _in_words(text: str, block: str) -> dict[str, int]:
    match = re.search(rf"^{block}: \{{(.*)\}}", text, re.MULTILINE)
    return figures(match[1]) if match else {}


def _unlike(said: Reported, due: Mapping[str, Mapping[str, int]]) -> Iterator[str]:
    yield from (block for block, figures_ in due.items() if dict(said.get(block) or {}) != figures_)


@pytest.mark.parametrize(
    "document", [pytest.param(name, marks=pytest.mark.criterion(name)) for name in DOCUMENTS]
)
def test_document_is_committed(before_learning: Before, document: str) -> None:
    path, words = DOCUMENTS[document]
    repository = before_learning.repository
    file = repository / path
    assert file.is_file(), f"the repository has no {path}"
    text = file.read_text(encoding="utf-8")
    assert text.strip(), f"{path} is empty"
    assert ran(repository, "cat-file", "-e", f"HEAD:{path}").returncode == 0, (
        f"{path} is not committed"
    )
    assert git(repository, "show", f"HEAD:{path}") == text, f"{path} is not as it was committed"
    lacking = [word for word in words if word.casefold() not in text.casefold()]
    assert not lacking, f"{path} says nothing of {', '.join(lacking)}"
