from collections import Counter

from tally import words


def test_counts_can_be_added():
    assert words("a") + words("a b") == Counter(a=2, b=1)
