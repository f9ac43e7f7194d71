"""Plain rankings, worked out by hand on two pairs."""

from mainstem.learning.evaluation.baselines import baselines
from tests.learning.samples import stored

ANSWERED = [("pot", ["cup"]), ("pot", []), ("pan", ["lid"]), ("lid", [])]


def test_each_plain_ranking_looks_at_its_own_sign() -> None:
    """The pot was bought more often, the pan's words stand in the context, and each was bought with its own company."""
    pot = stored(
        1, item_id="pot", item_text="pot | kitchen", history=("lid",), context_text="a pan"
    )
    pan = stored(
        2, item_id="pan", item_text="pan | kitchen", history=("lid",), context_text="a pan"
    )
    found = baselines(ANSWERED, [pot, pan], [1, 0])
    assert {"popularity": 1.0, "word_overlap": 0.0, "co_occurrence": 0.0} == found


def test_nothing_known_ranks_nothing_apart() -> None:
    """Without a sample that was answered, popularity and company are ties."""
    found = baselines([], [stored(1), stored(2)], [1, 0])
    assert {"popularity": 0.5, "word_overlap": 0.5, "co_occurrence": 0.5} == found
