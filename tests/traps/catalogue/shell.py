"""Shells that take the exit status away, and outputs that break."""

from __future__ import annotations

from typing import Any

from tests.traps.parts import PLAN as TEXT
from tests.traps.parts import works
from tests.traps.trap import NO_GO, NOTHING, PLAIN, Trap

_WHY = "it does not work"
_BAD = works(f"assert False, '{_WHY}'")


def _behind(id_: str, says: str, shell: str, **also: Any) -> Trap:
    return Trap(id_, says, _WHY, NO_GO, files=_BAD, shell=shell, taken=True, modes=(PLAIN,), **also)


TRAPS = (
    _behind("pipe", "`pytest | tee log`", "{pytest} | tee log.txt"),
    Trap(
        "pipe-closed",
        "`pytest | head -1`: the reader is gone",
        "internal error",
        files=_BAD,
        shell="{pytest} | head -1",
        modes=(PLAIN,),
        taken=True,
    ),
    _behind("or-true", "`pytest || true`", "{pytest} || true"),
    _behind("next-command", "`pytest; echo`", "{pytest}; echo done"),
    _behind("background", "`pytest & wait`", "{pytest} & wait"),
    Trap(
        "output-full",
        "standard output cannot be written",
        "",
        files=_BAD,
        shell="{pytest} > /dev/full",
        modes=(PLAIN,),
        taken=True,
    ),
    Trap(
        "output-closed",
        "standard output is closed",
        "never finished",
        files=_BAD,
        shell="{pytest} >&- 2>&-",
        modes=(PLAIN,),
        taken=True,
    ),
    Trap(
        "timeout-command",
        "a supervisor loses patience, as `timeout 60 pytest` does",
        "the run was ended by SIGTERM",
        files=works("open('began', 'w').close()\nimport time; time.sleep(60)"),
        shell="{pytest} & while ! [ -e began ]; do sleep 0.1; done; kill $!; wait $!",
        modes=(PLAIN,),
        taken=True,
        after_go=True,
    ),
    Trap(
        "check-hides-a-step",
        "a `check:` of the plan whose shell hides that a step failed: `echo $(bin/bad)`",
        "hides that its command failed",
        NOTHING,
        files={
            "suites/p/rollout.yaml": TEXT.replace(
                "says: It works",
                "says: It works, check: {command: 'echo $(bin/bad)', shell: true}",
            )
        },
        modes=(PLAIN,),
    ),
)
