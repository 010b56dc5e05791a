"""What is collected, from where, and what counts as bound."""

from __future__ import annotations

import pytest

from pytest_rollout.model.plan import Phase, Plan
from pytest_rollout.session.asking import selects_nothing_else
from tests.session.project import INI, PLAN, TESTS, Project

BROKEN = "raise RuntimeError('collected')\n"
HEALTH = "def test_health(): pass\n"


@pytest.fixture
def wide(project: Project) -> Project:
    """A project that has tests of its own beside the plan's, which break when they are read."""
    project.write("tests/test_product.py", BROKEN)
    project.pytester.makeini(INI + "testpaths = tests suites\n")
    return project


def test_a_phase_collects_below_its_plan(wide: Project, how: list[str]) -> None:
    result = wide.run("-m", "canary", *how)
    assert result.ret == 0
    result.stdout.fnmatch_lines(["rollout: collects suites/demo"])
    result.stdout.no_fnmatch_line("testpaths: *")


@pytest.mark.parametrize(
    "arguments",
    [
        ["-m", "canary or smoke"],
        ["--rollout-phase", "demo.canary"],
        ["-m", "canary", "tests", "suites"],
        ["-k", "works"],
    ],
)
def test_what_may_select_more_collects_all(wide: Project, arguments: list[str]) -> None:
    assert "RuntimeError: collected" in wide.run(*arguments).stdout.str()


def test_the_conftest_of_the_root_is_read(wide: Project) -> None:
    wide.write("conftest.py", "def pytest_report_header():\n    return 'of the root'\n")
    result = wide.run("-m", "canary")
    assert result.ret == 0
    result.stdout.fnmatch_lines(["of the root"])


def _plan(*marks: str) -> Plan:
    return Plan("demo", "", "UTC", tuple(Phase(one, "", (one,)) for one in marks), {})


@pytest.mark.parametrize(
    ("expression", "expected"),
    [
        ("canary", True),
        ("demo", True),
        ("canary and not slow", True),
        ("canary or week", True),
        ("canary or slow", False),
        ("not canary", False),
        ("slow", False),
        ("canary and (", False),
        ("", False),
        ("canary and " + " and ".join(f"m{number}" for number in range(11)), False),
    ],
)
def test_what_an_expression_can_select(expression: str, expected: bool) -> None:
    assert selects_nothing_else([_plan("canary", "week")], expression) is expected


def test_a_plan_in_the_root_beside_testpaths(project: Project, how: list[str]) -> None:
    (project.root / "suites/demo/rollout.yaml").rename(project.root / "rollout.yaml")
    project.write("tests/test_canary.py", TESTS)
    project.write("more/test_nice.py", TESTS.partition('@pytest.mark.criterion("ready")')[0])
    project.write(
        "more/test_works.py",
        "import pytest\n\n@pytest.mark.criterion('works')\ndef test_more(): assert 0, 'seen'\n",
    )
    (project.root / "suites/demo/test_canary.py").unlink()
    project.pytester.makeini(INI + "testpaths = tests\n")
    assert project.run("-m", "canary", *how).ret == 10
    assert "seen" in project.reason("works")
    (project.root / "more/test_works.py").unlink()
    for arguments in (["-m", "canary"], ["--rollout-phase", "demo.canary"]):
        result = project.run(*arguments, *how)
        assert result.ret == 0
        result.stdout.no_fnmatch_line("*partial*")


@pytest.fixture
def services(pytester: pytest.Pytester) -> Project:
    """Two services in one repository, whose plans share the name of a phase."""
    project = Project(pytester)
    project.write("conftest.py", "")
    project.write("app.py", "async def app(scope, receive, send): ...\n")
    for name in ("a", "b"):
        project.write(f"services/{name}/rollout.yaml", PLAN.replace("plan: demo", f"plan: {name}"))
        project.write(f"services/{name}/tests/test_canary.py", TESTS)
        project.write(f"services/{name}/tests/unit/test_unit.py", "def test_unit(): pass\n")
    return project


INI = INI.replace("addopts =", "addopts = --import-mode=importlib")
ROOT_INI = INI + "rollout_plans = services/*/rollout.yaml\n"


@pytest.mark.parametrize("inis", [["."], [".", "services/a"], ["services/a"]], ids=" ".join)
@pytest.mark.parametrize("folder", ["services/a", "services/a/tests/unit"])
def test_a_service_decides_from_its_own_folder(
    services: Project, inis: list[str], folder: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    for place in inis:
        services.write(f"{place}/pytest.ini", ROOT_INI if place == "." else INI)
    monkeypatch.chdir(services.root / folder)
    result = services.run("-m", "canary")
    assert result.ret == 0
    result.stdout.fnmatch_lines(["GO: a.canary/entry GO, a.canary/exit GO"])
    result.stdout.no_fnmatch_line("*b.canary*")


def test_a_service_is_found_on_the_way_to_the_root(
    services: Project, monkeypatch: pytest.MonkeyPatch
) -> None:
    services.write("pytest.ini", INI)
    services.run("-m", "canary").stdout.no_fnmatch_line("rollout:*")
    monkeypatch.chdir(services.root / "services/a/tests")
    result = services.run("-m", "canary", "-n2")
    assert result.ret == 0
    result.stdout.fnmatch_lines(["GO: a.canary/entry GO, a.canary/exit GO"])
    assert services.rollout("check", "a").ret == 0


def test_a_project_behind_a_link(
    project: Project, tmp_path_factory: pytest.TempPathFactory, monkeypatch: pytest.MonkeyPatch
) -> None:
    linked = tmp_path_factory.mktemp("linked") / "project"
    linked.symlink_to(project.root, target_is_directory=True)
    monkeypatch.chdir(linked)
    assert project.run("-m", "canary", f"--rootdir={linked}").ret == 0
    assert project.verdicts()["works"] == "pass"


def test_from_the_root_and_elsewhere_every_service_is_asked(
    services: Project, monkeypatch: pytest.MonkeyPatch
) -> None:
    services.write("pytest.ini", ROOT_INI)
    (services.root / "docs").mkdir()
    for folder in (".", "docs", "services"):
        monkeypatch.chdir(services.root / folder)
        result = services.run("-m", "canary")
        assert result.ret == 0
        result.stdout.fnmatch_lines(["GO: a.canary/entry GO, a.canary/exit GO, b.canary/entry *"])
    monkeypatch.chdir(services.root / "services/a")
    result = services.run("-m", "canary", "--rollout-phase", "b.canary")
    result.stdout.fnmatch_lines(["GO: a.canary/entry GO, a.canary/exit GO, b.canary/entry *"])


def test_a_list_of_bindings_is_the_same_from_every_root(
    services: Project, monkeypatch: pytest.MonkeyPatch
) -> None:
    services.write("pytest.ini", ROOT_INI)
    assert services.rollout("check", "a", "--write-bindings").ret == 0
    listed = services.root / "services/a/bindings.txt"
    text = listed.read_text(encoding="utf-8")
    assert "a.canary.ready tests/test_canary.py::test_ready\n" in text
    services.write("services/a/pytest.ini", INI)
    monkeypatch.chdir(services.root / "services/a")
    assert services.run("-m", "canary").ret == 0
    assert services.rollout("check", "a", "--write-bindings").ret == 0
    assert listed.read_text(encoding="utf-8") == text
    old = text.replace("ready tests/", "ready services/a/tests/")
    listed.write_text(old, encoding="utf-8")
    assert services.run("-m", "canary").ret == 0
    listed.write_text(old + "a.canary.nice services/a/tests/test_gone.py::test_it\n", "utf-8")
    result = services.run("-m", "canary")
    result.stdout.fnmatch_lines(["*nice*test_it: listed in bindings.txt, but not collected*"])
    result = services.rollout("check", "a")
    assert result.ret == 4
    result.stdout.fnmatch_lines(["a.canary.nice: tests/test_gone.py::test_it is listed, *"])


BOUND = PLAN.replace(
    "{id: works, kind: demo, says: It works}", "{id: works, kind: demo, binds: [BINDS]}"
)


@pytest.fixture
def binding(project: Project) -> Project:
    """A project whose criterion `works` has no marked test."""
    project.change('@pytest.mark.criterion("works")\n', "")
    project.change("pytestmark = pytest.mark.canary\n", "")
    project.write("suites/demo/api/test_api.py", HEALTH)
    project.write("elsewhere/check_it.py", HEALTH)
    return project


BINDS = {
    "an id": "api/test_api.py::test_health",
    "all parameters": "test_canary.py::test_works",
    "one parameter": '"test_canary.py::test_works[a]"',
    "a pattern": '"api/**::test_*"',
    "a file": "api/test_api.py",
    "a file of any name, outside": "../../elsewhere/check_it.py::test_health",
}


@pytest.mark.parametrize("what", BINDS)
def test_a_plan_binds_tests_that_carry_no_mark(binding: Project, how: list[str], what: str) -> None:
    binding.plan(BOUND.replace("BINDS", BINDS[what]))
    assert binding.run("-m", "canary", *how).ret == 0
    assert binding.verdicts()["works"] == "pass"
    (criterion,) = [one for one in binding.decision()["criteria"] if one["id"].endswith(".works")]
    assert len(criterion["parts"]) == (2 if what == "all parameters" else 1)


def test_a_test_that_a_plan_binds_can_say_no(binding: Project, how: list[str]) -> None:
    binding.plan(BOUND.replace("BINDS", BINDS["a pattern"]))
    binding.write("suites/demo/api/test_api.py", "def test_health(): assert 0, 'ill'\n")
    assert binding.run("-m", "canary", *how).ret == 10
    assert "ill" in binding.reason("works")


MATCHLESS = {
    "an id": "api/test_api.py::test_helth",
    "a pattern": '"api/**::test_helth*"',
    "a file": "api/test_apy.py",
    "a parameter": '"test_canary.py::test_works[c]"',
}


@pytest.mark.parametrize("what", MATCHLESS)
def test_a_pattern_that_matches_nothing_is_a_missing_check(
    binding: Project, how: list[str], what: str
) -> None:
    binding.plan(BOUND.replace("BINDS", f"{BINDS['an id']}, {MATCHLESS[what]}"))
    result = binding.run("-m", "canary", *how)
    assert result.ret == 11
    result.stdout.no_fnmatch_line("*partial*")
    assert "`binds` names it, but no such test was collected" in binding.reason("works")
    check = binding.rollout("check")
    assert check.ret == 4
    name = MATCHLESS[what].strip('"')
    assert f"criterion works: `binds` names no test: {name}" in check.stdout.str()


def test_a_bound_test_belongs_to_one_phase(binding: Project) -> None:
    other = "  - {id: week, criteria: [{id: x, kind: demo, binds: [api/test_api.py]}]}\n"
    binding.plan(BOUND.replace("BINDS", BINDS["an id"]) + other)
    result = binding.run("-m", "canary")
    assert result.ret == 4
    result.stderr.fnmatch_lines(["*a test is bound to demo.canary and demo.week*"])


def test_what_binds_is_no_path_of_this_machine(binding: Project) -> None:
    binding.plan(BOUND.replace("BINDS", "/home/me/test_api.py"))
    result = binding.run("-m", "canary")
    assert result.ret == 4
    result.stderr.fnmatch_lines(["*criterion works: `binds` lists ids of tests, not '/home/me*"])


LATE = """\
import pytest

@pytest.hookimpl({order})
def pytest_collection_modifyitems(items):
    for item in items:
        if item.name.startswith("test_works"):
            item.add_marker(pytest.mark.criterion("works"))
"""


@pytest.mark.parametrize("order", ["tryfirst=True", "", "trylast=True"])
@pytest.mark.parametrize("place", ["conftest.py", "suites/demo/conftest.py"])
def test_marks_that_hooks_set_count(
    binding: Project, how: list[str], order: str, place: str
) -> None:
    binding.write(place, LATE.format(order=order))
    assert binding.run("-m", "canary", *how).ret == 0
    assert binding.verdicts()["works"] == "pass"
    assert binding.rollout("check").ret == 0
    binding.change("def test_works(part):\n    pass", "def test_works(part):\n    assert 0")
    assert binding.run("-m", "canary", *how).ret == 10


TAKEN = """\
import pytest

@pytest.hookimpl({order})
def pytest_collection_modifyitems(items):
    for item in items:
        item.own_markers[:] = [one for one in item.own_markers if one.name != "criterion"]
"""


@pytest.mark.parametrize("order", ["tryfirst=True", "trylast=True"])
def test_a_mark_that_a_hook_takes_away_still_counts(project: Project, order: str) -> None:
    project.write("conftest.py", TAKEN.format(order=order))
    project.change("def test_works(part):\n    pass", "def test_works(part):\n    assert 0")
    assert project.run("-m", "canary").ret == 10


def test_an_item_that_a_hook_drops_is_missing(project: Project, how: list[str]) -> None:
    project.write("conftest.py", "def pytest_collection_modifyitems(items):\n    del items[1]\n")
    assert project.run("-m", "canary", *how).ret == 11
    assert project.verdicts()["works"] == "missing"
    assert "dropped during collection" in project.reason("works")


def test_a_hook_moves_no_test_to_another_phase(project: Project) -> None:
    project.plan(PLAN + "  - {id: week, criteria: [{id: other, kind: demo}]}\n")
    project.change("pytestmark = pytest.mark.canary\n", "")
    hook = TAKEN.format(order="") + '        item.add_marker("week")\n'
    hook += '        item.own_markers[:] = [m for m in item.own_markers if m.name != "canary"]\n'
    project.write("conftest.py", hook)
    result = project.run("-m", "canary")
    assert result.ret == 4
    result.stderr.fnmatch_lines(["*a hook moved a test from demo.canary to demo.week*"])


def test_check_names_marked_tests_outside_of_the_plans_folder(project: Project) -> None:
    text = "import pytest\n\n@pytest.mark.canary\ndef test_it(): pass\n"
    project.write("tests/test_stray.py", text)
    project.write("tests/test_text.py", f"TEXT = {text!r}\n")
    project.write("example/pytest.ini", INI)
    project.write("example/suites/test_example.py", text)
    result = project.rollout("check")
    assert result.ret == 0
    result.stdout.no_fnmatch_line("*test_example*")
    where = "note: tests/test_stray.py:3: marked `canary`, but not below suites/demo"
    result.stdout.fnmatch_lines([f"{where}, so no check of demo*"])
    result.stdout.no_fnmatch_line("*test_text*")
