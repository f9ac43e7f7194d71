"""Comparing the responses over some layers with the responses over all."""

import numpy as np
import pytest
from scipy.stats import spearmanr

from mainstem.answers.fewer_layers import choices_of, compare_layers
from mainstem.errors import ModelError
from mainstem.models import ActiveVersion
from mainstem.settings import Model, Responses, Settings
from tests.small_models import LABELS, PAIRS, given_encoder, one_thread, scratch_encoder, shake

__all__ = ["one_thread"]

SETTINGS = Settings(model=Model(max_tokens=64, device="cpu"))


def test_all_layers_explain_everything() -> None:
    """Over all layers the share of the norm, of the parameters and the rank correlation are 1."""
    [row] = compare_layers(scratch_encoder(), PAIRS, LABELS, SETTINGS, {"all": "*"})
    assert ("all", 1.0) == (row["layers"], row["parameters"])
    assert [pytest.approx(1), pytest.approx(1)] == [row["explained"], row["spearman"]]


@pytest.mark.parametrize("encoder", [scratch_encoder(), given_encoder()], ids=["scratch", "given"])
def test_shares_are_those_of_the_norms(encoder) -> None:
    """The share explained is the mean ratio of squared norms, and the ranks agree with SciPy's."""
    shake(encoder.network)
    for row in compare_layers(encoder, PAIRS, LABELS, SETTINGS, choices_of(encoder.network)):
        patterns = choices_of(encoder.network)[row["layers"]]
        some = (
            ActiveVersion(
                encoder,
                Settings(responses=Responses(response_layers=patterns), model=Model(device="cpu")),
            )
            .responses(PAIRS, LABELS)
            .norm
        )
        full = ActiveVersion(encoder, SETTINGS).responses(PAIRS, LABELS).norm
        assert 0 < row["parameters"] < 1
        assert (
            pytest.approx(np.mean(some.astype(float) ** 2 / full.astype(float) ** 2), rel=1e-5)
            == row["explained"]
        )
        assert pytest.approx(spearmanr(some, full).statistic) == row["spearman"]


def test_the_usual_choices_grow() -> None:
    """The usual choices of layers are in order of the share of parameters they cover."""
    found = compare_layers(
        given_encoder(), PAIRS, LABELS, SETTINGS, choices_of(given_encoder().network)
    )
    shares = [row["parameters"] for row in found]
    assert ["head", "last block and head", "all but embeddings"] == [row["layers"] for row in found]
    assert sorted(shares) == shares


def test_layers_that_are_not_there_are_an_error() -> None:
    """A pattern that fits no layer is refused by name."""
    with pytest.raises(ModelError, match="no layer with trained parameters fits 'nonsense'"):
        compare_layers(scratch_encoder(), PAIRS, LABELS, SETTINGS, {"nonsense": "nonsense"})
