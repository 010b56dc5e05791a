"""Checks that are silently not collected any more."""

from __future__ import annotations

from typing import Any

from tests.traps.parts import another, conftest, listed, module, works
from tests.traps.trap import NO_GO, Trap

_ABSENT = "listed in bindings.txt, but not collected"

_SECOND = """
@pytest.mark.criterion("works")
def test_more():
    assert False
"""

_TWO = "suites/p/test_two.py::test_more"


def _lost(id_: str, says: str, files: dict[str, str], *more: str, **also: Any) -> Trap:
    """A check of a reviewed list that is not collected any more; another one passes."""
    return Trap(id_, says, _ABSENT, files={**listed(*more), **files}, **also)


_LOST = (
    _lost(
        "misnamed-file",
        "a module's name no longer matches",
        another(_SECOND, "suites/p/two.py"),
        _TWO,
    ),
    _lost(
        "build-folder",
        "a module in a folder called `build`",
        another(_SECOND, "suites/p/build/test_two.py"),
        "suites/p/build/test_two.py::test_more",
    ),
    _lost(
        "hidden-folder",
        "a module in a folder that begins with a dot",
        another(_SECOND, "suites/p/.new/test_two.py"),
        "suites/p/.new/test_two.py::test_more",
    ),
    _lost(
        "venv-folder",
        "a module in a folder that looks like a virtual environment",
        another(_SECOND, "suites/p/env/test_two.py") | {"suites/p/env/pyvenv.cfg": ""},
        "suites/p/env/test_two.py::test_more",
    ),
    _lost(
        "collect-ignore",
        "`collect_ignore` in a conftest.py",
        another(_SECOND) | conftest('collect_ignore = ["test_two.py"]', "suites/p"),
        _TWO,
    ),
    _lost(
        "ignore-hook",
        "a conftest.py that ignores a module",
        another(_SECOND)
        | conftest(
            """
            def pytest_ignore_collect(collection_path):
                return True if collection_path.name == 'test_two.py' else None
            """
        ),
        _TWO,
    ),
    _lost(
        "shadowed-function",
        "two checks of one name: the first is lost",
        module(
            """
            @pytest.mark.criterion("works")
            def test_more():
                assert False


            @pytest.mark.criterion("works")
            def test_works():
                pass


            def test_more():
                pass
            """
        ),
        "suites/p/test_one.py::test_more",
    ),
    _lost(
        "class-with-a-constructor",
        "a test class with `__init__`",
        another(
            """
            class TestMore:
                def __init__(self): pass

                @pytest.mark.criterion('works')
                def test_more(self): assert False
            """
        ),
        "suites/p/test_two.py::TestMore::test_more",
        numbers=("E14",),
    ),
    _lost(
        "class-misnamed",
        "a class called `CanaryTest`",
        another(
            """
            class CanaryTest:
                @pytest.mark.criterion('works')
                def test_more(self): assert False
            """
        ),
        "suites/p/test_two.py::CanaryTest::test_more",
        numbers=("E14",),
    ),
    _lost(
        "class-not-a-test",
        "`__test__ = False`, inherited from a base class",
        another(
            """
            class Base:
                __test__ = False

            class TestMore(Base):
                @pytest.mark.criterion('works')
                def test_more(self): assert False
            """
        ),
        "suites/p/test_two.py::TestMore::test_more",
    ),
    _lost(
        "without-unittest",
        "`-p no:unittest`: unittest's classes are not collected",
        another(
            """
            import unittest

            @pytest.mark.criterion('works')
            class More(unittest.TestCase):
                def test_more(self): assert False
            """
        ),
        "suites/p/test_two.py::More::test_more",
        args=("-p", "no:unittest"),
    ),
    _lost(
        "other-function-names",
        "`python_functions` matches less",
        another(_SECOND),
        _TWO,
        args=("-o", "python_functions=test_ready test_works test_safe"),
    ),
    _lost(
        "other-file-names",
        "`python_files` matches less",
        another(_SECOND),
        _TWO,
        args=("-o", "python_files=*_one.py"),
    ),
    _lost(
        "not-recursed",
        "`norecursedirs` names a folder of the suite",
        another(_SECOND, "suites/p/slow/test_two.py"),
        "suites/p/slow/test_two.py::test_more",
        args=("-o", "norecursedirs=slow"),
    ),
    _lost(
        "fewer-parameters",
        "the data behind a parametrisation became shorter",
        works(args="n", marks='@pytest.mark.parametrize("n", [1])'),
        "suites/p/test_one.py::test_works[2]",
    ),
    _lost(
        "unmarked",
        "a conftest.py that takes markers off",
        another(_SECOND)
        | conftest(
            """
            def pytest_itemcollected(item):
                if item.name == 'test_more':
                    item.own_markers.clear()
            """
        ),
        _TWO,
    ),
    Trap(
        "renamed-item",
        "a conftest.py that gives a check another node id",
        "dropped during collection",
        answer=NO_GO,
        files=another(_SECOND)
        | conftest(
            """
            def pytest_collection_modifyitems(items):
                for one in items:
                    if one.name == 'test_more':
                        one._id = type(one._id).parse('suites/p/test_two.py::elsewhere')
            """
        ),
    ),
)

TRAPS = _LOST
