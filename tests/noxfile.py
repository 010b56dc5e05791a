"""`nox -f tests/noxfile.py`: the sessions' tests on every pytest and Python that is supported.

An interpreter that is not at hand is told, and left out. Interpreters of pyenv need not be chosen.
"""

import os
import subprocess
from pathlib import Path

import nox

ROOT = Path(__file__).parents[1]
PYTHONS = ["3.11", "3.12", "3.13", "3.14"]
PYTESTS = {"oldest": "pytest==9.0.0", "9.1": "pytest==9.1.*", "newest": "pytest"}
TESTS = ["tests/session", "tests/cli/test_roots.py", "tests/test_examples.py"]
# They fail or warn on an oldest pytest by themselves; no test of a session needs them.
OTHER_PLUGINS = ["pytest-asyncio"]
# argparse of early patches of Python 3.12 warns pytest so, with or without us.
OF_ARGPARSE = "ignore:Do not expect file_or_dir:UserWarning"

nox.options.default_venv_backend = "venv"
nox.options.error_on_missing_interpreters = False


def _at_hand(version: str) -> str | None:
    """The folder of an interpreter of pyenv, whose own names on the path may choose another."""
    versions = Path(os.environ.get("PYENV_ROOT", Path.home() / ".pyenv")) / "versions"
    found = sorted(versions.glob(f"{version}.*/bin/python{version}"))
    return next((str(path.parent) for path in found if not subprocess.call([path, "-c", ""])), None)


for folder in filter(None, map(_at_hand, PYTHONS)):
    os.environ["PATH"] = f"{folder}{os.pathsep}{os.environ['PATH']}"


@nox.session(python=PYTHONS)
@nox.parametrize("pytest", list(PYTESTS))
def sessions(session: nox.Session, pytest: str) -> None:
    """Run the quick tests of sessions, and the example, with one pytest on one Python."""
    pins = (ROOT / "constraints.txt").read_text(encoding="utf-8").splitlines()
    others = Path(session.create_tmp()) / "constraints.txt"
    others.write_text("\n".join(pin for pin in pins if not pin.startswith("pytest==")))
    session.chdir(ROOT)
    session.install("-q", "-c", str(others), "-e", ".[dev]", PYTESTS[pytest])
    session.run("python", "-m", "pip", "uninstall", "-q", "-y", *OTHER_PLUGINS)
    chosen = session.posargs or TESTS
    running = ("python", "-m", "pytest", "-p", "no:cacheprovider", "-q", "-m", "not slow")
    session.run(*running, "-W", OF_ARGPARSE, *chosen, env={"PYTHONDONTWRITEBYTECODE": "1"})
