"""Results of other tools as evidence: what they satisfy, and everything that they do not."""

from __future__ import annotations

import gzip
import json
import re
import time
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path

import pytest

from pytest_rollout.evidence.bodies import StoredEvent
from pytest_rollout.evidence.ledger import Draft
from pytest_rollout.model.decision import Decision
from pytest_rollout.model.finding import Finding
from tests.cli.conftest import Answer, Project
from tests.evidence.runs import ENTRY, EXIT, Writer, tamper
from tests.targets.test_identity import answering, saying
from tests.words import because

PLAN = """\
plan: demo
title: A demo
release: {target: api, path: /version, json: version}
environments:
  embedded: {targets: {api: {serve: "app:app"}}}
  prod: {targets: {api: "URL"}, max_age: 24h}
  lab: {targets: {api: "URL"}}
phases:
  - id: canary
    owners: [sre]
    criteria:
      - {id: ready, gate: entry, kind: operational, says: The target is ready}
      - {id: works, kind: demo, says: It works}
      - {id: errors, kind: slo, says: No request fails, metric: errors, take: max, pass: "<= 0",
         need: 2}
ASKED
"""
LOAD = """\
      - {id: fast, kind: load, says: It is fast, metric: load_service_time, take: p95,
         where: {endpoint: start}, pass: "< 200ms",
         ingest: {load: checkout, lasts: 30s, need: 50, rate: 2/s}}
"""
CASES = """\
      - {id: contract, kind: demo, says: The contract holds,
         ingest: {junit: api, cases: ["api.Contract.*"], need: 2}}
"""
THRESHOLDS = """\
      - {id: limits, kind: load, says: k6 crossed nothing,
         ingest: {load: checkout, cases: ["*"], need: 1, lasts: 1s}}
"""
SAMPLES = Path(__file__).parents[1] / "load" / "results"
HEAD = "timeStamp,elapsed,label,responseCode,responseMessage,threadName,success\n"
LONG_AGO_US = 1_000_000_000_000_000
BY = ("--by", "A. Person", "--env", "prod")


@pytest.fixture(scope="module")
def url() -> Iterator[str]:
    with answering(saying('{"version": "v1"}')) as found:
        yield found


@pytest.fixture
def asking(project: Project, url: str) -> Callable[[str], Project]:
    """The project, with criteria that ask for files."""

    def asks(criteria: str) -> Project:
        project.plan.write_text(PLAN.replace("URL", url).replace("ASKED\n", criteria))
        with project.ledger() as ledger:
            for environment in ("prod", "lab"):
                began = StoredEvent(type="begin", t_us=LONG_AGO_US)
                ledger.append(Draft(began, "", "demo", "demo.canary", environment))
        return project

    return asks


def ago(seconds: float) -> int:
    """Milliseconds since the epoch, so long ago."""
    return int((time.time() - seconds) * 1000)


def jtl(folder: Path, *, took: int = 100, n: int = 100, begun: float = 120, every: int = 500,
        failed: int = 0, name: str = "results.jtl") -> Path:  # fmt: skip
    """A file of JMeter with so many requests."""
    first = ago(begun)
    rows = (
        f"{first + i * every},{took},start,200,OK,T 1-1,{'false' if i < failed else 'true'}\n"
        for i in range(n)
    )
    path = folder / name
    path.write_text(HEAD + "".join(rows))
    return path


def bring(project: Project, file: Path, *more: str, kind: str = "load") -> Answer:
    where = () if "--env" in more else BY
    return project.rollout("ingest", kind, str(file), "--phase", "demo.canary", *where, *more)


def run(project: Project, name: str = "r1", release: str = "v1", env: str = "prod") -> Decision:
    """The exit's decision by a whole run."""
    with project.ledger() as ledger:
        text, now = project.plan.read_text(), time.time_ns() // 1000 - 3_000_000
        one = Writer(ledger, name, env, text, gates=(ENTRY, EXIT), release=release)
        return one.good(t_us=now).decisions[1]


def of(decision: Decision, slug: str) -> Finding:
    return next(one for one in decision.criteria if one.id == f"demo.canary.{slug}")


def found(project: Project, slug: str, **how: str) -> tuple[str, str]:
    """The verdict on a criterion of a new run, and why."""
    finding = of(run(project, f"r{time.time_ns()}", **how), slug)
    return finding.verdict.value, because(finding)


SAID = ("--release", "v1")


def test_a_file_is_evidence_of_its_phase_environment_and_release(
    asking: Callable[[str], Project],
) -> None:
    project = asking(LOAD)
    answer = bring(project, jtl(project.root), *SAID)
    assert answer.status == 0, answer.err
    assert "results.jtl: JMeter JTL (CSV), 100 requests in 49.6 s" in answer.out
    assert "it does not say how late arrivals started" in answer.out
    decision = run(project)
    assert decision.answer.value == "GO"
    assert of(decision, "fast").samples == 100
    explained = project.rollout("explain", "demo.canary.fast", "--env", "prod").out
    assert "brought by A. Person" in explained
    assert "a file of load `checkout` is brought; the load lasts 30s at least" in explained
    assert "over 100 samples in the file" in explained
    assert project.rollout("verify").status == 0
    assert project.rollout("decide", "demo.canary", "--env", "prod").status == 0


def test_without_a_file_nothing_is_satisfied(asking: Callable[[str], Project]) -> None:
    project = asking(LOAD)
    decision = run(project)
    assert decision.answer.value == "HOLD"
    assert "no file was brought" in because(of(decision, "fast"))
    explained = project.rollout("explain", "demo.canary.fast", "--env", "prod").out
    assert "rollout ingest load FILE --phase demo.canary --env prod" in explained


def test_a_slow_one_fails(asking: Callable[[str], Project]) -> None:
    project = asking(LOAD)
    assert bring(project, jtl(project.root, took=300), *SAID).status == 0
    assert run(project).answer.value == "NO-GO"


def test_a_file_of_another_release_satisfies_nothing(asking: Callable[[str], Project]) -> None:
    project = asking(LOAD)
    bring(project, jtl(project.root), "--release", "v0")
    assert found(project, "fast") == (
        "missing",
        "load checkout: brought of v0, not of v1",
    )


def test_a_file_of_another_environment_satisfies_nothing(asking: Callable[[str], Project]) -> None:
    project = asking(LOAD)
    bring(project, jtl(project.root), *SAID, "--env", "lab", "--by", "A")
    assert found(project, "fast")[0] == "missing"
    assert found(project, "fast", env="lab")[0] == "pass"


def test_a_rehearsal_reads_no_file_and_takes_none(asking: Callable[[str], Project]) -> None:
    project = asking(LOAD)
    bring(project, jtl(project.root), *SAID)
    verdict, why = found(project, "fast", env="embedded")
    assert verdict == "missing"
    assert "stand-in" in why
    answer = bring(project, jtl(project.root), *SAID, "--env", "embedded", "--by", "A")
    assert (answer.status, "attestations.embedded.yaml" in answer.err) == (4, True)


def test_the_same_file_is_brought_once_and_never_as_of_two_releases(
    asking: Callable[[str], Project],
) -> None:
    project = asking(LOAD)
    file = jtl(project.root)
    first = bring(project, file, *SAID, "--json").json
    again = bring(project, file, *SAID, "--json").json
    assert (first["run"], first["recorded"]) == (again["run"], True)
    assert not again["recorded"]
    assert of(run(project), "fast").samples == 100
    other = bring(project, file, "--release", "v2")
    assert (other.status, "was brought as of v1 in prod" in other.err) == (4, True)
    elsewhere = bring(project, file, *SAID, "--env", "lab", "--by", "A")
    assert (elsewhere.status, "was brought as of v1 in prod" in elsewhere.err) == (4, True)


REWRITTEN: Mapping[str, Callable[[bytes], bytes]] = {
    "packed": lambda content: gzip.compress(content, mtime=0),
    "spaced": lambda content: content + b"\n",
    "of Windows": lambda content: content.replace(b"\n", b"\r\n"),
    "marked": lambda content: b"\xef\xbb\xbf" + content,
}


@pytest.mark.parametrize("how", REWRITTEN)
def test_other_bytes_of_the_same_file_are_the_same(
    asking: Callable[[str], Project], how: str
) -> None:
    project = asking(LOAD)
    file, other = jtl(project.root), project.root / "other.jtl"
    assert bring(project, file, *SAID).status == 0
    other.write_bytes(REWRITTEN[how](file.read_bytes()))
    answer = bring(project, other, "--release", "v2")
    assert (answer.status, "was brought as of v1 in prod" in answer.err) == (4, True)
    other.write_bytes(file.read_bytes().replace(b",100,start", b",101,start", 1))
    assert bring(project, other, "--release", "v2").status == 0


def test_one_file_for_two_environments_of_two_ledgers_is_of_neither(
    asking: Callable[[str], Project],
) -> None:
    project = asking(LOAD)
    elsewhere, file = project.root / "other.db", jtl(project.root)
    assert bring(project, file, *SAID).status == 0
    packed = project.root / "packed.jtl.gz"
    packed.write_bytes(gzip.compress(file.read_bytes()))
    more = ("--env", "lab", "--by", "A", "--ledger", str(elsewhere))
    assert bring(project, packed, *SAID, *more).status == 0
    assert found(project, "fast")[0] == "pass"
    assert project.rollout("merge", str(elsewhere)).status == 0
    for environment in ("prod", "lab"):
        verdict, why = found(project, "fast", env=environment)
        assert verdict == "error"
        assert "was brought for lab and for prod" in why
    assert project.rollout("verify").status == 0


def test_a_file_is_worth_nothing_beside_what_tests_saw(asking: Callable[[str], Project]) -> None:
    """A criterion that asks for no file never reads one: its rule sees its own run."""
    other = '      - {id: own, kind: load, metric: load_service_time, take: p95, pass: "< 200ms",\n'
    other += "         over: [{span: 24h}]}\n"
    project = asking(LOAD + other)
    bring(project, jtl(project.root), *SAID)
    own = of(run(project), "own")
    assert (own.verdict.value, own.samples) == ("missing", 0)


@pytest.mark.parametrize(
    ("how", "verdict", "why"),
    [
        ({"n": 10, "every": 5000}, "error", "0.2217 arrivals a second, and 2 are asked"),
        ({"n": 40, "every": 500}, "error", "the load lasted 19.6s of 30s: it was cut off"),
        ({"n": 0}, "error", "it holds no request"),
        ({"begun": 90_000}, "missing", "longer ago than max_age allows"),
    ],
)
def test_a_file_that_offered_less_or_is_old(
    asking: Callable[[str], Project], how: dict[str, int], verdict: str, why: str
) -> None:
    project = asking(LOAD)
    file = jtl(project.root, **how)  # type: ignore[arg-type]
    times = ("--ended", "2026-01-01T00:00:00Z") if how.get("n") == 0 else ()
    bring(project, file, *SAID, *times)
    told = found(project, "fast")
    assert told[0] == verdict
    assert why in told[1]


def test_too_few_requests_decide_nothing(asking: Callable[[str], Project]) -> None:
    project = asking(LOAD.replace("need: 50, rate: 2/s", "need: 101"))
    bring(project, jtl(project.root), *SAID)
    assert found(project, "fast") == ("inconclusive", found(project, "fast")[1])
    assert "it holds 100 requests, and 101 decide" in found(project, "fast")[1]


def test_the_newest_file_decides_and_a_failure_before_it_is_told(
    asking: Callable[[str], Project],
) -> None:
    project = asking(LOAD)
    bring(project, jtl(project.root, took=300, begun=200), *SAID)
    bring(project, jtl(project.root, begun=100, name="again.jtl"), *SAID)
    verdict, why = found(project, "fast")
    assert verdict == "warn"
    assert "a file of the same release failed before it" in why
    bring(project, jtl(project.root, took=300, begun=80, name="bad.jtl"), *SAID)
    assert found(project, "fast")[0] == "fail"


def test_a_file_that_was_cut_off_holds_the_gate(asking: Callable[[str], Project]) -> None:
    project = asking(LOAD)
    bring(project, jtl(project.root, begun=200), *SAID)
    cut = jtl(project.root, name="cut.jtl")
    cut.write_text(cut.read_text()[:-1])
    answer = bring(project, cut, *SAID)
    assert answer.status == 11
    assert "it satisfies nothing: its last line has no end" in answer.out
    assert found(project, "fast")[0] == "error"


def test_the_release_is_read_where_it_was_known_to_run(asking: Callable[[str], Project]) -> None:
    project = asking(LOAD)
    answer = bring(project, jtl(project.root))
    assert answer.status == 4
    assert "nobody read the release when it began" in answer.err
    run(project)  # reads v1
    time.sleep(0.05)
    file = jtl(project.root, begun=0, n=1)
    assert bring(project, file).status == 0
    run(project, "r2", release="v2")
    assert "while it ran" in bring(project, jtl(project.root, begun=49), "--release", "v9").err
    late = jtl(project.root, begun=0, n=1, took=2, name="late.jtl")
    assert "release v2 was read" in bring(project, late).err


def test_a_release_that_cannot_be_read(asking: Callable[[str], Project]) -> None:
    project = asking(LOAD)
    project.plan.write_text(project.plan.read_text().replace("http://127", "http://127.0.0.1:1/"))
    assert "the release could not be read" in bring(project, jtl(project.root)).err


def test_of_an_unknown_release_of_the_run_nothing_counts(asking: Callable[[str], Project]) -> None:
    project = asking(LOAD)
    bring(project, jtl(project.root), *SAID)
    with project.ledger() as ledger:
        one = Writer(ledger, "r9", "prod", project.plan.read_text(), release=None)
        decision = one.good(t_us=time.time_ns() // 1000).decisions[1]
    assert of(decision, "fast").verdict.value == "missing"


def test_a_file_from_before_the_phase_began_is_none_of_its_exit(
    asking: Callable[[str], Project],
) -> None:
    project = asking(LOAD)
    bring(project, jtl(project.root), *SAID)
    with project.ledger() as ledger:
        began = StoredEvent(type="begin", t_us=time.time_ns() // 1000)
        ledger.append(Draft(began, "", "demo", "demo.canary", "prod"))
    verdict, why = found(project, "fast")
    assert verdict == "missing"
    assert "before the phase did" in why


def test_the_exit_of_a_phase_that_never_began_reads_no_file(
    asking: Callable[[str], Project],
) -> None:
    project = asking(LOAD)
    bring(project, jtl(project.root), *SAID)
    assert found(project, "fast")[0] == "pass"
    with project.ledger() as ledger:
        ended = StoredEvent(type="end", t_us=time.time_ns() // 1000)
        ledger.append(Draft(ended, "", "demo", "demo.canary", "prod"))
    verdict, why = found(project, "fast")
    assert verdict == "missing"
    assert "the phase was not begun" in why
    explained = project.rollout("explain", "demo.canary.fast", "--env", "prod").out
    assert "rollout begin demo.canary --env prod" in explained


def test_the_plan_says_the_unit_of_a_histogram(asking: Callable[[str], Project]) -> None:
    old = "metric: load_service_time, take: p95,\n         where: {endpoint: start}"
    rule = LOAD.replace(old, "metric: load_service_time, take: max, max_age: 9000d")
    project = asking(
        rule.replace("lasts: 30s, need: 50, rate: 2/s", "lasts: 2s, need: 1, unit: ns")
    )
    assert bring(project, SAMPLES / "histogram.hlog", *SAID).status == 0
    verdict, why = found(project, "fast")
    assert (verdict, "26.09ms" in why) == ("pass", True)
    project.plan.write_text(project.plan.read_text().replace("unit: ns", "unit: us"))
    fresh = project.root / "again.hlog"
    fresh.write_bytes((SAMPLES / "histogram.hlog").read_bytes() + b"#\n")
    assert bring(project, fresh, *SAID).status == 0
    assert found(project, "fast")[0] == "fail"


def test_a_file_whose_rows_were_changed_holds_the_gate(asking: Callable[[str], Project]) -> None:
    project = asking(LOAD)
    bring(project, jtl(project.root, took=300), *SAID)
    run(project)
    tamper(project.store, "UPDATE observations SET value = replace(value, '0.300000', '0.100000')")
    decision = run(project, "r2")
    assert decision.answer.value == "HOLD"
    assert project.rollout("verify").status != 0


JUNIT = """\
<testsuite name="api" tests="{n}" timestamp="{when}" time="1">{cases}</testsuite>
"""


def junit(folder: Path, *cases: str, n: int | None = None, name: str = "junit.xml") -> Path:
    when = time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime(time.time() - 60))
    path = folder / name
    path.write_text(JUNIT.format(n=len(cases) if n is None else n, when=when, cases="".join(cases)))
    return path


def case(name: str, inside: str = "", more: str = "") -> str:
    return f'<testcase classname="api.Contract" name="{name}"{more}>{inside}</testcase>'


@pytest.mark.parametrize(
    ("cases", "verdict", "why"),
    [
        ((case("a"), case("b")), "pass", "junit.xml (JUnit"),
        ((case("a"), case("b", "<failure message='no'/>")), "fail", "no"),
        ((case("a"), case("b", "<error message='broke'/>")), "error", "broke"),
        ((case("a"), case("b", "<skipped message='later'/>")), "missing", "later"),
        ((case("a"), case("b", more=' status="notrun"')), "missing", "not run: notrun"),
        ((case("a"),), "missing", "1 case in the file match, and 2 are asked"),
        ((case("a"), case("a")), "missing", "1 case in the file match, and 2 are asked"),
        ((case("a"), case("a", "<failure/>"), case("b")), "fail", "failure"),
        ((case("a"), case("b", "<flakyFailure message='once'/>")), "warn", "once"),
        ((case("a"), case("b", "<rerunFailure/><failure message='no'/>")), "fail", "no"),
        ((case("a"), case("b", "<skipped/><failure message='no'/>")), "fail", "no"),
        ((case("a"), case("b", more=' status="failed"')), "fail", "its status says failed"),
        (('<testcase classname="x" name="y"/>',), "missing", "no case in the file is it"),
        ((), "error", "it holds no test case"),
    ],
)
def test_cases(
    asking: Callable[[str], Project], cases: tuple[str, ...], verdict: str, why: str
) -> None:
    project = asking(CASES)
    answer = bring(project, junit(project.root, *cases), *SAID, kind="junit")
    assert answer.status == (0 if cases else 11), answer.err
    told = found(project, "contract")
    assert told[0] == verdict
    assert why in told[1]


def test_fewer_cases_than_the_suite_says(asking: Callable[[str], Project]) -> None:
    project = asking(CASES)
    answer = bring(project, junit(project.root, case("a"), case("b"), n=3), *SAID, kind="junit")
    assert answer.status == 11
    assert "suite api says 3 test cases and holds 2" in answer.out
    assert found(project, "contract")[0] == "error"


def test_a_time_that_is_said_agrees_with_a_clock_of_no_zone(
    asking: Callable[[str], Project],
) -> None:
    project = asking(CASES)
    now = time.time() - 60

    def brought(begun: float, name: str) -> Answer:
        file = junit(project.root, case("a"), case("b"), name=name)
        stamp = time.strftime("%Y-%m-%dT%H:%M:%S", time.gmtime(begun))
        file.write_text(re.sub(r'timestamp="[^"]*"', f'timestamp="{stamp}"', file.read_text()))
        ended = time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime(now))
        return bring(project, file, *SAID, "--ended", ended, kind="junit")

    old = brought(now - 15 * 3600, "old.xml")
    assert (old.status, "the file itself says" in old.err) == (4, True)
    future = brought(now + 15 * 3600, "future.xml")
    assert (future.status, "in whichever zone" in future.err) == (4, True)
    for hours in (-12, 0, 13):
        assert brought(now + hours * 3600, f"of {hours}.xml").status == 0
    assert found(project, "contract")[0] == "pass"


def test_thresholds_of_k6(asking: Callable[[str], Project]) -> None:
    project = asking(THRESHOLDS)
    ended = time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime(time.time() - 60))
    answer = bring(project, SAMPLES / "k6-export.json", *SAID, "--ended", ended)
    assert answer.status == 0, answer.err
    verdict, why = found(project, "limits")
    assert (verdict, "crossed" in why) == ("fail", True)
    assert "as they say" in project.rollout("explain", "demo.canary.limits", "--env", "prod").out


def test_a_threshold_of_k6_without_data_is_missing(asking: Callable[[str], Project]) -> None:
    project = asking(THRESHOLDS)
    data = json.loads((SAMPLES / "k6-handled.json").read_text())
    nothing = {"type": "trend", "contains": "time", "thresholds": {"p(95)<500": {"ok": True}}}
    nothing["values"] = dict.fromkeys(("avg", "min", "med", "max", "p(95)", "p(99)"), 0)
    data["metrics"]["http_req_duration{name:pay}"] = nothing
    file = project.root / "summary.json"
    file.write_text(json.dumps(data))
    ended = time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime(time.time() - 60))
    assert bring(project, file, *SAID, "--ended", ended).status == 0
    verdict, why = found(project, "limits")
    assert verdict == "missing"
    assert "no sample is known of it" in why


def test_a_percentile_of_a_summary_is_judged_as_the_one_number_it_is(
    asking: Callable[[str], Project],
) -> None:
    rule = "metric: load_service_time_p95, take: last, pass: '< 100ms', need: 1"
    project = asking(
        THRESHOLDS.replace('cases: ["*"], ', "").replace("ingest:", f"{rule}, ingest:")
    )
    ended = time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime(time.time() - 60))
    assert bring(project, SAMPLES / "k6-handled.json", *SAID, "--ended", ended).status == 0
    verdict, why = found(project, "limits")
    assert verdict == "pass"
    assert "63.727ms" in why
    explained = project.rollout("explain", "demo.canary.limits", "--env", "prod").out
    assert "its percentiles carry no confidence" in explained


def test_dropped_arrivals(asking: Callable[[str], Project]) -> None:
    project = asking(THRESHOLDS)
    data = json.loads((SAMPLES / "k6-handled.json").read_text())
    data["metrics"]["dropped_iterations"] = {"type": "counter", "values": {"count": 200, "rate": 6}}
    file = project.root / "summary.json"
    file.write_text(json.dumps(data))
    ended = time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime(time.time() - 60))
    bring(project, file, *SAID, "--ended", ended)
    verdict, why = found(project, "limits")
    assert verdict == "error"
    assert "200 of 16710 planned arrivals never started" in why


@pytest.mark.parametrize(
    ("content", "more", "said"),
    [
        (b"", (), "results.jtl: it is empty"),
        (b"hello", (), "it is of no format that is read"),
        (b"\0\1\2", (), "of Gatling's logs only text is read"),
        (b"<testsuites/>", (), "rollout ingest junit FILE"),
        (HEAD.encode() + b"x,1,a,200,OK,T,true\n", (), "line 2: x is no time in milliseconds"),
        (HEAD.encode() + b"1393227741256,1,a\n", (), "line 2: 3 fields, and its header has 7"),
        (HEAD.encode() + b"1393227741,1,a,200,OK,T,true\n", (), "are milliseconds since the epoch"),
        (HEAD.encode() + HEAD.encode(), (), "line 2: a second header"),
        (b'{"metrics": {"a": {"avg": NaN}}}', (), "NaN is no number"),
        (gzip.compress(b"a" * 100, mtime=0)[:-5], (), "its gzip does not end"),
        ((SAMPLES / "histogram.hlog").read_bytes(), (), "does not name its unit"),
        ((SAMPLES / "k6-handled.json").read_bytes(), (), "does not say when it ended (--ended"),
        ((SAMPLES / "jmeter.csv").read_bytes(), ("--ended", "2025-01-01T00:00:00Z"),
         "--ended: the file itself says when it ended"),
        (HEAD.encode() + b"4000000000000,1,a,200,OK,T,true\n", (), "ended in the future"),
        (HEAD.encode(), ("--release", " "), "--release: it is no name of a release"),
        (HEAD.encode(), ("--name", "chekout"), "did you mean `checkout`?"),
        (HEAD.encode(), ("--by", ""), "--by: a name of 1 to 200 characters"),
    ],
)  # fmt: skip
def test_what_cannot_be_read_is_refused(
    asking: Callable[[str], Project], content: bytes, more: tuple[str, ...], said: str
) -> None:
    project = asking(LOAD)
    file = project.root / "results.jtl"
    file.write_bytes(content)
    times = ("--ended", "2025-01-01T00:00:00Z") if content == HEAD.encode() else ()
    answer = bring(project, file, *(() if "--release" in more else SAID), *more, *times)
    assert answer.status == 4
    assert said in answer.err
    assert found(project, "fast")[0] == "missing"


def test_a_phase_that_asks_for_no_file(asking: Callable[[str], Project]) -> None:
    project = asking(LOAD)
    answer = bring(project, jtl(project.root), *SAID, kind="junit")
    assert "no criterion of demo.canary asks for a file of junit" in answer.err
    assert "write demo.canary" in project.rollout(
        "ingest", "load", "x", "--phase", "demo.canary/exit", *BY
    ).err  # fmt: skip


def test_a_secret_in_a_file_is_not_kept(
    asking: Callable[[str], Project], monkeypatch: pytest.MonkeyPatch
) -> None:
    secret = "kX93-never-shown-77Qz"
    monkeypatch.setenv("DEPLOY_TOKEN", secret)
    project = asking(LOAD)
    file = jtl(project.root)
    file.write_text(file.read_text().replace(",start,", f",start?{secret},", 1))
    assert bring(project, file, *SAID).status == 0
    kept = [path.read_bytes() for path in project.store.parent.rglob("*") if path.is_file()]
    assert not any(secret.encode() in content for content in kept)


@pytest.mark.slow
def test_a_file_is_brought_on_another_machine_and_merged(
    asking: Callable[[str], Project],
) -> None:
    project = asking(LOAD)
    other = project.root / "other.db"
    assert bring(project, jtl(project.root), *SAID, "--ledger", str(other)).status == 0
    assert found(project, "fast")[0] == "missing"
    assert project.rollout("merge", str(other)).status == 0
    assert found(project, "fast")[0] == "pass"
    assert project.rollout("verify").status == 0
    assert project.rollout("decide", "demo.canary", "--env", "prod").status == 0
    bundle = project.root / "bundle.zip"
    exported = project.rollout(
        "export", "demo.canary/exit", "--env", "prod", "--output", str(bundle)
    )
    assert exported.status == 0, exported.err
    assert project.rollout("verify", str(bundle)).status == 0


def test_a_file_that_is_gone_from_beside_the_ledger_is_told(
    asking: Callable[[str], Project],
) -> None:
    project = asking(LOAD)
    bring(project, jtl(project.root), *SAID)
    (kept,) = (project.store.parent / "attachments").iterdir()
    kept.write_bytes(b"other")
    told = project.rollout("verify")
    assert told.status != 0
    assert "results.jtl" in told.out + told.err


def test_an_ingest_that_was_killed_leaves_nothing(asking: Callable[[str], Project]) -> None:
    project = asking(LOAD)
    bring(project, jtl(project.root), *SAID)
    with project.ledger() as ledger:
        last = ledger.head().sequence
    tamper(project.store, f"DELETE FROM records WHERE sequence = {last}")
    (project.store.parent / "ledger.db.head").unlink(missing_ok=True)
    decision = run(project)
    assert of(decision, "fast").verdict.value == "missing"


@pytest.mark.slow
def test_check_says_what_lacks(asking: Callable[[str], Project]) -> None:
    project = asking(LOAD + CASES)
    answer = project.rollout("check")
    assert "demo.canary.fast has no check" not in answer.out
    assert "demo.canary.fast has no stand-in in attestations.embedded.yaml" in answer.out
