import pytest

pytestmark = pytest.mark.takeover


@pytest.mark.criterion("ends-well")
def test_ends_well(takeover):
    for one in takeover["new"]:
        assert one["status"] == 0, one["said"]


@pytest.mark.criterion("rows-counted")
def test_rows(takeover):
    assert takeover["rows"] > 0
    for one in takeover["new"]:
        assert one["left"]["rows"] == takeover["rows"]


@pytest.mark.criterion("deadline")
def test_deadline(takeover, observe):
    for one in takeover["new"]:
        observe("seconds", one["seconds"])
