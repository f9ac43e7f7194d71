"""Scores of text pairs are probabilities: calibrated where the version has a calibration."""

from pathlib import Path

import numpy as np
import pytest

from mainstem.answers.scores import scores_of
from mainstem.settings import Model, Settings
from mainstem.settings.urls import url_of
from mainstem.versions import BeatsCounting, Calibration, Versions, load_active
from tests.small_models import PAIRS, given_encoder, shake

SETTINGS = Settings(model=Model(max_tokens=16, device="cpu"))
COUNTED = BeatsCounting(
    judged_on="gate",
    samples=500,
    auc=0.7,
    popularity=0.8,
    logistic=None,
    above=[],
    not_above=["popularity"],
)


@pytest.fixture
def versions(tmp_path: Path) -> Versions:
    """Two versions of the same weights, of which the second has a calibration."""
    made, encoder = Versions(url_of("file", tmp_path / "versions")), given_encoder()
    shake(encoder.network, 1)
    odds = np.linspace(-9.0, 9.0, 50)
    curve = Calibration.fit(odds, (odds > 0).astype(np.int64), offset=-2.0)
    made.save(encoder, version=0, parent=None, event_time=0, reason="")
    made.save(
        encoder,
        version=1,
        parent=0,
        event_time=0,
        reason="",
        calibration=curve,
        beats_counting=COUNTED,
    )
    return made


def test_scores_of_a_calibrated_version_are_its_probabilities(versions: Versions) -> None:
    """The newest version gives calibrated probabilities, and version 0 those of its logits."""
    calibration = versions.manifest(1).calibration
    assert calibration is not None
    logits = load_active(versions, 0, SETTINGS).logits(PAIRS)
    bare = scores_of(PAIRS, None, versions, 0, SETTINGS)
    newest = scores_of(PAIRS, ["yes"] * len(PAIRS), versions, None, SETTINGS)
    log_odds = logits[:, 1] - logits[:, 0]
    assert pytest.approx(1 / (1 + np.exp(-log_odds)), rel=1e-5) == bare["yes"].to_numpy()
    assert pytest.approx(calibration.probabilities_of(log_odds)) == newest["yes"].to_numpy()
    for found in (bare, newest):
        assert pytest.approx(np.ones(len(PAIRS))) == (found["no"] + found["yes"]).to_numpy()


def test_a_manifest_keeps_calibration_and_counting(versions: Versions) -> None:
    """The manifest of a version says what it is not above; earlier manifests have neither."""
    assert COUNTED == versions.manifest(1).beats_counting
    assert (None, None) == (versions.manifest(0).calibration, versions.manifest(0).beats_counting)
