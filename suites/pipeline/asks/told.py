"""End well where the channel and each contact were told of the newest rollback.

Needs ``on: [inbox, records]``.
"""

from __future__ import annotations

import sys

from pytest_rollout import read_inbox
from suites.pipeline.asks.places import place
from suites.pipeline.asks.written import rolled_back_at
from suites.pipeline.views.people import contacts

CHANNEL = "#wf-modernization"


def main() -> None:
    """Look into the inbox."""
    records = place("records")
    since = rolled_back_at(records)
    messages = [message for message in read_inbox(place("inbox")) if message.at >= since]
    posted = any(
        m.service == "slack" and m.channel == CHANNEL and "rollback" in m.text for m in messages
    )
    if not posted:
        sys.exit(f"nobody announced the rollback in {CHANNEL}")
    mailed = {m.channel for m in messages if m.service == "mail" and "[rollback]" in m.text}
    addresses = {
        str(person.get("email"))
        for contact in contacts(records).values()
        for person in (contact.fields["primary"],)
    }
    if addresses - mailed:
        sys.exit(f"no mail went to {', '.join(sorted(addresses - mailed))}")


if __name__ == "__main__":
    main()
