"""Today: the stub comes up, says how it is, and publishes what it offers."""

from __future__ import annotations

import re
from datetime import UTC, datetime

import pytest

from pytest_rollout import NoValueError, Observe, Stage, reported
from suites.pas.scenarios.made import LANE, WITHIN_S, Made
from suites.pas.scenarios.work import Work
from suites.pas.views.contract import unlike
from suites.pas.views.lanes import SECONDS
from suites.pas.views.pas import OPERATIONS, Pas

pytestmark = pytest.mark.pas_today

PORT = 6200


@pytest.mark.criterion("stub-starts")
def test_make_brings_the_stub_up(made: Made, observe: Observe) -> None:
    made.plan.demand()
    ports = set(re.findall(r"\b\d{4,5}\b", made.plan.out))
    assert ports == {str(PORT)}, f"make run-pas-stub would use port {sorted(ports) or 'none'}"
    assert made.up_after_s is not None, f"nothing listens after 15 s; make printed: {made.output}"
    observe("stub_up_s", made.up_after_s)


@pytest.mark.criterion("make-targets-exist", "stub-starts")
def test_both_targets_work(made: Made) -> None:
    assert made.up_after_s is not None, f"run-pas-stub brings nothing up: {made.output}"
    made.health.demand()
    assert "ok" in made.health.out, f"pas-health prints {made.health.out!r:.100}"
    assert made.health_down.status != 0, "pas-health ends with 0 although no stub is up"


@pytest.mark.criterion("health-200")
def test_health_answers(pas: Pas) -> None:
    status = pas.client.get("/health").status_code
    assert status == 200, f"GET /health answers {status}"


@pytest.mark.criterion("health-status-ok")
def test_health_says_ok(pas: Pas) -> None:
    said = reported(pas.client.get("/health"), any_status=True).text("status")
    assert said == "ok", f"GET /health says {said!r}"


@pytest.mark.criterion("health-no-active-runs")
def test_a_fresh_stub_has_no_active_run(made: Made) -> None:
    if made.idle is None or made.busy is None:
        raise NoValueError(f"make brings no stub up: {made.output}")
    active = made.idle.whole("active_runs"), made.busy.whole("active_runs")
    assert active[0] == 0, f"a stub that was just started has {active[0]} active runs"
    assert active[1] == 1, f"with one run started it counts {active[1]} active runs"


@pytest.mark.criterion("tasks-execute", "stub-starts")
def test_what_make_brings_up_works_by_the_clock_on_the_wall(made: Made) -> None:
    if made.worked is None:
        raise NoValueError(f"make brings no stub up: {made.output}")
    (task,) = made.worked.each("tasks")
    assert task.text("status") == "succeeded", f"after seconds its task is {task['status']}"
    least, most = SECONDS[LANE]
    took = (task.moment("finished_at") - task.moment("started_at")).total_seconds()
    assert least <= took <= most + 1, f"its task took {took:g} s"
    ago = (datetime.now(UTC) - task.moment("started_at")).total_seconds()
    assert 0 <= ago <= WITHIN_S * 10, f"its task began {ago:g} s ago"


@pytest.mark.criterion("health-no-active-runs")
def test_the_count_of_runs_goes_back(work: Work) -> None:
    if not work.embedded:
        return  # others have runs as well
    before, during = work.idle.portfolio, work.looks[0].portfolio
    assert before.whole("active_runs") == 0, "before any run the portfolio has an active one"
    assert during.whole("active_runs") == len(work.sent)
    after = work.pas.get("/health").whole("active_runs")
    assert after == 0, f"after the end of all runs {after} are active"


@pytest.mark.criterion("openapi-docs")
def test_the_documentation_loads(phase: Stage) -> None:
    client = phase.target("pas").client
    page = client.get("/docs")
    assert page.status_code == 200, f"GET /docs answers {page.status_code}"
    assert "html" in page.headers.get("content-type", ""), "GET /docs is no page"
    described = re.search(r"[\"']([^\"']*openapi\.json)[\"']", page.text)
    assert described, "the page names no description of the API"
    answer = client.get(described[1])
    assert answer.status_code == 200, f"GET {described[1]} answers {answer.status_code}"
    assert reported(answer).text("openapi").startswith("3."), "it is no OpenAPI 3"


@pytest.mark.criterion("openapi-docs", "twelve-endpoints")
def test_answers_are_as_the_documentation_says(phase: Stage, work: Work) -> None:
    document = reported(phase.target("pas").client.get("/openapi.json"))
    sent = work.sent[0]
    answers = {
        "GET /health": work.pas.get("/health"),
        "GET /pas/v1/runs/status": work.ended[sent.run],
        "GET /pas/v1/portfolio/status": work.looks[0].portfolio,
        "POST /pas/v1/runs/start": sent.started,
        "POST /pas/v1/runs/simulate": next(iter(sent.rehearsals.values())),
    }
    wrong = [
        problem for name, answer in answers.items() for problem in unlike(document, name, answer)
    ]
    assert not wrong, "; ".join(wrong[:3])


@pytest.mark.criterion("twelve-endpoints")
def test_twelve_operations_are_published(phase: Stage, observe: Observe) -> None:
    client = phase.target("pas").client
    paths = reported(client.get("/openapi.json")).inner("paths")
    published = {(verb.upper(), path) for path, verbs in paths.items() for verb in verbs}
    for method, path in OPERATIONS:
        mounted = client.options(path).status_code != 404
        missing = (method, path) not in published or not mounted
        observe("operation_unpublished", missing, operation=f"{method} {path}")
    more = published - set(OPERATIONS)
    assert not more, f"the contract has twelve operations, and these as well: {sorted(more)}"
