"""The job: five runs in the shadow, one in the takeover."""

import csv
import json
import subprocess
import time
from pathlib import Path

from pytest_rollout import scenario

ROOT = Path(__file__).parents[2]


def run(phase, job, orders, output):
    output.parent.mkdir(parents=True, exist_ok=True)
    output.unlink(missing_ok=True)
    begun = time.monotonic()
    done = subprocess.run(
        ["python", str(phase.file(job)), str(orders), str(output)],
        cwd=ROOT,
        capture_output=True,
        text=True,
        timeout=120,
    )
    seconds = time.monotonic() - begun
    said = (done.stderr.strip().splitlines() or ["it said nothing"])[-1]
    left = json.loads(output.read_text()) if output.is_file() else None
    return {"status": done.returncode, "said": said, "seconds": seconds, "left": left}


@scenario(effect="change")
def shadow(phase):
    orders, output = phase.file("orders"), phase.file("output")
    new = [run(phase, "job", orders, output.with_suffix(".new.json")) for _ in range(5)]
    old = run(phase, "old", orders, output.with_suffix(".old.json"))
    with orders.open(newline="") as lines:
        return {"new": new, "old": old, "rows": sum(1 for _ in csv.DictReader(lines))}


@scenario(effect="change")
def takeover(phase):
    orders, output = phase.file("orders"), phase.file("output")
    new = [run(phase, "job", orders, output)]
    with orders.open(newline="") as lines:
        return {"new": new, "rows": sum(1 for _ in csv.DictReader(lines))}
