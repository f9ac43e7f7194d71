"""The latest generation of a version is the one that is read, and forgetting removes them all."""

from itertools import permutations
from pathlib import Path

import pytest
import torch

from mainstem.errors import VersionError
from mainstem.versions import Versions
from tests.small_models import given_encoder
from tests.versions.saving import logits

# generation of a learner, and the seed of the model it made
GENERATIONS = {3: 1, 7: 2, 12: 3}


@pytest.mark.parametrize("order", list(permutations(GENERATIONS)))
def test_of_two_learners_the_later_generation_wins(url: str, order: tuple[int, ...]) -> None:
    """The latest generation is read, manifest and weights, whatever was written last."""
    for generation in order:
        encoder = given_encoder(seed=GENERATIONS[generation])
        Versions(url).save(
            encoder,
            version=2,
            parent=1,
            event_time=generation,
            reason="better",
            generation=generation,
        )
    versions = Versions(url)
    assert ([2], 12, 12) == (
        versions.numbers(),
        versions.manifest(2).generation,
        versions.manifest(2).event_time,
    )
    assert torch.equal(logits(given_encoder(seed=3)), logits(versions.load(2)))


def test_a_lower_generation_that_writes_later_is_not_seen(url: str) -> None:
    """A learner that was paused and overtaken changes nothing of what the later one wrote."""
    versions = Versions(url)
    saved = versions.save(
        given_encoder(seed=1), version=2, parent=1, event_time=5, reason="later", generation=9
    )
    # generation 0 is that of an embedded loop
    for generation in (8, 0):
        versions.save(
            given_encoder(seed=2),
            version=2,
            parent=1,
            event_time=6,
            reason="paused",
            generation=generation,
        )
        assert saved == versions.manifest(2)
        assert torch.equal(logits(given_encoder(seed=1)), logits(versions.load(2)))


def test_a_later_generation_without_a_manifest_is_not_seen(tmp_path: Path) -> None:
    """A learner that dies before it writes its manifest leaves the earlier generation in place."""
    versions = Versions(f"file://{tmp_path}")
    saved = versions.save(
        given_encoder(seed=1), version=2, parent=1, event_time=5, reason="whole", generation=1
    )
    versions.save(
        given_encoder(seed=2), version=2, parent=1, event_time=6, reason="half", generation=2
    )
    (tmp_path / "000002-000002" / "manifest.json").unlink()
    assert saved == versions.manifest(2)
    assert torch.equal(logits(given_encoder(seed=1)), logits(versions.load(2)))


def test_a_number_is_listed_once_whatever_generations_it_has(url: str) -> None:
    """A version number is listed once, however many folders it has."""
    versions = Versions(url)
    for version, generation in ((1, 4), (0, 2), (1, 2), (0, 0)):
        versions.save(
            given_encoder(),
            version=version,
            parent=None,
            event_time=0,
            reason="",
            generation=generation,
        )
    assert [0, 1] == versions.numbers()


def test_forgetting_removes_every_generation(url: str) -> None:
    """Forgetting removes all generations of later versions and leaves the others whole."""
    versions = Versions(url)
    for version in range(4):
        for generation in (0, 2, 5):
            versions.save(
                given_encoder(),
                version=version,
                parent=None,
                event_time=0,
                reason="",
                generation=generation,
            )
    versions.forget_after(1)
    again = Versions(url)
    assert [0, 1] == again.numbers()
    assert [5, 5] == [again.manifest(version).generation for version in (0, 1)]
    again.load(1)
    for version in (2, 3):
        with pytest.raises(VersionError, match=f"version {version} does not exist"):
            again.manifest(version)


def test_scale_and_generation_are_in_the_manifest(url: str) -> None:
    """Scale and generation come back as they were saved; the defaults are None and 0."""
    versions = Versions(url)
    versions.save(
        given_encoder(), version=1, parent=0, event_time=0, reason="", scale=0.1 + 0.2, generation=3
    )
    versions.save(given_encoder(), version=2, parent=0, event_time=0, reason="")
    assert (0.1 + 0.2, 3) == (versions.manifest(1).scale, versions.manifest(1).generation)
    assert (None, 0) == (versions.manifest(2).scale, versions.manifest(2).generation)
