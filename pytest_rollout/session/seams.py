"""Everything that this package knows of the insides of pytest and xdist, each in one function.

What stands here is no public interface of theirs and may change with any release.
`tests/session/test_seams.py` holds each against the installed releases.
"""

from __future__ import annotations

import re
import signal
import subprocess
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest
from _pytest.config.findpaths import determine_setup
from _pytest.mark import deselect_by_mark
from _pytest.mark.expression import Expression
from _pytest.skipping import evaluate_skip_marks, evaluate_xfail_marks


class MarkExpression:
    """An expression of ``-m``: its names, and whether a set of marks meets it.

    Relies on `_pytest.mark.expression.Expression`: `compile`, `evaluate`, and `_code`, whose names
    are those of the expression behind a `$`. Its `idents` is of pytest 9.2, and 9.0 is allowed.
    """

    def __init__(self, text: str) -> None:
        """Raise ValueError where pytest cannot read the text."""
        try:
            self._compiled = Expression.compile(text)
        except SyntaxError as error:
            raise ValueError(str(error)) from error

    @property
    def names(self) -> frozenset[str]:
        """Every mark that the expression speaks of."""
        code = self._compiled._code
        return frozenset(name.removeprefix("$") for name in code.co_names)

    def met_by(self, marks: Iterable[str]) -> bool:
        """Whether an item with these marks is selected."""
        present = frozenset(marks)
        return self._compiled.evaluate(lambda name, /, **_: name in present)


def root_and_ini(root: str | None, here: Path) -> tuple[Path, dict[str, object]]:
    """The root of the project as a run from ``here`` would find it, and its ini values.

    Relies on `_pytest.config.findpaths.determine_setup`: its parameters, its result's first and
    third member, and `value` of each ini value. Raises pytest.UsageError.
    """
    setup = determine_setup(
        inifile=None, override_ini=None, args=[], rootdir_cmd_arg=root, invocation_dir=here
    )
    return setup[0], {name: item.value for name, item in setup[2].items()}


def paths_were_given(config: pytest.Config) -> bool:
    """Whether the command line names places or tests. Relies on `Config.args_source`."""
    return config.args_source is config.ArgsSource.ARGS


def collect_from(config: pytest.Config, places: Sequence[str | Path]) -> None:
    """Let the session collect these folders and files, whatever `testpaths` says.

    Relies on `Session.perform_collect` reading `config.args` after plugins were configured,
    and on `args_source` being used only to show `testpaths` in the header.
    """
    config.args = [str(place) for place in places]
    config.args_source = config.ArgsSource.INVOCATION_DIR


@contextmanager
def marks_selected_last(config: pytest.Config, items: list[pytest.Item]) -> Iterator[None]:
    """Let ``-m`` select after every hook of the collection, so that marks set by any of them count.

    Relies on `_pytest.mark.deselect_by_mark(items, config)` doing all that ``-m`` does, and on
    its reading `config.option.markexpr` while `pytest_collection_modifyitems` is called.
    """
    expression, config.option.markexpr = config.option.markexpr, ""
    try:
        yield
    finally:
        config.option.markexpr = expression
    deselect_by_mark(items, config)


def fixture_functions(item: pytest.Item) -> Iterator[Callable[..., object]]:
    """The functions of all fixtures that an item reads, directly or not.

    Relies on `Function._fixtureinfo.name2fixturedefs`, the last definition being the one used.
    Items that are no functions have none.
    """
    info = getattr(item, "_fixtureinfo", None)
    for definitions in getattr(info, "name2fixturedefs", {}).values():
        yield definitions[-1].func


def passes_by_marks(item: pytest.Item) -> bool:
    """Whether the marks of an item let it pass here: it is neither skipped nor expected to fail.

    Relies on `_pytest.skipping`: `evaluate_skip_marks` and `evaluate_xfail_marks` give None where
    no mark holds, and fail where a condition cannot be read.
    """
    try:
        return evaluate_skip_marks(item) is None and evaluate_xfail_marks(item) is None
    except pytest.fail.Exception:
        return False


def make_innermost(config: pytest.Config, plugin: object) -> None:
    """Put a plugin's `trylast` wrappers inside of those of all others.

    Relies on the order of pluggy: of wrappers that are all `trylast`, the one that is registered
    last is nearest to the call.
    """
    manager = config.pluginmanager
    name = manager.get_name(plugin)
    if name is not None:
        manager.unregister(plugin)
        manager.register(plugin, name)


class ModuleInMemory(pytest.Module):
    """A file that is collected as a module of tests without being one.

    Relies on `pytest.Module._getobj` giving the module that is collected.
    """

    def module(self) -> ModuleType:
        """The module; subclasses make it."""
        raise NotImplementedError

    def _getobj(self) -> ModuleType:
        return self.module()


def is_worker(config: pytest.Config) -> bool:
    """Whether this process runs tests for an xdist controller. Relies on `config.workerinput`."""
    # Not PYTEST_XDIST_WORKER: a pytest that a worker starts inherits that variable.
    return hasattr(config, "workerinput")


def is_controller(config: pytest.Config) -> bool:
    """Whether this process hands its tests to xdist workers (known before xdist configures).

    Relies on xdist's option `dist` being set by ``-n`` before plugins are configured.
    """
    dist: str = config.getoption("dist", "no")
    return dist != "no" and not is_worker(config) and not config.getoption("collectonly")


def worker_name(config: pytest.Config) -> str:
    """The name of this process among workers. Relies on `workerinput["workerid"]`."""
    given: Mapping[str, str] = getattr(config, "workerinput", {})
    return given.get("workerid", "main")


def told_by_controller(config: pytest.Config, key: str) -> str | None:
    """What the controller told this worker. Relies on `config.workerinput` being a mapping."""
    given: Mapping[str, object] = getattr(config, "workerinput", {})
    return str(given[key]) if key in given else None


def tell_controller(config: pytest.Config, key: str, text: str) -> None:
    """Have xdist carry a text to the controller at the end of the session.

    Relies on `config.workeroutput`, which xdist sends from its own `pytest_sessionfinish`.
    """
    output: dict[str, object] | None = getattr(config, "workeroutput", None)
    if output is not None:
        output[key] = text


def tell_worker(node: Any, key: str, text: str) -> None:
    """Have xdist carry a text to a worker that is about to start: `node.workerinput`."""
    node.workerinput[key] = text


def told_by_worker(node: Any, key: str) -> str | None:
    """What a worker told at its end; None where it said nothing. Relies on `node.workeroutput`."""
    output: Mapping[str, str] | None = getattr(node, "workeroutput", None)
    return output[key] if output is not None and key in output else None


def stopped_at_failures(error: BaseException) -> bool:
    """Whether xdist says that it stopped because so many tests failed as `-x` or `--maxfail` allow.

    Relies on its `Interrupted`, a KeyboardInterrupt that it raises once all workers have ended, and
    on its text, which is pytest's own. Without xdist pytest ends such a run as one with failures.
    """
    stops = re.fullmatch(r"stopping after \d+ failures", str(error))
    return type(error).__module__.partition(".")[0] == "xdist" and stops is not None


def interrupt_worker(node: Any) -> None:
    """Send SIGINT to the process of a worker, if it still runs. Relies on `Gateway._io.popen`."""
    popen = _process_of(node)
    if popen is not None and popen.poll() is None:
        popen.send_signal(signal.SIGINT)


def kill_worker(node: Any) -> None:
    """Kill the process of a worker, if it still runs, and wait for its end.

    Relies on execnet's `Gateway._io.popen`, which a gateway to a process on this machine has.
    """
    popen = _process_of(node)
    if popen is not None and popen.poll() is None:
        popen.kill()
        popen.wait()


def _process_of(node: Any) -> subprocess.Popen[bytes] | None:
    popen = getattr(getattr(node.gateway, "_io", None), "popen", None)
    return popen if isinstance(popen, subprocess.Popen) else None


def name_of_worker(node: Any) -> str:
    """The name of a worker as its controller knows it. Relies on `node.gateway.id`."""
    return str(node.gateway.id)


def whole_phases(config: pytest.Config, log: Any, phases: Callable[[], Mapping[str, str]]) -> Any:
    """A scheduler of xdist that never splits a phase over workers.

    ``phases`` tells the phase of each bound item once workers have collected; items of none are
    units of their own. What a crashed worker left of a phase is not run elsewhere: its scenarios
    would start a second time. Those items stay missing.

    Relies on `LoadScopeScheduling`: `_split_scope` names the unit of a node id, `assigned_work`
    is units by node, each unit node ids with whether they are done; `remove_node` gives back
    what is not done.
    """
    from xdist.scheduler.loadscope import LoadScopeScheduling

    class PhaseScheduling(LoadScopeScheduling):
        known: Mapping[str, str] | None = None

        def _split_scope(self, nodeid: str) -> str:
            if self.known is None:
                self.known = phases()
            return self.known.get(nodeid, nodeid)

        def remove_node(self, node: Any) -> str | None:
            units = self.assigned_work.get(node, {}).values()
            unfinished = [name for unit in units for name, done in unit.items() if not done]
            for unit in units:
                unit.update(dict.fromkeys(unit, True))
            super().remove_node(node)
            return unfinished[0] if unfinished else None

    return PhaseScheduling(config, log)


def each_plugin(config: pytest.Config, hook: str) -> Iterator[tuple[str, Callable[..., Any]]]:
    """The name of each plugin that implements a hook, and a way to call that plugin alone.

    Relies on pluggy's `get_hookimpls` and `subset_hook_caller`. In the order in which pluggy
    calls them.
    """
    implementing = [hookimpl.plugin for hookimpl in getattr(config.hook, hook).get_hookimpls()]
    for plugin in reversed(implementing):
        others = [other for other in implementing if other is not plugin]
        name = config.pluginmanager.get_name(plugin) or type(plugin).__name__
        yield _shown(name, config.rootpath), config.pluginmanager.subset_hook_caller(hook, others)


def _shown(name: str, root: Path) -> str:
    """The name of a plugin; of a conftest.py, which is its whole path, as seen from the root."""
    path = Path(name)
    inside = path.is_absolute() and path.is_relative_to(root)
    return path.relative_to(root).as_posix() if inside else name
