"""The plugin switched off, in part or whole, or not finding its plan."""

from __future__ import annotations

from typing import Any

from tests.traps.parts import conftest, works
from tests.traps.trap import ALONE, NO_GO, NOTHING, PLAIN, Trap

_SKIP = works("pytest.skip('no host')")

_FAILS = "assert False, 'it does not work'"
_BAD = works(_FAILS)

_OFF = (
    Trap(
        "plugin-off",
        "`-p no:rollout`",
        "",
        NOTHING,
        files=_SKIP,
        args=("-p", "no:rollout"),
        taken=True,
    ),
    Trap(
        "plugin-off-by-environment",
        "`PYTEST_ADDOPTS='-p no:rollout'`",
        "",
        NOTHING,
        files=_SKIP,
        env={"PYTEST_ADDOPTS": "-p no:rollout"},
        taken=True,
    ),
    Trap(
        "autoload-off",
        "`PYTEST_DISABLE_PLUGIN_AUTOLOAD=1`",
        "",
        NOTHING,
        files=_SKIP,
        env={"PYTEST_DISABLE_PLUGIN_AUTOLOAD": "1"},
        modes=(PLAIN,),
        taken=True,
    ),
    Trap(
        "root-elsewhere",
        "`--rootdir` elsewhere: no plan is found",
        "",
        NOTHING,
        files=_SKIP | {"elsewhere/here.txt": ""},
        args=("--rootdir=elsewhere",),
        taken=True,
    ),
    Trap(
        "ini-elsewhere",
        "`-c` with an ini file elsewhere: no plan is found",
        "",
        NOTHING,
        files=_SKIP
        | {"elsewhere/other.ini": "[pytest]\nmarkers =\n    one: x\n    criterion: x\n"},
        args=("-c", "elsewhere/other.ini"),
        taken=True,
    ),
    Trap(
        "plans-elsewhere",
        "`-o rollout_plans=…`: no plan is found",
        "",
        NOTHING,
        files=_SKIP,
        args=("-o", "rollout_plans=none.yaml"),
        taken=True,
    ),
    Trap(
        "plan-removed",
        "the plan was renamed",
        "",
        NOTHING,
        files=_SKIP
        | {
            "pytest.ini": """\
[pytest]
rollout_plans = plan.yaml
markers =
    one: x
    criterion: x
"""
        },
        taken=True,
    ),
    Trap(
        "without-terminal",
        "`-p no:terminal`: nothing is shown",
        "it does not work",
        NO_GO,
        files=_BAD,
        args=("-p", "no:terminal"),
    ),
    Trap(
        "quiet",
        "`-qq --no-summary`",
        "it does not work",
        NO_GO,
        files=_BAD,
        args=("-qq", "--no-summary"),
    ),
    Trap(
        "without-the-runner",
        "`-p no:runner`: pytest cannot run anything",
        "",
        NOTHING,
        args=("-p", "no:runner"),
        modes=(PLAIN,),
    ),
    Trap(
        "without-python",
        "`-p no:python`: pytest collects no Python",
        "no check is bound",
        args=("-p", "no:python"),
        modes=ALONE,
    ),
)

_WHY = "it does not work"


def _unregisters(
    id_: str, says: str, hook: str, because: str, *, body: str = _FAILS, **also: Any
) -> Trap:
    """A check that is no pass, and a conftest.py that takes a part of the gate away."""
    return Trap(id_, says, because, files=works(body) | conftest(hook), **also)


_PARTS = (
    Trap(
        "part-left-out",
        "`-p no:rollout-finishing`: a part of the gate is switched off",
        "cannot be left out",
        args=("-p", "no:rollout-finishing"),
        files=_BAD,
    ),
    Trap(
        "part-running-left-out",
        "`-p no:rollout-running`",
        "cannot be left out",
        "nothing",
        args=("-p", "no:rollout-running"),
        files=_BAD,
        modes=(PLAIN,),
    ),
    _unregisters(
        "finishing-unregistered",
        "a conftest.py unregisters the part that answers",
        """
        def pytest_sessionstart(session):
            part = session.config.pluginmanager.get_plugin('rollout-finishing')
            if part: session.config.pluginmanager.unregister(part)
        """,
        because="never finished",
        body="pytest.skip('no')",
    ),
    _unregisters(
        "running-unregistered",
        "a conftest.py unregisters the part that listens",
        """
        def pytest_collection_finish(session):
            part = session.config.pluginmanager.get_plugin('rollout-running')
            if part: session.config.pluginmanager.unregister(part)
        """,
        because="it never reported",
    ),
    _unregisters(
        "collecting-unregistered",
        "a conftest.py unregisters the part that collects",
        """
        def pytest_sessionstart(session):
            part = session.config.pluginmanager.get_plugin('rollout-collecting')
            if part: session.config.pluginmanager.unregister(part)
        """,
        because="no worker said what should run",
    ),
    _unregisters(
        "plugin-unregistered",
        "a conftest.py unregisters the whole plugin",
        """
        def pytest_sessionstart(session):
            for name, part in session.config.pluginmanager.list_name_plugin():
                if name.startswith('rollout') and part:
                    session.config.pluginmanager.unregister(part)
        """,
        because="never finished",
        body="pytest.skip('no')",
        taken=True,
    ),
)

TRAPS = (*_OFF, *_PARTS)
