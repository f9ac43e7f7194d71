"""Stored responses of a replay: each has a sketch and agrees with autograd at its version."""

from collections.abc import Iterator
from dataclasses import replace
from itertools import combinations
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
import torch.nn.functional as F

from mainstem.embedded.home import HomeFolder
from mainstem.models.tokenizer import encode_pairs, pad
from mainstem.store import Store
from mainstem.versions import Versions
from tests.small_models import one_thread

__all__ = ["one_thread"]


@pytest.fixture
def home(small_home: Path) -> Iterator[HomeFolder]:
    """Home of the short log."""
    with HomeFolder(small_home, create=False) as opened:
        yield opened


@pytest.fixture
def store(home: HomeFolder) -> Iterator[Store]:
    """History of the home."""
    with Store(home.store_url) as opened:
        yield opened


def test_every_full_response_has_one_sketch(store: Store) -> None:
    """Each full one of stream and canaries has one sketch of 64 floats, and no others exist."""
    key = "sample_id, label_version, version, partition, offset, event_time, scale"
    responses = store.rows(f"SELECT {key} FROM responses_now WHERE kind = 'full' ORDER BY {key}")
    assert len(responses) > 1000
    assert responses == store.rows(
        f"SELECT {key} FROM sketches_now WHERE length(sketch) = 64 ORDER BY {key}"
    )
    assert [(len(responses),)] == store.rows("SELECT count() FROM sketches_now")
    assert {"stream", "canary"} == {
        part for (part,) in store.rows("SELECT DISTINCT part FROM responses_now")
    }


def test_the_mean_response_is_no_longer_than_responses_are_in_the_mean(store: Store) -> None:
    """The mean sketch is as long as a single sketch after one visit, and shorter after several."""
    rows = store.rows(
        "SELECT importance_of_mean, importance, mean_length, visits FROM standings_now JOIN ("
        "    SELECT sample_id, label_version,"
        "    avg(sqrt(arraySum(one -> one * one, sketch)) / scale) AS mean_length"
        "    FROM sketches_now GROUP BY sample_id, label_version"
        ") AS lengths USING (sample_id, label_version)"
    )
    of_mean, importance, mean_length, visits = np.array(rows).T
    assert 500 < len(rows)
    assert of_mean[visits == 1] == pytest.approx(mean_length[visits == 1], rel=1e-3)
    assert (of_mean <= mean_length * 1.001).all()
    assert 0.99 > np.median((of_mean / mean_length)[visits > 2])
    ratio = mean_length / importance  # not 1, because each sketch has an error
    assert 0.6 < ratio.min() < ratio.max() < 1.5


def test_versions_that_were_promoted_have_a_direction_and_alignments(
    store: Store, home: HomeFolder
) -> None:
    """Every promoted version but the first has a direction, and its full responses alignments."""
    versions = Versions(home.versions_url)
    assert [False, True, True, True] == [
        versions.direction(number) is not None for number in versions.numbers()
    ]
    sql = (
        "SELECT version, count(), count(alignment), max(abs(alignment)) "
        "FROM responses_now WHERE kind = 'full' GROUP BY version ORDER BY version"
    )
    (_, _, aligned, _), *later = store.rows(sql)
    assert (0, 3) == (aligned, len(later))
    assert [] == [row for row in later if row[1] != row[2] or row[3] > 1]


def gradients(versions: Versions, version: int, samples: list[tuple[Any, ...]]) -> np.ndarray:
    """Return autograd's gradient of each sample, with the direction's gradient as the last row."""
    encoder, rows = versions.load(version), []
    network = encoder.network.eval()
    names = sorted(name for name, _ in network.named_parameters())
    for *pair, label, features, position in samples:
        encoded = encode_pairs(encoder.tokenizer, [tuple(pair)], 64)
        batch = replace(
            pad(encoded, encoder.padding_id),
            features=torch.tensor([features]),
            shown_at=torch.tensor([position]),
        )
        network.zero_grad()
        F.cross_entropy(network(batch), torch.tensor([label])).backward()
        own = dict(network.named_parameters())
        rows.append(torch.cat([own[name].grad.flatten().double() for name in names]))
    direction = versions.direction(version)
    return torch.stack(
        [*rows, torch.cat([direction[name].flatten().double() for name in names])]
    ).numpy()


def test_what_is_stored_of_a_response_is_autograds(store: Store, home: HomeFolder) -> None:
    """Stored norms and alignments equal autograd's, and dots of sketches estimate its dots."""
    found = store.rows(
        """SELECT s.context_text, s.item_text, r.label, f.values, s.position,
                  r.norm, r.alignment, k.sketch
           FROM responses_now AS r
           INNER JOIN (SELECT * FROM samples FINAL) AS s
               ON r.sample_id = s.sample_id AND r.label_version = s.label_version
           INNER JOIN (SELECT * FROM features FINAL) AS f ON r.sample_id = f.sample_id
           INNER JOIN sketches_now AS k
               ON r.sample_id = k.sample_id AND r.label_version = k.label_version
                  AND r.version = k.version
           WHERE r.version = 2 ORDER BY cityHash64(r.sample_id) LIMIT 16"""
    )
    assert 16 == len(found)
    *own, direction = gradients(Versions(home.versions_url), 2, [row[:5] for row in found])
    norms, cosines, sketches = (
        [row[5] for row in found],
        [row[6] for row in found],
        np.array([row[7] for row in found]),
    )
    lengths = np.linalg.norm(own, axis=1)
    assert pytest.approx(lengths, rel=1e-4) == norms
    expected = [
        one @ direction / length / np.linalg.norm(direction)
        for one, length in zip(own, lengths, strict=True)
    ]
    assert pytest.approx(expected, abs=1e-4) == cosines
    errors = np.array(
        [
            (sketches[one] @ sketches[two] - own[one] @ own[two]) / (lengths[one] * lengths[two])
            for one, two in combinations(range(len(found)), 2)
        ]
    )
    # The error of a count sketch of 64 floats is sqrt(2 / 64) = .18 of the product of both lengths,
    # averaged over seeds. Gradients of one model lie close to few directions, so the errors of one
    # seed are correlated: all may be twice that, or half.
    assert np.sqrt(np.mean(errors**2)) < 0.5
    assert np.abs(errors).max() < 1.0
    true = np.array([own[one] @ own[two] for one, two in combinations(range(len(found)), 2)])
    told = np.array(
        [sketches[one] @ sketches[two] for one, two in combinations(range(len(found)), 2)]
    )
    assert np.corrcoef(true, told)[0, 1] > 0.9
