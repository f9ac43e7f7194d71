"""A compiler that fails costs one line; the training goes on."""

from collections.abc import Callable
from typing import Any

import pytest
import torch
from torch import nn

from mainstem.learning.training.compiling import Compiled
from mainstem.learning.training.gradient import StepGradient
from mainstem.settings import Settings
from tests.learning.stepping import settings
from tests.small_models import given_encoder


def failing(_: Any, **__: Any) -> Any:
    msg = "no compiler\nlines that nobody reads"
    raise RuntimeError(msg)


def fails_when_called(_: nn.Module, **__: Any) -> Callable[..., Any]:
    return failing


@pytest.mark.parametrize("compiler", [failing, fails_when_called])
def test_a_compiler_that_fails_is_told_once(compiler: Callable[..., Any]) -> None:
    """The network runs as it is, and one line names the reason."""
    told: list[str] = []
    network = nn.Linear(2, 1)
    run, given = Compiled(network, compiler, told.append), torch.ones(3, 2)
    assert torch.equal(network(given), run(given))
    assert torch.equal(network(given), run(given))
    assert 1 == len(told)
    assert "RuntimeError: no compiler)" in told[0]


def test_a_compiled_network_is_run() -> None:
    """What the compiler returns answers in place of the network."""
    run = Compiled(nn.Linear(2, 1), lambda _, **__: torch.zeros_like, print)
    assert torch.equal(torch.zeros(3, 2), run(torch.ones(3, 2)))


def test_an_error_of_the_network_itself_is_raised() -> None:
    """What fails without a compiler too is no matter of compiling."""
    run = Compiled(nn.Linear(2, 1), fails_when_called, lambda _: None)
    with pytest.raises(RuntimeError, match="shapes"):
        run(torch.ones(3, 5))


def test_memory_that_runs_out_is_raised() -> None:
    """It is no failure of a compiler."""

    def full(_: Any) -> Any:
        raise torch.OutOfMemoryError

    with pytest.raises(torch.OutOfMemoryError):
        Compiled(nn.Linear(2, 1), lambda *_, **__: full)(torch.ones(3, 2))


def test_nothing_is_compiled_by_default() -> None:
    """The compiler is called only where the settings ask for it."""
    called: list[nn.Module] = []

    def compiler(network: nn.Module, **_: Any) -> nn.Module:
        called.append(network)
        return network

    network = given_encoder().network
    StepGradient(network, Settings.of({"model.device": "cpu"}), compiler)
    assert [] == called
    StepGradient(network, settings(compile=True), compiler)
    assert [network] == called
