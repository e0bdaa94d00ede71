"""How often the passage that answers a question is found first, by its words alone."""

import pytest

from tools.bench.hit_rates import SIZES, by_words, hit_rates


@pytest.mark.parametrize("size", SIZES)
def test_the_section_that_answers_is_among_the_first_by_its_words(size):
    rates = hit_rates(by_words, size)
    print(f"passages of {size} characters: {rates}")

    assert rates[10] >= 0.4, rates  # by chance about 0.1
    assert rates[1] <= rates[5] <= rates[10]


def test_a_ranking_that_knows_no_words_hits_by_chance_alone():
    """So the rates are those of the ranking, not of the questions."""
    rates = hit_rates(lambda passages, asked: [range(len(passages))] * len(asked), 500)

    assert rates[10] <= 0.2, rates
