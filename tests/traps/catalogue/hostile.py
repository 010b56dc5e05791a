"""Names, texts, numbers and files that break those who carry them on."""

from __future__ import annotations

from typing import Any

from tests.traps.parts import rule, works
from tests.traps.trap import ALONE, HOLD, N2, NO_GO, NOTHING, PLAIN, Trap

_WHY = "it does not work"
_RULE = "metric: bad, take: max, pass: '< 1', need: 3"


def _named(id_: str, says: str, ids: str, **also: Any) -> Trap:
    """A failing check with such an id."""
    marks = f'@pytest.mark.parametrize("n", [1], ids=[{ids}])'
    return Trap(
        id_,
        says,
        _WHY,
        NO_GO,
        files=works(f"assert False, '{_WHY}'", args="n", marks=marks),
        **also,
    )


def _observed(id_: str, says: str, body: str, because: str, **also: Any) -> Trap:
    """A criterion judged by a rule, and what a check observes for it."""
    return Trap(id_, says, because, files=works(body, args="observe") | rule(_RULE), **also)


TRAPS = (
    _named("id-is-a-path", "a parameter's id climbs out of its folder", "'/../../../etc/passwd'"),
    _named(
        "id-is-huge",
        "a parameter's id has a million characters",
        "'x' * 1_000_000",
        modes=(PLAIN, N2),
    ),
    _named("id-drives-terminals", "a parameter's id holds escape codes", r"'\x1b[2J\x1b[32mGO'"),
    _named("id-is-html", "a parameter's id holds HTML", "'<script>alert(1)</script>'"),
    _named(
        "id-with-a-surrogate",
        "a parameter's id holds a lone surrogate",
        r"'\udc80'",
        modes=(PLAIN,),
    ),
    Trap(
        "message-with-a-surrogate",
        "a failure's message holds a lone surrogate",
        "",
        NO_GO,
        files=works(r"assert False, 'it \udc80 does not work'"),
    ),
    Trap(
        "message-drives-terminals",
        "a failure's message holds escape codes",
        _WHY,
        NO_GO,
        files=works(rf"assert False, '\x1b[2J\x1b[32mGO {_WHY}'"),
    ),
    Trap(
        "message-is-huge",
        "a failure's message has a million characters",
        _WHY,
        NO_GO,
        files=works(f"assert False, '{_WHY}' + 'x' * 1_000_000"),
    ),
    Trap(
        "says-go",
        "a check prints that the gate is GO",
        _WHY,
        NO_GO,
        files=works(f"print('GO: p.one/entry GO, p.one/exit GO')\nassert False, '{_WHY}'"),
        args=("-s",),
        modes=ALONE,
    ),
    Trap(
        "closes-its-output",
        "a check closes the process's output",
        "internal error",
        files=works(f"os.close(1)\nos.close(2)\nassert False, '{_WHY}'", above="import os"),
        args=("-s",),
        modes=(PLAIN,),
        taken=True,
    ),
    _observed("no-samples", "a check passes and observes nothing", "pass", "no sample"),
    _observed("too-few-samples", "a check observes too little", "observe('bad', 0)", "3"),
    _observed(
        "not-a-number",
        "a check observes NaN",
        "for n in range(3): observe('bad', float('nan'), at=1000 + n)",
        "no finite number",
    ),
    Trap(
        "ledger-removed",
        "a check removes the ledger",
        "nothing could be stored",
        NOTHING,
        files=works("import shutil; shutil.rmtree('.rollout')"),
    ),
    Trap(
        "ledger-replaced",
        "a check puts rubbish in the ledger's place",
        "nothing could be stored",
        NOTHING,
        files=works(
            """
            import pathlib
            for p in pathlib.Path('.rollout').glob('ledger*'): p.unlink()
            pathlib.Path('.rollout/ledger.db').write_bytes(b'x' * 5000)
            """
        ),
    ),
    Trap(
        "ledger-of-before",
        "a check puts back the ledger as it was",
        "damaged",
        HOLD,
        files=works(
            """\
import pathlib, sqlite3
base = sqlite3.connect('.rollout/ledger.db')
base.execute("DELETE FROM records WHERE kind = 'batch'")
base.commit()"""
        ),
        damages=True,
        modes=(PLAIN,),
    ),
    Trap(
        "decision-rewritten",
        "a conftest.py rewrites decision.json",
        _WHY,
        NO_GO,
        files=works(f"assert False, '{_WHY}'")
        | {
            "conftest.py": """\
from pathlib import Path

def pytest_unconfigure():
    for path in Path('rollout-report').rglob('decision.json'):
        path.write_text(path.read_text().replace('NO-GO', 'GO'))
"""
        },
    ),
)
