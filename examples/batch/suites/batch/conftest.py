"""The job, run twice in each phase."""

import hashlib
import shutil
import subprocess
import time
from contextlib import contextmanager, nullcontext
from pathlib import Path

from pytest_rollout import NoValueError, scenario

ROOT = Path(__file__).parents[2]
COMMAND = ["python", "report.py"]  # what runs the job, from the project's root
OUTPUT = "out/report.csv"  # the file that it leaves, from the project's root
LONGEST_S = 600  # a run that takes longer is ended


@scenario(effect="change")
def runs(phase):
    """How each run ended, how long it took, and what it left."""
    if not (COMMAND and OUTPUT):
        raise NoValueError("say in suites/batch/conftest.py what the job is: COMMAND and OUTPUT")
    # A rehearsal runs the real command, and must not change what it left before.
    with put_back(ROOT / OUTPUT) if phase.embedded else nullcontext():
        yield [run(), run()]


def run():
    output, before = ROOT / OUTPUT, changed(ROOT / OUTPUT)
    begun = time.monotonic()
    try:
        done = subprocess.run(COMMAND, cwd=ROOT, capture_output=True, text=True, timeout=LONGEST_S)
    except subprocess.TimeoutExpired:
        said = f"it did not end within {LONGEST_S} s"
        return {"status": None, "said": said, "seconds": time.monotonic() - begun, "left": None}
    seconds = time.monotonic() - begun if done.returncode == 0 else None  # to fail is not quick
    written = changed(output) != before  # what an earlier run left is no output of this one
    left = hashlib.sha256(output.read_bytes()).hexdigest() if written else None
    said = (done.stderr.strip().splitlines() or ["it said nothing"])[-1]
    return {"status": done.returncode, "said": said, "seconds": seconds, "left": left}


@contextmanager
def put_back(path):
    """Leave a file as it was."""
    kept = path.with_name(f"{path.name}.kept")
    if kept.is_file():
        raise NoValueError(f"a rehearsal was killed and left {kept}: put it back, or delete it")
    if path.is_file():
        shutil.copy2(path, kept)
    try:
        yield
    finally:
        if kept.is_file():
            kept.replace(path)
        else:
            path.unlink(missing_ok=True)


def changed(path):
    return path.stat().st_mtime_ns if path.is_file() else None
