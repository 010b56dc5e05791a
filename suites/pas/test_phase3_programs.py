"""The broker of models and the sandbox of files, each tried as a program."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from pytest_rollout import NoValueError, Observe, Reported, Stage
from suites.pas.scenarios.sandboxed import TEXT, Sandbox, Tried, sandbox
from suites.pas.views.answering import answering
from suites.pas.views.client import python_of
from suites.pas.views.lanes import LANES
from suites.pas.views.running import Done, bare, call, closed_address
from suites.pas.views.told import Told
from suites.pas.views.trees import changes, tree

pytestmark = pytest.mark.pas_phase3

REFUSED, UNREACHABLE = 3, 4  # exit statuses
TIMES = 20
PROMPT = "Say something of the code, in one line"
GENERATED = ("POST", "/api/generate")
SAID = {"model": "llama3.1:8b", "response": "from the suite", "done": True}


class Broker:
    """The broker of the checkout, in a home of its own."""

    def __init__(self, phase: Stage, home: Path) -> None:
        self.checkout, self.home = phase.file("checkout"), home

    def run(self, *words: str, **environ: str) -> Done:
        """Call it."""
        program = self.checkout / "cli/broker.py"
        given = bare(self.home, PYTHONDONTWRITEBYTECODE="1", **environ)
        python = python_of(self.checkout)
        return call(
            f"broker {words[0]}", python, program, *words, environ=given, folder=self.checkout
        )

    def policy(self, provider: str, endpoints: Mapping[str, str]) -> str:
        """A file with a policy that takes one provider for everything."""
        path = self.home / f"{provider}.json"
        providers = {name: {"endpoint": url} for name, url in endpoints.items()}
        rules = [{"task": "*", "provider": provider, "model": "llama3.1:8b"}]
        path.write_text(json.dumps({"providers": providers, "rules": rules}))
        return str(path)


@pytest.fixture(scope="session")
def broker(phase: Stage, tmp_path_factory: pytest.TempPathFactory) -> Broker:
    """The broker."""
    return Broker(phase, tmp_path_factory.mktemp("broker"))


@pytest.mark.criterion("broker-selects-ollama")
def test_no_kind_of_task_goes_elsewhere(broker: Broker) -> None:
    """The tasks that the policy names, those of each lane, and one that nobody has heard of."""
    policy = json.loads((broker.checkout / "config/model_policy.json").read_text(encoding="utf-8"))
    named = [str(rule["task"]) for rule in policy["rules"] if rule["task"] != "*"]
    for task in dict.fromkeys((*named, *LANES, "no-such-task")):
        chosen = broker.run("choose", "--task", task).said()
        pair = (chosen.text("provider"), chosen.text("model"))
        right = pair[0] == "ollama" and pair[1].startswith("llama3.1")
        assert right, f"for {task} it chooses {pair}"


@pytest.mark.criterion("broker-selects-ollama")
def test_the_broker_takes_ollama(broker: Broker) -> None:
    chosen = broker.run("choose").said()
    pair = (chosen.text("provider"), chosen.text("model"))
    assert pair[0] == "ollama", f"it chooses {pair}"
    assert pair[1].startswith("llama3.1"), f"it chooses {pair}"
    with answering({GENERATED: SAID}) as ollama:
        done = broker.run("ask", "--prompt", PROMPT, OLLAMA_HOST=ollama.url)
        asked = [request for request in ollama.asked if (request.method, request.path) == GENERATED]
    assert done.status == 0, done.in_words()
    assert len(asked) == 1, f"Ollama got {len(asked)} requests"
    assert str(asked[0].body.get("model")).startswith("llama3.1"), f"asked was {asked[0].body}"
    assert asked[0].body.get("prompt") == PROMPT, f"Ollama was asked {asked[0].body}"
    assert done.said().text("response") == SAID["response"], "it does not say what Ollama said"


@pytest.mark.criterion("broker-deterministic", "broker-selects-ollama")
def test_the_choice_is_always_the_same(broker: Broker, observe: Observe) -> None:
    tell = Told(observe)
    choices = [dict(broker.run("choose", "--task", "plan").said()) for _ in range(TIMES)]
    for choice in choices:
        tell("selection_differs", choice != choices[0], chosen=choice.get("model"))
    tell.none_bad("the same request was given another model")


@pytest.mark.criterion("broker-ollama-down")
def test_nobody_else_is_asked(broker: Broker, observe: Observe) -> None:
    with answering({GENERATED: SAID}) as remote:
        nowhere = closed_address()
        endpoints = {"ollama": nowhere, "remote": remote.url}
        policy = broker.policy("ollama", endpoints)
        done = broker.run("ask", "--prompt", "Secret", "--policy", policy, OLLAMA_HOST=nowhere)
        observe("sent_elsewhere", len(remote.asked))
        control = broker.run(
            "ask", "--prompt", "Hello", "--policy", broker.policy("remote", endpoints)
        )
        reached = len(remote.asked)
    assert done.status == UNREACHABLE, f"without Ollama: {done.in_words()}"
    assert done.errors.strip(), "it fails without a word"
    if control.status or not reached:
        raise NoValueError(f"the other provider cannot be asked anyway: {control.in_words()}")


# The sandbox


@pytest.mark.criterion("write-attempts-denied")
def test_each_attempt_is_refused(sandbox_tried: Tried, observe: Observe) -> None:
    for attempt in (*sandbox_tried.attempts, *sandbox_tried.writable):
        observe("write_succeeded", bool(attempt.changed), way=attempt.way)
        told = f"sandbox {' '.join(attempt.words)}: {attempt.done.in_words()}"
        assert attempt.done.status == REFUSED, told
        said = Reported(json.loads(attempt.done.text or "{}"), told)
        about = (said["operation"], said["path"], said["allowed"])
        assert about == (attempt.words[0], attempt.words[1], False), f"{told}: it says {about}"
        assert len(said.text("why").split()) >= 3, f"it is refused because of {said['why']!r}"
    allowed = sandbox_tried.allowed
    if not allowed.changed:
        raise NoValueError(f"the sandbox writes nowhere, allowed or not: {allowed.done.in_words()}")


PARTS = ("..", ".", "below", "away", "away.txt", "kept.txt", "new.txt", "//", "outside")
paths = st.lists(st.sampled_from(PARTS), min_size=1, max_size=5).map("/".join)


@pytest.fixture(scope="session")
def walked(phase: Stage, tmp_path_factory: pytest.TempPathFactory) -> Sandbox:
    """A sandbox for paths that nobody thought of."""
    return sandbox(phase, tmp_path_factory.mktemp("walked"))


@pytest.mark.criterion("write-attempts-denied")
@settings(max_examples=15, deadline=None, suppress_health_check=list(HealthCheck), database=None)
@given(path=paths, operation=st.sampled_from(("write", "delete", "mkdir")))
def test_no_path_leads_to_a_change(walked: Sandbox, path: str, operation: str) -> None:
    done, changed = walked.changed(operation, path)
    assert not changed, f"sandbox {operation} {path} changed {changed}"
    assert done.status not in (0, None), f"sandbox {operation} {path}: {done.in_words()}"


@pytest.mark.criterion("reads-allowed", "write-attempts-denied")
def test_files_inside_can_be_read(phase: Stage, tmp_path_factory: pytest.TempPathFactory) -> None:
    box = sandbox(phase, tmp_path_factory.mktemp("read"))
    before = tree(box.folder)
    for path in ("kept.txt", "below/kept.txt", "below/../kept.txt"):
        said = box.run("read", path).said()
        assert said.text("content") == TEXT, f"{path} is read as {said['content']!r}"
    entries: Sequence[object] = box.run("list", ".").said()["entries"]
    assert entries, "an empty list is given of a folder with entries"
    for path in ("../outside/kept.txt", "away/kept.txt", "away.txt"):
        done = box.run("read", path)
        assert done.status == REFUSED, f"what lies outside is read by {path}: {done.in_words()}"
    hashes = [box.run("hash").said().text("hash") for _ in range(2)]
    assert not changes(before, tree(box.folder)), "reading changed something"
    (box.root / "kept.txt").write_text(f"{TEXT}more\n", encoding="utf-8")
    hashes.append(box.run("hash").said().text("hash"))
    assert hashes[0] == hashes[1] != hashes[2], (
        f"the hashes of one tree and of another are {hashes}"
    )
