"""TensorSketch of a whole model's gradient: k floats whose dots estimate the dots of the gradients.

A count sketch adds each coordinate, with a random sign, into one of k buckets. Of an outer product it is the circular
convolution of the two sides' sketches, so a product in the frequency domain. The transform being linear, sums over tokens,
layers and parameters are taken in the frequency domain too, and one inverse transform a batch is left.

Buckets are drawn by blocks of k neighbouring coordinates: each block goes into all k buckets in one order, turned by a draw
of its own. Two coordinates of a block never meet, two of different blocks meet with probability 1 / k, so that the variance
is that of buckets drawn one by one, and a block is added as a slice, at the speed of memory. Of the two sides of an outer
product one has its order shuffled: else neighbours on one side would always meet neighbours on the other.

Rows are drawn for each parameter by itself, columns for each width: row signs that are independent between parameters keep
E<s_i, s_j> = <g_i, g_j> for the sum over all of them, and layers that read one input share its sketch.

Source: Pham, Pagh, Fast and Scalable Polynomial Kernels via Explicit Feature Maps, KDD 2013, section 3,
https://doi.org/10.1145/2487575.2487591
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
_FEW: Final = (
    1 << 16
)  # of fewer numbers, a call for each block would take longer than to add them one by one


class CountSketch:
    """A bucket and a sign for each of `size` coordinates, drawn from a seed on the CPU: the same on every device.

    Args:
        size: how many coordinates.
        k: how many buckets.
        seed: of the draw.
        device: where tables are used.
        shuffled: whether neighbours are in buckets that have nothing to do with each other.

    Attributes:
        k: as given.

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
        turns = torch.randint(k, (-(-size // k), 1), generator=generator)  # of each block
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
        twice = x.new_zeros(*x.shape[:-1], 2 * k)  # a turned block may reach over the end
        for block, sign, turn in zip(
            x.split_with_sizes(self._sizes, -1), self._signs, self._turns, strict=True
        ):
            twice.narrow(-1, turn, len(sign)).addcmul_(block, sign)
        summed = twice.narrow(-1, 0, k).add_(twice.narrow(-1, k, k))
        return summed if self._back is None else summed.index_select(-1, self._back)

    def table(self) -> Tensor:
        """What a row is multiplied with to get its sketch's transform, real and imaginary parts in turn, (size, k + 2).

        On a GPU that is one kernel, where slices would take one for each block. Columns of zeros follow, up to a multiple
        of eight: matrix units ask for it.
        """
        if self._table is None:
            places = torch.arange(len(self._sign), device=self._sign.device)
            table = torch.view_as_real(self.waves_at(places)).flatten(1)
            self._table = F.pad(table, (0, -table.shape[1] % 8))
        return self._table

    def waves_at(self, places: Tensor) -> Tensor:
        """Transforms of the count sketches of rows that are 1 at a place and 0 elsewhere: (...) -> (..., k / 2 + 1)."""
        return _waves(self.k, places.device)[self._bucket[places]] * self._sign[places].unsqueeze(
            -1
        )


class Tables(NamedTuple):
    """The count sketches of one parameter.

    Attributes:
        rows: by its first dimension; by all of it, if it is no matrix.
        columns: by its second.
    """

    rows: CountSketch
    columns: CountSketch


def tables_of(
    parameters: Mapping[str, Tensor],
    k: int,
    seed: int,
    biases: Mapping[str, str] = MappingProxyType({}),
) -> dict[str, Tables]:
    """Tables for each parameter, by name; the same names, shapes and seed give the same tables.

    Args:
        parameters: what is sketched.
        k: floats of a sketch.
        seed: of the draws.
        biases: of linear layers, by the name of the weight: one more column of it, always in the first bucket, unsigned.

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
    """Transforms of the count sketches of rows, in one part or several: (..., size) each -> (..., k / 2 + 1), complex."""
    if any(x.is_cuda for _, x in parts):
        return waves_by_table(parts)
    first, *others = [sketch.buckets(x) for sketch, x in parts]
    for other in others:
        first += other
    transforms: Tensor = torch.fft.rfft(first)
    return transforms


def waves_by_table(parts: Sequence[tuple[CountSketch, Tensor]]) -> Tensor:
    """The same by products of matrices, as a GPU likes it."""
    k, sides = parts[0][0].k, parts[0][1].shape[:-1]
    of_all = sum_of_products(
        [(x.flatten(0, -2), sketch.table()) for sketch, x in parts]
    )  # (R, k + 2 and more)
    floats = torch.unflatten(of_all[:, : k + 2], 1, (k // 2 + 1, 2))
    return torch.view_as_complex(floats).view(*sides, k // 2 + 1)


def back(transforms: Tensor) -> Tensor:
    """Sketches out of their transforms: (B, k / 2 + 1) -> (B, k)."""
    sketches: Tensor = torch.fft.irfft(transforms, n=2 * (transforms.shape[1] - 1))
    return sketches


@cache
def _waves(k: int, device: torch.device) -> Tensor:
    """Transform of a 1 in each bucket, shape (k, k / 2 + 1); computed on the CPU: the same on every device."""
    transforms: Tensor = torch.fft.rfft(torch.eye(k, dtype=torch.float64))
    return transforms.to(device, torch.complex64)
