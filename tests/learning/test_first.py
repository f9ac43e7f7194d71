"""The first version: made once, from the given model where there is one, with its row."""

from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any

import pytest
import torch

from mainstem.learning.first import first_encoder, keep_row, make_first_version
from mainstem.models import CrossEncoder
from mainstem.settings import Model, Run, Settings
from mainstem.store import Store
from mainstem.versions import Versions
from tests.small_models import TEXTS, save_bert

SETTINGS = Settings(model=Model(vocabulary=300, max_tokens=24, device="cpu"), run=Run(seed=3))


@pytest.fixture
def store(tmp_path: Path) -> Iterator[Store]:
    """An open, empty history."""
    with Store(f"chdb://{tmp_path / 'history'}") as opened:
        yield opened


@pytest.fixture
def versions(tmp_path: Path) -> Versions:
    """An empty place for versions."""
    return Versions(f"file://{tmp_path / 'versions'}")


def refuse() -> Iterable[str]:
    msg = "the texts were asked for"
    raise AssertionError(msg)


def rows(store: Store) -> list[tuple[Any, ...]]:
    return store.rows(
        "SELECT version, parent, promoted, reason, model, digest "
        "FROM versions FINAL ORDER BY version"
    )


def weights(encoder: CrossEncoder) -> torch.Tensor:
    return torch.cat([parameter.detach().flatten() for parameter in encoder.network.parameters()])


def test_it_is_made_with_its_row(store: Store, versions: Versions) -> None:
    """Version 0 has its scale, direction and generation, no parent, and a row that agrees."""
    measured: list[CrossEncoder] = []

    def scale(encoder: CrossEncoder) -> float:
        measured.append(encoder)
        return 2.5

    def direction(encoder: CrossEncoder) -> dict[str, torch.Tensor]:
        return {name: 2 * one.detach() for name, one in encoder.network.named_parameters()}

    make_first_version(
        versions, store, lambda: TEXTS, SETTINGS, scale=scale, direction=direction, generation=4
    )
    made = versions.manifest(0)
    kept = versions.direction(0)
    assert kept is not None
    assert all(torch.equal(one, kept[name]) for name, one in direction(versions.load(0)).items())
    assert (0, None, "scratch", 2.5, 4) == (
        made.version,
        made.parent,
        made.kind,
        made.scale,
        made.generation,
    )
    assert torch.equal(weights(measured[0]), weights(versions.load(0)))
    assert [
        (0, None, 1, "the first version", "made here", made.files["weights.safetensors"])
    ] == rows(store)


def test_it_is_made_once(store: Store, versions: Versions) -> None:
    """Where the first version exists, no texts are read and nothing is written."""
    make_first_version(versions, store, lambda: TEXTS, SETTINGS)
    before = versions.manifest(0)
    assert versions.direction(0) is None
    make_first_version(versions, store, refuse, SETTINGS, generation=9)
    assert before == versions.manifest(0)
    assert [(1,)] == store.rows("SELECT count() FROM versions")


def test_a_kill_before_its_row_is_mended(store: Store, versions: Versions) -> None:
    """A version without its row gets the row, and the version stays as it is."""
    make_first_version(versions, store, lambda: TEXTS, SETTINGS)
    before = rows(store)
    store.execute("TRUNCATE TABLE versions")
    make_first_version(versions, store, refuse, SETTINGS)
    assert before == rows(store)


def test_the_row_of_any_version_is_mended(store: Store, versions: Versions) -> None:
    """A version that was saved before a kill gets the row that it would have had, once."""
    encoder = first_encoder(TEXTS, SETTINGS)
    manifest = versions.save(
        encoder, version=3, parent=1, event_time=1_300_000_000_000, reason="better", scale=2.0
    )
    for _ in range(2):
        keep_row(manifest, store, "")
    assert [(3, 1, 1, "better", "", manifest.files["weights.safetensors"])] == rows(store)
    assert [(1, 1_300_000_000_000)] == store.rows(
        "SELECT count(), any(toUnixTimestamp64Milli(event_time)) FROM versions"
    )


def test_the_same_texts_make_the_same_model() -> None:
    """Order and repetition of the texts do not change the model, and the seed does."""
    one, other = (first_encoder(texts, SETTINGS) for texts in (TEXTS, [*TEXTS[::-1], TEXTS[0]]))
    assert one.tokenizer.get_vocab() == other.tokenizer.get_vocab()
    assert torch.equal(weights(one), weights(other))
    assert not torch.equal(
        weights(one),
        weights(
            first_encoder(
                TEXTS, Settings(model=Model(vocabulary=300, max_tokens=24), run=Run(seed=4))
            )
        ),
    )


def test_a_given_model_is_taken(store: Store, versions: Versions, tmp_path: Path) -> None:
    """A given model keeps its vocabulary, and the row names it."""
    folder = save_bert(tmp_path / "bert")
    settings = Settings(model=Model(model=str(folder), max_tokens=24, device="cpu"))
    make_first_version(versions, store, tuple, settings)
    assert "pretrained" == versions.manifest(0).kind
    assert [str(folder)] == [row[4] for row in rows(store)]
