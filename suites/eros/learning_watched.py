"""Count what Phase 7 warns of and what was learnt wrongly so far, for `rollout watch`.

`python3 -m suites.eros.learning_watched` asks /reflect at ROLLOUT_TARGET_REFLECT for day 1 and the
time, and reads the history at ROLLOUT_TARGET_REPOSITORY and what people wrote down at
ROLLOUT_TARGET_RECORDS. It prints JSON: how many warnings held, which ones, since when, and which
learnings were called wrong or taken back.
"""

from __future__ import annotations

import json
import sys
from pathlib import Path

from pytest_rollout import RolloutError, handed_on
from suites.eros.views.learning_conditions import held
from suites.eros.views.learning_history import versions
from suites.eros.views.learning_reviews import wrong_ids
from suites.eros.views.records import lines
from suites.eros.views.reflecting import call


def so_far(reflect: Path, repository: Path, records: Path) -> dict[str, object]:
    """What held, or held earlier, since day 1."""
    status = call(reflect, "status", "--json").said()
    history = versions(repository)
    warnings = held(history, status.moment("applied_since"), status.moment("at"))
    _, wrong = wrong_ids(history, [*lines(records, "record of people")])
    return {
        "warnings_held": len(warnings),
        "warnings": {name: moment.isoformat() for name, moment in warnings.items()},
        "wrong_learnings": len(wrong),
        "wrong": sorted(wrong),
        "commits": len(history),
    }


def main() -> int:
    """Print what holds; 1 and a sentence on stderr where nothing could be counted."""
    try:
        places = [Path(handed_on(name)) for name in ("reflect", "repository", "records")]
        sys.stdout.write(json.dumps(so_far(*places)) + "\n")
    except RolloutError as error:
        sys.stderr.write(f"{error}\n")
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
