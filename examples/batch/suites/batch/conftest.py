"""The job, run twice in each phase."""

import hashlib
import subprocess
import time
from pathlib import Path

from pytest_rollout import NoValueError, scenario

ROOT = Path(__file__).parents[2]
COMMAND = ["python", "report.py"]  # what runs the job, from the project's root
OUTPUT = "out/report.csv"  # the file that it leaves, from the project's root


@scenario(effect="change")
def runs(phase):
    """How each run ended, how long it took, and what it left."""
    if not (COMMAND and OUTPUT):
        raise NoValueError("say in suites/batch/conftest.py what the job is: COMMAND and OUTPUT")
    return [run(), run()]


def run():
    output, before = ROOT / OUTPUT, changed(ROOT / OUTPUT)
    begun = time.monotonic()
    done = subprocess.run(COMMAND, cwd=ROOT, capture_output=True, text=True, timeout=600)
    seconds = time.monotonic() - begun
    written = changed(output) != before  # what an earlier run left is no output of this one
    left = hashlib.sha256(output.read_bytes()).hexdigest() if written else None
    said = (done.stderr.strip().splitlines() or ["it said nothing"])[-1]
    return {"status": done.returncode, "said": said, "seconds": seconds, "left": left}


def changed(path):
    return path.stat().st_mtime_ns if path.is_file() else None
