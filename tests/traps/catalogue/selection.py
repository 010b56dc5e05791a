"""Runs that leave checks out, or that only look."""

from __future__ import annotations

from tests.traps.parts import another, conftest, module, works
from tests.traps.trap import NOTHING, PLAIN, Trap

_TWINS = module(
    """
    @pytest.mark.criterion("works")
    def test_works():
        pass


    @pytest.mark.criterion("works")
    def test_works_too():
        assert False
    """
)
_WORKS = "suites/p/test_one.py::test_works"
_LOOKED = "runs nothing"

_LEAVING_OUT = (
    Trap(
        "keyword",
        "`-k` leaves a check out",
        "deselected by -k",
        args=("-k", "not works"),
        numbers=("E12",),
    ),
    Trap(
        "keyword-of-nothing",
        "`-k` matches nothing",
        "deselected by -k",
        args=("-k", "nomatch"),
        numbers=("E2",),
    ),
    Trap(
        "mark-typo",
        "`-m` with a typo selects nothing",
        "3 deselected",
        NOTHING,
        args=("-m", "oen"),
        numbers=("E2",),
        because_n2="no tests ran",
    ),
    Trap(
        "mark-and-typo",
        "`-m` narrowed by a mark that nobody has",
        "deselected by -m",
        args=("-m", "one and smok"),
    ),
    Trap(
        "deselect-by-prefix",
        "`--deselect` drops every check whose name begins so",
        "deselected by --deselect",
        files=_TWINS,
        args=("--deselect", _WORKS),
        numbers=("E11",),
    ),
    Trap("node-id", "one node id instead of the phase", "collected only", args=(_WORKS,)),
    Trap(
        "path",
        "one module instead of the phase",
        "collected only",
        files=another("def test_more(): pass"),
        args=("suites/p/test_two.py",),
    ),
    Trap(
        "arguments-from-a-file",
        "the arguments stand in a file",
        "collected only",
        files={"only.txt": _WORKS},
        args=("@only.txt",),
    ),
    Trap(
        "ignore",
        "`--ignore` leaves a module out",
        "--ignore",
        args=("--ignore=suites/p/test_one.py",),
    ),
    Trap(
        "ignore-glob",
        "`--ignore-glob` leaves a module out",
        "--ignore-glob",
        args=("--ignore-glob=*one.py",),
    ),
    Trap(
        "last-failed", "`--lf`: only what failed before", "--lf leaves checks out", args=("--lf",)
    ),
    Trap("stepwise", "`--stepwise`", "--stepwise leaves checks out", args=("--stepwise",)),
    Trap(
        "options-keyword",
        "`PYTEST_ADDOPTS=-k …` left over in the environment",
        "deselected by -k",
        env={"PYTEST_ADDOPTS": "-k 'not works'"},
    ),
    Trap(
        "options-deselect",
        "`PYTEST_ADDOPTS=--deselect …` left over in the environment",
        "deselected by --deselect",
        env={"PYTEST_ADDOPTS": f"--deselect={_WORKS}"},
    ),
    Trap(
        "another-phase-named",
        "`--rollout-phase` asks, and `-m` selects something else",
        "deselected by -m",
        args=("--rollout-phase=p.one", "-m", "not one"),
    ),
    Trap(
        "no-conftest",
        "`--noconftest` leaves away what a check stands on",
        "fixture 'system' not found",
        files=works(args="system")
        | conftest("""
        import pytest

        @pytest.fixture
        def system(): pass
        """),
        args=("--noconftest",),
    ),
    Trap(
        "no-such-node",
        "a node id that does not exist",
        "not found",
        NOTHING,
        args=(_WORKS + "ed",),
        because_n2="collected only",
        answer_n2="HOLD",
    ),
)


_DRY_RUN = "a dry run of Datadog's deployment gates always passes"


def _look(id_: str, *options: str, elsewhere: str = "") -> Trap:
    says = f"`{' '.join(options)}`: nothing is run{elsewhere}"
    return Trap(id_, says, _LOOKED, NOTHING, args=options, numbers=("E15",))


_LOOKING = (
    _look("collect-only", "--collect-only", elsewhere=f" ({_DRY_RUN})"),
    _look("setup-only", "--setup-only"),
    _look("setup-plan", "--setup-plan"),
    _look("fixtures", "--fixtures"),
    _look("fixtures-per-test", "--fixtures-per-test"),
    _look("cache-show", "--cache-show"),
    _look("markers", "--markers"),
    Trap(
        "version",
        "`--version`: pytest answers before any plugin is there",
        "pytest",
        NOTHING,
        args=("--version",),
        taken=True,
    ),
    _look("version-of-all", "-VV"),
    _look("help", "--help"),
    Trap(
        "options-collect-only",
        "`PYTEST_ADDOPTS=--co` left over in the environment",
        _LOOKED,
        NOTHING,
        env={"PYTEST_ADDOPTS": "--co"},
    ),
    Trap(
        "ini-collect-only",
        "`addopts = --co` left over in pytest.ini",
        _LOOKED,
        NOTHING,
        files={"pytest.ini": "[pytest]\naddopts = --co\nmarkers =\n    one: x\n    criterion: x\n"},
        modes=(PLAIN,),
    ),
)

TRAPS = (*_LEAVING_OUT, *_LOOKING)
