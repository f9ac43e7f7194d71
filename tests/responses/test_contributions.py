"""Each kind of contribution, and every cross term, against the gradient itself, in float64."""

from itertools import product

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import Tensor

from mainstem.responses.contributions import Contribution, cross
from mainstem.responses.gram import RoundingCheck
from mainstem.responses.live import LiveTokens
from mainstem.responses.lookup import Lookup
from mainstem.responses.outer import Outer, is_gram_cheaper
from mainstem.responses.sketch import back, tables_of
from mainstem.responses.vector import Vector

SIZES, SEEDS = st.integers(1, 6), st.integers(0, 2**31)
CLOSE = {"rel": 1e-9, "abs": 1e-10}
DEAD = {"none": 0.0, "half": 0.5, "most": 0.9, "all": 1.0}
"""Share of tokens whose gradient is zero."""
ROWS, WIDTH = 5, 4


def drawn(seed: int, *shape: int) -> Tensor:
    return torch.randn(shape, generator=torch.Generator().manual_seed(seed), dtype=torch.float64)


def outer(
    seed: int, *, samples: int = 3, tokens: int = 6, p: int = ROWS, d: int = WIDTH, dead: float = 0
) -> Outer:
    """Make one of whose tokens a share has zeros on the left side."""
    left = drawn(seed, samples, tokens, p)
    left[torch.rand(samples, tokens, generator=torch.Generator().manual_seed(seed)) < dead] = 0
    return Outer(left, drawn(seed + 1, samples, tokens, d), LiveTokens().of(left))


def lookup(seed: int, *, samples: int = 3, tokens: int = 6, d: int = WIDTH) -> Lookup:
    """Make one whose ids repeat."""
    ids = torch.randint(ROWS, (samples, tokens), generator=torch.Generator().manual_seed(seed))
    return Lookup(ids, drawn(seed + 1, samples, tokens, d))


def vector(seed: int, *, samples: int = 3, size: int = ROWS) -> Vector:
    return Vector(drawn(seed, samples, size))


def formed(one: Contribution) -> Tensor:
    """Form each sample's gradient."""
    match one:
        case Outer():
            return torch.einsum("btp,btd->bpd", one.sides[0][0], one.sides[1])
        case Lookup():
            # `values` is zero at padding
            return torch.einsum(
                "btp,btd->bpd", torch.nn.functional.one_hot(one.ids, ROWS).double(), one.values
            )
    return one.gradient


def check(one: Contribution, seed: int) -> None:
    """Assert that norm, dot and sketch are those of the gradient."""
    gradient = formed(one)
    direction = drawn(seed + 2, *gradient.shape[1:])
    tables = tables_of({"it": gradient[0]}, 32, seed)["it"]
    assert (
        pytest.approx(gradient.flatten(1).square().sum(1).tolist(), **CLOSE)
        == one.squared(RoundingCheck()).tolist()
    )
    assert (
        pytest.approx((gradient * direction).flatten(1).sum(1).tolist(), **CLOSE)
        == one.dot(direction).tolist()
    )
    if gradient.dim() == 2:
        bucket, sign = tables.rows._bucket, tables.rows._sign
    else:
        # of an outer product: buckets add up, signs multiply (Pham and Pagh, equation 2)
        rows, columns = tables
        bucket = (rows._bucket.unsqueeze(1) + columns._bucket).flatten() % 32
        sign = (rows._sign.unsqueeze(1) * columns._sign).flatten()
    sketch = torch.zeros(len(gradient), 32, dtype=torch.float64).index_add_(
        1, bucket, gradient.flatten(1) * sign
    )
    found = back(one.sketch(tables))
    # tables are float32
    assert pytest.approx(sketch.flatten().tolist(), rel=1e-4, abs=1e-5) == found.flatten().tolist()


@settings(deadline=None, max_examples=80)
@given(SIZES, st.integers(1, 9), SIZES, SIZES, st.sampled_from([*DEAD.values()]), SEEDS)
def test_an_outer_product(
    samples: int, tokens: int, p: int, d: int, dead: float, seed: int
) -> None:
    """A sum of outer products over tokens is right by either route, whichever tokens are live."""
    check(outer(seed, samples=samples, tokens=tokens, p=p, d=d, dead=dead), seed)


@settings(deadline=None, max_examples=80)
@given(SIZES, st.integers(1, 9), SIZES, SIZES, st.sampled_from([*DEAD.values()]), SEEDS)
def test_an_outer_product_with_a_bias(
    samples: int, tokens: int, p: int, d: int, dead: float, seed: int
) -> None:
    """A bias is one more column that reads 1: the results are those of weight and bias together."""
    one = outer(seed, samples=samples, tokens=tokens, p=p, d=d, dead=dead)
    (left,), right = one.sides
    both, alone = Outer(left, right, LiveTokens().of(left), bias=True), Vector(left.sum(1))
    squared = one.squared(RoundingCheck()) + alone.squared(RoundingCheck())
    assert pytest.approx(squared.tolist(), **CLOSE) == both.squared(RoundingCheck()).tolist()
    along, of_bias = drawn(seed + 2, p, d), drawn(seed + 3, p)
    dots = one.dot(along) + alone.dot(of_bias)
    assert pytest.approx(dots.tolist(), **CLOSE) == both.dot(along, of_bias).tolist()
    assert pytest.approx(one.dot(along).tolist(), **CLOSE) == both.dot(along, None).tolist()
    assert pytest.approx(alone.dot(of_bias).tolist(), **CLOSE) == both.dot(None, of_bias).tolist()
    tables = tables_of({"it": along, "bias": of_bias}, 32, seed, {"it": "bias"})
    sketch = back(one.sketch(tables["it"]) + alone.sketch(tables["bias"]))
    found = back(both.sketch(tables["it"], tables["bias"]))
    assert pytest.approx(sketch.flatten().tolist(), rel=1e-4, abs=1e-5) == found.flatten().tolist()


@settings(deadline=None, max_examples=80)
@given(SIZES, st.integers(1, 9), SIZES, SEEDS)
def test_a_lookup(samples: int, tokens: int, d: int, seed: int) -> None:
    """A sum over looked-up rows is right when rows repeat."""
    check(lookup(seed, samples=samples, tokens=tokens, d=d), seed)


@settings(deadline=None, max_examples=30)
@given(SIZES, SIZES, SEEDS)
def test_a_vector(samples: int, size: int, seed: int) -> None:
    """A gradient that is given as a vector is used as it is."""
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
    """The dot of two contributions to a matrix is that of their gradients, whatever their kinds."""
    first, second = PAIRS[one](seed), PAIRS[other](seed + 100)
    expected = (formed(first) * formed(second)).sum((1, 2))
    assert pytest.approx(expected.tolist(), **CLOSE) == cross(first, second).tolist()


def test_the_cross_term_of_vectors() -> None:
    """The cross term of vectors is their dot, and a vector and a matrix have none."""
    first, second = vector(1), vector(2)
    assert (
        pytest.approx((first.gradient * second.gradient).sum(1).tolist(), **CLOSE)
        == cross(first, second).tolist()
    )
    with pytest.raises(TypeError, match="a Vector and a Outer cannot be of one parameter"):
        cross(first, outer(3))


def lookups(seed: int, values: Tensor) -> list[Lookup]:
    """Make three with the same values, two of them with padding."""
    ids = torch.randint(ROWS, (3, *values.shape[:2]), generator=torch.Generator().manual_seed(seed))
    return [Lookup(one, values, padding) for one, padding in zip(ids, (2, None, 0), strict=True)]


def outers(
    seed: int, tokens: int, p: int, d: int, *, dead: float = 0, bias: bool = False
) -> list[Outer]:
    """Make three that read the same."""
    nothing = torch.rand(3, tokens, generator=torch.Generator().manual_seed(seed)) < dead
    lefts = [
        drawn(seed + place, 3, tokens, p).masked_fill(nothing.unsqueeze(2), 0) for place in range(3)
    ]
    live, right = LiveTokens().of(lefts[0]), drawn(seed, 3, tokens, d)
    return [Outer(left, right, live, bias=bias) for left in lefts]


JOINED = {
    "outer": lambda seed: outers(seed, 6, ROWS, WIDTH),
    "outer, trimmed": lambda seed: outers(seed, 9, ROWS, 7, dead=0.7),
    "outer, direct": lambda seed: outers(seed, 40, 3, 3),
    "outer, one token": lambda seed: outers(seed, 1, 3, 3),
    "lookup": lambda seed: lookups(seed, drawn(seed, 3, 6, WIDTH)),
    "vector": lambda seed: [vector(seed + place, size=3 + place) for place in range(3)],
}


@pytest.mark.parametrize("kind", JOINED)
@pytest.mark.parametrize("without", [None, 0, 1], ids=str)
def test_what_is_joined_says_what_its_parts_say(kind: str, without: int | None) -> None:
    """Of contributions with a common side, norm, dot and sketch are the sums of each one's."""
    parts = JOINED[kind](7)
    joined = parts[0]
    for other in parts[1:]:
        joined = joined.join(other)
    shapes = [formed(part).shape[1:] for part in parts]
    directions = [
        None if place == without else drawn(place, *shape) for place, shape in enumerate(shapes)
    ]
    tables = tables_of(
        {str(place): torch.zeros(shape) for place, shape in enumerate(shapes)}, 32, 3
    )
    squared = sum(part.squared(RoundingCheck()) for part in parts)
    assert pytest.approx(squared.tolist(), **CLOSE) == joined.squared(RoundingCheck()).tolist()
    dots = sum(
        part.dot(one) for part, one in zip(parts, directions, strict=True) if one is not None
    )
    assert pytest.approx(dots.tolist(), **CLOSE) == joined.dot(*directions).tolist()
    assert [0.0] * 3 == joined.dot(*[None] * len(parts)).tolist()
    sketches = sum(back(part.sketch(one)) for part, one in zip(parts, tables.values(), strict=True))
    found = back(joined.sketch(*tables.values()))
    assert (
        pytest.approx(sketches.flatten().tolist(), rel=1e-4, abs=1e-5) == found.flatten().tolist()
    )


@pytest.mark.parametrize(
    "size", [(6, ROWS, WIDTH), (40, 3, 3), (1, 3, 3)], ids=["gram", "direct", "one token"]
)
def test_what_is_joined_with_biases(size: tuple[int, int, int]) -> None:
    """Each weight keeps its bias, with a direction of both, of one of them or of neither."""
    first, second, third = parts = outers(5, *size, bias=True)
    joined = first.join(second).join(third)
    squared = sum(part.squared(RoundingCheck()) for part in parts)
    assert pytest.approx(squared.tolist(), **CLOSE) == joined.squared(RoundingCheck()).tolist()
    weight, bias = drawn(1, *size[1:]), drawn(2, size[1])
    dots = first.dot(weight, bias) + second.dot(None, bias) + third.dot(weight, None)
    assert (
        pytest.approx(dots.tolist(), **CLOSE)
        == joined.dot(weight, bias, None, bias, weight, None).tolist()
    )


def test_what_has_nothing_in_common_is_not_joined() -> None:
    """Contributions without a common side, live tokens and bias are not joined."""
    one = outer(1, dead=0.7)
    (left,), right = one.sides
    assert one.join(Outer(left, right, one.live)) is not None
    assert one.join(Outer(left, right.clone(), one.live)) is None
    assert one.join(Outer(left, right)) is None
    assert one.join(Outer(left, right, one.live, bias=True)) is None
    square = drawn(3, 3, 6, 6)
    assert Outer(left, square).join(Outer(left, square.transpose(1, 2))) is None
    assert lookup(1).join(lookup(2)) is None
    assert vector(1).join(Vector(drawn(1, 3, 2, 2))) is None
