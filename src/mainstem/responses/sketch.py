"""TensorSketch of a whole model's gradient: k floats whose dots estimate the dots of the gradients.

A count sketch adds each coordinate, with a random sign, into one of k buckets. The sketch of an
outer product is the circular convolution of the two sides' sketches, so it is a product in the
frequency domain. Because the transform is linear, sums over tokens, layers and parameters are
taken in the frequency domain too, and each batch needs only one inverse transform.

Buckets are drawn for blocks of k neighbouring coordinates: each block fills all k buckets in one
fixed order, rotated by a random amount of its own. Two coordinates of one block never meet, and
two of different blocks meet with probability 1 / k. So the variance is the same as with buckets
drawn one by one, and a block is added as a slice, at the speed of memory. One of the two sides of
an outer product has its order shuffled: else neighbours on one side would always meet neighbours
on the other.

Rows are drawn for each parameter, columns for each width. Row signs that are independent between
parameters keep E<s_i, s_j> = <g_i, g_j> for the sum over all of them, and layers that read one
input share its sketch.

Source:
    Pham, Pagh, Fast and Scalable Polynomial Kernels via Explicit Feature Maps, KDD 2013,
    section 3, https://doi.org/10.1145/2487575.2487591
"""

from collections.abc import Mapping, Sequence
from functools import cache
from types import MappingProxyType
from typing import Final, NamedTuple

import torch
import torch.nn.functional as F
from torch import Tensor

from mainstem.ids import number_of
from mainstem.responses.products import sum_of_products

__all__ = [
    "FEWEST",
    "MOST",
    "CountSketch",
    "Tables",
    "back",
    "tables_of",
    "waves",
    "waves_by_table",
]

FEWEST: Final = 32
MOST: Final = 1024
# below this many values, a call for each block takes longer than adding the values one by one
_FEW: Final = 1 << 16


class CountSketch:
    """A bucket and a sign for each of `size` coordinates.

    They are drawn from a seed on the CPU, and so are the same for every device.

    Args:
        size: number of coordinates.
        k: number of buckets.
        seed: seed of the draw.
        device: device where the sketch is used.
        shuffled: whether neighbouring coordinates get unrelated buckets.

    Attributes:
        k: number of buckets.

    Example:
        >>> one, x = CountSketch(500, 64, 7, torch.device("cpu")), torch.ones(1, 500)
        >>> one.buckets(x).shape, bool(one.buckets(x).abs().sum() <= 500), waves([(one, x)]).shape
        (torch.Size([1, 64]), True, torch.Size([1, 33]))
    """

    def __init__(
        self, size: int, k: int, seed: int, device: torch.device, *, shuffled: bool = False
    ) -> None:
        generator = torch.Generator().manual_seed(seed)
        self.k = k
        self._sign = (torch.randint(2, (size,), generator=generator) * 2.0 - 1).to(device)
        self._sizes = [min(k, size - start) for start in range(0, size, k)]
        self._signs = self._sign.split_with_sizes(self._sizes)
        turns = torch.randint(k, (-(-size // k), 1), generator=generator)  # one for each block
        order = torch.randperm(k, generator=generator) if shuffled else torch.arange(k)
        self._turns: list[int] = turns.flatten().tolist()
        self._bucket = order[(turns + torch.arange(k)) % k].flatten()[:size].to(device)
        self._back = order.argsort().to(device) if shuffled else None
        self._table: Tensor | None = None

    def buckets(self, x: Tensor) -> Tensor:
        """Count sketches of rows: (..., size) -> (..., k)."""
        k = self.k
        if x.numel() < _FEW:
            return x.new_zeros(*x.shape[:-1], k).index_add_(-1, self._bucket, x * self._sign)
        twice = x.new_zeros(*x.shape[:-1], 2 * k)  # a rotated block may reach beyond the end
        for block, sign, turn in zip(
            x.split_with_sizes(self._sizes, -1), self._signs, self._turns, strict=True
        ):
            twice.narrow(-1, turn, len(sign)).addcmul_(block, sign)
        summed = twice.narrow(-1, 0, k).add_(twice.narrow(-1, k, k))
        return summed if self._back is None else summed.index_select(-1, self._back)

    def table(self) -> Tensor:
        """A matrix that maps a row to the transform of its sketch, shape (size, k + 2 and more).

        Real and imaginary parts alternate. On a GPU one product with it replaces a slice for each
        block. Columns of zeros pad it to a multiple of eight, which matrix units ask for.
        """
        if self._table is None:
            places = torch.arange(len(self._sign), device=self._sign.device)
            table = torch.view_as_real(self.waves_at(places)).flatten(1)
            self._table = F.pad(table, (0, -table.shape[1] % 8))
        return self._table

    def waves_at(self, places: Tensor) -> Tensor:
        """Transforms of the sketches of one-hot rows, by place: (...) -> (..., k / 2 + 1)."""
        transforms = _waves(self.k, places.device)[self._bucket[places]]
        return transforms * self._sign[places].unsqueeze(-1)


class Tables(NamedTuple):
    """The count sketches of one parameter.

    Attributes:
        rows: sketch of its first dimension; of all its values if it is no matrix.
        columns: sketch of its second dimension; the same as `rows` if it is no matrix.
    """

    rows: CountSketch
    columns: CountSketch


def tables_of(
    parameters: Mapping[str, Tensor],
    k: int,
    seed: int,
    biases: Mapping[str, str] = MappingProxyType({}),
) -> dict[str, Tables]:
    """Tables for each parameter, by name.

    The same names, shapes and seed give the same tables.

    Args:
        parameters: parameters whose gradients are sketched, by name.
        k: number of floats in a sketch.
        seed: seed of the draws.
        biases: for the name of each linear layer's weight, the name of its bias. The bias is one
            more column of the weight, always in the first bucket and with a positive sign.

    Raises:
        ValueError: if k is odd, or not between `FEWEST` and `MOST`.
    """
    if not FEWEST <= k <= MOST or k % 2:
        msg = f"a sketch has an even number of floats from {FEWEST} to {MOST}; got {k}"
        raise ValueError(msg)
    columns: dict[int, CountSketch] = {}
    found = {}
    for name, parameter in parameters.items():
        is_matrix = parameter.dim() == 2
        size, device = parameter.shape[0] if is_matrix else parameter.numel(), parameter.device
        rows = CountSketch(size, k, number_of("sketch rows", seed, name), device)
        if is_matrix:
            width = parameter.shape[1]
            drawn = number_of("sketch columns", seed, width)
            columns.setdefault(width, CountSketch(width, k, drawn, device, shuffled=True))
        found[name] = Tables(rows, columns[parameter.shape[1]] if is_matrix else rows)
    found.update({bias: found[weight] for weight, bias in biases.items()})
    return found


def waves(parts: Sequence[tuple[CountSketch, Tensor]]) -> Tensor:
    """Transforms of the count sketches of rows: (..., size) -> (..., k / 2 + 1), complex.

    The rows may come in several parts, each with its sketch; the results are summed.
    """
    if any(x.is_cuda for _, x in parts):
        return waves_by_table(parts)
    first, *others = [sketch.buckets(x) for sketch, x in parts]
    for other in others:
        first += other
    transforms: Tensor = torch.fft.rfft(first)
    return transforms


def waves_by_table(parts: Sequence[tuple[CountSketch, Tensor]]) -> Tensor:
    """The same as `waves` by one product of matrices, which suits a GPU."""
    k, sides = parts[0][0].k, parts[0][1].shape[:-1]
    pairs = [(x.flatten(0, -2), sketch.table()) for sketch, x in parts]
    of_all = sum_of_products(pairs)  # (R, k + 2 and more)
    floats = torch.unflatten(of_all[:, : k + 2], 1, (k // 2 + 1, 2))
    return torch.view_as_complex(floats).view(*sides, k // 2 + 1)


def back(transforms: Tensor) -> Tensor:
    """Sketches from their transforms: (B, k / 2 + 1) -> (B, k)."""
    sketches: Tensor = torch.fft.irfft(transforms, n=2 * (transforms.shape[1] - 1))
    return sketches


@cache
def _waves(k: int, device: torch.device) -> Tensor:
    """Transform of a 1 in each bucket, shape (k, k / 2 + 1).

    It is computed on the CPU, and so is the same for every device.
    """
    transforms: Tensor = torch.fft.rfft(torch.eye(k, dtype=torch.float64))
    return transforms.to(device, torch.complex64)
