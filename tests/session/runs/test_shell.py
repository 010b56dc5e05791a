"""Shell checks whose failed step would not be noticed: refused, with what to write instead."""

from __future__ import annotations

import json

import pytest

from tests.session.project import Project
from tests.session.runs.variations import command, vary

Workers = tuple[str, ...]

REFUSED = {
    "substitution": 'echo "said $(bin/bad)"',
    "backticks": "echo said `bin/bad`",
    "and-then": "bin/bad && echo good\necho end",
    "local": "check() { local x=$(bin/bad); }; check",
    "export": "export x=$(bin/bad)",
    "process-substitution": "diff <(bin/bad) <(bin/bad)",
    "background": "bin/bad & wait",
    "or-true": "bin/bad || true",
    "or-true-word": "bin/bad || :",
    "negated": "! bin/good\necho end",
    "set": "set +e; bin/bad; echo end",
    "trap": "trap 'exit 0' EXIT; bin/bad",
    "coproc": "coproc bin/bad",
    "in-a-substitution": "x=$(bin/bad; echo end)\necho $x",
    "shell-in-a-shell": "bash -c 'bin/bad | cat'",
    "here-document": "cat <<X\n$(bin/bad)\nX",
}
LISTS = {
    "sh-c": ["sh", "-c", "bin/bad | cat"],
    "bash-c": ["bash", "-c", "bin/bad; echo end"],
    "bash-lc": ["/bin/bash", "-lc", "bin/bad | cat"],
    "env-sh": ["env", "A=1", "sh", "-c", "bin/bad | cat"],
    "sh-e-c": ["sh", "-e", "-c", "bin/bad | cat"],
}
ALLOWED = {
    "pipe": "bin/good | cat",
    "lines": "bin/good\nbin/good",
    "assigned": 'x=$(bin/good); echo "$x"',
    "quoted": "echo 'a $(b) & c && d || true'",
    "arithmetic": "test $((1 + 1)) = 2",
    "redirect": "bin/good 2>&1 >/dev/null",
    "and-last": "bin/good && bin/good",
    "ampersand-quoted": 'echo "a & b && c"',
    "asked": "if bin/bad; then exit 1; fi",
    "asked-twice": "if bin/bad && bin/good; then exit 1; fi",
    "test": "[[ 1 == 1 && 2 == 2 ]]\nbin/good",
    "not": "! bin/bad",
    "redirected": "bin/good &> /dev/null",
    "fallback": "bin/bad || bin/good",
    "text": "cat > /dev/null <<'X'\n$(bin/bad) & it's\nX",
    "comment": "bin/good # $(bin/bad) & more",
}
ALLOWED_LISTS = {
    "one-command": ["sh", "-c", "bin/good"],
    "script": ["sh", "bin/good"],
    "strict": ["bash", "-e", "-o", "pipefail", "-c", "bin/good | cat"],
    "strict-short": ["bash", "-eo", "pipefail", "-c", "bin/good | cat"],
}


def shells(project: Project, lines: dict[str, str], lists: dict[str, list[str]]) -> None:
    """Write a plan with a shell check for each line and each list."""
    vary(project, {})
    for name, status in {"bad": 3, "good": 0}.items():
        path = project.write(f"bin/{name}", f"#!/bin/sh\nexit {status}\n")
        path.chmod(0o755)
    plan = project.root / "suites/demo/rollout.yaml"
    checks = {slug: {"command": line, "shell": True} for slug, line in lines.items()}
    checks |= {slug: {"command": words} for slug, words in lists.items()}
    plan.write_text(
        plan.read_text()
        + "".join(
            f"      - {{id: {slug}, kind: demo, says: It holds, check: {json.dumps(check)}}}\n"
            for slug, check in checks.items()
        )
    )


def test_a_line_that_hides_a_failed_step_is_refused_with_what_to_write(
    project: Project,
) -> None:
    shells(project, REFUSED, LISTS)
    status, said = command(project, "check")
    assert status == 4
    for slug in (*REFUSED, *LISTS):
        lines = [line for line in said.splitlines() if f" {slug}:" in line]
        assert len(lines) == 1, (slug, said)
        assert "rollout.yaml:" in lines[0]
        assert "write" in lines[0]
    assert "Traceback" not in said


def test_a_run_refuses_it_too(project: Project, workers: Workers) -> None:
    shells(project, {"background": REFUSED["background"]}, {})
    result = project.run("-m", "canary", *workers)
    assert result.ret == 4
    assert "background" in result.stderr.str()


def test_honest_lines_run_and_pass(project: Project, workers: Workers) -> None:
    shells(project, ALLOWED, ALLOWED_LISTS)
    assert command(project, "check")[0] == 0
    assert project.run("-m", "canary", *workers).ret == 0


@pytest.mark.parametrize("slug", ["pipe", "lines", "assigned", "and-last"])
def test_a_failed_step_of_an_honest_line_fails(project: Project, slug: str) -> None:
    shells(project, {slug: ALLOWED[slug].replace("bin/good", "bin/bad", 1)}, {})
    assert project.run("-m", "canary").ret == 10
    assert project.verdicts()[slug] == "fail"
