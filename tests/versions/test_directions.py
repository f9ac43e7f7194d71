"""A version keeps the trusted gradient with which it was promoted."""

from pathlib import Path

import pytest
import torch

from mainstem.errors import VersionError
from mainstem.versions import Versions
from tests.models.failing import FailingFiles, failing_puts
from tests.small_models import given_encoder
from tests.versions.saving import FILES, direction_of, logits, save


def test_a_direction_is_read_back_with_its_version(url: str) -> None:
    """The trusted gradient comes back by parameter; a missing or empty one comes back as None."""
    versions, encoder = Versions(url), given_encoder()
    direction = direction_of(encoder)
    versions.save(encoder, version=1, parent=0, event_time=0, reason="", direction=direction)
    versions.save(encoder, version=2, parent=1, event_time=0, reason="", direction={})
    save(versions, encoder, 3)
    found = Versions(url).direction(1)
    assert found is not None
    assert direction.keys() == found.keys()
    assert all(torch.equal(direction[name], found[name]) for name in direction)
    assert {*FILES, "direction.safetensors"} == set(versions.manifest(1).files)
    assert [None, None] == [versions.direction(version) for version in (2, 3)]
    assert torch.equal(logits(encoder), logits(versions.load(1)))


def test_a_version_that_is_replaced_without_its_direction_has_none(url: str) -> None:
    """A version that replaces another does not inherit its direction."""
    versions, encoder = Versions(url), given_encoder()
    versions.save(
        encoder, version=1, parent=0, event_time=0, reason="", direction=direction_of(encoder)
    )
    save(versions, encoder, 1)
    assert versions.direction(1) is None


def test_a_damaged_direction_is_refused_and_the_version_is_not(tmp_path: Path) -> None:
    """A damaged direction is refused, and the weights can still be read."""
    versions, encoder = Versions(f"file://{tmp_path}"), given_encoder()
    versions.save(
        encoder, version=4, parent=3, event_time=0, reason="", direction=direction_of(encoder)
    )
    path = tmp_path / "000004" / "direction.safetensors"
    path.write_bytes(path.read_bytes()[:-1])
    with pytest.raises(
        VersionError,
        match=r"direction.safetensors of version 4 under .* is not what its manifest says",
    ):
        versions.direction(4)
    assert torch.equal(logits(encoder), logits(versions.load(4)))


def test_a_version_with_a_direction_exists_only_when_its_manifest_does(url: str) -> None:
    """A kill while the direction is written leaves no version."""
    encoder = given_encoder()
    for at in range(6):
        versions = Versions(url)
        versions._files = FailingFiles(versions._files, at)
        with pytest.raises(KeyboardInterrupt), failing_puts():
            versions.save(
                encoder,
                version=1,
                parent=0,
                event_time=0,
                reason="",
                direction=direction_of(encoder),
            )
        assert [] == Versions(url).numbers()
