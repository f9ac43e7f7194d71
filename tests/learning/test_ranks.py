"""Processes that train together take the steps that one process takes; here they are threads."""

import copy
from threading import Barrier, Lock, Thread
from typing import Any
from uuid import UUID

import numpy as np
import pytest
import torch

from mainstem.join import examples_of
from mainstem.learning.training.batch_loss import BatchLoss
from mainstem.learning.training.gradient import StepGradient
from mainstem.learning.training.ranks import ALONE, Ranks
from mainstem.models import ActiveVersion, CrossEncoder
from tests.learning.samples import learnable
from tests.learning.stepping import settings, still
from tests.small_models import given_encoder, scratch_encoder

QUESTIONS = (0, 0, 0, 1, 1, 2, 2)
SAMPLES = [
    one._replace(weight=0.5 + one.offset % 3, question_id=UUID(int=question))
    for one, question in zip(learnable(7), QUESTIONS, strict=True)
]

READING = Lock()
"""A tokenizer is set anew for each reading, by one thread at a time."""


class Together:
    """Adds up tensors of as many threads as there are processes."""

    def __init__(self, count: int) -> None:
        self._given: dict[int, torch.Tensor] = {}
        self._barrier = Barrier(count, timeout=20)

    def ranks(self, number: int, count: int) -> Ranks:
        """Return process `number`."""

        def add(tensor: torch.Tensor) -> None:
            self._given[number] = tensor.clone()
            self._barrier.wait()
            tensor.copy_(torch.stack([self._given[one] for one in range(count)]).sum(0))
            self._barrier.wait()

        return Ranks(number, count, add)


def in_threads(count: int, one: Any) -> list[Any]:
    """Call a function with each of so many processes, side by side; return its results."""
    together, found = Together(count), [None] * count

    def run(number: int) -> None:
        found[number] = one(together.ranks(number, count))

    threads = [Thread(target=run, args=(number,)) for number in range(count)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return found


def stepped(
    encoder: CrossEncoder, ranks: Ranks, places: list[int], options: dict[str, object]
) -> tuple[float, dict[str, torch.Tensor | None]]:
    """Return the loss of a batch and the gradient of each weight that this process then has."""
    named = {name: one for name, one in options.items() if "." in name}
    given = settings(**{name: one for name, one in options.items() if "." not in name}).but(named)
    network = copy.deepcopy(encoder.network).train()
    with READING:
        active = ActiveVersion(CrossEncoder(network, encoder.tokenizer), given)
        read = active.read(examples_of(SAMPLES))
    importance = [float(one.offset) for one in SAMPLES]
    loss_of = BatchLoss(read, given.objectives, importance, given.learning.label_smoothing)
    loss = StepGradient(network, given, ranks=ranks)(read, np.array(places), loss_of)
    return loss.item(), {name: one.grad for name, one in network.named_parameters()}


@pytest.mark.parametrize(
    "options",
    [
        {},
        {"accumulate": 2},
        {"label_smoothing": 0.1, "objectives.by_importance": 0.5},
        {"r_drop": 1.0},
        {"adversarial": "fgm"},
        {"adversarial": "pgd"},
        {"objectives.listwise": 2.0},
        {"objectives.listwise": 2.0, "accumulate": 2, "objectives.imbalance": "weights"},
    ],
)
@pytest.mark.parametrize(("count", "places"), [(2, range(7)), (3, range(7)), (3, [4, 6])])
def test_processes_have_the_gradient_of_the_whole_batch(
    count: int, places: range | list[int], options: dict[str, object]
) -> None:
    """Each has the loss and the gradient of one that is alone, if it reads no sample even."""
    encoder = still(given_encoder())
    loss, alone = stepped(encoder, ALONE, list(places), options)
    for found, gradients in in_threads(
        count, lambda ranks: stepped(encoder, ranks, list(places), options)
    ):
        assert pytest.approx(loss, rel=1e-5) == found
        for name, one in alone.items():
            torch.testing.assert_close(gradients[name], one, rtol=1e-4, atol=1e-6)


def test_a_weight_without_a_gradient_has_none_in_any_process() -> None:
    """Weights that nothing is learnt of are left alone by the optimizer, as with one process."""
    encoder = still(scratch_encoder(features=("a",)))
    for parameter in encoder.network.bert.parameters():
        parameter.requires_grad_(False)  # the samples have no features either
    (_, alone), *others = [
        stepped(encoder, ALONE, [0, 1], {}),
        *in_threads(3, lambda ranks: stepped(encoder, ranks, [0, 1], {})),
    ]
    without = {name for name, one in alone.items() if one is None}
    assert without
    for _, gradients in others:
        assert without == {name for name, one in gradients.items() if one is None}


def test_only_the_first_process_tells() -> None:
    """All get its number, bit by bit, or that it has none; what others give does not count."""
    for number in (0.1, float("inf"), None):
        told = in_threads(3, lambda ranks, n=number: ranks.told(n if ranks.leads else 7.0))
        assert [number] * 3 == told


def test_each_process_has_a_seed_of_its_own() -> None:
    """Dropout differs between processes, and the first has the seed of one that is alone."""
    seeds = [Ranks(number, 3).seed_of(5) for number in range(3)]
    assert (5, 3) == (seeds[0], len(set(seeds)))
