"""After a rollback: root cause, shadow mode, and where the rollout goes on."""

from __future__ import annotations

from datetime import timedelta

import pytest

from suites.eros.scenarios.recovery import Recovery
from suites.eros.views.records import noted
from suites.eros.views.said import is_sentence, not_done

pytestmark = pytest.mark.eros_rollback


@pytest.mark.criterion("step3-root-cause")
def test_the_root_cause_is_on_record(recovered: Recovery) -> None:
    fired = recovered.at
    incidents = [
        incident
        for incident in noted(recovered.records, "incident")
        if incident.moment("rollback") == fired
    ]
    assert incidents, f"no incident is on record of the rollback at {fired}"
    cause, at = incidents[-1].text("root_cause"), incidents[-1].moment("at")
    assert is_sentence(cause), f"the root cause on record is {cause!r}: no sentence"
    assert at >= fired, f"the root cause is dated {at}, before the rollback at {fired}"
    assert incidents[-1].text("by").strip(), "nobody put their name to the root cause"


@pytest.mark.criterion("step4-revalidated-in-shadow")
def test_shadow_mode_showed_the_fix(recovered: Recovery) -> None:
    since, until = recovered.at, recovered.returned.moment("at")
    pairs = recovered.service.get("/comparisons", since=since, until=until).each("comparisons")
    assert len(pairs) >= 50, f"{len(pairs)} comparisons were made before creators came back, not 50"
    failed = [pair for pair in pairs if pair.inner("v5").text("outcome") != "ok"]
    assert len(failed) / len(pairs) < 0.1, f"{len(failed)} of {len(pairs)} shadow runs failed"
    diffs = [
        pair.inner("v5").number("quality") - pair.inner("v4").number("quality")
        for pair in pairs
        if pair not in failed and pair.inner("v4").text("outcome") == "ok"
    ]
    mean = sum(diffs) / max(1, len(diffs))
    assert mean > -5, f"v5 scored {mean:.1f} points more than v4 in the mean; above -5 is needed"
    broken = [pair for pair in pairs if pair.flag("regression") or pair.flag("false_positive")]
    assert not broken, f"{len(broken)} of {len(pairs)} comparisons show a hard gate that went wrong"


@pytest.mark.criterion("step4-revalidated-in-shadow")
def test_the_shadow_gate_was_decided_anew(recovered: Recovery) -> None:
    since, until = recovered.at, recovered.returned.moment("at")
    decided = [
        gate.text("verdict")
        for gate in noted(recovered.records, "gate")
        if gate.text("phase") == "shadow" and since < gate.moment("at") <= until
    ]
    assert decided, f"the shadow gate was not decided between {since} and {until}"
    assert decided[-1] == "GO", f"the shadow gate was {decided[-1]} when creators came back"


@pytest.mark.criterion("step5-resume-last-stable")
def test_it_goes_on_from_the_last_stable_phase(recovered: Recovery) -> None:
    went_on = recovered.returned.text("phase")
    stable = recovered.stable
    assert went_on == stable, f"it went on with {went_on}; the last stable phase was {stable}"


@pytest.mark.criterion("step5-resume-last-stable")
def test_where_it_goes_on_is_on_record(recovered: Recovery) -> None:
    back = recovered.returned.moment("at")
    notes = [
        note
        for note in noted(recovered.records, "resume")
        if abs(note.moment("at") - back) <= timedelta(days=1)
    ]
    if not notes:
        not_done(f"nobody recorded with which phase it went on at {back}", "record it")
    said = notes[-1].text("phase")
    assert said == recovered.stable, f"on record is {said}; {recovered.stable} was stable"
