"""Each shape of contribution, and the cross terms of every pair, against the gradient itself, in float64."""

from itertools import product

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import Tensor

from mainstem.responses.contributions import Contribution, Lookup, Outer, Vector, cross, is_gram_cheaper
from mainstem.responses.live import LiveTokens
from mainstem.responses.shared import Shared
from mainstem.responses.sketch import back, tables_of

SIZES, SEEDS = st.integers(1, 6), st.integers(0, 2**31)
CLOSE = {"rel": 1e-9, "abs": 1e-10}
DEAD = {"none": 0.0, "half": 0.5, "most": 0.9, "all": 1.0}
"""Share of tokens that nothing comes back to."""
ROWS, WIDTH = 5, 4


def drawn(seed: int, *shape: int) -> Tensor:
    return torch.randn(shape, generator=torch.Generator().manual_seed(seed), dtype=torch.float64)


def outer(seed: int, *, samples: int = 3, tokens: int = 6, p: int = ROWS, d: int = WIDTH, dead: float = 0) -> Outer:
    """One with tokens on whose left side there is nothing."""
    left = drawn(seed, samples, tokens, p)
    left[torch.rand(samples, tokens, generator=torch.Generator().manual_seed(seed)) < dead] = 0
    return Outer(left, drawn(seed + 1, samples, tokens, d), LiveTokens().of(left))


def lookup(seed: int, *, samples: int = 3, tokens: int = 6, d: int = WIDTH) -> Lookup:
    """One whose ids repeat."""
    ids = torch.randint(ROWS, (samples, tokens), generator=torch.Generator().manual_seed(seed))
    return Lookup(ids, drawn(seed + 1, samples, tokens, d))


def vector(seed: int, *, samples: int = 3, size: int = ROWS) -> Vector:
    return Vector(drawn(seed, samples, size))


def formed(one: Contribution) -> Tensor:
    """The gradient itself, of each sample."""
    match one:
        case Outer():
            return torch.einsum("btp,btd->bpd", *one._all)
        case Lookup():
            return torch.einsum("btp,btd->bpd", torch.nn.functional.one_hot(one.ids, ROWS).double(), one.values)
    return one.gradient


def check(one: Contribution, seed: int) -> None:
    """Norm, dot and sketch are those of the gradient."""
    gradient = formed(one)
    direction = drawn(seed + 2, *gradient.shape[1:])
    tables = tables_of({"it": gradient[0]}, 32, seed)["it"]
    assert pytest.approx(gradient.flatten(1).square().sum(1).tolist(), **CLOSE) == one.squared(Shared()).tolist()
    assert pytest.approx((gradient * direction).flatten(1).sum(1).tolist(), **CLOSE) == one.dot(direction).tolist()
    if gradient.dim() == 2:
        bucket, sign = tables.rows._bucket, tables.rows._sign
    else:  # of an outer product: buckets add up, signs multiply (Pham and Pagh, equation 2)
        rows, columns, _ = tables
        bucket = (rows._bucket.unsqueeze(1) + columns._bucket).flatten() % 32
        sign = (rows._sign.unsqueeze(1) * columns._sign).flatten()
    sketch = torch.zeros(len(gradient), 32, dtype=torch.float64).index_add_(1, bucket, gradient.flatten(1) * sign)
    found = back(one.sketch(tables, Shared()))
    assert pytest.approx(sketch.flatten().tolist(), rel=1e-4, abs=1e-5) == found.flatten().tolist()  # tables are float32


@settings(deadline=None, max_examples=80)
@given(SIZES, st.integers(1, 9), SIZES, SIZES, st.sampled_from([*DEAD.values()]), SEEDS)
def test_an_outer_product(samples: int, tokens: int, p: int, d: int, dead: float, seed: int) -> None:
    """A sum of outer products over one token or several, by either route, whichever tokens are live, if any."""
    check(outer(seed, samples=samples, tokens=tokens, p=p, d=d, dead=dead), seed)


@settings(deadline=None, max_examples=80)
@given(SIZES, st.integers(1, 9), SIZES, SIZES, st.sampled_from([*DEAD.values()]), SEEDS)
def test_an_outer_product_with_a_bias(samples: int, tokens: int, p: int, d: int, dead: float, seed: int) -> None:
    """A bias is one more column that reads 1: norm, dot and sketch are those of weight and bias each by itself, together."""
    one = outer(seed, samples=samples, tokens=tokens, p=p, d=d, dead=dead)
    left, right = one._all
    both, alone = Outer(left, right, LiveTokens().of(left), bias=True), Vector(left.sum(1))
    squared = one.squared(Shared()) + alone.squared(Shared())
    assert pytest.approx(squared.tolist(), **CLOSE) == both.squared(Shared()).tolist()
    along, of_bias = drawn(seed + 2, p, d), drawn(seed + 3, p)
    dots = one.dot(along) + alone.dot(of_bias)
    assert pytest.approx(dots.tolist(), **CLOSE) == both.dot(along, of_bias).tolist()
    assert pytest.approx(one.dot(along).tolist(), **CLOSE) == both.dot(along).tolist()
    tables = tables_of({"it": along, "bias": of_bias}, 32, seed, {"it": "bias"})
    sketch = back(one.sketch(tables["it"], Shared()) + alone.sketch(tables["bias"], Shared()))
    found = back(both.sketch(tables["it"], Shared()))
    assert pytest.approx(sketch.flatten().tolist(), rel=1e-4, abs=1e-5) == found.flatten().tolist()


@settings(deadline=None, max_examples=80)
@given(SIZES, st.integers(1, 9), SIZES, SEEDS)
def test_a_lookup(samples: int, tokens: int, d: int, seed: int) -> None:
    """A sum over rows that are looked up, some of them several times."""
    check(lookup(seed, samples=samples, tokens=tokens, d=d), seed)


@settings(deadline=None, max_examples=30)
@given(SIZES, SIZES, SEEDS)
def test_a_vector(samples: int, size: int, seed: int) -> None:
    """A gradient that is there as it is."""
    check(vector(seed, samples=samples, size=size), seed)


@pytest.mark.parametrize("dead", DEAD.values(), ids=DEAD)
@pytest.mark.parametrize("sizes", [(3, 40, 40), (40, 3, 3)], ids=["gram", "direct"])
def test_either_route_says_the_same(sizes: tuple[int, int, int], dead: float) -> None:
    """Both routes agree with the gradient itself, with tokens left out or not."""
    tokens, p, d = sizes
    assert is_gram_cheaper(*sizes) is (tokens == 3)
    check(outer(11, samples=4, tokens=tokens, p=p, d=d, dead=dead), 11)


PAIRS = {
    "outer": lambda seed: outer(seed, tokens=3 + seed % 4),
    "outer, trimmed": lambda seed: outer(seed, tokens=9, dead=0.7),
    "outer, dead": lambda seed: outer(seed, tokens=4, dead=1.0),
    "lookup": lambda seed: lookup(seed, tokens=2 + seed % 5),
}


@pytest.mark.parametrize(("one", "other"), list(product(PAIRS, PAIRS)))
@pytest.mark.parametrize("seed", range(3))
def test_the_cross_term_of_a_pair(one: str, other: str, seed: int) -> None:
    """The dot of two contributions to one matrix is that of their gradients, whatever their shapes and numbers of tokens."""
    first, second = PAIRS[one](seed), PAIRS[other](seed + 100)
    expected = (formed(first) * formed(second)).sum((1, 2))
    assert pytest.approx(expected.tolist(), **CLOSE) == cross(first, second).tolist()


def test_the_cross_term_of_vectors() -> None:
    """Of vectors it is their dot; a vector and a matrix have none."""
    first, second = vector(1), vector(2)
    assert pytest.approx((first.gradient * second.gradient).sum(1).tolist(), **CLOSE) == cross(first, second).tolist()
    with pytest.raises(TypeError, match="a Vector and a Outer cannot be of one parameter"):
        cross(first, outer(3))


@pytest.mark.parametrize("kind", ["gram", "waves"])
def test_a_product_that_is_kept_is_not_another_tensors(kind: str) -> None:
    """What is kept of a tensor is not given for its transpose, which begins at the same address and has the same shape."""
    shared, x = Shared(), drawn(1, 2, 5, 5)
    columns = tables_of({"it": x[0]}, 32, 0)["it"].columns

    def of(read: Tensor, known: Shared) -> list[float]:
        kept = known.gram(read) if kind == "gram" else torch.view_as_real(known.waves(read, columns))
        return kept.flatten().tolist()

    assert of(x, Shared()) == of(x, shared) == of(x, shared)
    assert of(x.transpose(1, 2), Shared()) == of(x.transpose(1, 2), shared)
