"""Simple rankings, worked by hand on two pairs."""

from mainstem.learning.evaluation.baselines import baselines
from tests.learning.samples import stored

ANSWERED = [("pot", ["cup"]), ("pot", []), ("pan", ["lid"]), ("lid", [])]


def test_each_plain_ranking_looks_at_its_own_sign() -> None:
    """Popularity ranks the pot first, word overlap the pan, and co-occurrence the pan."""
    pot = stored(
        1, item_id="pot", item_text="pot | kitchen", history=("lid",), context_text="a pan"
    )
    pan = stored(
        2, item_id="pan", item_text="pan | kitchen", history=("lid",), context_text="a pan"
    )
    found = baselines(ANSWERED, [pot, pan], [1, 0])
    assert {"popularity": 1.0, "overlap": 0.0, "co_occurrence": 0.0} == found


def test_without_answered_samples_rankings_are_ties() -> None:
    """Without an answered sample all rankings are ties."""
    found = baselines([], [stored(1), stored(2)], [1, 0])
    assert {"popularity": 0.5, "overlap": 0.5, "co_occurrence": 0.5} == found
