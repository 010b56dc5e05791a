"""What is seen of tally in its phase merge; rollout.yaml beside it says what is acceptable."""

import subprocess
import sys

import pytest

pytestmark = pytest.mark.merge
IMPORT = "import time, tally; print(time.process_time())"


@pytest.mark.criterion("import-time")
def test_imports_are_quick(observe):
    for _ in range(29):
        command = [sys.executable, "-c", IMPORT]
        done = subprocess.run(command, capture_output=True, text=True, check=True)
        observe("seconds", float(done.stdout.splitlines()[-1]))
