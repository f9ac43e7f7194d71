"""The trusted gradient of a version, computed from a history."""

from collections.abc import Iterator
from pathlib import Path

import pytest
import torch

from mainstem.errors import NonFiniteError
from mainstem.ids import uuid_of
from mainstem.models import ActiveVersion
from mainstem.scoring import direction as module
from mainstem.scoring import direction_of
from mainstem.settings import Model, Settings
from mainstem.store import Store, trusted_samples
from mainstem.store.writes import sample_columns, trusted_columns
from tests.small_models import given_encoder, shake
from tests.trainer.fakes import sample

SETTINGS = Settings(model=Model(max_tokens=24, device="cpu"))


@pytest.fixture
def store(tmp_path: Path) -> Iterator[Store]:
    """Thirty samples of two partitions, a third of them direction and a third canaries."""
    with Store(f"chdb://{tmp_path / 'history'}") as opened:
        opened.write(
            "samples",
            sample_columns([(sample(number), number % 2, number // 2) for number in range(30)]),
        )
        kinds = (
            (uuid_of("sample", number), ("direction", "canary", "")[number % 3])
            for number in range(30)
        )
        opened.write(
            "trusted", trusted_columns((one, part, "assumed", None) for one, part in kinds if part)
        )
        yield opened


@pytest.fixture
def active() -> ActiveVersion:
    """An active version."""
    encoder = given_encoder()
    shake(encoder.network)
    return ActiveVersion(encoder, SETTINGS)


def gradient(active: ActiveVersion, numbers: list[int]) -> dict[str, torch.Tensor]:
    """Compute the mean gradient of samples by their numbers."""
    some = [sample(number) for number in numbers]
    return active.gradient(
        [(one.context_text, one.item_text) for one in some], [one.label for one in some]
    )


def same(one: dict[str, torch.Tensor], other: dict[str, torch.Tensor]) -> bool:
    return one.keys() == other.keys() and all(
        torch.allclose(one[name], other[name], atol=1e-6) for name in one
    )


def test_it_is_the_mean_gradient_of_the_direction_slice(
    store: Store, active: ActiveVersion
) -> None:
    """Only samples of part direction count, of all partitions, up to the ends that are given."""
    assert same(gradient(active, [*range(0, 30, 3)]), direction_of(active, store, {0: 15, 1: 15}))
    assert same(gradient(active, [0, 3, 6, 9]), direction_of(active, store, {0: 5, 1: 5}))
    assert same(gradient(active, [3, 9, 15, 21, 27]), direction_of(active, store, {1: 15}))


def test_only_the_newest_count(
    store: Store, active: ActiveVersion, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The latest samples by event time count, whatever partition they belong to."""
    monkeypatch.setattr(module, "_NEWEST", 4)
    assert same(gradient(active, [18, 21, 24, 27]), direction_of(active, store, {0: 15, 1: 15}))


def test_there_is_no_direction_without_samples(store: Store, active: ActiveVersion) -> None:
    """Without a sample of part direction there is no direction."""
    assert {} == direction_of(active, store, {0: 0, 1: 1})
    assert [] == trusted_samples(store, "direction", {0: 0, 1: 1})


def test_a_confirmed_label_counts_for_the_direction(store: Store, active: ActiveVersion) -> None:
    """Once labels are confirmed, only the confirmed samples and labels count."""
    confirmed = [(uuid_of("sample", number), "direction", "confirmed", 1) for number in (4, 5)]
    store.write("trusted", trusted_columns(confirmed))
    some = [sample(4), sample(5)]
    expected = active.gradient([(one.context_text, one.item_text) for one in some], [1, 1])
    assert same(expected, direction_of(active, store, {0: 15, 1: 15}))


def test_a_gradient_that_is_no_number_is_no_direction(store: Store, active: ActiveVersion) -> None:
    """A gradient that is not finite is an error, since every alignment with it would be missing."""
    with torch.no_grad():
        next(active.encoder.network.parameters()).fill_(float("inf"))
    with pytest.raises(
        NonFiniteError, match=r"non-finite trusted gradient of '.*' over 10 samples"
    ):
        direction_of(active, store, {0: 15, 1: 15})
