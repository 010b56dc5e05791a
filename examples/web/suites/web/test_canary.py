import pytest

pytestmark = pytest.mark.canary


@pytest.fixture(scope="session")
def web(phase):
    return phase.target("web").client


@pytest.mark.criterion("healthy")
def test_health(web):
    assert web.get("/health").status_code == 200


@pytest.mark.criterion("latency")
def test_requests_are_quick(web, observe):
    for _ in range(20):
        observe("seconds", web.get("/").elapsed.total_seconds())
