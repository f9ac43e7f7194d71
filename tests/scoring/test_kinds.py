"""The correction between kinds of a visit: a fit on canaries, against known laws."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.stats import linregress, spearmanr

from mainstem.join import PlacedSample, examples_of
from mainstem.kinds import Kind
from mainstem.models import ActiveVersion
from mainstem.scoring import mean_norm, scale_of
from mainstem.scoring.kinds import fitted, in_full, kind_of, kinds_of_words, scales_of
from mainstem.settings import Model, Settings
from tests.learning.samples import stored
from tests.small_models import scratch_encoder, shake

HOSTILE = [0.0, 1e-45, 1e-30, 1.0, 3e38, float("inf")]


def drawn(noise: float, count: int = 500) -> tuple[np.ndarray, np.ndarray]:
    """Return cheap norms and full ones that are 3 x cheap^1.3, times noise."""
    random = np.random.default_rng(0)
    cheap = np.exp(random.normal(size=count))
    return cheap, 3 * cheap**1.3 * np.exp(noise * random.normal(size=count))


def test_full_norms_are_their_own_expectation() -> None:
    """Where the cheaper norm is the full one, or a share of it, every norm stays as it is."""
    full = drawn(0.5)[1]
    for share in (1.0, 0.01):
        its = fitted(share * full, full)
        assert its is not None
        assert pytest.approx(1) == its.power
        assert pytest.approx(full, rel=1e-5) == in_full(share * full, its, float(full.mean()))


def test_a_power_law_without_noise_is_found() -> None:
    """The expected norms are then the full ones, of samples that were not fitted too."""
    cheap, full = drawn(0.0)
    its = fitted(cheap[:400], full[:400])
    assert its is not None
    assert pytest.approx(1.3) == its.power
    scale = float(full[:400].mean())
    assert pytest.approx(full[400:], rel=1e-4) == in_full(cheap[400:], its, scale)


def test_the_slope_is_that_of_least_squares() -> None:
    """With noise the power is SciPy's slope of logarithms."""
    cheap, full = drawn(0.7)
    its = fitted(cheap, full)
    assert its is not None
    assert pytest.approx(linregress(np.log(cheap), np.log(full)).slope) == its.power


@given(st.lists(st.tuples(st.floats(0, 1e6), st.floats(0, 1e6)), min_size=1, max_size=50))
def test_the_mean_over_the_canaries_is_that_of_full_norms(pairs: list[tuple[float, float]]) -> None:
    """Whatever the canaries' norms are, their expected norms have the mean of the full ones."""
    cheap, full = (np.array(side) for side in zip(*pairs, strict=True))
    its = fitted(cheap, full)
    if its is not None:
        assert pytest.approx(5.0, rel=1e-3) == in_full(cheap, its, scale=5.0).mean()


@given(st.lists(st.floats(0, width=32), min_size=2), st.floats(0.0, 3.0))
def test_expected_norms_keep_the_order_and_are_finite(norms: list[float], noise: float) -> None:
    """A larger norm is never expected to be a smaller full one, and none is infinite."""
    its = fitted(*drawn(noise))
    assert its is not None
    found = in_full(np.sort([*norms, *HOSTILE]), its, scale=2.0)
    assert np.isfinite(found).all()
    assert (np.diff(found) >= 0).all()
    assert (found > 0).all()


def test_a_cheaper_norm_that_tells_nothing_leaves_all_near_the_mean() -> None:
    """Norms without relation to full ones, or against them, get the smallest power."""
    cheap, _ = drawn(0.0)
    others = np.random.default_rng(1).permutation(cheap)
    for full in (others, 1 / cheap):
        its = fitted(cheap, full)
        assert its is not None
        assert 0.1 == its.power
        expected = in_full(cheap, its, scale=1.0)
        assert 0.6 < expected.min() < expected.max() < 1.5


def test_the_fit_reduces_the_error_of_what_it_was_not_fitted_on() -> None:
    """Expected norms are nearer to full ones than the cheaper norms over their own mean."""
    cheap, full = drawn(0.7, 1000)
    its = fitted(cheap[:500], full[:500])
    assert its is not None
    scale, later, true = float(full[:500].mean()), cheap[500:], full[500:]
    plain = scale * later / cheap[:500].mean()
    expected = in_full(later, its, scale)
    assert np.square(expected - true).mean() < np.square(plain - true).mean()
    assert spearmanr(expected, later).statistic == 1.0


@pytest.mark.parametrize(
    ("cheap", "full"),
    [([], []), ([0.0, 0.0], [1.0, 2.0]), ([1.0], [0.0]), ([np.nan], [1.0]), ([1.0], [np.inf])],
)
def test_nothing_is_fitted_where_nothing_can_be_said(cheap: list[float], full: list[float]) -> None:
    """Without samples, and where all norms are 0 or no numbers, there is no fit."""
    assert fitted(np.array(cheap), np.array(full)) is None


def test_samples_whose_norms_are_no_numbers_are_left_out() -> None:
    """A few norms that are not finite do not change the fit of the others."""
    cheap, full = drawn(0.5)
    bad = np.array([np.nan, np.inf, 1.0])
    assert fitted(cheap, full) == fitted(np.append(cheap, bad), np.append(full, bad[::-1] * np.nan))


def samples() -> list[PlacedSample]:
    """Return forty canaries and ten other samples."""
    words = ("red cup", "white heart", "holder", "blue pot of tea")
    return [
        stored(number, part="canary" if number < 40 else "stream", item_text=words[number % 4])
        for number in range(50)
    ]


def test_a_version_measures_its_kinds_on_the_canaries() -> None:
    """The scale is that of full norms, and each kind that is asked for has a fit of its own."""
    encoder = scratch_encoder()
    shake(encoder.network)
    active = ActiveVersion(encoder, Settings(model=Model(max_tokens=24, device="cpu")))
    scale, kinds = scales_of(active, samples(), tuple(Kind))
    assert scale_of(active, samples()) == scale
    assert {"last", "forward"} == set(kinds)
    assert scale is not None
    assert 0 < kinds["forward"].scale < kinds["last"].scale < scale
    assert (scale, {}) == scales_of(active, samples(), [Kind.FULL])
    assert (None, {}) == scales_of(active, [], tuple(Kind))


def test_a_kind_that_was_not_measured_is_replaced_by_a_full_visit() -> None:
    """A version from before there were kinds makes full visits, whatever is asked for."""
    its = fitted(*drawn(0.1))
    assert its is not None
    assert Kind.FULL is kind_of("last", {})
    assert Kind.FULL is kind_of("forward", {"last": its})
    assert Kind.LAST is kind_of("last", {"last": its})
    assert Kind.FULL is kind_of("full", {"last": its})


def test_before_any_sample_kinds_are_measured_on_words_of_the_model() -> None:
    """Full norms that are expected of samples with labels and texts of their own are near them."""
    settings = Settings.of({"model.device": "cpu", "responses.first_visit": "forward"})
    encoder = scratch_encoder()
    kinds = kinds_of_words(encoder, settings)
    assert ["forward"] == list(kinds)
    assert kinds == kinds_of_words(scratch_encoder(), settings)
    active, mine = ActiveVersion(encoder, settings), samples()
    full, cheap = (
        active.responses(examples_of(mine, weighed=False), kind=kind)
        for kind in (Kind.FULL, Kind.FORWARD)
    )
    expected = in_full(cheap.norm, kinds["forward"], mean_norm(full, mine))
    assert pytest.approx(1.0, abs=0.2) == float(expected.mean() / full.norm.mean())


def test_nothing_is_measured_if_all_visits_are_full() -> None:
    """A version whose visits are all full needs no fit."""
    asked = {"responses.first_visit": "full", "model.device": "cpu"}
    assert {} == kinds_of_words(scratch_encoder(), Settings.of(asked))
