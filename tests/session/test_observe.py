"""The `observe` and `phase` fixtures, as authors of suites use them."""

from __future__ import annotations

import pytest

from tests.session.project import Project


def errors(project: Project, body: str) -> None:
    """Let the test of `errors` have another body."""
    text = (project.root / "suites/demo/test_canary.py").read_text()
    head, mark, _ = text.partition("def test_errors(observe):\n")
    lines = "".join(f"    {line}\n" for line in body.splitlines())
    project.tests(f"import datetime\n{head}{mark}{lines}")


GOOD = {
    "a ratio": "observe.ratio('errors', bad=0, of=200, at=1)",
    "a distribution": "observe.distribution('errors', [0, 0, 0], at=1)",
    "counted values": "observe.distribution('errors', {0: 7}, at=1)",
    "no time": "for _ in range(3): observe('errors', 0)",
    "aware times": "for n in range(3):\n"
    "    observe('errors', 0, at=datetime.datetime(2026, 1, n + 1, tzinfo=datetime.UTC))",
    "text times": "for n in range(3): observe('errors', 0, at=f'2026-01-0{n + 1}T00:00:00Z')",
    "one time, three opportunities": "for _ in range(3): observe('errors', 0, at=5)",
    "threads": "import threading\n"
    "ts = [threading.Thread(target=observe, args=('errors', 0)) for _ in range(20)]\n"
    "[t.start() for t in ts]; [t.join() for t in ts]",
    "an attachment": "observe.attach('log.txt', 'text')\nfor _ in range(3): observe('errors', 0)",
}


@pytest.mark.parametrize("what", GOOD)
def test_what_can_be_observed(project: Project, what: str) -> None:
    errors(project, GOOD[what])
    assert project.run("-m", "canary").ret == 0


def test_threads_lose_nothing(project: Project) -> None:
    errors(project, GOOD["threads"])
    project.run("-m", "canary")
    assert next(c for c in project.decision()["criteria"] if c["samples"])["samples"] == 20


BAD = {
    "text": ("observe('errors', 'many')", "a value is a number, not str"),
    "nothing": ("observe('errors', None)", "not NoneType"),
    "a naive time": (
        "observe('errors', 0, at=datetime.datetime(2026, 1, 1))",
        "has no zone",
    ),
    "an impossible ratio": ("observe.ratio('errors', bad=3, of=2)", "3 bad of 2"),
}


@pytest.mark.parametrize("what", BAD)
def test_what_cannot_is_an_error(project: Project, what: str) -> None:
    body, message = BAD[what]
    errors(project, body)
    assert project.run("-m", "canary").ret == 11
    assert project.verdicts()["errors"] == "error"
    assert message in project.reason("errors")


def test_the_same_slot_with_two_values_is_a_hole(project: Project) -> None:
    errors(project, "for n in range(3): observe('errors', 0, at=n)")
    second = '\n@pytest.mark.criterion("errors")\ndef test_again(observe):\n'
    text = (project.root / "suites/demo/test_canary.py").read_text()
    project.tests(text + second + "    observe('errors', 1, at=2)\n")
    assert project.run("-m", "canary").ret == 11
    assert "different values" in project.reason("errors")


def test_the_same_slot_twice_is_one(project: Project) -> None:
    errors(project, "for n in range(3): observe('errors', 0, at=n)")
    second = '\n@pytest.mark.criterion("errors")\ndef test_again(observe):\n'
    text = (project.root / "suites/demo/test_canary.py").read_text()
    project.tests(text + second + "    for n in range(3): observe('errors', 0, at=n)\n")
    assert project.run("-m", "canary").ret == 0
    assert next(c for c in project.decision()["criteria"] if c["samples"])["samples"] == 3


def test_hypothesis_accepts_the_fixtures(project: Project) -> None:
    project.change(
        "def test_works(part):\n    pass",
        "@given(st.integers())\ndef test_works(phase, observe, part, number):\n    pass",
    )
    text = (project.root / "suites/demo/test_canary.py").read_text()
    project.tests(f"from hypothesis import given, strategies as st\n{text}")
    assert project.run("-m", "canary").ret == 0


def test_the_phase_is_given_without_a_trace_in_the_ids(project: Project) -> None:
    project.change(
        "def test_works(part):",
        "def test_works(phase, part):\n    assert phase.id == 'demo.canary'",
    )
    result = project.run("-m", "canary", "-v")
    result.stdout.fnmatch_lines(["suites/demo/test_canary.py::test_works[[]a[]] PASSED*"])


def test_observing_without_a_question_is_harmless(project: Project) -> None:
    result = project.run("suites/demo/test_canary.py::test_errors")
    assert result.ret == 0
    assert not project.stored


def test_an_attachment_that_cannot_be_written_leaves_that_of_an_earlier_run(
    project: Project,
) -> None:
    text = "observe.attach('log.txt', 'x' * 5000)\nfor _ in range(3): observe('errors', 0)"
    errors(project, text)
    assert project.run("-m", "canary").ret == 0
    folder = project.root / ".rollout/attachments"
    (kept,) = folder.iterdir()
    limit = "import resource\nresource.setrlimit(resource.RLIMIT_FSIZE, ({}, -1))\n"
    errors(
        project,
        f"{limit.format(1000)}try:\n    {text.splitlines()[0]}\n"
        f"finally:\n    resource.setrlimit(resource.RLIMIT_FSIZE, (-1, -1))\n",
    )
    assert project.run_apart("-m", "canary").ret == 11
    assert "File too large" in project.reason("errors")
    assert [path.name for path in folder.iterdir()] == [kept.name]
    assert kept.read_text() == "x" * 5000
