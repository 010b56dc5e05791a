"""Checks that observe in children, long ago, and by halves."""

from __future__ import annotations

LOST = {
    "fork": """
        import os

        @bound
        def test_works(observe):
            observe("fork", 0.1)
            child = os.fork()
            if not child:
                observe("fork", 9.0)
                os._exit(0)
            os.waitpid(child, 0)
    """,
    "observed-by-a-process": """
        import multiprocessing

        @bound
        def test_works(observe):
            observe("observed-by-a-process", 0.1)
            context = multiprocessing.get_context('fork')
            child = context.Process(target=observe, args=("observed-by-a-process", 9.0))
            child.start()
            child.join()
    """,
    "ratio-in-a-fork": """
        import os

        @bound
        def test_works(observe):
            observe("ratio-in-a-fork", 0.1)
            child = os.fork()
            if not child:
                try:
                    observe.distribution("ratio-in-a-fork", [9.0])
                except Exception:
                    pass
                os._exit(0)
            os.waitpid(child, 0)
    """,
}

OLD = {
    "old": """
        import datetime
        AT = datetime.datetime.now(datetime.UTC) - datetime.timedelta(days=2)

        @bound
        def test_works(observe):
            observe("old", 0.1, at=AT)
    """,
    "now": """
        @bound
        def test_works(observe):
            observe("now", 0.1)
    """,
    "recent": """
        import datetime
        AT = datetime.datetime.now(datetime.UTC) - datetime.timedelta(minutes=20)

        @bound
        def test_works(observe):
            observe("recent", 0.1, at=AT)
    """,
}

COUNTS = {
    "halves": "{9.0: 0.9, 0.1: 20}",
    "text": "{9.0: '1', 0.1: 20}",
    "negative": "{9.0: -1, 0.1: 20}",
    "truth": "{9.0: True, 0.1: 20}",
    "nan": "{9.0: float('nan'), 0.1: 20}",
    "whole": "{0.2: 1, 0.1: 20}",
}

RATIO = """
@bound
def test_works(observe):
    observe.ratio("half-of-a-ratio", bad=0.9, of=20)
"""
_DISTRIBUTION = """
@bound
def test_works(observe):
    observe.distribution("SLUG", {})
"""
DISTRIBUTIONS = {
    slug: _DISTRIBUTION.replace("SLUG", slug).replace("{}", text) for slug, text in COUNTS.items()
}


def rule(slug: str) -> str:
    """What a plan states of a criterion over the series of its own name."""
    return f'kind: slo, metric: {slug}, take: max, pass: "< 5"'
