"""What is relied on inside of pytest, pluggy and xdist is still as seams.py says; no mocks."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest

from pytest_rollout.session import seams

Collected = tuple[list[pytest.Item], Any]


class Seen:
    """Takes what a run inside of this process has at its end of collection."""

    def __init__(self) -> None:
        self.session: pytest.Session | None = None
        self.items: list[pytest.Item] = []
        self.deselected: list[str] = []
        self.before: Callable[[pytest.Config], None] = lambda config: None
        self.around: Callable[[pytest.Config, list[pytest.Item]], Any] | None = None

    @pytest.hookimpl(trylast=True)
    def pytest_configure(self, config: pytest.Config) -> None:
        self.before(config)

    @pytest.hookimpl(wrapper=True, tryfirst=True)
    def pytest_collection_modifyitems(
        self, config: pytest.Config, items: list[pytest.Item]
    ) -> Iterator[None]:
        if self.around is None:
            return (yield)
        with self.around(config, items):
            result = yield
        return result

    def pytest_deselected(self, items: list[pytest.Item]) -> None:
        self.deselected += [item.nodeid for item in items]

    def pytest_collection_finish(self, session: pytest.Session) -> None:
        self.session, self.items = session, list(session.items)

    @property
    def names(self) -> list[str]:
        """The ids of what was collected."""
        return [item.nodeid for item in self.items]


@pytest.fixture
def seen() -> Seen:
    """What a run will have shown."""
    return Seen()


def test_an_expression_of_marks() -> None:
    stated = seams.MarkExpression("day3 and not (slow or manual)")
    assert stated.names == {"day3", "slow", "manual"}
    assert stated.met_by(["day3"])
    assert not stated.met_by(["day3", "slow"])
    assert not stated.met_by([])
    with pytest.raises(ValueError, match="end of input"):
        seams.MarkExpression("day3 and (")


def test_root_and_ini_are_those_of_a_run(pytester: pytest.Pytester) -> None:
    pytester.makepyprojecttoml('[tool.pytest.ini_options]\nrollout_plans = ["x/*.yaml"]\n')
    inside = pytester.mkdir("inside")
    root, ini = seams.root_and_ini(None, inside)
    assert root == pytester.path
    assert ini == {"rollout_plans": ["x/*.yaml"]}
    assert seams.root_and_ini(str(inside), inside)[0] == inside
    assert pytester.parseconfig().rootpath == root


def test_whether_paths_were_given(pytester: pytest.Pytester) -> None:
    pytester.makepyfile("def test_a(): pass")
    pytester.makeini("[pytest]\ntestpaths = .\n")
    assert not seams.paths_were_given(pytester.parseconfigure())
    assert seams.paths_were_given(pytester.parseconfigure("."))
    assert not seams.paths_were_given(pytester.parseconfigure("-m", "day3"))


def test_places_to_collect_from_are_replaced(pytester: pytest.Pytester, seen: Seen) -> None:
    for folder in ("tests", "suites"):
        pytester.mkdir(folder).joinpath(f"test_{folder}.py").write_text("def test_a(): pass\n")
    pytester.makeini("[pytest]\ntestpaths = tests\n")
    seen.before = lambda config: seams.collect_from(config, [config.rootpath / "suites"])
    result = pytester.runpytest(plugins=[seen])
    assert seen.names == ["suites/test_suites.py::test_a"]
    result.stdout.no_fnmatch_line("testpaths: *")


LATE = """\
import pytest

@pytest.hookimpl(trylast=True)
def pytest_collection_modifyitems(items):
    for item in items:
        if item.name == "test_late":
            item.add_marker("chosen")
"""


def test_marks_select_after_every_hook(pytester: pytest.Pytester, seen: Seen) -> None:
    pytester.makeconftest(LATE)
    pytester.makeini("[pytest]\nmarkers = chosen\n")
    pytester.makepyfile(test_it="def test_late(): pass\ndef test_other(): pass\n")
    pytester.runpytest("-m", "chosen", plugins=[seen])
    assert seen.names == [], "pytest selects before hooks that are `trylast`: nothing to postpone"
    seen.deselected.clear()
    seen.around = seams.marks_selected_last
    result = pytester.runpytest("-m", "chosen", plugins=[seen])
    assert seen.names == ["test_it.py::test_late"]
    assert seen.deselected == ["test_it.py::test_other"]
    result.assert_outcomes(passed=1, deselected=1)
    assert seen.session is not None
    assert seen.session.config.option.markexpr == "chosen"


FIXTURES = """\
import pytest

@pytest.fixture
def deep(): return 1

@pytest.fixture
def direct(deep): return deep

def test_a(direct): pass
"""


def test_the_functions_of_an_items_fixtures(pytester: pytest.Pytester) -> None:
    (item,) = pytester.getitems(FIXTURES)
    names = {function.__name__ for function in seams.fixture_functions(item)}
    assert {"deep", "direct"} <= names


def test_the_innermost_wrapper(pytester: pytest.Pytester) -> None:
    order: list[str] = []

    class Wrapping:
        def __init__(self, name: str) -> None:
            self.name = name

        @pytest.hookimpl(wrapper=True, trylast=True)
        def pytest_runtest_call(self) -> Iterator[None]:
            order.append(self.name)
            return (yield)

    mine, other = Wrapping("mine"), Wrapping("other")

    class Moving:
        def pytest_collection_finish(self, session: pytest.Session) -> None:
            seams.make_innermost(session.config, mine)

    pytester.makepyfile("def test_a(): pass")
    pytester.runpytest(plugins=[mine, other, Moving()])
    assert order == ["other", "mine"]


def test_a_module_that_is_in_memory(pytester: pytest.Pytester, seen: Seen) -> None:
    class Made(seams.ModuleInMemory):
        def module(self) -> ModuleType:
            module = ModuleType("made")
            exec("def test_made(): pass", module.__dict__)
            return module

    class Making:
        def pytest_collect_file(
            self, file_path: Path, parent: pytest.Collector
        ) -> pytest.Collector | None:
            return Made.from_parent(parent, path=file_path) if file_path.suffix == ".yaml" else None

    pytester.makefile(".yaml", plan="plan: x")
    pytester.runpytest(plugins=[seen, Making()]).assert_outcomes(passed=1)
    assert seen.names == ["plan.yaml::test_made"]


CONFTEST = """\
from pytest_rollout.session import seams

def pytest_configure(config):
    if seams.is_worker(config):
        assert seams.told_by_controller(config, "nothing") is None
    assert seams.is_controller(config) is not seams.is_worker(config)

def pytest_configure_node(node):
    seams.tell_worker(node, "key", "for " + seams.name_of_worker(node))

def pytest_sessionfinish(session):
    config = session.config
    told = seams.told_by_controller(config, "key")
    seams.tell_controller(config, "back", f"{told} from {seams.worker_name(config)}")

def pytest_testnodedown(node, error):
    print("heard", seams.told_by_worker(node, "back"), seams.told_by_worker(node, "nothing"))
"""


def test_what_workers_and_their_controller_tell_each_other(pytester: pytest.Pytester) -> None:
    pytest.importorskip("xdist")
    pytester.makeconftest(CONFTEST)
    pytester.makepyfile("def test_a(): pass")
    result = pytester.runpytest_subprocess("-n1", "-s", "-p", "no:rollout")
    result.assert_outcomes(passed=1)
    result.stdout.fnmatch_lines(["*heard for gw0 from gw0 None*"])


def test_a_process_of_its_own_is_no_worker(pytester: pytest.Pytester) -> None:
    config = pytester.parseconfigure()
    assert not seams.is_worker(config)
    assert not seams.is_controller(config)
    assert seams.worker_name(config) == "main"
    assert seams.told_by_controller(config, "key") is None
    seams.tell_controller(config, "key", "nobody listens")
    assert seams.is_controller(pytester.parseconfig("--dist=load"))
    assert not seams.is_controller(pytester.parseconfig("--dist=load", "--collect-only"))


SCHEDULE = """\
import pytest
from pytest_rollout.session import seams

@pytest.hookimpl(tryfirst=True)
def pytest_xdist_make_scheduler(config, log):
    phases = {f"test_it.py::test_{name}": "one" for name in "abcd"}
    return seams.whole_phases(config, log, lambda: phases)
"""
TESTS = """\
import os
import pytest

@pytest.mark.parametrize("other", range(4))
def test_other(other): pass

def test_a(): pass
def test_b(): {what}
def test_c(): pass
def test_d(): pass
"""


def _scheduled(pytester: pytest.Pytester, what: str) -> tuple[pytest.RunResult, dict[str, str]]:
    pytester.makeconftest(SCHEDULE)
    pytester.makepyfile(test_it=TESTS.format(what=what))
    result = pytester.runpytest_subprocess("-n2", "-v", "-pno:rollout", "-pno:randomly")
    ran = (line.split() for line in result.outlines if line.startswith("[gw"))
    return result, {words[-1]: words[0] for words in ran if words[-1].startswith("test_it")}


def test_a_phase_is_not_split_over_workers(pytester: pytest.Pytester) -> None:
    result, where = _scheduled(pytester, "pass")
    result.assert_outcomes(passed=8)
    assert len({where[f"test_it.py::test_{name}"] for name in "abcd"}) == 1


def test_what_a_lost_worker_left_of_a_phase_is_not_run_elsewhere(
    pytester: pytest.Pytester,
) -> None:
    result, where = _scheduled(pytester, "os._exit(1)")
    result.stdout.fnmatch_lines(["*worker 'gw*' crashed while running 'test_it.py::test_b'*"])
    assert "test_it.py::test_c" not in where
    assert sum(name.startswith("test_it.py::test_other") for name in where) == 4


def test_plugins_are_called_one_by_one(pytester: pytest.Pytester) -> None:
    class Good:
        def pytest_report_header(self) -> str:
            return "good"

    class Bad:
        def pytest_report_header(self) -> str:
            raise ValueError("bad")

    config = pytester.parseconfig()
    for name, plugin in (("first", Good()), ("broken", Bad()), ("last", Good())):
        config.pluginmanager.register(plugin, name)
    calls = dict(seams.each_plugin(config, "pytest_report_header"))
    assert [name for name in calls if name in ("first", "broken", "last")] == [
        "last",
        "broken",
        "first",
    ]
    given = {"config": config, "start_path": config.rootpath}
    assert calls["first"](**given) == ["good"]
    assert calls["last"](**given) == ["good"]
    with pytest.raises(ValueError, match="bad"):
        calls["broken"](**given)


ENDING = """
from pytest_rollout.session import seams

def pytest_testnodeready(node):
    seams.ours = node

def pytest_runtest_logstart(nodeid):
    if hasattr(seams, "ours"):  # the controller hears that the check began
        seams.{ends}(seams.ours)
"""


@pytest.mark.parametrize(
    ("ends", "said"),
    [
        ("kill_worker", "*node down: Not properly terminated*"),
        ("interrupt_worker", "*gw0* received keyboard-interrupt*"),
    ],
)
def test_the_process_of_a_worker_can_be_ended(
    pytester: pytest.Pytester, ends: str, said: str
) -> None:
    pytester.makepyfile("def test_it():\n    import time; time.sleep(60)")
    pytester.makeconftest(ENDING.format(ends=ends))
    words = ("-n1", "-s", "--max-worker-restart=0", "-p", "no:cacheprovider")
    result = pytester.runpytest_subprocess(*words, timeout=50)
    result.stdout.fnmatch_lines([said])


def test_which_items_pass_by_their_marks(pytester: pytest.Pytester, seen: Seen) -> None:
    pytester.makepyfile(
        """
        import pytest

        def test_plain(): ...
        @pytest.mark.skip
        def test_skipped(): ...
        @pytest.mark.skipif(False, reason="never")
        def test_not_skipped(): ...
        @pytest.mark.xfail
        def test_expected(): ...
        @pytest.mark.skipif("no_such_name")
        def test_unknown(): ...
        """
    )
    pytester.inline_run("--collect-only", "-q", plugins=[seen])
    told = {item.name: seams.passes_by_marks(item) for item in seen.items}
    assert {name for name, passes in told.items() if passes} == {"test_plain", "test_not_skipped"}


def test_an_end_at_the_first_failures_is_told_from_others() -> None:
    from xdist.dsession import Interrupted

    assert seams.stopped_at_failures(Interrupted("stopping after 1 failures"))
    assert not seams.stopped_at_failures(Interrupted("enough"))
    assert not seams.stopped_at_failures(KeyboardInterrupt("stopping after 1 failures"))
