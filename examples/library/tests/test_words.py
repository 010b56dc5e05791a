import pytest
from tally import words


def test_words_are_counted():
    assert words("to be or not to be") == {"to": 2, "be": 2, "or": 1, "not": 1}


@pytest.mark.parametrize("text", ["", " ", "\n"])
def test_nothing_is_counted_where_nothing_is(text):
    assert words(text) == {}


def test_capitals_make_no_difference():
    assert words("To to TO") == {"to": 3}
