"""What docs/explanation/traps.md says that nobody sees from inside: nobody does."""

from __future__ import annotations

import textwrap

from tests.session.project import Project
from tests.session.runs.variations import vary
from tests.traps.unseen import UNSEEN


def test_what_the_page_calls_unseen_is_not_seen(project: Project) -> None:
    head = "\n@bound\ndef test_works():\n"
    bodies = {
        one.id: head + textwrap.indent(textwrap.dedent(one.body), "    ")
        for one in UNSEEN
        if one.body
    }
    vary(project, bodies)
    assert project.run_apart("-m", "canary").ret == 0
    verdicts = project.verdicts()
    assert {slug: verdicts[slug] for slug in bodies} == dict.fromkeys(bodies, "pass")
