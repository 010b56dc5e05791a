"""What other deciders let through unless they are told otherwise, named where it is known."""

from __future__ import annotations

from typing import Any

from tests.traps.parts import INI, PLAN, flush, rule, works
from tests.traps.trap import NO_GO, NOTHING, Trap

_RERUN: dict[str, Any] = {"args": ("--reruns=1",), "needs": ("rerunfailures",)}


def _ruled(id_: str, says: str, because: str, stated: str, body: str, **also: Any) -> Trap:
    """A criterion judged by a rule, and what a check observes for it."""
    return Trap(id_, says, because, files=works(body, args="observe") | rule(stated), **also)


def _planned(id_: str, says: str, because: str, *changes: tuple[str, str], **also: Any) -> Trap:
    """The base project with a plan that says something else in some places."""
    plan = PLAN
    for old, new in changes:
        plan = plan.replace(old, new)
    files = {"suites/p/rollout.yaml": plan, **also.pop("files", {})}
    return Trap(id_, says, because, files=files, **also)


_GOOD = "for n in range(20): observe('ok', 1, at=1000 + n)"
_CANARY = """\
for n, ms in enumerate([90, 100, 110, 120, 95]):
    observe('ms', ms, at=1000 + n, version='new')
    observe('ms', ms + 5, at=1000 + n, version='old')
"""
_VERSUS = "where: {version: new}, versus: {where: {version: old}}"

_INCONCLUSIVE = (
    _ruled(
        "inconclusive-at-the-end",
        "20 good requests of 20 show less than is asked for (GrowthBook ships what is "
        "inconclusive when its time is over)",
        "confidence",
        "metric: ok, take: rate, pass: '>= 0.9', need: 20, confidence: 95%",
        _GOOD,
    ),
    _ruled(
        "canary-inconclusive",
        "no harm of a canary is shown, and none is ruled out",
        "confidence",
        f"metric: ms, take: p50, {_VERSUS}, pass: '< 5', confidence: 95%",
        _CANARY,
    ),
)

_THREE = "for n, s in enumerate([1.4, 0.9, 1.2]): observe('seconds', s, at=1000 + n)"
_LIMIT = "metric: seconds, take: max, pass: '< 1', need: 3"

_COUNT = """\
from pathlib import Path

def attempt():
    with Path('attempts.txt').open('a') as file:
        file.write('x')
    return len(Path('attempts.txt').read_text())
"""
_BETTER = """\
n = attempt()
observe('seconds', 1.4 if n == 1 else 0.9, at=1000 + n)
assert n > 1
"""

_BEST = (
    _ruled(
        "best-of-three",
        "the best of three runs is fast enough (Lighthouse CI asserts the best one)",
        "1.4",
        _LIMIT,
        _THREE,
        answer=NO_GO,
    ),
    _ruled(
        "no-take",
        "a rule leaves open which of three runs counts",
        "`metric` without `take`",
        "metric: seconds, pass: '< 1', need: 3",
        _THREE,
        answer=NOTHING,
    ),
    Trap(
        "rerun-observes-better",
        "a check fails on a slow answer, and passes on a fast one when run again",
        "1.4",
        NO_GO,
        files=works(_BETTER, above=_COUNT, args="observe")
        | rule("metric: seconds, take: max, pass: '< 1'"),
        **_RERUN,
    ),
    _ruled(
        "reruns-and-a-rule",
        "reruns are on, and a rule is broken (Allure leaves its gate out with `--rerun`)",
        "1.4",
        _LIMIT,
        _THREE,
        answer=NO_GO,
        **_RERUN,
    ),
)

_EMPTY = (
    _planned(
        "no-criterion",
        "the plan states no criterion for the gate (datadog-ci passes an empty evaluation)",
        "no criterion",
        ("id: works,", "id: works, gate: entry,"),
        ("id: safe,", "id: safe, gate: entry,"),
    ),
    _planned(
        "no-hard-criterion",
        "no criterion of the gate can say no",
        "no hard criterion",
        ("id: works,", "id: works, severity: optional,"),
        ("id: safe,", "id: safe, severity: soft,"),
    ),
    _planned(
        "no-criterion-applies",
        "`when` switches every criterion of the gate off",
        "applies",
        ("id: works,", "id: works, when: {configured: NO_SUCH_KEY},"),
        ("id: safe,", "id: safe, when: {configured: NO_SUCH_KEY},"),
    ),
    _ruled(
        "labels-match-nothing",
        "no sample carries the labels of a rule (k6 passes a threshold without samples)",
        "no sample of seconds",
        "metric: seconds, where: {route: /pay}, take: max, pass: '< 1'",
        "for n in range(5): observe('seconds', 0.1, at=1000 + n, route='/health')",
    ),
    _ruled(
        "series-misspelt",
        "a rule reads a series that nobody observes",
        "no sample of second ",
        "metric: second, take: max, pass: '< 1'",
        "for n in range(5): observe('seconds', 0.1, at=1000 + n)",
    ),
    _planned(
        "guardrail-without-samples",
        "a guardrail reads a series that nobody observes",
        "blind",
        (
            "says: It is safe}\n",
            "says: It is safe}\n    guardrails:\n"
            "      - {id: errors, metric: errors, take: sum, fail: '> 0', then: [rollback]}\n",
        ),
    ),
)


def _monitored(id_: str, says: str, because: str, url: str, **also: Any) -> Trap:
    """A rule on what Prometheus answers."""
    target = f"environments:\n  embedded: {{targets: {{metrics: {{url: '{url}'}}}}}}\n"
    asked = "check: {prometheus: 'sum(rate(errors[5m]))', on: metrics}, pass: '< 0.1'"
    return _planned(
        id_,
        says,
        because,
        ("phases:", f"{target}phases:"),
        ("says: It is safe}", f"says: It is safe}}\n      - {{id: errors, kind: slo, {asked}}}"),
        **also,
    )


def _answering(result: str) -> dict[str, str]:
    """A conftest.py that answers as Prometheus does, with this result."""
    answer = f'{{"status": "success", "data": {{"resultType": "vector", "result": {result}}}}}'
    return {
        "conftest.py": flush(
            f"""\
            import os, threading
            from http.server import BaseHTTPRequestHandler, HTTPServer

            class Answering(BaseHTTPRequestHandler):
                def do_GET(self):
                    self.send_response(200)
                    self.end_headers()
                    self.wfile.write(b'{answer}')
                def log_message(self, *_): pass

            SERVER = HTTPServer(('127.0.0.1', 0), Answering)
            os.environ['METRICS_URL'] = f'http://127.0.0.1:{{SERVER.server_port}}'
            threading.Thread(target=SERVER.serve_forever, daemon=True).start()
            """
        )
    }


_UNAVAILABLE = (
    Trap(
        "ledger-unavailable",
        "there is no place for evidence (datadog-ci passes where its service is unavailable)",
        "cannot be used",
        NOTHING,
        files={"pytest.ini": f"{INI}rollout_ledger = /proc/none/ledger.db\n"},
    ),
    _monitored(
        "monitoring-unavailable",
        "the monitoring that a rule asks does not answer",
        "Connection refused",
        "http://127.0.0.1:9",
    ),
    _monitored(
        "monitoring-empty",
        "a query finds no series",
        "no sample of errors",
        "${METRICS_URL}",
        files=_answering("[]"),
    ),
    _monitored(
        "monitoring-not-a-number",
        "a query divides by no requests: NaN (Argo Rollouts passes it where only "
        "`failureCondition` is stated)",
        "no finite number",
        "${METRICS_URL}",
        files=_answering('[{"metric": {}, "value": [1, "NaN"]}]'),
    ),
)

TRAPS = (*_INCONCLUSIVE, *_BEST, *_EMPTY, *_UNAVAILABLE)
