"""Files of other tools as figures: what real ones say, and what they are not believed for."""

from __future__ import annotations

import gzip
import json
import random
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import pytest
from hdrh.histogram import HdrHistogram

from pytest_rollout.load.results import reading
from pytest_rollout.load.results.figures import Figures, UnreadableError, kept, seconds
from pytest_rollout.load.results.hdr_codec import decoded
from pytest_rollout.load.results.reading import inflated, read_junit, read_load

SAMPLES = Path(__file__).parent / "results"
HEAD = "timeStamp,elapsed,label,responseCode,responseMessage,threadName,success\n"
IN_IT = '"Number of samples in transaction : {}, number of failing samples : {}"'
BEGIN = 1_764_406_800_000


def sample(name: str) -> bytes:
    return (SAMPLES / name).read_bytes()


def figures(name: str, change: Callable[[str], str] = str) -> Figures:
    return read_load(change(sample(name).decode()).encode(), unit="ns")


def k6(name: str, change: Callable[[Any], object]) -> Figures:
    data = json.loads(sample(name))
    change(data)
    return read_load(json.dumps(data).encode())


def singles(found: Figures) -> dict[str, str]:
    return {one.series: one.value for one in found.singles}


def cases(found: Figures) -> dict[str, str]:
    return {one.name: one.attempts[-1][0] for one in found.cases}


def test_an_export_of_k6_says_true_where_a_threshold_was_crossed() -> None:
    found = figures("k6-export.json")
    assert cases(found) == {
        "http_req_duration: p(95)<3000": "fail",
        "http_req_failed: rate<0.05": "fail",
    }
    (all_,) = found.endpoints
    assert (all_.requests, all_.failures) == (20144, 3335)  # `passes` are those that failed
    assert singles(found)["load_service_time_p95"] == "6.927506"
    assert singles(found)["load_throughput_mean"] == "57.107239"
    assert found.lasted_us == pytest.approx(294_341_000, abs=1000)
    assert (found.ended_us, found.dropped) == (None, None)


def test_handled_data_of_k6_says_ok_where_it_was_not() -> None:
    found = figures("k6-handled.json")
    assert set(cases(found).values()) == {"pass"}
    assert singles(found)["load_service_time_p99_99"] == "1.261192"
    assert (found.requests, found.started, found.lasted_us) == (16510, 16510, 30_018_407)


def set_ok(ok: object) -> Callable[[Any], None]:
    def change(data: Any) -> None:
        data["metrics"]["http_req_duration"]["thresholds"]["avg<150"] = {"ok": ok}

    return change


@pytest.mark.parametrize(("ok", "verdict"), [(True, "pass"), (False, "fail"), ("yes", "error")])
def test_one_threshold(ok: object, verdict: str) -> None:
    assert cases(k6("k6-handled.json", set_ok(ok)))["http_req_duration: avg<150"] == verdict


@pytest.mark.parametrize(
    "values",
    [
        dict.fromkeys(("avg", "min", "max", "p(95)"), 0),
        {"passes": 0, "fails": 0, "rate": 0},
        {"count": 0, "rate": 0},
        {},
    ],
)
def test_a_threshold_without_data_is_missing_though_k6_says_ok(values: dict[str, float]) -> None:
    def change(data: Any) -> None:
        data["metrics"]["pay"] = {"values": values, "thresholds": {"x<1": {"ok": True}}}

    assert cases(k6("k6-handled.json", change))["pay: x<1"] == "missing"


@pytest.mark.parametrize(
    ("change", "doubt"),
    [
        (lambda m: m["http_reqs"]["values"].update(count=0), "it holds no request"),
        (lambda m: m.pop("http_reqs"), "it holds no request"),
        (lambda m: m["http_req_failed"]["values"].update(fails=10), "http_req_failed counts 10 r"),
        (lambda m: m["http_req_failed"]["values"].update(rate=0.5), "is not that of its counts"),
        (lambda m: m["http_req_failed"]["values"].pop("passes"), "has no counts"),
        (lambda m: m["http_req_duration"]["values"].update({"p(99)": 1}), "percentile 95"),
        (lambda m: m.update(dropped_iterations={"values": {"count": "x"}}), "is no count"),
    ],
)
def test_a_summary_that_is_not_believed(change: Callable[[Any], object], doubt: str) -> None:
    found = k6("k6-handled.json", lambda data: change(data["metrics"]))
    assert any(doubt in one for one in found.doubts), found.doubts


def test_a_summary_without_failures_or_times_says_nothing_of_them() -> None:
    found = k6("k6-handled.json", lambda data: data["metrics"].pop("http_req_failed"))
    assert {series for series, _, _ in found.series()} >= {"load_service_time_p95"}
    assert not {"load_failed", "load_throughput_mean"} & {name for name, _, _ in found.series()}

    def empty(data: Any) -> None:
        trend = data["metrics"]["http_req_duration"]["values"]
        trend.update(dict.fromkeys(trend, 0))

    assert not any("service_time" in name for name in singles(k6("k6-handled.json", empty)))


def test_a_summary_of_another_schema_is_refused() -> None:
    with pytest.raises(UnreadableError, match="--new-machine-readable-summary=false"):
        read_load(b'{"version": "1.0.0", "results": {"metrics": []}}')
    with pytest.raises(UnreadableError, match="a key stands twice"):
        read_load(b'{"metrics": {}, "metrics": {}}')


def test_points_of_k6() -> None:
    found = figures("k6-points.json")
    (web,) = found.endpoints
    assert dict(web.times) == {13_350: 1, 28_520: 1, 44_980: 1}  # rounded up, to four digits
    assert (web.requests, web.failures, found.started) == (3, 1, 3)
    assert found.ended_us == 1_783_487_735_249_760
    assert found.seconds == {1: 1, 0: 1}


@pytest.mark.parametrize(
    ("change", "doubt"),
    [
        (lambda text: text[:-1], "its last line has no end"),
        (lambda text: text + text, "rows stand in it twice"),
        (lambda text: "\n".join(text.splitlines()[:-2]) + "\n", "not as many as its requests"),
        (lambda text: "\n".join(text.splitlines()[:4]) + "\n", "it holds no request"),
    ],
)
def test_points_that_are_not_believed(change: Callable[[str], str], doubt: str) -> None:
    assert any(doubt in one for one in figures("k6-points.json", change).doubts)


def test_dropped_iterations_in_points() -> None:
    line = '{"metric":"dropped_iterations","type":"Point","data":{"time":"x","value":7}}\n'
    assert figures("k6-points.json", lambda text: text + line).dropped == 7


def point(metric: str, value: float, second: float, day: int = 28) -> str:
    at = f"2026-11-{day}T08:{int(second) // 60:02}:{second % 60:06.3f}Z"
    data = {"time": at, "value": value, "tags": {"name": "start"}}
    return json.dumps({"type": "Point", "metric": metric, "data": data}) + "\n"


def points(seconds_: Sequence[float], *more: tuple[str, float], day: int = 28) -> str:
    """Lines of k6, for a good request of 5 ms that ended at each second."""
    own = (("http_req_duration", 5), *more, ("http_req_failed", 0))
    return "".join(point(name, value, at, day) for at in seconds_ for name, value in own)


@pytest.mark.parametrize(
    ("before", "took_us"),
    [
        ((("blocked", 40), ("connecting", 10), ("tls_handshaking", 25)), 45_000),
        ((("blocked", 1), ("connecting", 10), ("tls_handshaking", 25)), 40_000),
        ((("blocked", 0), ("connecting", 0), ("tls_handshaking", 0)), 5_000),
    ],
)
def test_what_connecting_took_is_a_part_of_a_request(
    before: Sequence[tuple[str, float]], took_us: int
) -> None:
    told = [(f"http_req_{name}", value) for name, value in before]
    found = read_load(points(range(60), *told).encode())
    assert [dict(one.times) for one in found.endpoints] == [{took_us: 60}]
    assert not any("connecting" in note for note in found.unsaid)
    without = read_load(points(range(60)).encode())
    assert [dict(one.times) for one in without.endpoints] == [{5_000: 60}]
    assert any("connecting" in note for note in without.unsaid)
    assert any("connecting" in note for note in figures("k6-handled.json").unsaid)


def test_what_does_not_say_which_requests_failed_is_not_believed() -> None:
    refused = "".join(point("http_req_duration", 0, second) for second in range(60))
    for found in (
        read_load(refused.encode()),
        k6("k6-handled.json", lambda data: data["metrics"].pop("http_req_failed")),
    ):
        assert any("which requests failed" in doubt for doubt in found.doubts)


def csv_of(moments: Sequence[float]) -> bytes:
    """A file of JMeter with a request at each of some seconds."""
    rows = (f"{BEGIN + round(at * 1000)},50,start,200,OK,T 1-1,true\n" for at in moments)
    return (HEAD + "".join(rows)).encode()


STEADY = [i / 10 for i in range(600)]


@pytest.mark.parametrize(
    ("moments", "silent"),
    [
        (STEADY, False),
        ([*STEADY, 69], False),
        ([i * 30 for i in range(40)], False),  # one user who thinks for half a minute
        ([i**2 / 100 for i in range(200)], False),  # a load that falls
        ([-40, *(i / 10 for i in range(12_000))], False),  # logged in before a load of 20 minutes
        ([i / 100 for i in range(600)] + [600], True),
        ([-594, *(i / 100 for i in range(600))], True),
        ([*STEADY, *(86_400 + at for at in STEADY)], True),
        ([day * 86_400 + at for day in range(8) for at in STEADY], True),
    ],
)
def test_a_load_that_was_silent_for_long_is_not_one(moments: Sequence[float], silent: bool) -> None:
    doubts = read_load(csv_of(moments)).doubts
    assert [doubt for doubt in doubts if "no request was under way" in doubt] == list(doubts)
    assert bool(doubts) == silent, doubts


def test_a_rare_load_by_chance_is_one() -> None:
    chance = random.Random(7)
    for rate in (0.02, 0.2, 2):
        moments, at = [], 0.0
        for _ in range(400):
            at += chance.expovariate(rate)
            moments.append(at)
        assert read_load(csv_of(moments)).doubts == ()


def test_a_slow_request_is_no_silence() -> None:
    slow = f"{BEGIN},120000,slow,200,OK,T 1-2,true\n".encode()
    assert read_load(csv_of([i / 10 for i in range(60)]) + slow).doubts == ()


def test_two_runs_of_k6_in_one_file() -> None:
    both = points(range(60)) + points(range(60), day=29)
    assert any("no request was under way" in one for one in read_load(both.encode()).doubts)
    assert read_load(points(range(60)).encode()).doubts == ()


@pytest.mark.parametrize(
    ("change", "doubt"),
    [
        (lambda m: m["http_req_duration"]["values"].update(avg=5000), "its mean (5000) is larger"),
        (lambda m: m["http_req_duration"]["values"].update(avg=1), "its mean (1) is smaller"),
        (lambda m: m["http_reqs"]["values"].update(rate=5), "that it took 30.02 s, and 3302 s"),
        (lambda m: m["iterations"]["values"].update(rate=5), "that it took 30.02 s, and 3302 s"),
    ],
)
def test_a_summary_that_contradicts_itself(change: Callable[[Any], object], doubt: str) -> None:
    assert figures("k6-handled.json").doubts == figures("k6-export-ok.json").doubts == ()
    found = k6("k6-handled.json", lambda data: change(data["metrics"]))
    assert any(doubt in one for one in found.doubts), found.doubts


@pytest.mark.parametrize(
    ("change", "doubt"),
    [
        ({"meanResponseTime": {"total": 500, "ok": 13}}, "its mean (500) is larger"),
        ({"meanNumberOfRequestsPerSecond": {"total": 2.4, "ok": 500}}, "500 good answers"),
    ],
)
def test_stats_of_gatling_that_contradict_themselves(change: dict[str, Any], doubt: str) -> None:
    assert figures("gatling-global-stats.json").doubts == ()
    found = k6("gatling-global-stats.json", lambda data: data.update(change))
    assert any(doubt in one for one in found.doubts), found.doubts


def test_what_gatling_could_not_send_failed_and_never_started() -> None:
    log = "RUN\tsim\tid\t1764406800000\t \t3.10\n" + "".join(
        f"REQUEST\t\tstart\t{BEGIN + i * 100}\t{BEGIN + i * 100 + 5}\tOK\t \n" for i in range(100)
    )
    assert read_load(log.encode()).dropped is None
    broken = "".join(f"ERROR\tstart: No attribute named 'id'\t{BEGIN + i}\n" for i in range(7))
    found = read_load(f"{log}{broken}ERROR\tother: no\t{BEGIN}\n".encode())
    assert [(one.name, one.requests, one.failures) for one in found.endpoints] == [
        ("ERROR", 1, 1),
        ("start", 107, 7),
    ]
    assert (found.requests, found.started, found.dropped) == (100, 100, 8)


@pytest.mark.parametrize(
    ("name", "n", "failed"), [("gatling-3.5.log", 20, 1), ("gatling-3.10.log", 3, 0)]
)
def test_logs_of_gatling(name: str, n: int, failed: int) -> None:
    found = figures(name)
    (only,) = found.endpoints
    assert (only.requests, only.failures, found.doubts) == (n, failed, ())


def test_an_older_log_of_gatling_has_a_user_before_the_name() -> None:
    text = "RUN\ta\tb\t1549411934496\t \t3.0.3\n"
    text += "REQUEST\t1\tgroup\tweb\t1549411935251\t1549411935474\tKO\tno\n"
    (only,) = read_load(text.encode()).endpoints
    assert (only.name, only.failures, dict(only.times)) == ("web", 1, {223_000: 1})


def test_a_log_of_gatling_that_was_cut_off() -> None:
    cut = figures("gatling-3.5.log", lambda text: text[: text.index("USER\tBasicSimulation\tEND")])
    assert "2 of its 2 users have no end in it" in cut.unsaid
    assert any("no end" in one for one in figures("gatling-3.5.log", lambda t: t[:-1]).doubts)
    with pytest.raises(UnreadableError, match=r"line 2: .*binary|line 2: it is no line"):
        figures("gatling-3.5.log", lambda text: text.replace("USER", "\x01USER", 1))
    with pytest.raises(UnreadableError, match="it holds 2 runs, not one"):
        figures("gatling-3.5.log", lambda text: text + text)
    with pytest.raises(UnreadableError, match="without its two times"):
        figures("gatling-3.5.log", lambda text: text.replace("\tOK\n", "\n", 1))


@pytest.mark.parametrize("name", ["gatling-stats.json", "gatling-global-stats.json"])
def test_stats_of_gatling(name: str) -> None:
    found = figures(name)
    assert singles(found)["load_service_time_percentiles3"] == "0.020000"
    assert (found.requests, found.lasted_us, found.doubts) == (12, 5_000_000, ())


def test_stats_of_gatling_tell_ok_from_ko() -> None:
    def change(data: Any) -> None:
        data["numberOfRequests"] = {"total": "12", "ok": "8", "ko": "4"}
        data["percentiles3"] = {"total": "9", "ok": "25", "ko": "1"}
        data["percentiles4"] = data["maxResponseTime"] = {"total": "30", "ok": "30", "ko": "2"}

    found = k6("gatling-global-stats.json", change)
    assert [(one.requests, one.failures) for one in found.endpoints] == [(12, 4)]
    assert singles(found)["load_service_time_percentiles3"] == "0.025000"  # fast KO hide nothing
    lies = k6("gatling-global-stats.json", lambda d: d["numberOfRequests"].update(ko=3))
    assert lies.doubts == ("12 OK and 3 KO are not 12 requests",)


def test_csv_of_jmeter() -> None:
    found = figures("jmeter.csv")
    assert [(one.requests, one.failures) for one in found.endpoints] == [(1, 0), (2, 0), (1, 1)]
    assert found.seconds == {1: 1, 2: 1, 0: 1}  # the second that began before it is left out
    assert found.lasted_us == 4_133_000


ROW = "1393227741257,2204,GET /b,200,{},Thread Group 1-1,text,{},,1,0,1,1,0,0,0\n"


@pytest.mark.parametrize(
    ("success", "n", "failed"), [("true", 4, 1), ("false", 5, 2)]
)  # fmt: skip
def test_a_transaction_counts_where_it_alone_failed(success: str, n: int, failed: int) -> None:
    told = '"Number of samples in transaction : 1, number of failing samples : 0"'
    row = ROW.format(told, success)
    found = figures("jmeter.csv", lambda text: text + row)
    assert found.requests == n
    assert sum(one.failures or 0 for one in found.endpoints) == failed


def transactions(n: int, told: str, success: str, samples: str = "", every: int = 100) -> Figures:
    """Figures of transactions, each after the samples in it: `+` is a good one, `-` a bad one."""
    rows = []
    for i in range(n):
        at, thread = BEGIN + i * every, f"T 1-{i % 7}"
        for step, sample_ in enumerate(samples):
            good = "true" if sample_ == "+" else "false"
            rows.append(f"{at + step},5,part,200,OK,{thread},{good}\n")
        rows.append(f"{at},20,whole,,{told},{thread},{success}\n")
    return read_load((HEAD + "".join(rows)).encode())


@pytest.mark.parametrize(
    ("told", "success", "samples", "requests", "failed"),
    [
        ((3, 0), "true", "+++", 150, 0),  # its samples stand in the file, and count
        ((3, 2), "false", "-+-", 150, 100),
        ((3, 2), "false", "", 50, 50),  # "generate parent sample": it alone stands in the file
        ((3, 2), "false", "+", 100, 50),
        ((3, 2), "false", "+++", 200, 50),
        ((3, 0), "true", "", 50, 0),
        ((0, 0), "true", "+", 50, 0),
    ],
)
def test_a_transaction_counts_where_its_samples_are_not_in_the_file(
    told: tuple[int, int], success: str, samples: str, requests: int, failed: int
) -> None:
    found = transactions(50, IN_IT.format(*told), success, samples)
    assert (found.requests, found.doubts) == (requests, ())
    assert sum(one.failures or 0 for one in found.endpoints) == failed


def test_without_messages_nobody_can_tell_transactions_from_requests() -> None:
    rows = "".join(f"{BEGIN + i * 100},50,start,true\n" for i in range(100))
    found = read_load(f"timeStamp,elapsed,label,success\n{rows}".encode())
    assert any("it has no responseMessage" in doubt for doubt in found.doubts)


@pytest.mark.parametrize(
    ("change", "said"),
    [
        (lambda t: t.replace("1393227741256", "2014-02-24 07:42:21.256"), "timestamp_format=ms"),
        (lambda t: t.replace("timeStamp,elapsed", "elapsed"), "its header has no timeStamp"),
        (lambda t: t.replace("OK,Thread Group 1-1,text,true", "OK,T,text,yes", 1), "is yes, not"),
        (lambda t: t.replace(",1425,", ",-1425,"), "no elapsed time"),
        (lambda t: t.replace("1393227741256", "1393227741"), "milliseconds since the epoch"),
        (lambda t: t.replace("1393227741256", "1393227741256000"), "milliseconds since the epoch"),
    ],
)
def test_csv_that_is_refused(change: Callable[[str], str], said: str) -> None:
    with pytest.raises(UnreadableError, match=said):
        figures("jmeter.csv", change)


def test_a_recording_that_stands_twice_in_a_file() -> None:
    again = figures("jmeter.csv", lambda t: t + t.partition("\n")[2])
    assert again.doubts == ("4 of its 8 rows stand in it twice",)


def test_xml_of_jmeter() -> None:
    found = figures("jmeter-ten.xml")
    assert (found.requests, found.doubts) == (10, ())
    levels = figures("jmeter-levels.xml")
    assert [(one.name, one.failures) for one in levels.endpoints] == [
        ("/Home.aspx", 0),
        ("/Pictures.aspx", 1),
    ]
    alone = figures("jmeter-levels.xml", lambda t: t.replace('s="false"', 's="true"').replace(
        '<sample t="14256" lt="0" ts="1354685431293" s="true"',
        '<sample t="14256" lt="0" ts="1354685431293" s="false"'))  # fmt: skip
    assert {one.name: one.failures for one in alone.endpoints}["Home Page"] == 1
    with pytest.raises(UnreadableError, match="it is no XML"):
        figures("jmeter-ten.xml", lambda text: text[: len(text) // 2])


def test_a_log_of_hdrhistogram_agrees_with_its_own_library() -> None:
    for line in sample("histogram.hlog").decode().splitlines()[3:]:
        payload = line.rpartition(",")[2]
        theirs = HdrHistogram.decode(payload)
        ours = decoded(payload)
        assert sum(ours.values()) == theirs.get_total_count()
        for share in (10, 50, 90, 99, 100):
            assert theirs.get_value_at_percentile(share) in ours
    found = figures("histogram.hlog")
    assert (found.requests, found.started_us) == (40, 1_633_286_203_972_000)
    assert max(found.endpoints[0].times) == 26_090  # 26.083327 ms, rounded up


@pytest.mark.parametrize(
    ("change", "doubt"),
    [
        (lambda text: text[:-1], "its last line has no end"),
        (lambda text: text + text.splitlines()[-1] + "\n", "overlap"),
        (lambda text: text.replace("1.875,", "9.875,"), "is lacking after 1.875 s"),
        (lambda text: "\n".join(text.splitlines()[:3]) + "\n", "it holds no value"),
    ],
)
def test_a_log_of_hdrhistogram_that_is_not_believed(
    change: Callable[[str], str], doubt: str
) -> None:
    assert any(doubt in one for one in figures("histogram.hlog", change).doubts)


def test_a_log_of_hdrhistogram_that_is_refused() -> None:
    with pytest.raises(UnreadableError, match="line 7: its histogram cannot be read"):
        figures("histogram.hlog", lambda text: text[:-20] + "\n")
    with pytest.raises(UnreadableError, match="does not name its unit"):
        read_load(sample("histogram.hlog"))
    with pytest.raises(UnreadableError, match="not of version 2"):
        figures("histogram.hlog", lambda t: t.replace("HISTFAAAADR42", "HISTEgAAADR42"))
    assert read_load(sample("histogram.hlog"), unit="us").endpoints[0].times != figures(
        "histogram.hlog"
    ).endpoints[0].times  # fmt: skip


def test_junit() -> None:
    ant = read_junit(sample("junit-ant.xml"))
    assert [one.attempts[-1][0] for one in ant.cases] == ["error", "fail", "pass"]
    assert (ant.ended_us, ant.doubts) == (None, ())
    surefire = read_junit(sample("junit-surefire.xml"))
    assert [[verdict for verdict, _ in one.attempts] for one in surefire.cases] == [
        ["fail", "pass"],
        ["pass"],
    ]
    assert surefire.ended_us == 1_762_765_200_100_000


@pytest.mark.parametrize(
    ("text", "doubt"),
    [
        ('<testsuite name="a" tests="2"><testcase name="x"/></testsuite>', "says 2 test cases"),
        ('<testsuite tests="1" failures="1"><testcase name="x"/></testsuite>', "says 1 failures"),
        ('<testsuite><error message="setup"/><testcase name="x"/></testsuite>', "error: setup"),
        ('<testsuites tests="3"><testsuite><testcase name="x"/></testsuite></testsuites>', "3 te"),
        ('<testsuite tests="many"><testcase name="x"/></testsuite>', "no count"),
        ("<testsuites/>", "it holds no test case"),
    ],
)  # fmt: skip
def test_junit_that_is_not_believed(text: str, doubt: str) -> None:
    assert any(doubt in one for one in read_junit(text.encode()).doubts)


@pytest.mark.parametrize(
    ("more", "verdict"),
    [
        ('status="run" result="completed"', "pass"),
        ('status="Passed"', "pass"),
        ('executed="True" result="Success"', "pass"),
        ('status=""', "pass"),
        ('status="broken"', "fail"),
        ('status="crashed"', "fail"),
        ('status="aborted"', "missing"),
        ('status="cancelled"', "missing"),
        ('result="Blocked"', "missing"),
        ('status="not run"', "missing"),
        ('status="NotExecuted"', "missing"),
        ('status="run" result="suppressed"', "missing"),
        ('status="passed" result="unknown"', "missing"),
        ('executed="False"', "missing"),
    ],
)
def test_a_status_of_junit_that_is_no_pass_is_none(more: str, verdict: str) -> None:
    (only,) = read_junit(f'<testsuite><testcase name="x" {more}/></testsuite>'.encode()).cases
    assert only.attempts[-1][0] == verdict


@pytest.mark.parametrize(
    ("inside", "verdict"),
    [
        ("<Failure message='no'/>", "fail"),
        ("<properties><failure/></properties>", "fail"),
        ("<ERROR/>", "error"),
        ("<Skipped/>", "missing"),
        ("<properties><property name='failure' value='no'/></properties>", "pass"),
        ("<system-out>failure</system-out>", "pass"),
    ],
)
def test_a_failure_of_junit_in_another_spelling_or_place(inside: str, verdict: str) -> None:
    text = f"<testsuite><testcase name='x'>{inside}</testcase></testsuite>"
    assert read_junit(text.encode()).cases[0].attempts[-1][0] == verdict


def test_cases_that_a_suite_left_out_must_stand_in_it() -> None:
    shown = '<testcase name="x"/><testcase name="y"><skipped/></testcase>'
    for suite, doubts in (
        (f'<testsuite skipped="1" disabled="0">{shown}</testsuite>', 0),
        (f'<testsuite skipped="" disabled="1">{shown}</testsuite>', 0),
        (f'<testsuite skipped="2">{shown}</testsuite>', 1),
        (f'<testsuite skipped="1" disabled="1">{shown}</testsuite>', 1),
        (f'<testsuites skipped="2"><testsuite>{shown}</testsuite></testsuites>', 1),
        (f'<testsuite skipped="some">{shown}</testsuite>', 1),
    ):
        assert len(read_junit(suite.encode()).doubts) == doubts, suite


BOMB = (
    '<!DOCTYPE a [<!ENTITY a "aaaaaaaaaa"><!ENTITY b "&a;&a;&a;&a;">]>'
    "<testsuite><testcase name='&b;'/></testsuite>"
)
OUTSIDE = "<!DOCTYPE a [<!ENTITY x SYSTEM 'file:///etc/passwd'>]><testsuite>&x;</testsuite>"


@pytest.mark.parametrize(
    ("text", "said"),
    [
        (BOMB, "it declares a document type"),
        (OUTSIDE, "it declares a document type"),
        ("<!DOCTYPE testsuite><testsuite/>", "it declares a document type"),
        ("<testsuite>" * 101 + "</testsuite>" * 101, "nested too deep"),
        ("<testsuite><testcase name='x'/>", "it is no XML"),
        ("<html/>", "it is no JUnit file"),
        ("<testsuite><testcase name=' '/></testsuite>", "a test case has no name"),
        (f"<testsuite><testcase name='{'x' * 501}'/></testsuite>", "longer than 500"),
        ('<?xml version="1.0" encoding="martian"?><testsuite/>', "it is no XML"),
    ],
)
def test_xml_of_strangers(text: str, said: str) -> None:
    with pytest.raises(UnreadableError, match=said):
        read_junit(text.encode())


def test_gzip_is_read_and_bounded(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(reading, "MOST_BYTES", 1000)
    assert inflated(gzip.compress(b"ab") + gzip.compress(b"c")) == b"abc"
    with pytest.raises(UnreadableError, match="larger than"):
        inflated(gzip.compress(b"\0" * 10_000_000))
    with pytest.raises(UnreadableError, match="cannot be read"):
        inflated(b"\x1f\x8bnothing of the kind")


@pytest.mark.parametrize(
    ("time_us", "as_kept"), [(0, 0), (9_999, 9_999), (10_001, 10_010), (123_451, 123_500)]
)
def test_times_are_kept_to_a_tenth_of_a_percent_and_never_smaller(
    time_us: int, as_kept: int
) -> None:
    assert kept(time_us) == as_kept
    assert time_us <= kept(time_us) <= time_us * 1.001
    assert float(seconds(as_kept)) == pytest.approx(as_kept / 1e6)
