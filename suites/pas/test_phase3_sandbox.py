"""The sandbox and the broker do what they may do: each operation, each rule, each exit status."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest

from pytest_rollout import NoValueError, Stage
from suites.pas.scenarios.sandboxed import TEXT, Sandbox, sandbox
from suites.pas.test_phase3_programs import GENERATED, PROMPT, SAID, Broker
from suites.pas.views.answering import answering
from suites.pas.views.running import Done, closed_address

pytestmark = pytest.mark.pas_phase3

WRONG, REFUSED, UNREACHABLE = 2, 3, 4  # exit statuses of the contract
FIELDS = ("operation", "path", "allowed", "why")


def _said(done: Done) -> Mapping[str, Any]:
    """What the sandbox prints, also where it refuses."""
    try:
        said = json.loads(done.text)
    except ValueError:
        raise NoValueError(f"it prints no JSON: {done.in_words()}") from None
    assert isinstance(said, dict), f"it prints {said!r}"
    return said


@pytest.fixture(scope="session")
def broker(phase: Stage, tmp_path_factory: pytest.TempPathFactory) -> Broker:
    """The broker."""
    return Broker(phase, tmp_path_factory.mktemp("rules"))


@pytest.mark.criterion("write-attempts-denied", "reads-allowed")
def test_where_it_may_write_each_operation_is_done(phase: Stage, tmp_path: Path) -> None:
    """So that what is refused is refused because it only reads."""
    box = sandbox(phase, tmp_path)
    root = box.root
    steps: Mapping[tuple[str, ...], list[str]] = {  # what each changes
        ("write", "new.txt"): ["root/new.txt"],
        ("append", "new.txt"): ["root/new.txt"],
        ("mkdir", "made"): ["root/made"],
        ("rename", "new.txt", "made/moved.txt"): ["root/made/moved.txt", "root/new.txt"],
        ("symlink", "link.txt", "kept.txt"): ["root/link.txt"],
        ("delete", "link.txt"): ["root/link.txt"],
        ("delete", "away.txt"): ["root/away.txt"],
        ("delete", "made"): ["root/made", "root/made/moved.txt"],
    }
    for words, due in steps.items():
        done, changed = box.changed(*words, writable=True)
        assert done.status == 0, f"sandbox {' '.join(words)}: {done.in_words()}"
        said = {name: _said(done).get(name) for name in FIELDS}
        assert said == dict(zip(FIELDS, (words[0], words[1], True, None), strict=True))
        assert changed == due, f"sandbox {' '.join(words)} changed {changed}, not {due}"
        if words[0] == "append":
            assert (root / "new.txt").read_text() == "changed\nchanged\n", "it does not append"
        if words[0] == "rename":
            assert (root / "made/moved.txt").read_text() == "changed\nchanged\n"
        if words[0] == "symlink":
            assert (root / "link.txt").readlink() == Path("kept.txt")
    assert (box.outside / "kept.txt").read_text() == TEXT, "what a link named is another one"


@pytest.mark.criterion("write-attempts-denied")
def test_what_leads_out_is_refused_where_it_may_write(phase: Stage, tmp_path: Path) -> None:
    box = sandbox(phase, tmp_path)
    for words in (
        ("rename", "kept.txt", "../outside/moved.txt"),
        ("rename", "kept.txt", "away/moved.txt"),
        ("rename", "../outside/kept.txt", "taken.txt"),
        ("symlink", "out", "../outside"),
        ("symlink", "out", str(box.outside)),
        ("symlink", "below/out", "../../outside"),
        ("symlink", "../outside/in", "kept.txt"),
        ("mkdir", "../outside/made"),
        ("append", "away/kept.txt"),
        ("delete", "."),
        ("delete", ".."),
        ("read", "../outside/kept.txt"),
        ("read", "away/kept.txt"),
        ("read", "away.txt"),
        ("read", str(box.outside / "kept.txt")),
        ("list", "away"),
        ("list", ".."),
    ):
        done, changed = box.changed(*words, writable=True)
        told = f"sandbox {' '.join(words)}: {done.in_words()}"
        assert (done.status, changed) == (REFUSED, []), f"{told}, and changed {changed}"
        said = _said(done)
        about = (said["operation"], said["path"], said["allowed"])
        assert about == (words[0], words[1], False), f"it says {about} of {words}"
        assert len(str(said["why"]).split()) >= 3, f"it is refused because of {said['why']!r}"
        assert not {"content", "entries"} & set(said), f"{told}, and tells what it read"


@pytest.mark.criterion("reads-allowed", "write-attempts-denied")
def test_reading_and_what_cannot_be_read(phase: Stage, tmp_path: Path) -> None:
    box = sandbox(phase, tmp_path)
    (box.root / "below" / "inner.txt").write_text("ä\n", encoding="utf-8")
    (box.root / "latin.txt").write_bytes(b"a\xe4b\n")
    for path, content in (
        ("kept.txt", TEXT),
        ("below/inner.txt", "ä\n"),
        ("below/../kept.txt", TEXT),
        ("latin.txt", "a\N{REPLACEMENT CHARACTER}b\n"),
    ):
        assert box.run("read", path).said()["content"] == content, f"{path} is read as another one"
    for path, entries in ((".", None), ("below", ["inner.txt", "kept.txt"])):
        due = entries or sorted(child.name for child in box.root.iterdir())
        assert box.run("list", path).said()["entries"] == due, f"{path} is listed otherwise"
    for words in (("read", "nothing.txt"), ("read", "below"), ("list", "kept.txt")):
        done = box.run(*words)
        assert done.status == WRONG, f"sandbox {' '.join(words)}: {done.in_words()}"
        assert _said(done)["why"], f"{words} fails without saying why"
    for typed in ("read", "rename kept.txt", "read kept.txt below", "burn kept.txt"):
        done = box.run(*typed.split(), writable=True)
        assert done.status == WRONG, f"sandbox {typed}: {done.in_words()}"


@pytest.mark.criterion("no-file-edits", "reads-allowed")
def test_a_hash_is_of_all_that_is_there(phase: Stage, tmp_path: Path) -> None:
    """Each kind of change gives another one; what is left out gives the same."""
    box = sandbox(phase, tmp_path)
    root = box.root
    seen = [_hash(box)]
    for folder in (".git", ".venv", "artifacts"):
        (root / folder).mkdir()
        (root / folder / "kept.txt").write_text(TEXT)
    assert _hash(box) == seen[0], "what lies in .git, .venv or artifacts counts"
    kept = root / "kept.txt"
    kept.write_text(f"{TEXT}more\n")
    seen.append(_hash(box))
    kept.chmod(0o700)
    seen.append(_hash(box))
    kept.rename(root / "other.txt")
    seen.append(_hash(box))
    (root / "empty").mkdir()
    seen.append(_hash(box))
    (root / "away.txt").unlink()
    (root / "away.txt").symlink_to("other.txt")
    seen.append(_hash(box))
    (root / "away").unlink()
    seen.append(_hash(box))
    (root / "below" / "kept.txt").write_text("other\n")
    seen.append(_hash(box))
    hashes, counts = zip(*seen, strict=True)
    assert len(set(hashes)) == len(seen), "a change gives the hash that another state had"
    assert counts == (5, 5, 5, 5, 6, 6, 5, 5), f"it is said to be of {counts} files and folders"


def _hash(box: Sandbox) -> tuple[str, int]:
    said = box.run("hash").said()
    return said.text("hash"), said.whole("files")


# The broker


@pytest.mark.criterion("broker-selects-ollama")
def test_the_first_rule_that_holds_is_taken(broker: Broker, tmp_path: Path) -> None:
    default = broker.run("choose").said()
    due = {"provider": "ollama", "model": "llama3.1:8b", "rule": 1}
    assert dict(default) == {**due, "endpoint": "http://localhost:11434"}, f"it is {default}"
    moved = broker.run("choose", OLLAMA_HOST="http://127.0.0.1:9").said()
    assert dict(moved) == {**due, "endpoint": "http://127.0.0.1:9"}, f"told another: {moved}"
    providers = {"ollama": {"endpoint": "http://a"}, "remote": {"endpoint": "http://b"}}
    rules = [
        {"task": "code", "provider": "remote", "model": "m1"},
        {"task": "plan", "provider": "ollama", "model": "m2"},
        {"task": "plan", "provider": "remote", "model": "m3"},
        {"task": "*", "provider": "remote", "model": "m4"},
    ]
    policy = tmp_path / "policy.json"
    policy.write_text(json.dumps({"providers": providers, "rules": rules}))
    for task, number in (("code", 1), ("plan", 2), (None, 2), ("other", 4)):
        words = ("--task", task) if task else ()
        said = broker.run("choose", *words, "--policy", str(policy), OLLAMA_HOST="").said()
        rule = rules[number - 1]
        endpoint = providers[rule["provider"]]["endpoint"]
        right = {"provider": rule["provider"], "model": rule["model"], "endpoint": endpoint}
        assert dict(said) == {**right, "rule": number}, f"for {task} it chooses {dict(said)}"


@pytest.mark.criterion("broker-selects-ollama")
def test_what_is_asked_and_answered(broker: Broker) -> None:
    with answering({GENERATED: {**SAID, "model": "as it is called there"}}) as ollama:
        said = broker.run("ask", "--prompt", PROMPT, OLLAMA_HOST=f"{ollama.url}/").said()
        (asked,) = ollama.asked
    assert asked.body == {"model": "llama3.1:8b", "prompt": PROMPT, "stream": False}
    due = {"provider": "ollama", "model": "llama3.1:8b", "response": SAID["response"]}
    assert dict(said) == due, f"it says {dict(said)}"


@pytest.mark.criterion("broker-selects-ollama", "broker-ollama-down")
def test_a_broker_that_cannot_says_so(broker: Broker, tmp_path: Path) -> None:
    no_rule, no_json = tmp_path / "no-rule.json", tmp_path / "no.json"
    no_rule.write_text(json.dumps({"providers": {}, "rules": []}))
    no_json.write_text("{")
    unknown = tmp_path / "unknown.json"
    unknown.write_text(json.dumps({"providers": {}, "rules": [{"task": "*", "provider": "x"}]}))
    odd: Mapping[tuple[str, str], Any] = {GENERATED: {"done": True}}
    ask = ("ask", "--prompt", PROMPT)
    with answering(odd) as silent:
        cases = {
            "no such file": (WRONG, broker.run("choose", "--policy", str(tmp_path / "none.json"))),
            "no JSON": (WRONG, broker.run("choose", "--policy", str(no_json))),
            "no rule": (WRONG, broker.run("choose", "--policy", str(no_rule))),
            "an unknown provider": (WRONG, broker.run("choose", "--policy", str(unknown))),
            "no prompt": (WRONG, broker.run("ask")),
            "nobody there": (UNREACHABLE, broker.run(*ask, OLLAMA_HOST=closed_address())),
            "no response": (UNREACHABLE, broker.run(*ask, OLLAMA_HOST=silent.url)),
        }
    for name, (status, done) in cases.items():
        assert done.status == status, f"{name}: {done.in_words()}"
        lines = done.errors.strip().splitlines()
        assert "Traceback" not in done.errors, f"{name}: it prints a traceback"
        one_line = len(lines) == 1 and lines[0].startswith("broker: ") and len(lines[0].split()) > 3
        assert one_line or name == "no prompt", f"{name}: it prints {done.errors.strip()!r:.200}"
    assert "ollama" in cases["nobody there"][1].errors, "it does not say who did not answer"
