"""What is seen of batch in its phase trial; rollout.yaml beside it says what is acceptable."""

import pytest

pytestmark = pytest.mark.trial


@pytest.mark.criterion("ends-well")
def test_the_job_ends_well(runs):
    for run in runs:
        assert run["status"] == 0, run["said"]


@pytest.mark.criterion("deadline")
def test_the_job_is_in_time(runs, observe):
    for run in runs:
        if run["seconds"] is not None:
            observe("seconds", run["seconds"])


@pytest.mark.criterion("repeatable")
def test_a_second_run_leaves_the_same(runs):
    first, again = runs
    assert None not in (first["left"], again["left"]), "a run wrote no output"
    assert first["left"] == again["left"]
