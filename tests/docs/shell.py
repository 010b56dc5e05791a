"""Commands that pages show, and what runs them."""

from __future__ import annotations

import re
import shlex
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).parents[2]
_BLOCK = re.compile(r"^```(?:sh|console)\n(.*?)^```$", re.DOTALL | re.MULTILINE)
_INLINE = re.compile(r"`((?:rollout|pytest) [^`…]+)`")
_OPERATORS = frozenset({"&&", "||", ";", "|", "&"})
_BUILD = "a benchmark or a campaign of minutes: the nightly build runs it"
_REAL = "of a real environment with people in it: the tutorial runs the same verbs in a small one"
_FILES = "asks for files, loads or machines of a service of the reader's own"
_TOOL = "asks for a service or a program of others"

# Blocks that no test runs as they stand, and why not. Their words are checked like all others.
NOT_RUN = {
    "README.md": {
        "pip install 'pytest-rollout[targets]'": "tests/docs/test_tutorial.py installs a wheel so",
        "bash tests/run": "it is what runs this test",
    },
    "docs/explanation/coverage.md": {"python -m benchmarks.coverage --write": _BUILD},
    "docs/explanation/ledger.md": {"python -m tests.campaign --count 500": _BUILD},
    "docs/explanation/monotone.md": {
        "python -m pytest tests/judge/test_monotone.py tests/judge/test_assumptions.py": _BUILD
    },
    "docs/how-to/attest.md": {
        "rollout checklist plms.day3 --env prod": _REAL,
        'rollout attest plms.day3.retro-held --env prod --role pm --note "held on Friday" '
        "--key ~/.ssh/id_ed25519": _REAL,
    },
    "docs/how-to/clear-a-change.md": {
        "rollout clear plms.day3/entry --env prod --for 25m && ./deploy.sh": _REAL,
        "rollout clear plms.day3 --env prod --receipt cleared.json": _REAL,
        "rollout clear plms.day3 --env prod --override --by ada@example.com --by bob@example.com "
        '--reason "INC-12: patch"': _REAL,
    },
    "docs/how-to/drills.md": {
        "rollout drill plms.day3": _BUILD,
        "rollout drill plms --mutants fixtures/plms/service fixtures/plms/host --sample 300 "
        "--seed 1": _BUILD,
        "rollout drill plms --mutants fixtures/plms/service --mutants fixtures/plms/monitoring "
        "--mutants fixtures/plms/host --sample 300 --seed 13 --jobs 2 --phase-timeout 15m": _BUILD,
        "rollout drill pipeline --mutants fixtures/pipeline --sample 200 --seed 61 --jobs 2 "
        "--phase-timeout 20m": _BUILD,
        "rollout drill bridge --mutants fixtures/bridge/advanced --mutants fixtures/bridge/agents "
        "--mutants fixtures/bridge/alerting --mutants fixtures/bridge/auth "
        "--mutants fixtures/bridge/benchmark --mutants fixtures/bridge/cli "
        "--mutants fixtures/bridge/documents --mutants fixtures/bridge/guards "
        "--mutants fixtures/bridge/mcp --mutants fixtures/bridge/observability "
        "--mutants fixtures/bridge/runtime --mutants fixtures/bridge/service "
        "--mutants fixtures/bridge/store --mutants fixtures/bridge/threads "
        "--mutants fixtures/bridge/wake --sample 200 --seed 71 --jobs 2 "
        "--phase-timeout 20m": _BUILD,
        "rollout drill bridge.phase1_wake --mutants fixtures/bridge/wake --mutants "
        "fixtures/bridge/runtime --sample 40 --seed 7 --jobs 1": _BUILD,
        "rollout drill pas.today --mutants fixtures/pas/service --sample 40 --seed 7 "
        "--jobs 1": _BUILD,
        "rollout drill eros --mutants fixtures/eros/code --mutants fixtures/eros/learning "
        "--mutants fixtures/eros/monitoring --mutants fixtures/eros/pipelines "
        "--mutants fixtures/eros/rollback --mutants fixtures/eros/routing --mutants "
        "fixtures/eros/service --sample 200 --seed 53 --jobs 2 --phase-timeout 20m": _BUILD,
        "rollout drill pas --mutants fixtures/pas --sample 200 --seed 83 --jobs 2 "
        "--phase-timeout 20m": _BUILD,
    },
    "docs/how-to/load-results.md": {
        'rollout begin plms.canary --env prod --by "A. Person"': _FILES
    },
    "docs/how-to/load.md": {
        "rollout load web.nightly": _FILES,
        "rollout load web.nightly --env staging": _FILES,
        "pytest -m peak --rollout-env staging": _FILES,
    },
    "docs/how-to/merge-and-export.md": {
        "rollout merge ci/ledger.db pm/ledger.db": _FILES,
        'pytest -m canary --rollout-env prod -k "a or b" --rollout-ledger part1.db': _REAL,
        "rollout export plms.day3/exit --env prod -o day3.zip": _REAL,
    },
    "docs/how-to/migrate-from-inspec.md": {
        "inspec exec profile --reporter junit2:inspec.xml || true": _TOOL
    },
    "docs/how-to/nightly-loads.md": {
        "rollout load shop.nightly --env staging --confirm": _FILES,
        "python -m benchmarks.nightly": _BUILD,
    },
    "docs/how-to/report.md": {
        "rollout report plms.day3/exit --env prod": _REAL,
        "rollout report plms.done --env prod": _REAL,
    },
    "docs/how-to/sign-off.md": {
        "pytest -m day3 --rollout-env prod": _REAL,
        "rollout amend plms.day3.queue-depth --by ada@example.com --approved-by bob@example.com "
        '--why "the limit was a guess, INC-9"': _REAL,
        "ssh-keygen -t ed25519 -f ~/.ssh/id_ed25519": _REAL,
        "rollout request-signoff plms.day3/entry --env prod -o signoff.md "
        "--report https://ci.example.org/runs/7": _TOOL,
    },
    "docs/how-to/watch-and-roll-back.md": {"rollout watch plms.day3 --env prod": _REAL},
    "docs/reference/attestations.md": {"pip install 'pytest-rollout[attestation]'": _REAL},
}
# Of blocks that are run: lines that are not.
LEFT_OUT = {
    "kept/decision.json": "an anchor that the reader keeps",
    "--at 2025-11-10T11:00:00-05:00": "a time at which the reader's ledger had something",
}


@dataclass(frozen=True, slots=True)
class Block:
    """A block of commands of a page."""

    page: str
    lines: tuple[str, ...]  # without remarks

    @property
    def reason(self) -> str:
        """Why it is not run; empty where it is."""
        return NOT_RUN.get(self.page, {}).get(self.lines[0], "")


def pages() -> Iterator[str]:
    """Yield every page that shows commands."""
    for pattern in ("README.md", "docs/**/*.md", "examples/*/README.md", "suites/*/README.md"):
        yield from (path.relative_to(ROOT).as_posix() for path in sorted(ROOT.glob(pattern)))


def blocks(page: str) -> Iterator[Block]:
    """Yield the blocks of a page; of a console what stands behind its prompts."""
    for text in _BLOCK.findall((ROOT / page).read_text("utf-8")):
        lines = text.replace("\\\n", " ").splitlines()
        if any(line.startswith("$ ") for line in lines):
            lines = [line[2:] for line in lines if line.startswith("$ ")]
        plain = (" ".join(re.sub(r"(^|\s)#.*", "", line).split()) for line in lines)
        yield Block(page, tuple(filter(None, plain)))


def commands(page: str) -> Iterator[list[str]]:
    """Yield the words of each command of a page, also of those within its sentences."""
    told = [line for block in blocks(page) for line in block.lines]
    text = (ROOT / page).read_text("utf-8").replace("\\|", "|")
    told += [" ".join(command.split()) for command in _INLINE.findall(text)]
    for line in told:
        words: list[str] = []
        lexer = shlex.shlex(line.replace(" > ", " ; : "), posix=True, punctuation_chars="&|;")
        lexer.whitespace_split = True
        for word in [*lexer, ";"]:
            if word not in _OPERATORS:
                words.append(word)
                continue
            while words and re.match(r"[A-Z_]+=", words[0]):
                del words[0]
            if words:
                yield [words[0].removeprefix(".venv/bin/"), *words[1:]]
            words = []
