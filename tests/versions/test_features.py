"""A version says which features its model reads, and is refused where others are computed."""

import json
from collections.abc import Callable
from pathlib import Path

import pytest
import torch

from mainstem.errors import VersionError
from mainstem.models import CrossEncoder
from mainstem.versions import Versions
from tests.small_models import given_encoder, scratch_encoder, shake
from tests.versions.saving import save

KNOWN = {"bought": "log(1 + purchases of 7 days)", "age": "days", "price": "log"}
MAKERS = [scratch_encoder, given_encoder]


def saved(url: str, make: Callable[..., CrossEncoder]) -> CrossEncoder:
    """Save a model with both towers as version 1."""
    encoder = make(features=tuple(KNOWN), examined=(1,))
    shake(encoder.network)
    save(Versions(url, KNOWN), encoder, 1)
    return encoder


@pytest.mark.parametrize("make", MAKERS)
def test_a_version_comes_back_with_its_towers(url: str, make: Callable[..., CrossEncoder]) -> None:
    """Features are in the manifest in order, and the weights of both towers are read back."""
    encoder = saved(url, make)
    versions = Versions(url, KNOWN)
    manifest, again = versions.manifest(1), versions.load(1)
    assert list(KNOWN.items()) == [(one.name, one.transform) for one in manifest.features]
    assert ([1], (1,), tuple(KNOWN)) == (manifest.examined, again.examined, again.features)
    before, after = encoder.network.state_dict(), again.network.state_dict()
    assert before.keys() == after.keys()
    assert all(torch.equal(one, after[name]) for name, one in before.items())


@pytest.mark.parametrize(
    ("known", "told"),
    [
        ({"bought": KNOWN["bought"], "age": "days"}, r"reads the feature 'price', which .* not"),
        (KNOWN | {"age": "hours"}, r"learned the feature 'age' as 'days', .* computes 'hours'"),
        (dict(reversed(KNOWN.items())), r"reads 3 features .* 3; they differ from number 1 on"),
        (KNOWN | {"more": "x"}, r"reads 3 features .* computes 4; they differ from number 4 on"),
    ],
    ids=["unknown", "another transform", "another order", "more"],
)
def test_a_version_of_other_features_is_refused(
    known: dict[str, str], told: str, tmp_path: Path
) -> None:
    """A model that would take one number for another is refused, with what to do."""
    saved(f"file://{tmp_path}", given_encoder)
    with pytest.raises(VersionError, match=rf"version 1 under .* {told}.*; use the release that"):
        Versions(f"file://{tmp_path}", known).load(1)


@pytest.mark.parametrize("make", MAKERS)
def test_a_version_from_before_there_was_behaviour_is_read(
    make: Callable[..., CrossEncoder], tmp_path: Path
) -> None:
    """A manifest without features and towers gives a model of words alone, whatever is known."""
    save(Versions(f"file://{tmp_path}"), make(), 1)
    path = tmp_path / "000001" / "manifest.json"
    told = json.loads(path.read_text())
    assert ([], []) == (told.pop("features"), told.pop("examined"))
    path.write_text(json.dumps(told))
    again = Versions(f"file://{tmp_path}", KNOWN).load(1)
    assert ((), ()) == (again.features, again.examined)
