"""Sketches: unbiased, more exact with more floats, and the same wherever they are made."""

import re
from collections.abc import Callable

import pytest
import torch
import torch.nn.functional as F
import transformers as hf
from torch import Tensor

from mainstem.responses import Probe
from mainstem.responses.sketch import _FEW, CountSketch, tables_of, waves, waves_by_table
from tests.responses.families import BERT, Case, bert, classifier, gpt2, made, next_token, texts_of
from tests.responses.truth import stacked


def dots_over_seeds(case: Case, k: int, seeds: int) -> Tensor:
    """Compute the dots of all pairs of sketches for many seeds, shape (seeds, B, B)."""
    found = torch.stack(
        [case.responses(Probe(case.model, sketch=k, seed=seed)).sketch for seed in range(seeds)]
    ).double()
    return found @ found.transpose(1, 2)


def exact_dots(case: Case) -> Tensor:
    rows = stacked(case.gradients())
    return rows @ rows.T


SMALL: dict[str, Callable[[], Case]] = {
    "plain layers": lambda: bert(num_hidden_layers=1),
    "a layer passed twice": lambda: classifier(
        "AlbertForSequenceClassification", hf.AlbertConfig(**BERT, embedding_size=8)
    ),
    "a tied head": lambda: next_token("GPT2LMHeadModel", gpt2(layers=1)),
}


@pytest.mark.parametrize("make", SMALL.values(), ids=SMALL)
def test_dots_of_sketches_are_those_of_gradients_in_the_mean(make: Callable[[], Case]) -> None:
    """Over 400 seeds no mean dot is off by more than 4 standard errors, also with tied layers."""
    case = make()
    found = dots_over_seeds(case, 32, 400)
    error = (found.mean(0) - exact_dots(case)) / (found.std(0) / 400**0.5)
    assert error.abs().max() < 4


def test_the_spread_falls_with_the_root_of_the_floats() -> None:
    """Four times the floats halve the spread, over all pairs of samples."""
    case = SMALL["plain layers"]()
    size = exact_dots(case).diagonal()
    relative = size.outer(size).sqrt()
    spread = {
        k: float((dots_over_seeds(case, k, 60).std(0) / relative).mean()) for k in (32, 128, 512)
    }
    assert pytest.approx(2, rel=0.25) == spread[32] / spread[128]
    assert pytest.approx(2, rel=0.25) == spread[128] / spread[512]
    # (1 + cos^2) / k of a count sketch, cos near 1
    assert pytest.approx(2 / 32, rel=0.6) == spread[32] ** 2


def test_sixty_four_floats_tell_which_gradients_point_the_same_way() -> None:
    """On a model trained for a while, the error of cosines of sketches is about .09, below .15."""
    model = made("BertForSequenceClassification", hf.BertConfig(**BERT, num_labels=5))
    texts = torch.stack(texts_of((8,) * 24))
    # something to learn
    labels = texts[:, 0] % 5
    optimizer = torch.optim.AdamW(model.parameters(), lr=3e-3)
    for _ in range(30):
        optimizer.zero_grad()
        F.cross_entropy(model(texts).logits, labels).backward()
        optimizer.step()
    case = Case(
        model,
        list(texts),
        list(labels),
        lambda model, ids, mask, _: model(ids, attention_mask=mask).logits,
    )
    rows = F.normalize(stacked(case.gradients()))
    exact, errors, pairs = rows @ rows.T, [], torch.triu_indices(24, 24, offset=1)
    for seed in range(4):
        sketch = F.normalize(case.responses(Probe(model, sketch=64, seed=seed)).sketch.double())
        errors.append((sketch @ sketch.T - exact)[pairs[0], pairs[1]])
    # the gradients do not all point the same way
    assert exact[pairs[0], pairs[1]].std() > 0.3
    assert torch.cat(errors).square().mean().sqrt() < 0.15


def test_a_seed_gives_the_same_sketches_in_models_built_twice() -> None:
    """Tables depend on a parameter's name and width and on the seed, not on the model's copy."""
    one, other = (
        case.responses(Probe(case.model, sketch=64, seed=9)).sketch for case in (bert(), bert())
    )
    assert one.tolist() == other.tolist()
    case = bert()
    assert one.tolist() != case.responses(Probe(case.model, sketch=64, seed=10)).sketch.tolist()


@pytest.mark.parametrize("shuffled", [False, True])
@pytest.mark.parametrize(
    "size", [20, 64, 300], ids=["less than a block", "a block", "blocks and a part"]
)
def test_many_rows_are_added_as_slices_into_the_same_buckets(size: int, *, shuffled: bool) -> None:
    """Added by blocks or one by one, each coordinate lands in its bucket with its sign."""
    sketch = CountSketch(size, 64, 5, torch.device("cpu"), shuffled=shuffled)
    rows = torch.randn(
        _FEW // size + 1, size, generator=torch.Generator().manual_seed(0), dtype=torch.float64
    )
    by_number = torch.cat([sketch.buckets(some) for some in rows.split(16)])
    assert rows.numel() >= _FEW > 16 * size
    assert torch.allclose(by_number, sketch.buckets(rows), rtol=0, atol=1e-12)
    blocks = sketch._bucket.split(64)
    # no two coordinates of a block share a bucket
    assert [len(block) for block in blocks] == [len(block.unique()) for block in blocks]


@pytest.mark.parametrize("shuffled", [False, True])
def test_the_table_a_gpu_multiplies_with_says_what_the_slices_say(*, shuffled: bool) -> None:
    """A row has the same sketch by a product with a table as by slices and a transform."""
    sketch = CountSketch(300, 64, 5, torch.device("cpu"), shuffled=shuffled)
    rows = torch.randn(3, 300, generator=torch.Generator().manual_seed(0))
    assert torch.allclose(
        waves_by_table([(sketch, rows)]), waves([(sketch, rows)]), rtol=0, atol=1e-4
    )


def test_tables_do_not_depend_on_what_else_is_sketched() -> None:
    """Rows depend on a parameter's name, columns on its width, and equal widths share columns."""
    one, other = torch.zeros(5, 4), torch.zeros(7, 4)
    alone, both = tables_of({"b": other}, 32, 0), tables_of({"a": one, "b": other}, 32, 0)
    for name in ("rows", "columns"):
        mine, theirs = (getattr(tables["b"], name) for tables in (alone, both))
        assert (mine._bucket.tolist(), mine._sign.tolist()) == (
            theirs._bucket.tolist(),
            theirs._sign.tolist(),
        )
    assert both["a"].columns is both["b"].columns


def test_a_matrix_of_a_layer_without_a_formula_is_sketched() -> None:
    """A gradient that autograd formed has the sketch that the formula gives."""
    model = torch.nn.Sequential(torch.nn.Linear(3, 2, bias=False))
    rows = torch.randn(4, 3, generator=torch.Generator().manual_seed(0))
    labels = torch.tensor([0, 1, 0, 1])
    formula, formed = (
        Probe(model, sketch=32, per_sample=patterns).responses(lambda: model(rows), labels).sketch
        for patterns in ((), ["0"])
    )
    assert pytest.approx(formula.flatten().tolist(), abs=1e-5) == formed.flatten().tolist()


@pytest.mark.parametrize("floats", [33, 30, 1026, -2])
def test_a_sketch_of_another_size_is_refused(floats: int) -> None:
    """A sketch has an even number of floats from 32 to 1024, and others are refused."""
    message = f"a sketch has an even number of floats from 32 to 1024; got {floats}"
    with pytest.raises(ValueError, match=re.escape(message)):
        Probe(torch.nn.Linear(2, 2), sketch=floats)


@pytest.mark.parametrize("floats", [32, 1024])
def test_the_smallest_and_the_largest_sketch_are_made(floats: int) -> None:
    """A sketch of 32 or 1024 floats is made, and 0 floats make none."""
    model = torch.nn.Linear(2, 2)
    for k in (floats, 0):
        found = Probe(model, sketch=k).responses(lambda: model(torch.ones(1, 2)), torch.tensor([0]))
        assert (1, k) == found.sketch.shape
