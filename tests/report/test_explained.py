"""What `rollout explain` says of every sort of verdict: the sentences that people decide by."""

from __future__ import annotations

from dataclasses import replace

import pytest

from pytest_rollout.model.decision import Decision
from pytest_rollout.model.evidence import FailedBefore
from pytest_rollout.model.finding import Part, Reason, Subject, SubjectKind
from pytest_rollout.model.plan import Criterion, Guardrail
from pytest_rollout.model.verdict import Verdict
from pytest_rollout.report.advice import advice
from pytest_rollout.report.explained import explained
from pytest_rollout.report.html import to_html
from pytest_rollout.report.markdown import to_markdown
from tests.judge.worlds import NINE
from tests.report.demonstration import decision

PLAN, DECISION = decision()
PHASE = PLAN.phases[0]
HARD = (
    "Hard: no GO until it is met. No waiver stands for evidence that is not there. It belongs to "
    "the exit gate of shop.canary (One customer in ten)."
)
SAID = {
    "payments": (
        "pass (met)",
        "Asked: the rate of payment_ok (the share that is 1), in this run, must be at least "
        "0.95, with 95 % confidence (a false pass at most 1 time in 20); it takes at least "
        "59 samples.",
        "Seen: rate of payment_ok was 1 (at least 0.970486 at 95 % confidence), over 100 "
        "samples in this run; allowed >= 0.95.",
        "Bounds: 100 samples show that it is between 0.970486 and 1 (Clopper and Pearson's "
        "exact bounds of a share, at 95 % confidence).",
        "Worth: where 4.7 % or more are bad, at most 1 of 20 such runs passes, if samples are "
        "independent of each other.",
    ),
    "page-opens": (
        "pass (met)",
        "Asked: every check of it must run and pass.",
        "Seen: its check passed.",
    ),
    "queue": (
        "warn (met, on a condition)",
        "Asked: the largest of queue_depth, in this run, must be below 10, a warning when at "
        "least 8; it takes at least 3 samples.",
        "Seen: max of queue_depth was 9 at 2025-11-10 09:01:00 EST, over 3 samples in this "
        "run; allowed < 10, but >= 8 is a warning.",
        "Condition: sre settles it, by shop.full/entry.",
    ),
    "latency": (
        "hold (the target is missed, and that is no breach yet)",
        "Asked: the p95 of page_time (95 % of them are no larger), in this run, must be "
        "below 500ms, a breach when above 800ms; it takes at least 20 samples.",
        "Seen: p95 of page_time was 650ms at 2025-11-10 09:18:00 EST, over 24 samples in "
        "this run; between the target < 500ms and the breach > 800ms.",
        "Next: reach the target, or have it waived for a while.",
    ),
    "refunds": (
        "fail (seen to be bad)",
        "Asked: the rate of refund_ok (the share that is 1), in this run, must be at least "
        "0.9; it takes at least 10 samples.",
        "Seen: rate of refund_ok was 0.666667 (8 of 12), over 12 samples in this run; "
        "allowed >= 0.9.",
        "Next: fix it, or have it waived for a while, then run again.",
    ),
    "emails": (
        "inconclusive (too little was seen to tell, or some of it cannot be judged)",
        "Asked: the rate of mail_ok (the share that is 1), in this run, must be at least "
        "0.9; it takes at least 10 samples.",
        "Seen: 7 of 10 needed samples of mail_ok were seen in this run.",
        "Next: observe more, then run again; too little is never a pass.",
    ),
    "coupons": (
        "inconclusive (too little was seen to tell, or some of it cannot be judged)",
        "Asked: the rate of coupon_ok (the share that is 1), in this run, must be at least "
        "0.9, with 95 % confidence (a false pass at most 1 time in 20); it takes at least 20 "
        "samples.",
        "Seen: rate of coupon_ok was 1 (at least 0.872694 at 95 % confidence), over 22 "
        "samples in this run; allowed >= 0.9, neither shown nor ruled out yet.",
        "Bounds: 22 samples show that it is between 0.872694 and 1 (Clopper and Pearson's "
        "exact bounds of a share, at 95 % confidence).",
        "Next: with 14 more good samples, 36 in all, the next run would pass it.",
    ),
    "stock": (
        "missing (not seen, or it counts no longer)",
        "Asked: the sum of oversold, for each warehouse (Berlin, Boston), in this run, must "
        "be at most 0; it takes at least 1 sample of each.",
        "Seen, group by group:",
        "warehouse Berlin: pass; sum of oversold was 0, over 2 samples in this run; allowed <= 0",
        "warehouse Boston: missing; no sample of oversold was seen in this run; 1 sample needed",
        "Next: run or observe what is missing, then run again; nothing seen is never a pass.",
    ),
    "banner": (
        "waived (not met, and that was accepted for a while)",
        "Asked: the rate of banner_ok (the share that is 1), in this run, must be at least "
        "0.9; it takes at least 10 samples.",
        "Seen: rate of banner_ok was 0.7 (7 of 10), over 10 samples in this run; allowed >= "
        "0.9, with its waiver >= 0.6; waived until 2025-11-30, approved by Bo: the banner "
        "goes next month.",
        "Waiver (>= 0.6 is accepted): it covers what was seen: a GO is possible, on the "
        "condition below. Asked by Ann, approved by Bo, to the end of 2025-11-30: the banner "
        "goes next month",
        "Condition: Bo settles it, by 2025-11-30.",
    ),
    "pager": (
        "not applicable (the plan does not ask for it here)",
        "Asked: every check of it must run and pass.",
        "Seen: PAGER is not configured.",
    ),
    "colours": (
        "fail (seen to be bad)",
        "Asked: every check of it must run and pass.",
        "Seen: test_colours: the button is #ff0000, #cc0000 is the brand's.",
        "Condition: design settles it, by shop.full/entry.",
        "Next: the GO does not wait for it; fix it before it is due.",
    ),
    "rubric": (
        "fail (seen to be bad)",
        "Asked: a score of clear (weight 2) and friendly (weight 1) must be at least 80 of 100.",
        "Seen: the score is 66.6667 of 100, allowed >= 80; not earned in full: friendly.",
        "Its members:",
        "clear: pass; its check passed",
        "friendly: fail; test_friendly: 2 of 5 readers found it friendly, 4 are asked for",
        "Next: see what friendly comes to, then run again.",
    ),
    "legal": (
        "missing (not seen, or it counts no longer)",
        "Asked: pm must attest it.",
        "Seen: nobody has attested it.",
        "Next: pm attests it, with `rollout attest shop.canary.legal --env prod "
        "--by NAME --role pm --note WHAT`.",
    ),
    "drill": (
        "missing (not seen, or it counts no longer)",
        "Asked: sre must attest it.",
        "Seen: attested by Cy (sre) at 2025-10-11 10:00:00 EDT of v2: rolled back in four "
        "minutes; longer ago than the 1d for which it counts.",
        "Next: sre attests it, with `rollout attest shop.canary.drill --env prod "
        "--by NAME --role sre --note WHAT`.",
    ),
    "calm-nights": (
        "inconclusive (too little was seen to tell, or some of it cannot be judged)",
        "Asked: the sum of alarms, of each night by itself, must be at most 0, 3 nights in a "
        "row; it takes at least 1 sample of each night.",
        "Seen: 1 in a row, 3 needed; before: 1 of 1 sample of alarms cannot be judged: older than "
        "evidence may be (max_age); now: sum of alarms was 0, over 1 sample in that night; "
        "allowed <= 0.",
        "Next: record it again: these samples are older than max_age allows, then run again.",
    ),
    "unbound": (
        "missing (not seen, or it counts no longer)",
        "Asked: every check of it must run and pass.",
        "Seen: no check is bound to it (no test carries criterion('unbound')).",
        "Next: add a test with @pytest.mark.criterion('unbound'), then run again.",
    ),
    "not-slower": (
        "fail (seen to be bad)",
        "Asked: the mean of page_time (only version new), less that of page_time (only "
        "version old), in this run, must be at most 50ms; it takes at least 1 sample.",
        "Seen: mean of page_time was 330ms, 80ms more than that of page_time (version old), "
        "over 2 samples in this run; allowed <= 50ms.",
        "Next: fix it, or have it waived for a while, then run again.",
    ),
    "retried": (
        "warn (met, on a condition)",
        "Asked: every check of it must run and pass.",
        "Seen: test_retried: passed only at attempt 2; before: fail: charged twice.",
        "Condition: sre settles it, by shop.full/entry.",
    ),
    "shipping": (
        "inconclusive (too little was seen to tell, or some of it cannot be judged)",
        "Asked: the rate of parcel_ok (the share that is 1), in this run, must be at least "
        "0.9; it takes at least 1 sample.",
        "Seen: 1 of 2 samples of parcel_ok cannot be judged: a rate is of outcomes between 0 "
        "and 1, and 2 was observed.",
        "Next: record parcel_ok as its rule takes it, then run again.",
    ),
    "returns": (
        "inconclusive (too little was seen to tell, or some of it cannot be judged)",
        "Asked: the rate of return_ok (the share that is 1), in this run, must be at least "
        "0.9; it takes at least 1 sample.",
        "Seen: 1 of 2 samples of return_ok is from after the moment of judging, up to 2m ahead "
        "of this machine's clock (the newest at 2025-11-10 10:02:00 EST).",
        "Next: correct the clock that is ahead, then run again.",
    ),
    "history": (
        "inconclusive (too little was seen to tell, or some of it cannot be judged)",
        "Asked: the rate of order_ok (the share that is 1), among the last 10, must be at "
        "least 0.9; it takes at least 10 samples.",
        "Seen: 10 of 10 samples of order_ok cannot be judged: older than evidence may be "
        "(max_age).",
        "Next: record it again: these samples are older than max_age allows, then run again.",
    ),
    "errors": (
        "tripped (seen to be bad while it was watched)",
        "Asked: the rate of request_error (the share that is 1), among the last 10, must "
        "never be above 0.2; it takes at least 10 samples.",
        "Seen: rate of request_error was 0.3 (3 of 10), the first bad one at 2025-11-10 "
        "09:07:00 EST, over 10 samples among the last 10; allowed <= 0.2.",
        "Next: roll back and fix it; then `rollout reset shop.canary.errors --env prod --by NAME "
        "--reason WHY` has it judged anew.",
    ),
    "disk": (
        "quiet (watched, and nothing bad was seen)",
        "Asked: the largest of disk_share, since the phase began, must never be above 0.9; "
        "it takes at least 1 sample.",
        "Seen: max of disk_share was 0.5 at 2025-11-10 09:01:00 EST, over 2 samples since "
        "the phase began; allowed <= 0.9.",
    ),
    "money": (
        "blind (not enough was seen to watch it)",
        "Asked: the sum of booked_twice, since the phase began, must never be above 0; it "
        "takes at least 1 sample.",
        "Seen: no sample of booked_twice was seen since the phase began; 1 sample needed.",
        "Next: observe booked_twice in a check, or watch it; a guardrail that sees nothing is "
        "HOLD.",
    ),
}


LOOKED = decision(
    looks=3,
    failed_before=(FailedBefore("r0", NINE, ("shop.canary.page-opens", "shop.canary.refunds")),),
)[1]
LOOKED_SAID = {
    "payments": (
        "Seen: rate of payment_ok was 1 (at least 0.957125 at 98.75 % confidence, which the 3rd "
        "evaluation of this release makes of 95 %), over 100 samples in this run; allowed >= 0.95.",
        "Bounds: 100 samples show that it is between 0.957125 and 1 (Clopper and Pearson's "
        "exact bounds of a share, at 98.75 % confidence).",
        "Worth: where 3 % or more are bad, at most 1 of 20 such runs passes, if samples are "
        "independent of each other.",
    ),
    "coupons": (
        "Seen: rate of coupon_ok was 1 (at least 0.819399 at 98.75 % confidence, which the 3rd "
        "evaluation of this release makes of 95 %), over 22 samples in this run; allowed >= 0.9, "
        "neither shown nor ruled out yet.",
        "Bounds: 22 samples show that it is between 0.819399 and 1 (Clopper and Pearson's "
        "exact bounds of a share, at 98.75 % confidence).",
        "Next: with 27 more good samples, 49 in all, the next run would pass it.",
    ),
    "page-opens": (
        "Seen: its check passed.",
        "Condition: it failed earlier on release v2, in run r0, ended 2025-11-10 09:00:00 EST; "
        "sre settles it, by shop.full/entry.",
    ),
    "refunds": (  # it fails again, which is worse than that it failed before
        "Seen: rate of refund_ok was 0.666667 (8 of 12), over 12 samples in this run; allowed "
        ">= 0.9.",
        "Next: fix it, or have it waived for a while, then run again.",
    ),
}


def lines_of(slug: str, decided: Decision = DECISION) -> list[str]:
    stated: list[Criterion | Guardrail] = [*PHASE.criteria, *PHASE.guardrails]
    asked = next(one for one in stated if one.id == slug)
    found = (*decided.criteria, *decided.guardrails)
    finding = next(one for one in found if one.id == f"shop.canary.{slug}")
    return [line.strip() for line in explained(PHASE, asked, decided, finding)]


def told(lines: list[str]) -> tuple[str, ...]:
    """What is said of a finding below its head, without its checks."""
    checks = ("Checks:", "Its checks", "test_")
    return tuple(line for line in lines[3:-1] if not line.startswith(checks))


@pytest.mark.parametrize("slug", SAID)
def test_what_is_said_of_each_verdict(slug: str) -> None:
    lines = lines_of(slug)
    assert (lines[0].partition(": ")[2], *told(lines)) == SAID[slug]


@pytest.mark.parametrize("slug", LOOKED_SAID)
def test_what_a_third_look_says_of_its_level_and_of_earlier_failures(slug: str) -> None:
    (_, *said) = told(lines_of(slug, LOOKED))
    assert tuple(said) == LOOKED_SAID[slug]


def test_every_verdict_is_among_them() -> None:
    assert {one.verdict for one in DECISION.criteria} == set(Verdict)
    assert {one.verdict for one in DECISION.guardrails} >= {Verdict.FAIL, Verdict.PASS}


def test_the_whole_of_one() -> None:
    assert lines_of("search") == [
        "shop.canary.search: error (it could not be measured)",
        "It says: Search finds the product.",
        HARD,
        "Asked: every check of it must run and pass.",
        "Seen: test_search: ConnectionError: connection refused by 10.0.0.7:443.",
        "Checks:",
        "test_search: error; ConnectionError: connection refused by 10.0.0.7:443",
        "Next: fix the check, or the service that it calls, then run again; an error is never "
        "a pass.",
        "Evidence: run r1 of release v2 in prod, decided 2025-11-10 10:00:00 EST; "
        "shop.canary/exit is ROLLBACK, because of shop.canary.errors.",
    ]


def test_whether_it_is_why_the_gate_says_no() -> None:
    ends = {slug: lines_of(slug)[-1].rpartition(", ")[2] for slug in ("errors", "legal", "disk")}
    assert ends == {
        "errors": "for this reason.",
        "legal": "because of shop.canary.errors.",
        "disk": "because of shop.canary.errors.",
    }


def test_how_much_a_criterion_weighs() -> None:
    soft, optional = lines_of("colours")[2], lines_of("friendly")[2]
    assert soft.startswith("Soft: a miss does not stop the GO, but becomes a condition of it. It")
    assert optional.startswith("Optional: by itself it decides nothing; it counts in rubric. It")


@pytest.mark.parametrize("slug", ["stock", "emails", "legal"])
def test_nobody_is_told_to_waive_what_is_not_there(slug: str) -> None:
    said = " ".join(lines_of(slug))
    assert "No waiver stands for evidence that is not there." in said
    assert "or waived" not in said
    assert "have it waived" not in said


@pytest.mark.parametrize(
    ("code", "says"),
    [
        (
            "check.absent",
            "bring test_page back; where it was meant to go, `rollout check shop --write-bindings` "
            "takes it off the list, which you review, then run again",
        ),
        (
            "check.unmatched",
            "bring test_page back, or take it out of `binds:` of page-opens or give it its new "
            "name there (then `rollout check shop --write-bindings`), and run again",
        ),
    ],
)
def test_a_check_that_is_gone_says_how_to_go_on(code: str, says: str) -> None:
    stated = next(one for one in PHASE.criteria if one.id == "page-opens")
    finding = next(one for one in DECISION.criteria if one.id == "shop.canary.page-opens")
    gone = Part(Subject(SubjectKind.CHECK, "t.py::test_page"), Verdict.MISSING, Reason(code))
    found = replace(finding, verdict=Verdict.MISSING, reason=Reason(code), parts=(gone,))
    assert advice(stated, found, "prod") == says


def test_reports_say_what_a_measurement_is_worth() -> None:
    shown = "22 samples show that it is between 0.872694 and 1"
    decides = "with 14 more good samples, 36 in all, the next run would pass it"
    caught = "where 4.7 % or more are bad, at most 1 of 20 such runs passes"
    page, text = to_html(DECISION), to_markdown(DECISION)
    assert all(words in page for words in (shown, decides, caught, ">0.65s<"))
    assert all(words in text for words in (shown, decides, "(seen 0.65s in 24 samples at"))
