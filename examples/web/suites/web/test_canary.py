import pytest

pytestmark = pytest.mark.canary


@pytest.fixture(scope="session")
def web(phase):
    return phase.target("web").client


@pytest.mark.criterion("healthy")
def test_health(web):
    answer = web.get("/health")
    assert (answer.status_code, answer.json()) == (200, {"status": "ok"})


@pytest.mark.criterion("latency")
def test_requests_are_quick(web, observe):
    for _ in range(20):
        answer = web.get("/")
        assert answer.json() == {"greeting": "hello"}  # an error is quick, too
        observe("seconds", answer.elapsed.total_seconds())
