"""Samples that teach the same and the opposite: against numpy, and with real gradients."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any
from uuid import UUID

import numpy as np
import pytest
import torch

from mainstem.answers.teaching import MOST, largest_by_chance, standard_error, teaching_of
from mainstem.models import ActiveVersion
from mainstem.responses.sketch import CountSketch
from mainstem.settings import Model, Settings
from mainstem.store import Store
from mainstem.store.writes import columns_of
from tests.cli.asking import asker
from tests.small_models import one_thread, scratch_encoder, shake

__all__ = ["one_thread"]

K = 32


@pytest.fixture
def store(tmp_path: Path) -> Iterator[Store]:
    """An empty history."""
    with Store(f"chdb://{tmp_path / 'history'}") as opened:
        yield opened


def scored(
    store: Store, number: int, sketch: Any, *, version: int = 2, label_version: int = 0, **more: Any
) -> None:
    """Write a sample, its response and its sketch; None writes no sketch."""
    visit = {"sample_id": UUID(int=number), "label_version": label_version, "version": version}
    visit |= {"partition": 0, "offset": number, "event_time": 1000 * number, "scale": 1.0}
    response = {"label": number % 2, "part": "stream", "norm": 1.0, "loss": 1.0, "margin": 0.0}
    store.write("responses", columns_of([visit | response | more]))
    if sketch is not None:
        store.write("sketches", columns_of([visit | {"sketch": list(map(float, sketch))}]))
    texts = {"source": "view", "context_text": "red", "item_text": f"cup {number}"}
    row = {name: visit[name] for name in ("sample_id", "label_version", "offset", "event_time")}
    store.write("samples", columns_of([row | texts]))


def teaching(store: Store, number: int) -> dict[str, Any]:
    return teaching_of(str(UUID(int=number)), asker(store))


def test_the_nearest_are_those_of_numpy(store: Store) -> None:
    """The largest and the smallest cosines are those that numpy finds among one version's."""
    sketches = np.random.default_rng(0).normal(size=(40, K)).astype(np.float16).astype(np.float64)
    for number, one in enumerate(sketches):
        scored(store, number, one)
        scored(store, number, sketches[0] * 3, version=1)  # an older version says otherwise
    store.execute("INSERT INTO sketches SELECT * FROM sketches")  # twice is the same as once
    standing = {"sample_id": UUID(int=7), "standing": "core", "reason": "important"}
    store.write("standings", columns_of([standing]))
    found = teaching(store, 0)
    lengths = np.linalg.norm(sketches, axis=1)
    cosines = sketches[1:] @ sketches[0] / lengths[1:] / lengths[0]
    order = np.argsort(cosines)
    assert (2, K, 39, "") == tuple(found[name] for name in ("version", "floats", "compared", "why"))
    for end, expected in (("same", order[::-1][:MOST]), ("opposite", order[:MOST])):
        assert [str(UUID(int=int(one) + 1)) for one in expected] == [
            row["sample_id"] for row in found[end]
        ]
        assert pytest.approx(cosines[expected], abs=1e-6) == [row["cosine"] for row in found[end]]
    every = [*found["same"], *found["opposite"]]
    for row in every:
        number = UUID(row["sample_id"]).int
        assert (number % 2, f"cup {number}", "red", "core" if number == 7 else "") == tuple(
            row[name] for name in ("label", "item_text", "context_text", "standing")
        )


def test_only_those_on_the_same_side_teach_the_same(store: Store) -> None:
    """No sample with a negative cosine teaches the same, and none without a length teaches."""
    one = np.arange(1.0, K + 1)
    for number, its in enumerate((one, -one, np.zeros(K), -2 * one)):
        scored(store, number, its)
    found = teaching(store, 0)
    assert [] == found["same"]
    assert [pytest.approx(-1.0)] * 2 == [row["cosine"] for row in found["opposite"]]
    assert 2 == found["compared"]


def test_a_revised_sample_is_compared_as_it_was_scored_last(store: Store) -> None:
    """Of two label versions that one version scored, the newer one counts, on both sides."""
    one = np.arange(1.0, K + 1)
    scored(store, 0, -one)
    scored(store, 0, one, label_version=1)
    scored(store, 1, one)
    scored(store, 1, -one, label_version=1, label=0)
    found = teaching(store, 0)
    assert ([], [pytest.approx(-1.0)]) == (
        found["same"],
        [row["cosine"] for row in found["opposite"]],
    )
    assert [0] == [row["label"] for row in found["opposite"]]


@pytest.mark.parametrize(
    ("kinds", "why"),
    [
        ([], "no version has scored it"),
        (["forward", "last"], "kind last or forward"),
        (["forward", "full"], "expired"),
    ],
)
def test_a_sample_without_a_sketch_says_why(store: Store, kinds: list[str], why: str) -> None:
    """The reason is one of three: no visit, no full visit, or a sketch that is gone."""
    for version, kind in enumerate(kinds):
        scored(store, 1, None, version=version, kind=kind)
    found = teaching(store, 1)
    assert (None, [], []) == tuple(found[name] for name in ("version", "same", "opposite"))
    assert why in found["why"]


def test_a_sample_that_was_scored_alone_has_nobody_to_compare_with(store: Store) -> None:
    """A version that sketched no other sample compares none, and promises no chance."""
    scored(store, 1, np.ones(K))
    scored(store, 2, np.ones(64))  # a sketch of another length says nothing
    found = teaching(store, 1)
    assert (0, None, [], []) == tuple(
        found[name] for name in ("compared", "largest_by_chance", "same", "opposite")
    )


def test_the_standard_error_is_that_of_count_sketches() -> None:
    """Cosines of sketches of vectors at right angles spread as far as the standard error says."""
    one, other = torch.randn(2, 1000, generator=torch.Generator().manual_seed(0))
    other -= one * (one @ other) / (one @ one)
    found = []
    for seed in range(600):
        sketch = CountSketch(1000, 64, seed, torch.device("cpu"))
        a, b = sketch.buckets(torch.stack([one, other])).double()
        found.append(float(a @ b / a.norm() / b.norm()))
    assert standard_error(64) == pytest.approx(np.std(found), rel=0.1)
    assert 0 == pytest.approx(np.mean(found), abs=0.02)


def test_chance_lets_about_one_pass() -> None:
    """Of N random sketches about one has a cosine beyond the largest by chance."""
    random, beyond = np.random.default_rng(1), []
    for _ in range(60):
        sketches = random.normal(size=(1000, 64))
        lengths = np.linalg.norm(sketches, axis=1)
        cosines = sketches[1:] @ sketches[0] / lengths[1:] / lengths[0]
        beyond.append((cosines > largest_by_chance(64, 999)).sum())
    assert 0.3 < np.mean(beyond) < 1.5


def test_the_same_text_with_the_other_label_teaches_the_opposite(store: Store) -> None:
    """With real gradients a text's copy teaches the same, and with the other label the opposite."""
    texts = [
        ("red woolly hottie", "white heart"),
        ("set of 6 cups", "t-light holder"),
        ("white hanging heart", "red cups set"),
        ("红色 杯子", "蓝色 水壶"),
    ]
    encoder = scratch_encoder()
    shake(encoder.network)
    settings = Settings(model=Model(max_tokens=24, device="cpu"))
    active = ActiveVersion(encoder, settings, sketch=64)
    pairs, labels = [*texts, *texts, texts[0]], [1, 0, 1, 0, 0, 1, 0, 1, 1]
    found = active.responses(pairs, labels)
    for number, (sketch, label) in enumerate(zip(found.sketch, labels, strict=True)):
        scored(store, number, sketch, label=label)
    for number in range(4):
        told = teaching(store, number)
        nearest = told["opposite"][0]
        assert str(UUID(int=number + 4)) == nearest["sample_id"]
        assert labels[number] != nearest["label"]
        assert -1 == pytest.approx(nearest["cosine"], abs=1e-3)
    [same, *_] = teaching(store, 0)["same"]
    assert (str(UUID(int=8)), 1) == (same["sample_id"], same["label"])
    assert 1 == pytest.approx(same["cosine"], abs=1e-3)
