"""Answers that no real system gave, and old ones: each is seen in a real environment."""

from __future__ import annotations

from tests.session.project import Project
from tests.session.runs.observing import OLD, rule
from tests.session.runs.variations import vary
from tests.targets.test_identity import answering, saying

Workers = tuple[str, ...]

_MADE = "httpx.Response(200, json={'ok': 1}, request=httpx.Request('GET', 'http://x/'))"

MOCKED = {
    "patched-send": f"""
        import unittest.mock, httpx

        @bound
        def test_works(phase):
            with unittest.mock.patch.object(httpx.Client, "send", return_value={_MADE}):
                assert phase.target("web").client.get("/health").json() == {{"ok": 1}}
    """,
    "patched-get": f"""
        import unittest.mock, httpx

        @bound
        def test_works(phase):
            with unittest.mock.patch("httpx.Client.get", return_value={_MADE}):
                assert phase.target("web").client.get("/health").json() == {{"ok": 1}}
    """,
    "patched-instance": f"""
        import httpx

        @bound
        def test_works(phase, monkeypatch):
            client = phase.target("web").client
            monkeypatch.setattr(client, "request", lambda *a, **k: {_MADE})
            assert client.get("/health").json() == {{"ok": 1}}
    """,
    "own-transport": """
        import httpx

        @bound
        def test_works(phase, monkeypatch):
            client = phase.target("web").client
            made = httpx.MockTransport(lambda request: httpx.Response(200, json={"ok": 1}))
            monkeypatch.setattr(client, "_transport", made)
            assert client.get("/health").json() == {"ok": 1}
    """,
    "own-mounts": """
        import httpx

        @bound
        def test_works(phase, monkeypatch):
            client = phase.target("web").client
            made = httpx.MockTransport(lambda request: httpx.Response(200, json={"ok": 1}))
            pattern = type(next(iter(httpx.Client(mounts={"all://": made})._mounts)))("all://")
            monkeypatch.setattr(client, "_mounts", {pattern: made})
            assert client.get("/health").json() == {"ok": 1}
    """,
    "patched-transport": """
        import httpx

        @bound
        def test_works(phase, monkeypatch):
            monkeypatch.setattr(
                httpx.HTTPTransport,
                "handle_request",
                lambda self, request: httpx.Response(200, json={"ok": 1}),
            )
            assert phase.target("web").client.get("/health").json() == {"ok": 1}
    """,
    "respx": """
        import respx

        @bound
        def test_works(phase):
            with respx.mock(assert_all_called=False) as router:
                router.route().respond(json={"ok": 1})
                assert phase.target("web").client.get("/health").json() == {"ok": 1}
    """,
}
REAL = """
    @bound
    def test_works(phase):
        assert phase.target("web").client.get("/health").json() == {"ok": 1}
"""
PLAN = """\
release: {{target: web, path: /version, json: ok}}
environments: {{prod: {{targets: {{web: "{url}"}}, max_age: 1h}}}}
"""


def test_what_is_no_evidence_of_a_real_system(project: Project, workers: Workers) -> None:
    stated = {slug: rule(slug) for slug in OLD}
    with answering(saying('{"ok": 1}')) as url:
        bodies = {"real": REAL, **MOCKED, **OLD}
        vary(project, bodies, more=PLAN.format(url=url), stated=stated)
        prod = ("-m", "canary", "--rollout-env", "prod", "--rollout-gate", "exit")
        result = project.run_apart(*prod, *workers)
    verdicts = project.verdicts(environment="prod")
    assert result.ret == 11
    assert {slug: verdicts[slug] for slug in MOCKED} == dict.fromkeys(MOCKED, "error")
    assert "mock" in project.reason("patched-send", environment="prod")
    assert verdicts["real"] == "pass"
    # `max_age` counts from when something happened, too
    assert [verdicts[slug] for slug in OLD] == ["inconclusive", "pass", "pass"]
    assert "old" in project.reason("old", environment="prod")
