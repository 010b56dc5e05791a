"""docs/how-to/ci.md: each workflow fits its schema, each command is one that there is."""

from __future__ import annotations

import os
import re
import shlex
import subprocess
import sys
from collections.abc import Iterator
from functools import cache
from pathlib import Path
from typing import Any

import click
import pytest
import yaml

from pytest_rollout.cli import rollout
from pytest_rollout.model.plan import Plan
from pytest_rollout.model.verdict import Answer
from pytest_rollout.plan.load import parse

PAGE = Path(__file__).parents[1] / "docs/how-to/ci.md"
SCHEMAS = {
    ".github/workflows/merge-gate.yml": ("vendor.github-workflows",),
    ".github/workflows/deploy.yml": ("vendor.github-workflows",),
    ".gitlab-ci.yml": ("vendor.gitlab-ci", "--data-transform", "gitlab-ci"),
}
PINNED = re.compile(r"[\w-]+/[\w/-]+@(v\d+(\.\d+){0,2}|[0-9a-f]{40})")


@cache
def blocks(language: str) -> tuple[str, ...]:
    """The fenced blocks of a language."""
    found = re.findall(rf"^```{language}\n(.*?)^```", PAGE.read_text("utf-8"), re.M | re.S)
    return tuple(found)


@cache
def files() -> dict[str, str]:
    """The YAML blocks by the file that the first line of each names."""
    return {text.partition("\n")[0].removeprefix("# "): text for text in blocks("yaml")}


def fits(text: str, schema: tuple[str, ...], folder: Path) -> subprocess.CompletedProcess[str]:
    """Ask check-jsonschema, which brings the schemas along, whether a file fits one."""
    path = folder / "file.yml"
    path.write_text(text, encoding="utf-8")
    command = [sys.executable, "-m", "check_jsonschema", "--builtin-schema", *schema, str(path)]
    return subprocess.run(command, capture_output=True, text=True, timeout=60, check=False)


def test_every_block_names_its_file() -> None:
    assert set(files()) == {"rollout.yaml", *SCHEMAS}


@pytest.mark.slow
@pytest.mark.parametrize("name", SCHEMAS)
def test_a_workflow_fits_the_schema_of_its_system(name: str, tmp_path: Path) -> None:
    said = fits(files()[name], SCHEMAS[name], tmp_path)
    assert said.returncode == 0, said.stdout + said.stderr


@pytest.mark.slow
@pytest.mark.parametrize(
    ("name", "right", "wrong"),
    [
        (".github/workflows/merge-gate.yml", "runs-on:", "runs_on:"),
        (".github/workflows/deploy.yml", "needs: entry", "need: entry"),
        (".gitlab-ci.yml", "resource_group: prod", "resource_group: [prod]"),
    ],
)
def test_the_schema_would_notice_a_mistake(
    name: str, right: str, wrong: str, tmp_path: Path
) -> None:
    text = files()[name]
    assert right in text
    assert fits(text.replace(right, wrong, 1), SCHEMAS[name], tmp_path).returncode != 0


def steps(document: Any) -> Iterator[dict[str, Any]]:
    """The steps of all jobs of a workflow."""
    for job in document["jobs"].values():
        yield from job["steps"]


@pytest.mark.parametrize("name", [name for name in SCHEMAS if "github" in name])
def test_actions_are_pinned_by_version(name: str) -> None:
    used = [step["uses"] for step in steps(yaml.safe_load(files()[name])) if "uses" in step]
    assert used
    assert [one for one in used if not PINNED.fullmatch(one)] == []


def test_hidden_folders_are_named_where_they_are_uploaded() -> None:
    for name, text in files().items():
        for step in steps(yaml.safe_load(text)) if "github" in name else ():
            uploaded = "upload-artifact" in step.get("uses", "")
            if uploaded and ".rollout" in step["with"]["path"]:
                assert step["with"]["include-hidden-files"] is True


def scripts() -> Iterator[str]:
    """Every line that a shell runs."""
    for name, text in files().items():
        document = yaml.safe_load(text)
        if "github" in name:
            yield from (line for s in steps(document) for line in s.get("run", "").splitlines())
        elif "gitlab" in name:
            jobs = [job for job in document.values() if isinstance(job, dict)]
            yield from (line for job in jobs for line in job.get("script", ()))
    for text in blocks("sh"):
        yield from text.splitlines()
    yield from re.findall(r"`(rollout \w+ [^`…]+|pytest [^`…]+)`", PAGE.read_text("utf-8"))


def commands(program: str) -> list[list[str]]:
    """The words of every command of a program, as a shell would split them."""
    found = []
    for line in dict.fromkeys(scripts()):
        filled = re.sub(r"\$\{\{.*?\}\}|\$[A-Z_]+", "somebody", line)
        words = shlex.split(filled.partition(" > ")[0].removeprefix("exec "))
        if words[:1] == [program]:
            found.append(words[1:])
    return found


@pytest.mark.parametrize("words", commands("rollout"), ids=" ".join)
def test_a_command_has_a_verb_and_options_that_there_are(words: list[str]) -> None:
    group = click.Context(rollout)
    verb = rollout.get_command(group, words[0])
    assert verb is not None
    verb.make_context(words[0], words[1:], parent=group)


def test_a_mistake_in_a_command_would_be_noticed() -> None:
    group = click.Context(rollout)
    verb = rollout.get_command(group, "clear")
    assert verb is not None
    with pytest.raises(click.UsageError):
        verb.make_context("clear", ["shop.canary", "--environment", "prod"], parent=group)
    assert {words[0] for words in commands("rollout")} >= {
        *("clear", "begin", "watch", "end", "settle", "attestation", "decide"),
    }


def plan() -> Plan:
    loaded = parse(files()["rollout.yaml"], Path("rollout.yaml"), "rollout.yaml")
    assert loaded.problems == (), [str(problem) for problem in loaded.problems]
    assert loaded.plan is not None
    return loaded.plan


def test_the_plan_has_what_the_commands_ask_for() -> None:
    known = plan()
    phases = {phase.id for phase in known.phases}
    named = set(re.findall(r"shop\.([a-z]+)", PAGE.read_text("utf-8")))
    marks = {words[words.index("-m") + 1] for words in commands("pytest") if "-m" in words}
    assert named | marks == phases
    (merge,) = [phase for phase in known.phases if phase.id == "merge"]
    assert not any(criterion.attested for criterion in merge.criteria)


@pytest.mark.slow
@pytest.mark.parametrize("words", commands("pytest"), ids=" ".join)
def test_pytest_takes_the_options_of_a_command(words: list[str], tmp_path: Path) -> None:
    """With --collect-only nothing is decided (11); an option that nobody knows ends with 4."""
    (tmp_path / "rollout.yaml").write_text(files()["rollout.yaml"], encoding="utf-8")
    (tmp_path / "pytest.ini").write_text("[pytest]\n", encoding="utf-8")
    (tmp_path / "test_it.py").write_text(
        "import pytest\n\n@pytest.mark.merge\n@pytest.mark.canary\n"
        '@pytest.mark.criterion("idempotent")\ndef test_it():\n    pass\n',
        encoding="utf-8",
    )
    command = [sys.executable, "-m", "pytest", "-p", "no:cacheprovider", *words, "--collect-only"]
    for more, status in (([], 11), (["--rollout-environment", "prod"], 4)):
        done = subprocess.run(
            [*command, *more],
            cwd=tmp_path,
            env={**os.environ, "SHOP_URL": "http://127.0.0.1:1"},
            capture_output=True,
            text=True,
            timeout=120,
            check=False,
        )
        assert done.returncode == status, done.stdout + done.stderr


def test_exit_statuses_are_those_of_answers() -> None:
    rows = dict(re.findall(r"^\| (\d+) \| ([A-Z-]+)", PAGE.read_text("utf-8"), re.M))
    assert rows == {str(answer.exit_status): answer.value for answer in Answer}
