"""What a thread observes once the last check has ended, or the run."""

from __future__ import annotations

from tests.session.project import Project
from tests.session.runs.observing import rule
from tests.session.runs.variations import vary

Workers = tuple[str, ...]

LATE = """
        import threading, time

        def see(observe):
            time.sleep(0.5)
            observe("seconds", 9.0)

        @bound
        def test_works(observe):
            observe("seconds", 0.1)
            threading.Thread(target=see, args=(observe,)).start()
"""


def test_what_a_thread_observes_after_the_last_check_is_never_lost(
    project: Project, workers: Workers
) -> None:
    vary(project, {"zz-late": LATE}, stated={"zz-late": rule("seconds")})
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
