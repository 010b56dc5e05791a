"""Collections that are empty, or broken."""

from __future__ import annotations

from tests.traps.parts import another, conftest, listed, module, works
from tests.traps.trap import EVERY, N2, PLAIN, Trap

_ABSENT = "listed in bindings.txt, but not collected"

_UNBOUND = "no check is bound to it"

_SECOND = """
@pytest.mark.criterion("works")
def test_more():
    assert False
"""

_DROPS = """\
def pytest_collection_modifyitems(items):
    items[:] = [one for one in items if 'works' not in one.name]
"""

_EMPTY = (
    Trap(
        "empty-parametrize",
        "a parametrisation over nothing",
        "skipped: got empty parameter set",
        files=works(args="n", marks='@pytest.mark.parametrize("n", [])'),
        numbers=("E4",),
    ),
    Trap(
        "empty-glob",
        "a parametrisation over files of which there are none",
        "skipped: got empty parameter set",
        files=works(
            args="file",
            above="from pathlib import Path",
            marks='@pytest.mark.parametrize("file", list(Path("nowhere").glob("*.json")))',
        ),
    ),
    Trap(
        "empty-refused",
        "a parametrisation over nothing, with `empty_parameter_set_mark=fail_at_collect`",
        "Empty parameter set",
        files=works(args="n", marks='@pytest.mark.parametrize("n", [])'),
        args=("-o", "empty_parameter_set_mark=fail_at_collect"),
        numbers=("E4",),
    ),
    Trap(
        "generated-empty",
        "`pytest_generate_tests` generates nothing",
        "skipped: got empty parameter set",
        files=works(
            args="n",
            above="""
            def pytest_generate_tests(metafunc):
                if 'n' in metafunc.fixturenames:
                    metafunc.parametrize('n', [])
            """,
        ),
    ),
    Trap(
        "no-checks",
        "nothing is collected",
        _UNBOUND,
        files={"suites/p/test_one.py": "import pytest\n"},
        numbers=("E2",),
    ),
    Trap(
        "no-module",
        "the module was removed",
        _UNBOUND,
        files={"suites/p/test_one.py": "import pytest\n\ndef helper(): pass\n"},
    ),
    Trap(
        "module-skips-itself",
        "`importorskip` at the top of the only module",
        "skipped as a whole",
        files=works(above="pytest.importorskip('nothere')"),
        numbers=("E3",),
    ),
    Trap(
        "module-beside-skips-itself",
        "`importorskip` at the top of a module, beside one that passes",
        "skipped as a whole",
        files=another("pytest.importorskip('nothere')\n" + _SECOND),
        numbers=("E3",),
    ),
    Trap(
        "module-skipped",
        "`pytest.skip(allow_module_level=True)`",
        "skipped as a whole",
        files=another("pytest.skip('later', allow_module_level=True)\n" + _SECOND),
    ),
    Trap(
        "items-dropped",
        "a conftest.py drops items without saying so",
        "dropped during collection",
        files=conftest(_DROPS),
    ),
    Trap(
        "items-dropped-first",
        "a conftest.py drops items before anybody else sees them",
        _ABSENT,
        files=listed()
        | conftest(
            """
            import pytest

            @pytest.hookimpl(wrapper=True, tryfirst=True)
            def pytest_collection_modifyitems(items):
                items[:] = [one for one in items if 'works' not in one.name]
                return (yield)
            """,
            "suites/p",
        ),
    ),
    Trap(
        "collection-replaced",
        "a conftest.py replaces the collection",
        "no worker said what should run",
        files=conftest(
            """
            def pytest_collection(session):
                session.items = []
                return True
            """
        ),
        modes=(PLAIN,),
    ),
)

_BROKEN = (
    Trap(
        "import-error",
        "a module cannot be imported",
        "No module named",
        files=another("import nothere\n" + _SECOND),
        numbers=("E7",),
    ),
    Trap(
        "import-error-continued",
        "a module cannot be imported, with `--continue-on-collection-errors`",
        "No module named",
        files=another("import nothere\n" + _SECOND),
        args=("--continue-on-collection-errors",),
        numbers=("E7",),
    ),
    Trap(
        "syntax-error",
        "a module is no Python",
        "could not be collected",
        files=another("def\n" + _SECOND),
    ),
    Trap(
        "same-basename",
        "two modules of one name, without packages",
        "import file mismatch",
        files=another("def test_a(): pass\n", "suites/p/a/test_two.py")
        | another("def test_b(): pass\n", "suites/p/b/test_two.py"),
        args=("--import-mode=prepend",),
        because_n2="could not be collected",
    ),
    Trap(
        "criterion-typo",
        "a check names a criterion that the plan does not state",
        "unknown criterion 'wroks'",
        files=module("""
        @pytest.mark.criterion('wroks')
        def test_works(): pass
        """),
    ),
    Trap(
        "marker-typo",
        "the marker itself has a typo",
        "nobody knows the mark `criterio`",
        files=module("""
        @pytest.mark.criterio('works')
        def test_works(): pass
        """),
        numbers=("E13",),
    ),
    Trap(
        "marker-typo-strict",
        "the marker has a typo, with `--strict-markers`",
        "could not be collected",
        files=module("""
        @pytest.mark.criterio('works')
        def test_works(): pass
        """),
        args=("--strict-markers",),
        numbers=("E13",),
    ),
    Trap(
        "collection-differs",
        "workers collect different parameters",
        "worker",
        files=works(
            args="n", above="import os", marks='@pytest.mark.parametrize("n", [os.getpid()])'
        ),
        modes=(N2,),
    ),
    Trap(
        "setup-module-fails",
        "`setup_module` fails",
        "no such host",
        files=works(
            above="""
            def setup_module():
                raise OSError('no such host')
            """
        ),
        modes=EVERY,
    ),
)

TRAPS = (*_EMPTY, *_BROKEN)
