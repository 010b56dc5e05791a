"""Each command that a page shows is one that there is; blocks are run, or say why not."""

from __future__ import annotations

import re
import subprocess
import tomllib
from importlib.util import find_spec
from pathlib import Path

import click
import pytest

from pytest_rollout.cli import rollout
from tests.docs.shell import LEFT_OUT, NOT_RUN, ROOT, Block, blocks, commands, pages
from tests.docs.tutorial import with_programs

PAGES = [page for page in pages() if any(commands(page))]
# Programs of others, and words of the shell.
OTHERS = {
    *(".", ":", "cat", "cd", "curl", "echo", "export", "gh", "git", "inspec", "kill", "locust"),
    *("ssh-keygen", "uvicorn", "./deploy.sh", "pipx", "createdb", "head", "tee", "true", "wait"),
    *("cp", "mv", "sed"),
}
# Options of pytest itself that pages use.
OF_PYTEST = {
    *("-m", "-k", "-n", "-p", "-q", "-x", "--collect-only", "--setup-plan", "--junitxml"),
    *("--alluredir", "--deselect", "--lf", "--fixtures"),
}
# Pages whose blocks have a test of their own.
DONE = {"docs/tutorial/first-rollout.md": "tests/docs/test_tutorial.py"}
DONE |= {
    "docs/index.md": "tests/docs/test_tutorial.py",
    "docs/how-to/batch-job.md": "tests/docs/test_batch_job.py",
    "docs/how-to/ci.md": "tests/test_ci_howto.py",
    "docs/how-to/share-evidence.md": "tests/docs/test_share_evidence.py",
    "docs/how-to/start-a-plan.md": "tests/cli/test_init.py",
    "examples/batch/README.md": "tests/test_started_examples.py",
    "examples/library/README.md": "tests/test_started_examples.py",
    "examples/revenue/README.md": "tests/test_started_examples.py",
}


def wrong(words: list[str]) -> str:
    """Say what is wrong with a command; empty where there is such a one."""
    program, *rest = words
    if program == "rollout":
        return wrong_verb(rest)
    if program == "pytest":
        known = OF_PYTEST | {f"--rollout-{name}" for name in ("env", "phase", "gate", "fault")}
        known |= {"--rollout-ledger", "--rollout-report"}
        used = {word.partition("=")[0] for word in rest if word.startswith("-")}
        return " ".join(sorted(used - known))
    if program in ("python", "python3"):
        return wrong_module(rest)
    if program == "pip":
        extras = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
        asked = set(re.findall(r"\[(.*?)\]", " ".join(rest)))
        return " ".join(
            name
            for extras_asked in asked
            for name in extras_asked.split(",")
            if name not in extras["optional-dependencies"]
        )
    if program == "bash":
        return "" if (ROOT / rest[0]).is_file() else rest[0]
    return "" if program in OTHERS else program


def wrong_verb(rest: list[str]) -> str:
    """Say what is wrong with the words behind `rollout`."""
    context = click.Context(rollout)
    verb = rollout.get_command(context, rest[0])
    if verb is None:
        return "" if rest[0].startswith("--") or rest[0].isupper() else rest[0]
    if isinstance(verb, click.Group) and len(rest) > 1:
        context = click.Context(verb, parent=context)
        rest = rest[1:]
        verb = verb.get_command(context, rest[0])
        assert verb is not None
    known = {name for option in verb.params for name in (*option.opts, *option.secondary_opts)}
    used = {word.partition("=")[0] for word in rest[1:] if word.startswith("-")}
    return " ".join(sorted(used - known - {"--help"}))


def wrong_module(rest: list[str]) -> str:
    """Say which module of `python -m` there is not."""
    if rest[0] != "-m":
        return "" if rest[0] in ("-c", "call.py") else rest[0]
    return "" if find_spec(rest[1]) else rest[1]


@pytest.mark.parametrize("page", PAGES)
def test_each_command_of_a_page_is_one_that_there_is(page: str) -> None:
    mistakes = {" ".join(words): said for words in commands(page) if (said := wrong(words))}
    assert mistakes == {}


@pytest.mark.parametrize(
    "line",
    ["rollout statos", "rollout clear x --environment prod", "pytest --rollout-envs prod",
     "python -m tests.gone", "pip install 'pytest-rollout[gone]'", "bash tests/gone", "nobody"],
)  # fmt: skip
def test_a_mistake_in_a_command_would_be_noticed(line: str) -> None:
    assert wrong(line.replace("'", "").split())


def test_each_block_is_run_or_says_why_not() -> None:
    known = {page: {block.lines[0] for block in blocks(page) if block.lines} for page in PAGES}
    assert [page for page in NOT_RUN if not NOT_RUN[page].keys() <= known[page]] == []
    shown = [block for page in PAGES if page not in DONE for block in blocks(page) if block.lines]
    told = {block.page for block in shown if not block.reason}
    assert told == {page.relative_to(ROOT).as_posix() for page in CLONED} | SUITES
    assert all(ROOT.joinpath(test).is_file() for test in DONE.values())


def test_the_readme_names_every_extra() -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
    table = (ROOT / "README.md").read_text("utf-8").partition("| extra | gives |")[2]
    named = re.findall(r"`(\w+)`", "".join(re.findall(r"^\| (`.*?) \|", table, re.MULTILINE)))
    assert sorted(named) == sorted(project["optional-dependencies"].keys() - {"dev", "docs"})


CLONED = [
    *(ROOT / "README.md", ROOT / "examples/web/README.md"),
    *(ROOT / "docs/explanation/ledger.md", ROOT / "docs/how-to/shrink-a-ledger.md"),
]
# What a real environment needs, variable by variable: `tests/*/test_prod.py` decide on one each.
SUITES = {path.relative_to(ROOT).as_posix() for path in ROOT.glob("suites/*/README.md")}


def cloned() -> list[Block]:
    """Return the blocks that are run in a fresh clone, in the order of pages."""
    shown = [block for path in CLONED for block in blocks(path.relative_to(ROOT).as_posix())]
    return [block for block in shown if not block.reason]


@pytest.mark.nightly
def test_the_blocks_run_in_a_fresh_clone(tmp_path: Path) -> None:
    """As they stand, README first: it makes the environment that the others are run in."""
    clone = tmp_path / "clone"
    subprocess.run(["git", "clone", "-q", ROOT, clone], check=True)
    environ = with_programs(clone / ".venv/bin")
    for block in cloned():
        folder = clone / Path(block.page).parent if block.page.startswith("examples") else clone
        for line in block.lines:
            if any(part in line for part in LEFT_OUT):
                continue
            done = subprocess.run(
                ["bash", "-c", line], cwd=folder, env=environ,
                capture_output=True, text=True, check=False, timeout=1800,
            )  # fmt: skip
            assert done.returncode in (0, 10, 11, 12), f"{line}\n{done.stdout}{done.stderr}"
            assert "Traceback" not in done.stderr
