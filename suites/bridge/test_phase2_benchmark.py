"""The benchmark, its report and its guard; and the dashboard of thread health."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from pathlib import Path

import pytest

from pytest_rollout import Observe, Reported
from suites.bridge.checks.told import observe_each
from suites.bridge.scenarios.benchmarked import (
    NEED,
    POSTS,
    PROBES,
    READS,
    SLOW_S,
    TARGETS,
    UNITS,
    Benchmarked,
    Guarded,
    Ran,
)
from suites.bridge.scenarios.stuck import Stuck
from suites.bridge.views import papers
from suites.bridge.views.alerting import unknown
from suites.bridge.views.exposition import Scrape

pytestmark = pytest.mark.bridge_phase2

PANELS: Mapping[str, tuple[str, ...]] = {  # topic: the series that shows it
    "threads by state": ("threads",),
    "stuck threads": ("stuck_threads",),
    "escalations": ("escalations_total", "escalations_per_day"),
    "wake failures": ("wake_attempts_total",),
    "read latency": ("read_latency_seconds",),
    "posts": ("messages_posted_total", "messages_posted_per_minute"),
    "delivery failures": ("message_delivery_failures_total",),
    "loops": ("loop_detections_total",),
    "requests": ("http_requests_total",),
    "request durations": ("http_request_duration_seconds_sum",),
    "time to visibility": ("post_to_visible_seconds_bucket", "post_to_visible_seconds"),
    "time to wake": ("message_to_wake_seconds_bucket", "message_to_wake_seconds"),
}


@pytest.mark.criterion("benchmark-runner-runs")
def test_the_benchmark_runs_by_itself(benchmarked: Benchmarked) -> None:
    """What the bridge counted meanwhile is what the report says was posted and read."""
    assert benchmarked.there, benchmarked.ran.output
    assert benchmarked.ran.status == 0, f"it ends with {benchmarked.ran}"
    assert benchmarked.counted is not None
    assert benchmarked.report, "it wrote no report"
    said = Reported(benchmarked.report, "the report").inner("slis")
    posts = benchmarked.counted.rose("messages_posted_total")
    reads = benchmarked.counted.rose("message_reads_total")
    told = {name: said.inner(name).whole("n") for name in NEED}
    assert posts >= told["post_success"] + PROBES, f"{posts:g} posts were counted, {told} are told"
    assert told["post_success"] == POSTS, f"asked for {POSTS} posts it tells {told}"
    assert reads >= told["read_success"] >= READS, f"{reads:g} reads were counted, {told} are told"
    assert told["read_success"] < READS + 20 * PROBES, f"asked for {READS} reads it tells {told}"
    due = PROBES if benchmarked.failed is not None else told["message_to_wake"]  # of a rehearsal
    assert (told["post_to_visible"], told["message_to_wake"]) == (PROBES, due), f"it tells {told}"
    assert benchmarked.report["url"] == benchmarked.url, f"its url is {benchmarked.report['url']}"


@pytest.mark.criterion("benchmark-runner-runs")
def test_a_benchmark_that_cannot_measure_says_so(benchmarked: Benchmarked) -> None:
    due = {"nobody there": (1,), "without the secret": (1,), "an unknown flag": (1, 2)}
    for name, ran in benchmarked.wrong.items():
        assert ran.status in due[name], f"{name}: it ends with {ran.status}"
        assert ran.output.strip(), f"{name}: it does not say why"
        assert "Traceback" not in ran.output, f"{name}: it breaks: {ran.output[-80:]}"


@pytest.mark.criterion("threshold-guard-test")
def test_the_guard_says_which_target_is_missed(guarded: Guarded) -> None:
    """By its name; and 2 where it cannot read a report."""
    for name, (good, ran) in {**guarded.sides, **guarded.empty}.items():
        named = [sli for sli in NEED if sli in ran.output]
        due = [] if good else [sli for sli in NEED if name.startswith(sli)]
        assert named == due, f"of {name} it says {ran.output[:100]!r}"
    for name, ran in guarded.unusable.items():
        assert ran.status == 2, f"{name}: it ends with {ran.status}"
        assert ran.output.strip(), f"{name}: it does not say why"
        assert "Traceback" not in ran.output, f"{name}: it breaks: {ran.output[-80:]}"


@pytest.mark.criterion("benchmark-runner-runs")
def test_the_benchmark_sees_failures_and_delays(benchmarked: Benchmarked) -> None:
    """While some posts fail and the store is slow the report says so."""
    if benchmarked.failed is None:
        return  # nobody troubled the bridge, so there is nothing to be seen
    assert benchmarked.troubled, "while the bridge is troubled it writes no report"
    said = Reported(benchmarked.troubled, "the report of a troubled run").inner("slis")
    failed, counted = (
        said.inner("post_success").whole("failed"),
        benchmarked.failed.rose("message_post_failures_total"),
    )
    assert counted > 1, f"{counted:g} posts failed, so nothing is shown"
    assert counted - 1 <= failed <= counted, (  # a message to be woken for may be among them
        f"{failed} failed posts are told of, and {counted:g} failed"
    )
    quick = [
        sample for sample in said.inner("post_to_visible")["samples"] if float(sample) < SLOW_S
    ]
    assert not quick, f"with a store that takes {SLOW_S} s messages are said to show after {quick}"


@pytest.mark.criterion("slo-no-data-is-not-pass")
def test_too_few_samples_are_no_pass(
    guarded: Guarded, benchmarked: Benchmarked, baseline: Reported, observe: Observe
) -> None:
    """The guard says no to too few; the runner gives no value where it has too few."""
    problems = {name: answer_problem(*told) for name, told in guarded.empty.items()}
    short = Reported(benchmarked.report, "the report of a short run").inner("slis")
    for name, need in NEED.items():
        few = short.inner(name)
        problems[f"{name} of a short run"] = (
            f"{few['n']} samples gave {few['value']}"
            if few.whole("n") < need and few.get("value") is not None
            else ""
        )
        whole = baseline.inner("slis").inner(name)
        problems[f"{name} of the baseline"] = (
            "" if whole.whole("n") >= need else f"it has {whole['n']} samples of {need}"
        )
    observe_each(observe, "passed_without_data", problems)


@pytest.mark.criterion("threshold-guard-test")
def test_the_guard_says_no_beyond_each_target(guarded: Guarded, observe: Observe) -> None:
    problems = {name: answer_problem(*told) for name, told in guarded.sides.items()}
    observe_each(observe, "guard_wrong", problems)


def answer_problem(wanted: bool, ran: Ran) -> str:
    """What is wrong with an answer of the guard; 2 would say that it cannot read the report."""
    if ran.status not in (0, 1):
        return f"it ends with {ran.status}: {ran.output[:120]}"
    return "" if (ran.status == 0) == wanted else f"it ends with {ran.status}"


@pytest.mark.criterion("baseline-report-present")
def test_the_report_says_all(baseline: Reported, today: datetime, observe: Observe) -> None:
    """Each figure with its count, unit and target; each value computed again from its samples."""
    problems = {
        "generated_at": "" if baseline.moment("generated_at") <= today else "it is still to come",
        "revision": "" if baseline.text("revision").strip() else "it is empty",
    }
    for name in NEED:
        problems |= {f"{name} {part}": problem for part, problem in _figures(name, baseline)}
    observe_each(observe, "report_field_wrong", problems)


def _figures(name: str, baseline: Reported) -> list[tuple[str, str]]:
    slis = baseline.inner("slis")
    if name not in slis:
        return [("figure", "it is not in the report")]
    said = slis.inner(name)
    count = said.whole("n")
    if UNITS[name] == "ratio":
        value = (count - said.whole("failed")) / count if count else None
    else:
        samples = sorted(float(sample) for sample in said["samples"])
        value = samples[-(-95 * len(samples) // 100) - 1] if samples else None
        count = len(samples)
    told = said.number_or_none("value")
    right = value is None or (told is not None and abs(told - value) < 1e-6 + 0.01 * abs(value))
    return [
        ("value", "" if told is not None and right else f"it is {told}, by its samples {value}"),
        ("count", "" if count == said.whole("n") else f"{said['n']} are told, there are {count}"),
        ("unit", "" if said.text("unit") in (UNITS[name], "seconds") else f"it is {said['unit']}"),
        ("target", "" if said.number("target") == TARGETS[name] else f"it is {said['target']}"),
        ("need", "" if said.whole("need") == NEED[name] else f"it is {said['need']}"),
    ]


@pytest.mark.criterion("baseline-report-fresh")
def test_the_report_is_of_this_revision(
    baseline: Reported, revision: str, today: datetime, observe: Observe
) -> None:
    assert baseline.text("revision") == revision, (
        f"it is of revision {baseline.text('revision')}, and {revision} runs"
    )
    age = today - baseline.moment("generated_at")
    observe("report_age_h", age.total_seconds() / 3600)


@pytest.mark.criterion("dashboard-thread-health")
def test_the_dashboard_shows_thread_health(
    repository: Path, scraped: Scrape, stuck: Stuck, observe: Observe
) -> None:
    panels = papers.structured(repository, papers.DASHBOARD).each("panels")
    problems = {topic: panel_problem(topic, panels, scraped) for topic in PANELS}
    problems |= {f"panel {panel['title']}": _query_problem(panel, scraped) for panel in panels}
    titles = [panel.text("title") for panel in panels]
    problems["titles"] = "" if len(set(titles)) == len(titles) else "two panels have one title"
    if not problems["stuck threads"]:
        problems["stuck threads"] = stuck.problem()
    observe_each(observe, "panel_wrong", problems)


UNITS_OF = ("s", "ratio", "threads", "escalations", "triggers", "posts", "loops", "requests")


def _query_problem(panel: Reported, scraped: Scrape) -> str:
    """What is wrong with a panel's query: a name in it that nobody exports, or its unit."""
    if lost := unknown(panel.text("expr"), scraped):
        return f"in {panel['expr']!r} {lost!r} means nothing"
    if panel.text("unit") not in UNITS_OF:
        return f"its unit is {panel['unit']}"
    seconds = "_seconds" in panel.text("expr")
    return (
        "" if seconds == (panel["unit"] == "s") else f"{panel['expr']} is shown in {panel['unit']}"
    )


def panel_problem(topic: str, panels: tuple[Reported, ...], scraped: Scrape) -> str:
    """What is wrong with the panel of a topic; empty where its query is of an exported series."""
    apart = [problem for panel in panels if (problem := another_than_it_says(panel))]
    if apart:
        return apart[0]
    for panel in panels:
        named = papers.words(panel.text("expr"))
        right = [name for name in PANELS[topic] if name in named]
        if not right:
            continue
        if not panel.text("title").strip():
            return "it has no title"
        if topic == "wake failures" and "failed" not in panel.text("expr"):
            continue
        return "" if scraped.has(right[0]) else f"/metrics has no {right[0]}"
    return f"no panel shows {' or '.join(PANELS[topic])}"


SPEAKS_OF = {  # of a series, what the title of its panel says
    "threads": "thread",
    "stuck_threads": "stuck",
    "escalations": "escalation",
    "wake_attempts": "wake",
    "read_latency": "read",
    "messages_posted": "post",
    "message_delivery_failures": "deliver",
    "loop_detections": "loop",
    "http_requests": "request",
    "http_request_duration": "duration",
    "post_to_visible": "visible",
    "message_to_wake": "wake",
}


def another_than_it_says(panel: Reported) -> str:
    """Which panel shows something else than its title says; empty where it shows that."""
    title = panel.text("title").lower()
    named = papers.words(panel.text("expr"))
    wrong = [
        name
        for name in named
        for series, word in SPEAKS_OF.items()
        if name == series or name.startswith(f"{series}_")
        if word not in title
    ]
    return f"the panel {panel['title']!r} shows {wrong[0]}" if wrong else ""
