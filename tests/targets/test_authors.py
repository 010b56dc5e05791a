"""Who made the change: read from git, a variable or a page; what cannot be read is never nobody."""

from __future__ import annotations

import subprocess
from pathlib import Path

import pytest

from pytest_rollout.model.environment import EMBEDDED, Environment, FactSource, Target
from pytest_rollout.model.people import Authors
from pytest_rollout.plan.load import parse
from pytest_rollout.targets.authors import authors_of, read_authors
from tests.targets.test_identity import answering, saying

PROD = Environment("prod")
VARIABLE = FactSource(variable="CHANGE_AUTHOR")


def git(folder: Path, *words: str) -> None:
    who = ("-c", "user.name=A. Turing", "-c", "user.email=committer@x.org")
    subprocess.run(["git", *who, *words], cwd=folder, check=True, capture_output=True)


@pytest.fixture
def repository(tmp_path: Path) -> Path:
    """A repository with a commit of each of two authors after the first one."""
    git(tmp_path, "init", "-q", "-b", "main")
    for author in ("Root <root@x.org>", "Ada <ada@x.org>", "Bob <bob@x.org>"):
        git(tmp_path, "commit", "-q", "--allow-empty", "-m", "x", "--author", author)
    return tmp_path


def test_the_author_of_a_commit(repository: Path) -> None:
    source = FactSource(command=("git", "log", "-1", "--format=%ae", "HEAD"))
    assert read_authors(source, PROD, repository) == Authors(("bob@x.org",))


def test_the_authors_of_a_range(repository: Path) -> None:
    source = FactSource(command=("git", "log", "--format=%an <%ae>", "HEAD~2..HEAD"))
    found = read_authors(source, PROD, repository)
    assert found == Authors(("Bob <bob@x.org>", "Ada <ada@x.org>"))


def test_a_range_without_a_commit_names_nobody(repository: Path) -> None:
    source = FactSource(command=("git", "log", "--format=%ae", "HEAD..HEAD"))
    found = read_authors(source, PROD, repository)
    assert found.names == ()
    assert found.error.endswith("names nobody")


def test_a_variable_with_a_name_a_line(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("CHANGE_AUTHOR", "ada\n\n bob \nada\n")
    assert read_authors(VARIABLE, PROD, tmp_path) == Authors(("ada", "bob"))


def test_a_part_of_each_line(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("CHANGE_AUTHOR", "author: ada\nauthor: bob")
    source = FactSource(variable="CHANGE_AUTHOR", matches="author: (.*)")
    assert read_authors(source, PROD, tmp_path) == Authors(("ada", "bob"))
    for line, why in (
        ("reviewer: eve", "nothing in `reviewer: eve` matches"),
        ("author: ", "no name"),
    ):
        monkeypatch.setenv("CHANGE_AUTHOR", f"author: ada\n{line}")
        found = read_authors(source, PROD, tmp_path)
        assert (found.names, why in found.error) == ((), True), "half of the authors is not enough"


@pytest.mark.parametrize(
    ("body", "names"),
    [
        ('{"by": "ada"}', ("ada",)),
        ('{"by": ["ada", "bob"]}', ("ada", "bob")),
        ('{"by": []}', ()),
        ('{"by": [7]}', ()),
        ('{"by": null}', ()),
        ('{"who": "ada"}', ()),
        ("<html>sign in</html>", ()),
    ],
)
def test_a_page(body: str, names: tuple[str, ...], tmp_path: Path) -> None:
    with answering(saying(body)) as url:
        there = Environment("prod", {"ci": Target("ci", address=url)})
        found = read_authors(FactSource("ci", "/change", "by"), there, tmp_path)
    assert found.names == names
    assert bool(found.error) is (names == ())


def test_a_page_that_is_none_names_no_author(tmp_path: Path) -> None:
    with answering(saying("<html>sign in</html>")) as url:
        there = Environment("prod", {"ci": Target("ci", address=url)})
        found = read_authors(FactSource("ci", "/change"), there, tmp_path)
    assert found.error.endswith("answers a page, which names no author")


@pytest.mark.parametrize(
    ("source", "why"),
    [
        (VARIABLE, "the environment variable CHANGE_AUTHOR is not set"),
        (FactSource(command=("git", "log", "-1", "--format=%ae")), "exit status 128"),
        (FactSource(command=("no-such-program",)), "cannot start"),
        (FactSource("ci", "/change", "by"), "http"),
    ],
)
def test_what_cannot_be_read_is_an_error(
    source: FactSource, why: str, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.delenv("CHANGE_AUTHOR", raising=False)
    monkeypatch.setenv("GIT_CEILING_DIRECTORIES", str(tmp_path.parent))
    found = read_authors(source, PROD, tmp_path)
    assert (found.names, why in found.error) == ((), True)


def test_too_many_authors_are_an_error(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("CHANGE_AUTHOR", "\n".join(f"ada{number}" for number in range(201)))
    assert "more than 200 people" in read_authors(VARIABLE, PROD, tmp_path).error


def test_of_a_rehearsal_nobody_asks(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    text = "plan: shop\nauthor: {variable: CHANGE_AUTHOR}\nphases: [{id: go}]\n"
    plan = parse(text, Path("rollout.yaml"), "rollout.yaml").plan
    assert plan is not None
    monkeypatch.setenv("CHANGE_AUTHOR", "ada")
    embedded = Environment(EMBEDDED)
    assert authors_of([plan], lambda _: PROD, tmp_path) == {"shop": Authors(("ada",))}
    assert authors_of([plan], lambda _: embedded, tmp_path) == {}
