import pytest

pytestmark = pytest.mark.shadow


@pytest.mark.criterion("ends-well")
def test_ends_well(shadow):
    assert len(shadow["new"]) == 5
    for one in shadow["new"]:
        assert one["status"] == 0, one["said"]


@pytest.mark.criterion("same-as-old")
def test_same_as_old(shadow):
    assert shadow["old"]["left"] is not None, shadow["old"]["said"]
    for one in shadow["new"]:
        assert one["left"] == shadow["old"]["left"]


@pytest.mark.criterion("rows-counted")
def test_rows(shadow):
    assert shadow["rows"] > 0
    for one in shadow["new"]:
        assert one["left"]["rows"] == shadow["rows"]


@pytest.mark.criterion("deadline")
def test_deadline(shadow, observe):
    for one in shadow["new"]:
        observe("seconds", one["seconds"])
