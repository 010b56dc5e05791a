"""Workers that die, and what they cannot send."""

from __future__ import annotations

from typing import Any

from tests.traps.parts import conftest, module, works
from tests.traps.trap import NO_GO, NOTHING, PLAIN, WORKERS, Trap

_LOST = "was lost"
_DIE = works("os._exit(0)", above="import os")
_MANY = module(
    """
    @pytest.mark.criterion("works")
    @pytest.mark.parametrize("n", range(10))
    def test_works(n):
        if n == 2:
            os._exit(0)
    """,
    above="import os",
)
_OUTPUT = """\

def pytest_sessionfinish(session):
    output = getattr(session.config, 'workeroutput', None)
    if output is not None:
        output['mine'] = {}
"""
_IN_WORKERS = "import os\n\nif 'PYTEST_XDIST_WORKER' in os.environ:\n    {}\n"

_DYING: tuple[tuple[str, str, str, dict[str, Any]], ...] = (
    (
        "worker-dies",
        "a worker dies, and another takes its place",
        _LOST,
        {"files": _MANY, "numbers": ("E18",)},
    ),
    (
        "worker-dies-no-restart",
        "a worker dies, with `--max-worker-restart=0`: most checks never run",
        _LOST,
        {"files": _MANY, "args": ("--max-worker-restart=0",), "numbers": ("E10",)},
    ),
    (
        "worker-dies-at-set-up",
        "a worker dies between set-up and call",
        _LOST,
        {
            "files": works(
                args="system",
                above="""
                import os

                @pytest.fixture
                def system():
                    yield
                    os._exit(1)
                """,
            ),
            "numbers": ("E18",),
        },
    ),
    (
        "worker-dies-and-rerun",
        "a worker dies, with `--reruns`: the second attempt passes",
        _LOST,
        {
            "files": works(
                """
                if not Path('died.txt').exists():
                    Path('died.txt').touch()
                    os._exit(1)
                """,
                above="""
                import os
                from pathlib import Path
                """,
            ),
            "args": ("--reruns=1",),
            "needs": ("rerunfailures",),
        },
    ),
    (
        "worker-sigkill-and-rerun",
        "a worker is killed, with `--reruns`",
        _LOST,
        {
            "files": works(
                """
                if not Path('died.txt').exists():
                    Path('died.txt').touch()
                    os.kill(os.getpid(), 9)
                """,
                above="""
                import os
                from pathlib import Path
                """,
            ),
            "args": ("--reruns=1",),
            "needs": ("rerunfailures",),
        },
    ),
    (
        "workers-die-at-once",
        "every worker dies where it starts",
        "",
        {"files": conftest(_IN_WORKERS.format("os._exit(0)")), "taken": False},
    ),
    (
        "conftest-breaks-in-workers",
        "conftest.py breaks in workers only",
        "",
        {
            "files": conftest(_IN_WORKERS.format("raise OSError('no such host')")),
            "numbers": ("E9",),
        },
    ),
    (
        "conftest-exits-in-workers",
        "conftest.py calls `sys.exit(0)` in workers only",
        "",
        {"files": conftest(_IN_WORKERS.format("raise SystemExit(0)"))},
    ),
    (
        "output-not-serialisable",
        "a worker's output cannot be sent",
        _LOST,
        {
            "files": conftest("import datetime\n" + _OUTPUT.format("datetime.datetime.now()")),
            "args": ("--max-worker-restart=0",),
            "numbers": ("E17",),
        },
    ),
    (
        "output-with-a-surrogate",
        "a worker's output holds a lone surrogate",
        _LOST,
        {
            "files": conftest(_OUTPUT.format(r"'\udc80'")),
            "args": ("--max-worker-restart=0",),
            "numbers": ("E17",),
        },
    ),
    (
        "property-is-a-date",
        "a property of a check is a datetime: the worker cannot send it",
        "internal error",
        {
            "files": works(
                """
                import datetime
                record_property('at', datetime.datetime.now())
                """,
                args="record_property",
            ),
            "numbers": ("E16",),
        },
    ),
    (
        "property-is-a-path",
        "a property of a check is a Path",
        "internal error",
        {
            "files": works(
                """
                import pathlib
                record_property('at', pathlib.Path())
                """,
                args="record_property",
            ),
            "numbers": ("E16",),
        },
    ),
    (
        "worker-sessionfinish-breaks",
        "a conftest.py breaks when a worker's session ends",
        "the end of a session failed",
        {
            "files": conftest(
                """
                def pytest_sessionfinish(session):
                    if hasattr(session.config, 'workerinput'): raise RuntimeError('late')
                """
            )
        },
    ),
    (
        "worker-stops-itself",
        "a worker stops itself quietly",
        "",
        {
            "files": conftest(
                """
                def pytest_runtest_teardown(item):
                    item.session.shouldstop = 'enough'
                """
            )
        },
    ),
    (
        "worker-forks",
        "a check in a worker forks and its child goes on",
        "",
        {
            "files": works(
                """
                child = os.fork()
                if not child:
                    os._exit(3)
                assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 0, 'the child failed'
                """,
                above="import os",
            ),
            "answer": NO_GO,
        },
    ),
)

TRAPS = (
    *(Trap(id_, says, why, modes=WORKERS, **also) for id_, says, why, also in _DYING),
    Trap(
        "no-worker-starts",
        "no worker can be started",
        "never finished",
        args=("--tx", "popen//python=/nowhere/python", "--dist=load"),
        modes=(PLAIN,),
    ),
    Trap(
        "dist-each",
        "`--dist each`: each worker runs every check, and one of two fails",
        "a phase is run once",
        NOTHING,
        files=works("assert os.environ['PYTEST_XDIST_WORKER'] == 'gw0'", above="import os"),
        args=("--tx=2*popen", "--dist=each"),
        modes=(PLAIN,),
    ),
)
