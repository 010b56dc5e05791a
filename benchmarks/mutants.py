"""Which small changes of a room the tests would not notice.

Run as ``python benchmarks/mutants.py judge --in FOLDER`` (or ``evidence``), nightly: there are
thousands, a survivor costs every test that runs through it, and what one night leaves, the next
goes on with. ``--module takes`` does one module of the room by itself. It needs
``pip install -c constraints.txt -e '.[dev,mutants]'``.

Every survivor must be explained in ``benchmarks/mutants.txt``; one that is not fails the
command. What was done is kept in the folder given with ``--in``, and is not done again there
as long as the sources stay the same. Decorated functions and module level code are not mutated.
"""

from __future__ import annotations

import argparse
import os
import shutil
import subprocess
import sys
import tempfile
from collections import Counter
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).parents[1]
EXPLAINED = Path(__file__).with_suffix(".txt")
PACKAGE = "pytest_rollout"
_MARK = "\u01c1"  # how the tool joins a class and its method
TESTS = {
    "judge": [
        "tests/judge/test_sentences.py",
        "tests/judge/test_cases.py",
        "tests/judge/test_case.py",
        "tests/judge/test_counters_and_buckets.py",
        "tests/judge/test_units_and_ages.py",
        "tests/judge/test_causes_and_looks.py",
        "tests/judge/test_moving_windows.py",
        "tests/judge/test_lost_runs.py",
        "tests/judge/test_deciding.py",
        "tests/judge/test_rules.py",
        "tests/judge/test_guardrails.py",
        "tests/judge/test_running.py",
        "tests/judge/test_conditions.py",
        "tests/judge/test_kernels.py",
        "tests/judge/test_waiving.py",
        "tests/judge/test_attesting.py",
        "tests/judge/test_resets.py",
        "tests/judge/test_rolling.py",
        "tests/judge/test_kayenta.py",
        "tests/judge/test_looking_again.py",
        "tests/judge/test_figures.py",
        "tests/judge/test_versus.py",
        "tests/judge/test_guardrail_examples.py",
        "tests/judge/test_order.py",
        "tests/judge/test_guardrail_words.py",
        "tests/report/test_explained.py",
        "tests/soundness",
        "tests/judge/test_monotone.py",
    ],
    "evidence": ["tests/evidence", "tests/judge/test_interruptions.py"],
}
CONFIGURATION = """
[tool.mutmut]
source_paths = ["pytest_rollout"]
only_mutate = {modules}
also_copy = ["tests", "benchmarks", "conftest.py", "pyproject.toml", "bounded.py"]
timeout_constant = 1000000.0
pytest_add_cli_args = ["-p", "bounded", "-p", "no:cacheprovider", "--hypothesis-seed=0"]
pytest_add_cli_args_test_selection = {tests}
"""
# The tool ends what takes too long by a process id that may be somebody else's by then. So its
# own limit is out of reach, and each mutant ends itself.
BOUNDED = """\
import os
import signal


def pytest_configure() -> None:
    if "__mutmut_" in os.environ.get("MUTANT_UNDER_TEST", ""):
        signal.signal(signal.SIGPROF, lambda *_: os._exit(36))  # the tool's word for timeout
        signal.setitimer(signal.ITIMER_PROF, 60)
"""
UNCHECKED = "not checked"
OPEN = ("survived", "no tests", "suspicious")  # a mutant that hangs or crashes was noticed
# A mutant that must be killed: else the tests import the package from somewhere else, such as
# an installed plugin that pytest loads before the mutants are in place.
KNOWN = {
    "judge": "judge.intervals.x_band__mutmut_*",
    "evidence": "evidence.records.x_as_written__*",
}


@dataclass(frozen=True)
class Mutant:
    """One change, and what became of it."""

    name: str  # as the tool numbers it
    status: str

    @property
    def where(self) -> str:
        """Module and function, without the tool's mangling and number."""
        name = self.name.rpartition("__mutmut_")[0].removeprefix(f"{PACKAGE}.")
        module, _, function = name.rpartition(".")
        mangled = function.removeprefix("x_").removeprefix(f"x{_MARK}")
        return f"{module}.{mangled.replace(_MARK, '.')}"


class Bench:
    """A copy of the repository in which mutants are made and tested."""

    def __init__(self, folder: Path, room: str, module: str) -> None:
        self.folder = folder
        self.room = room
        known = KNOWN[room].split(".")[1]  # the module whose mutant must be killed
        names = {"*"} if module == "*" else {module, known}
        self.modules = [f"{PACKAGE}/{room}/{name}.py" for name in sorted(names)]

    def prepare(self) -> None:
        """Copy what the tests of a room need; results of earlier runs stay."""
        for name in (PACKAGE, "tests", "benchmarks"):
            shutil.rmtree(self.folder / name, ignore_errors=True)
            ignored = shutil.ignore_patterns("__pycache__")
            shutil.copytree(ROOT / name, self.folder / name, ignore=ignored)
        for name in ("conftest.py", "README.md"):
            shutil.copy(ROOT / name, self.folder / name)
        (self.folder / "bounded.py").write_text(BOUNDED, encoding="utf-8")
        tests = str(TESTS[self.room])
        settings = CONFIGURATION.format(modules=self.modules, tests=tests)
        text = (ROOT / "pyproject.toml").read_text(encoding="utf-8") + settings
        (self.folder / "pyproject.toml").write_text(text, encoding="utf-8")

    def mutmut(self, *arguments: str, seconds: float = 60) -> str:
        """What the tool prints; after so many seconds it is ended, and goes on the next time."""
        command = [sys.executable, "-m", "mutmut", *arguments]
        environment = {**os.environ, "MONOTONE_EXAMPLES": "10"}
        done = subprocess.Popen(
            command,
            cwd=self.folder,
            env=environment,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            start_new_session=True,
        )
        try:
            return done.communicate(timeout=seconds)[0]
        except subprocess.TimeoutExpired:
            os.killpg(done.pid, 9)
            return done.communicate()[0]

    def results(self) -> list[Mutant]:
        """Every mutant of the room."""
        lines = self.mutmut("results", "--all", "true").splitlines()
        pairs = (line.strip().partition(": ") for line in lines if "__mutmut_" in line)
        return [Mutant(name, status) for name, _, status in pairs]

    def change(self, mutant: Mutant) -> tuple[str, ...]:
        """The lines that the mutant takes away and adds."""
        lines = self.mutmut("show", mutant.name).splitlines()
        changed = [line for line in lines if line[:1] in "+-" and line[:3] not in ("+++", "---")]
        return tuple(f"{line[0]} {line[1:].strip()}" for line in changed if line)


def explanations(text: str) -> dict[tuple[str, ...], str]:
    """Why a mutant may survive: by where it is, and the lines that it takes away and adds."""
    found = {}
    for block in text.split("\n\n"):
        lines = [line.strip() for line in block.splitlines() if not line.startswith("#")]
        if len(lines) > 2:
            found[tuple(lines[:-1])] = lines[-1].removeprefix("because ")
    return found


def main() -> int:
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("room", choices=sorted(TESTS))
    parser.add_argument("--module", default="*", help="only this module of the room")
    parser.add_argument("--minutes", type=float, default=60, help="end after so many (60)")
    parser.add_argument("--children", type=int, default=os.cpu_count(), help="processes")
    parser.add_argument("--in", dest="folder", type=Path, help="keep results in this folder")
    asked = parser.parse_args()
    with tempfile.TemporaryDirectory() as temporary:
        folder = asked.folder or Path(temporary)
        folder.mkdir(parents=True, exist_ok=True)
        bench = Bench(folder, asked.room, asked.module)
        bench.prepare()
        children = ("--max-children", str(asked.children))
        said = bench.mutmut("run", *children, f"{PACKAGE}.{KNOWN[asked.room]}", seconds=600)
        known = [one for one in bench.results() if one.status != "not checked"]
        if not any(one.status == "killed" for one in known):
            print(said[-3000:])
            print("no known mutant was killed: the tests do not run the mutants")
            return 1
        again = [one.name for one in bench.results() if one.status in OPEN]
        said = bench.mutmut("run", *children, seconds=60 * asked.minutes)
        if again:  # survivors of an earlier time: the tests may have changed since
            bench.mutmut("run", *children, *again, seconds=60 * asked.minutes)
        if any(one.status == UNCHECKED for one in bench.results()):
            print(f"not all were checked; the tool's last words:\n{said[-2000:]}")
        return report(bench)


def report(bench: Bench) -> int:
    """Print the counts of each module and the survivors; 1 where one is not explained."""
    mutants = bench.results()
    modules = sorted({one.where.rpartition(".")[0] for one in mutants})
    for module in modules:
        counts = Counter(one.status for one in mutants if one.where.startswith(f"{module}."))
        print(module, ", ".join(f"{status} {n}" for status, n in sorted(counts.items())))
    known = explanations(EXPLAINED.read_text(encoding="utf-8"))
    survivors = {one: (one.where, *bench.change(one)) for one in mutants if one.status in OPEN}
    open_ = {one: key for one, key in survivors.items() if key not in known}
    for mutant, (where, *lines) in open_.items():
        print(f"\n{where}  ({mutant.name.rpartition('.')[2]}: {mutant.status})")
        print("\n".join(f"    {line}" for line in lines))
    for key in known.keys() - set(survivors.values()):
        if key[0].startswith(f"{bench.room}."):
            print(f"\nexplained, but gone: {key}")
    total = Counter(one.status for one in mutants)
    explained = len(survivors) - len(open_)
    print(f"\n{len(mutants)} mutants: {dict(total)}; {explained} explained, {len(open_)} open")
    return 1 if open_ or total[UNCHECKED] or not mutants else 0


if __name__ == "__main__":
    sys.exit(main())
