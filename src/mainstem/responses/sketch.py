"""TensorSketch of a whole model's gradient: k floats whose dots estimate the dots of the gradients.

A count sketch adds each coordinate, with a random sign, into one of k buckets. Of an outer product it is the circular
convolution of the two sides' sketches, so a product in the frequency domain. The transform being linear, sums over tokens,
layers and parameters are taken in the frequency domain too, and one inverse transform a batch is left.

Rows are drawn for each parameter by itself, columns for each width: row signs that are independent between parameters keep
E<s_i, s_j> = <g_i, g_j> for the sum over all of them, and layers that read one input share its sketch.

Source: Pham, Pagh, Fast and Scalable Polynomial Kernels via Explicit Feature Maps, KDD 2013, section 3,
https://doi.org/10.1145/2487575.2487591
"""

from collections.abc import Mapping
from functools import cache
from typing import Final, NamedTuple

import torch
from torch import Tensor

from mainstem.ids import number_of

__all__ = ["FEWEST", "MOST", "CountSketch", "Tables", "back", "tables_of"]

FEWEST: Final = 32
MOST: Final = 1024


class CountSketch:
    """A bucket and a sign for each of `size` coordinates, drawn from a seed on the CPU: the same on every device.

    Args:
        size: how many coordinates.
        k: how many buckets.
        seed: of the draw.
        device: where tables are used.

    Example:
        >>> one, x = CountSketch(500, 64, 7, torch.device("cpu")), torch.ones(1, 500)
        >>> back(one.waves(x)).shape, bool(back(one.waves(x)).abs().sum() <= 500)
        (torch.Size([1, 64]), True)
    """

    def __init__(self, size: int, k: int, seed: int, device: torch.device) -> None:
        generator = torch.Generator().manual_seed(seed)
        self._k = k
        self._bucket = torch.randint(k, (size,), generator=generator).to(device)
        self._sign = (torch.randint(2, (size,), generator=generator) * 2.0 - 1).to(device)
        self._table: Tensor | None = None

    def waves(self, x: Tensor) -> Tensor:
        """Transforms of the count sketches of rows: (..., size) -> (..., k / 2 + 1), complex.

        On a GPU by one product with a table, for adding into buckets is not repeatable there.
        """
        if x.is_cuda:
            if self._table is None:
                self._table = torch.view_as_real(
                    _waves(self._k).to(x.device)[self._bucket] * self._sign.unsqueeze(1)
                ).flatten(1)
            return torch.view_as_complex((x @ self._table).view(*x.shape[:-1], -1, 2))
        waves: Tensor = torch.fft.rfft(x.new_zeros(*x.shape[:-1], self._k).index_add_(-1, self._bucket, x * self._sign))
        return waves

    def waves_at(self, places: Tensor) -> Tensor:
        """The same of rows that are 1 at a place and 0 elsewhere: (...) -> (..., k / 2 + 1)."""
        return _waves(self._k).to(places.device)[self._bucket[places]] * self._sign[places].unsqueeze(-1)


class Tables(NamedTuple):
    """The count sketches of one parameter: by its first dimension (by all of it, if it is no matrix), and by its second."""

    rows: CountSketch
    columns: CountSketch


def tables_of(parameters: Mapping[str, Tensor], k: int, seed: int) -> dict[str, Tables]:
    """Tables for each parameter, by name; the same names, shapes and seed give the same tables.

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
            columns.setdefault(width, CountSketch(width, k, drawn, device))
        found[name] = Tables(rows, columns[parameter.shape[1]] if is_matrix else rows)
    return found


def back(waves: Tensor) -> Tensor:
    """Sketches out of their transforms: (B, k / 2 + 1) -> (B, k)."""
    sketches: Tensor = torch.fft.irfft(waves, n=2 * (waves.shape[1] - 1))
    return sketches


@cache
def _waves(k: int) -> Tensor:
    """Transform of a 1 in each bucket, shape (k, k / 2 + 1)."""
    waves: Tensor = torch.fft.rfft(torch.eye(k, dtype=torch.float64))
    return waves.to(torch.complex64)
