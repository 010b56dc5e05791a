"""Projects of others: the plugin changes nothing there, and a plan over their own tests decides."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
import sysconfig
import tarfile
import time
from dataclasses import dataclass
from pathlib import Path

import pytest

pytestmark = pytest.mark.nightly
ROOT = Path(__file__).parents[1]
# A flat layout; `src` with parametrised classes and marks; `src` with a conftest.py and xdist.
PROJECTS = {
    "h11": ("h11==0.16.0",),
    "attrs": ("attrs==26.1.0", "cloudpickle", "pympler"),
    "iniconfig": ("iniconfig==2.3.1",),
}
OUTCOME = re.compile(r"^(PASSED|FAILED|ERROR|XFAIL|XPASS|SKIPPED) (.+?)(?: - .*)?$", re.MULTILINE)
WITHOUT = ("-p", "no:rollout")


@dataclass(frozen=True)
class Project:
    """The source of a release, installed in a virtual environment over ours."""

    name: str
    root: Path
    python: Path

    def run(self, *words: str) -> subprocess.CompletedProcess[str]:
        """Run a module of Python in the project, without other plugins than its own and xdist."""
        addopts = (f"-pno:{one}" for one in ("allure_pytest", "locust", "respx", "randomly"))
        environ = {
            **os.environ,
            "PATH": f"{self.python.parent}{os.pathsep}{os.environ['PATH']}",
            "PYTHONDONTWRITEBYTECODE": "1",
            "PYTHONPATH": "",
            "PYTEST_ADDOPTS": " ".join([*addopts, "-pno:cacheprovider"]),
        }
        command = [str(self.python), "-m", *words]
        return subprocess.run(command, cwd=self.root, env=environ, capture_output=True, text=True)

    def outcomes(self, *words: str) -> set[tuple[str, str]]:
        """What became of each test, and of the run itself."""
        done = self.run("pytest", "-q", "-rA", *words)
        found = set(OUTCOME.findall(done.stdout))
        assert len(found) > 50, done.stdout + done.stderr
        return {*found, ("status", str(done.returncode))}

    def files(self) -> set[str]:
        """Every file of the project."""
        paths = (path for path in self.root.rglob("*") if path.is_file())
        return {path.relative_to(self.root).as_posix() for path in paths}


@pytest.fixture(scope="module", params=PROJECTS)
def project(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Project:
    """Download, unpack and install a project; ours is seen from its environment."""
    folder = tmp_path_factory.mktemp(request.param)
    release, *needs = PROJECTS[request.param]
    python = folder / "venv/bin/python"

    def made(*words: str) -> None:
        done = subprocess.run(words, cwd=folder, capture_output=True, text=True)
        assert done.returncode == 0, done.stdout[-2000:] + done.stderr[-2000:]

    made(sys.executable, "-m", "venv", "venv")
    site = Path(sysconfig.get_path("purelib", vars={"base": str(folder / "venv")}))
    ours = sysconfig.get_path("purelib")
    (site / "ours.pth").write_text(f"import site; site.addsitedir({ours!r})\n")
    # As installed: hypothesis takes notes of modules that lie elsewhere.
    shutil.copytree(ROOT / "pytest_rollout", site / "pytest_rollout")
    pip = (str(python), "-m", "pip")
    made(*pip, "download", "-q", "--no-binary", ":all:", "--no-deps", release)
    (archive,) = folder.glob("*.tar.gz")
    with tarfile.open(archive) as packed:
        packed.extractall(folder, filter="data")
    root = folder / archive.name.removesuffix(".tar.gz")
    made(*pip, "install", "-q", "--no-deps", "--ignore-installed", "-e", str(root), *needs)
    return Project(request.param, root, python)


def test_without_a_plan_the_plugin_changes_nothing(project: Project) -> None:
    plain = project.outcomes(*WITHOUT)
    before = project.files()
    assert project.outcomes() == plain
    assert project.files() == before


def test_without_a_plan_the_start_takes_no_longer(project: Project) -> None:
    def started(*words: str) -> float:
        began = time.perf_counter()
        project.run("pytest", "--collect-only", "-q", "-k", "nothing_at_all", *words)
        return time.perf_counter() - began

    pairs = [(started(), started(*WITHOUT)) for _ in range(7)]
    with_it, without = (min(times) for times in zip(*pairs, strict=True))
    assert with_it < 1.15 * without + 0.1, (with_it, without)


def test_a_plan_over_its_own_tests_decides(project: Project) -> None:
    failing = {test.partition("::")[0] for word, test in project.outcomes() if word == "FAILED"}
    listed = project.run("pytest", "--collect-only", "-q").stdout
    files = dict.fromkeys(re.findall(r"^([^\s:]+\.py)::", listed, re.MULTILINE))
    wanted = [word for one in files if one not in failing for word in ("--select", one)]
    said = project.run("pytest_rollout.cli", "init", "--from-tests", "--yes", *wanted)
    assert said.returncode == 0, said.stdout + said.stderr
    assert "to fill in" not in said.stdout
    for more in ((), ("-n", "2")):
        done = project.run("pytest", "-m", "merge", *more)
        assert (done.returncode, done.stdout.splitlines()[-1][:3]) == (0, "GO:"), done.stdout
    done = project.run("pytest", "-m", "merge", "-k", "test_a or test_c")
    assert (done.returncode, done.stdout.splitlines()[-1][:5]) == (11, "HOLD:"), done.stdout
