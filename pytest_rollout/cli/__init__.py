"""The `rollout` command: one verb a file, loaded when it is used."""

from __future__ import annotations

import atexit
import gc
import os
import sys
from collections.abc import Sequence
from importlib import import_module
from itertools import takewhile
from typing import NoReturn

import click

from pytest_rollout.cli.saying import say, say_json
from pytest_rollout.model.coding import encode
from pytest_rollout.model.errors import RolloutError
from pytest_rollout.model.finding import Reason
from pytest_rollout.plan.heap import collector_seldom
from pytest_rollout.redact import learn

_WRONG_USE = 4
_VERBS = {
    "amend": "Put on record that a criterion was changed since its phase began, by two people.",
    "attest": "Record a person's answer to a criterion that no test can see.",
    "attestation": "A gate's last decision as signed in-toto statements.",
    "begin": "Begin a phase in a real environment, once its entry is clear.",
    "check": "Whether plans can be read, and which checks each criterion has.",
    "checklist": "What each role still has to attest.",
    "clear": "Whether a change may start, right now; for the deploy script.",
    "decide": "Judge a gate's last full run again, from the ledger alone.",
    "drill": "Plant each fault that the plan names, and see who notices it.",
    "end": "End a phase in a real environment, once its exit is clear.",
    "explain": "Why a criterion has its verdict, in words and numbers.",
    "export": "Write a gate's decision, with all that it rests on, into one file.",
    "ingest": "Bring in approvals of a pull request, or results of other tools.",
    "init": "Write a plan, its checks, and what CI and editors need, from a template.",
    "join": "Decide from several runs that each did a part of the checks.",
    "ledger": "Take observations of old runs out of a ledger that has grown for years.",
    "load": "Run the phase that makes loads, show them, and answer with its decision.",
    "merge": "Bring what other ledgers hold into the project's.",
    "record": "Put on record what happens in a phase: a change, an incident, a freeze.",
    "report": "Write or print the report of a gate's last decision again.",
    "request-signoff": "Write the text that asks people for their signatures.",
    "reset": "Have a guardrail judged anew, on the record: by whom, and why.",
    "schema": "Where the JSON Schemas of plans are, and copies for editors.",
    "settle": "Say on record that what a cancelled run did not finish was not run.",
    "sign": "Sign a gate's decision in a role, with an SSH key.",
    "standup": "What a stand-up asks for: yesterday, today, blockers, metrics.",
    "status": "Where every phase of every plan stands.",
    "targets": "The systems under test, whether they answer, and their faults.",
    "trend": "A criterion's figure over the nights, the noise, and where it changed.",
    "verify": "Whether the ledger, or a bundle, is whole.",
    "watch": "Look at a phase's guardrails again and again; tell, and go back, when one trips.",
}


class _Verbs(click.Group):
    """Finds a verb in the module of its name, and lists verbs without loading them."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        return list(_VERBS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        if cmd_name not in _VERBS:
            return None
        command: click.Command = import_module(
            f"pytest_rollout.cli.{cmd_name.replace('-', '_')}"
        ).command
        return command

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        with formatter.section("Commands"):
            formatter.write_dl(list(_VERBS.items()))


@click.group(cls=_Verbs, context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(package_name="pytest-rollout")
def rollout() -> None:
    """Rollout plans and the decisions of their gates.

    Exit status: 0 yes (or GO), 10 NO-GO, 11 HOLD, 12 ROLLBACK, 4 wrong use.
    """


def main(arguments: Sequence[str] | None = None) -> None:
    """Run the command; every mistake is one message and exit status 4.

    With --json the mistake is one line of JSON on standard output, too.
    """
    atexit.register(gc.freeze)  # or Python looks through all objects once more as it ends
    with collector_seldom():
        sys.exit(_answer(arguments))


def _answer(arguments: Sequence[str] | None) -> int:
    """Run the command and return its exit status; exit where it was not used as it can be."""
    learn(os.environ)
    given = sys.argv[1:] if arguments is None else list(arguments)
    as_json = "--json" in takewhile(lambda argument: argument != "--", given)
    try:
        status = rollout.main(args=given, prog_name="rollout", standalone_mode=False)
    except click.ClickException as error:
        error.show()
        _end(Reason("usage"), error.format_message(), as_json=as_json)
    except click.Abort:
        sys.exit(130)
    except RolloutError as error:
        say(f"rollout: {error}", err=True)
        _end(Reason(error.code, error.facts), str(error), as_json=as_json)
    except OSError as error:
        say(f"rollout: {error}", err=True)
        file = None if error.filename is None else str(error.filename)
        _end(Reason("system", {"file": file}), str(error), as_json=as_json)
    return status if isinstance(status, int) else 0


def _end(reason: Reason, text: str, *, as_json: bool) -> NoReturn:
    """End after a mistake; for programs in the shape that reasons have everywhere."""
    if as_json:
        shape = {**encode(reason), "text": text}
        say_json({"error": shape})
    sys.exit(_WRONG_USE)
