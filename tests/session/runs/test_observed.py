"""Observations that could get lost, are old, or count in halves."""

from __future__ import annotations

from tests.session.project import Project
from tests.session.runs.variations import vary

Workers = tuple[str, ...]

RULE = 'metric: seconds, take: max, pass: "< 5"'

LOST = {
    "fork": """
        import os

        @bound
        def test_works(observe):
            observe("seconds", 0.1)
            child = os.fork()
            if not child:
                observe("seconds", 9.0)
                os._exit(0)
            os.waitpid(child, 0)
    """,
    "process": """
        import multiprocessing

        @bound
        def test_works(observe):
            observe("seconds", 0.1)
            context = multiprocessing.get_context('fork')
            child = context.Process(target=observe, args=("seconds", 9.0))
            child.start()
            child.join()
    """,
    "ratio-in-a-fork": """
        import os

        @bound
        def test_works(observe):
            observe("seconds", 0.1)
            child = os.fork()
            if not child:
                try:
                    observe.distribution("seconds", [9.0])
                except Exception:
                    pass
                os._exit(0)
            os.waitpid(child, 0)
    """,
}


def test_what_a_child_observes_is_never_lost_in_silence(project: Project, workers: Workers) -> None:
    vary(project, LOST, rule=RULE)
    assert project.run_apart("-m", "canary", *workers).ret in (10, 11)
    verdicts = project.verdicts()
    for slug in LOST:
        assert verdicts[slug] in ("error", "fail"), slug
    assert "process" in project.reason("fork")


LATE = {
    "late": """
        import threading, time

        def see(observe):
            time.sleep(0.5)
            observe("seconds", 9.0)

        @bound
        def test_works(observe):
            observe("seconds", 0.1)
            threading.Thread(target=see, args=(observe,)).start()
    """,
}


def test_what_a_thread_observes_after_the_last_check_is_never_lost(
    project: Project, workers: Workers
) -> None:
    vary(project, {"zz-late": LATE["late"]}, rule=RULE)
    assert project.run_apart("-m", "canary", *workers).ret in (10, 11)


def test_what_is_observed_after_the_run_is_refused(project: Project) -> None:
    project.tests(
        "import pytest\npytestmark = pytest.mark.canary\nkept = []\n\n"
        "def test_unnamed(observe):\n    kept.append(observe)\n",
        "demo/test_kept.py",
    )
    project.write(
        "conftest.py",
        """
        import pathlib, sys

        @__import__("pytest").hookimpl(trylast=True)
        def pytest_unconfigure(config):
            kept = next(m.kept for n, m in sys.modules.items() if n.endswith("test_kept"))
            try:
                kept[0]("errors", 1)
            except Exception as error:
                pathlib.Path("refused.txt").write_text(str(error))
        """,
    )
    assert project.run("-m", "canary").ret == 0
    assert "after the run had ended" in (project.root / "refused.txt").read_text()


OLD = {
    "old": """
        import datetime
        AT = datetime.datetime.now(datetime.UTC) - datetime.timedelta(days=2)

        @bound
        def test_works(observe):
            observe("old", 0.1, at=AT)
    """,
    "now": """
        @bound
        def test_works(observe):
            observe("now", 0.1)
    """,
    "recent": """
        import datetime
        AT = datetime.datetime.now(datetime.UTC) - datetime.timedelta(minutes=20)

        @bound
        def test_works(observe):
            observe("recent", 0.1, at=AT)
    """,
}


def test_what_happened_long_ago_is_as_old_as_it_is(project: Project, workers: Workers) -> None:
    vary(
        project,
        OLD,
        more="environments: {prod: {max_age: 1h}}\n",
        rule=RULE.replace("seconds", "SLUG"),
    )
    asked = ("-m", "canary", "--rollout-env", "prod", "--rollout-gate", "exit")
    project.run(*asked, *workers)
    verdicts = project.verdicts(environment="prod")
    assert {slug: verdicts[slug] for slug in OLD} == {
        "old": "inconclusive",
        "now": "pass",
        "recent": "pass",
    }
    assert "old" in project.reason("old", environment="prod")


COUNTS = {
    "halves": "{9.0: 0.9, 0.1: 20}",
    "text": "{9.0: '1', 0.1: 20}",
    "negative": "{9.0: -1, 0.1: 20}",
    "truth": "{9.0: True, 0.1: 20}",
    "nan": "{9.0: float('nan'), 0.1: 20}",
    "whole": "{0.2: 1, 0.1: 20}",
}
_DISTRIBUTION = """
@bound
def test_works(observe):
    observe.distribution("seconds", {})
"""


def test_counts_of_a_distribution_are_whole(project: Project, workers: Workers) -> None:
    vary(
        project,
        {slug: _DISTRIBUTION.replace("{}", text) for slug, text in COUNTS.items()},
        rule=RULE,
    )
    project.run("-m", "canary", *workers)
    verdicts = project.verdicts()
    expected = {**dict.fromkeys(COUNTS, "error"), "whole": "pass"}
    assert {slug: verdicts[slug] for slug in COUNTS} == expected
    assert "0.9" in project.reason("halves")


def test_bad_and_of_are_whole_too(project: Project) -> None:
    ratio = "@bound\ndef test_works(observe):\n    observe.ratio('seconds', bad=0.9, of=20)\n"
    vary(project, {"halves": ratio}, rule='metric: seconds, take: rate, pass: "< 0.5"')
    project.run("-m", "canary")
    assert project.verdicts()["halves"] == "error"
