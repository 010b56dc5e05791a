"""Settings that changed are told by a record with the value that came of it, or by nobody."""

from __future__ import annotations

import pytest

from suites.plms.views.final_report import Signature
from suites.plms.views.settings import differences, in_words, unexplained

BEFORE = {"cap of Narrative": "2", "calibration_enabled": "false"}


@pytest.mark.parametrize(
    ("after", "said", "named", "left"),
    [
        ({"cap of Narrative": "6"}, ["lane caps set"], {}, set()),
        ({"cap of Narrative": "9"}, ["lane caps set"], {}, {"cap of Narrative"}),
        ({"cap of Narrative": "9"}, ["cap of Narrative: 6 to 9"], {}, set()),
        ({"cap of Narrative": "9"}, [], {"cap of Narrative": 9}, set()),
        ({"calibration_enabled": "true"}, ["calibration enabled"], {}, set()),
        ({"calibration_enabled": "true"}, ["dashboard imported"], {}, {"calibration_enabled"}),
        ({"new_key": "1"}, ["lane caps set", "calibration enabled"], {}, {"new_key"}),
    ],
)
def test_what_no_record_tells_is_left(
    after: dict[str, str], said: list[str], named: dict[str, object], left: set[str]
) -> None:
    found = differences(BEFORE, {**BEFORE, **after})
    assert set(unexplained(found, said, named)) == left


def test_differences_name_setting_and_both_values() -> None:
    found = differences({"a": "1", "b": "2"}, {"b": "3"})
    assert in_words(found) == "a went from 1 to unset, b went from 2 to 3"


@pytest.mark.parametrize(
    ("said", "amiss"),
    [
        ("Erin Engelhardt, approved, 2025-11-14", ""),
        ("Erin Engelhardt (Approved), November 14, 2025", ""),
        ("Erin Engelhardt, approved once the alert is fixed, 2025-11-14", "with a reservation"),
        ("Erin Engelhardt, approved, 2025-11-14, but see the alert", "with a reservation"),
        ("Erin Engelhardt, not approved, 2025-11-14", "did not approve"),
        ("Erin Engelhardt, 2025-11-14", "did not approve"),
    ],
)
def test_a_signature_says_one_word(said: str, amiss: str) -> None:
    told = Signature.of(said).amiss
    assert amiss in told if amiss else not told, told
