"""`python -m tests.docs.picture`: take the picture of the start page anew; needs chromium.

It shows the tutorial's exit gate, decided once the new greeting has broken.
"""

from __future__ import annotations

import subprocess
import sys
import tempfile
from itertools import takewhile
from pathlib import Path

from tests.docs.tutorial import do, todo
from tests.plms.test_prod import free_port
from tests.story.printed import Printed

ROOT = Path(__file__).parents[2]
PICTURE = ROOT / "docs/_static/report.png"
_SIZE = "1000,1040"


def page(folder: Path) -> Path:
    """Do the tutorial in a folder until it breaks, decide, and return the report's page."""
    port = str(free_port())
    before = takewhile(
        lambda step: "--execute" not in step.command,
        todo(ROOT / "docs/tutorial/first-rollout.md", port),
    )
    decide = Printed("pytest -m canary --rollout-env prod", [])
    do([*before, decide, Printed("kill %1", [])], folder, Path(sys.executable), {}, port)
    return folder / "rollout-report/shop/prod/canary/exit/report.html"


def main() -> None:
    """Write the picture."""
    with tempfile.TemporaryDirectory() as folder:
        shown = page(Path(folder))
        window = ("--headless", "--no-sandbox", "--hide-scrollbars", f"--window-size={_SIZE}")
        command = ["chromium", *window, f"--screenshot={PICTURE}", shown.as_uri()]
        subprocess.run(command, check=True, timeout=120)


if __name__ == "__main__":
    main()
