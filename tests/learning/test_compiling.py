"""Whether a network is compiled is found out once; a training does what was found out."""

from collections.abc import Callable
from typing import Any

import pytest
import torch
from torch import nn

from mainstem.errors import ModelError
from mainstem.learning.training.compiling import Compiled
from mainstem.learning.training.gradient import StepGradient
from mainstem.learning.training.trial import compiles, with_compiling
from mainstem.settings import Settings
from tests.learning.stepping import settings
from tests.small_models import given_encoder


def failing(_: Any, **__: Any) -> Any:
    msg = "no compiler\nlines that nobody reads"
    raise RuntimeError(msg)


def fails_when_called(_: nn.Module, **__: Any) -> Callable[..., Any]:
    return failing


def as_it_is(network: nn.Module, **_: Any) -> nn.Module:
    return network


@pytest.mark.parametrize("compiler", [failing, fails_when_called])
def test_a_network_that_cannot_be_compiled_is_refused(compiler: Callable[..., Any]) -> None:
    """A training with other sums than a home records does not begin; the error says what to do."""
    with pytest.raises(ModelError, match=r"RuntimeError: no compiler\).*COMPILE=false.*from-start"):
        Compiled(nn.Linear(2, 1), compiler)(torch.ones(3, 2))


def test_a_shape_that_cannot_be_compiled_later_is_told_once() -> None:
    """The network runs as it is from then on, and one line names the reason."""
    told: list[str] = []
    network = nn.Linear(2, 1)

    def only_three(given: torch.Tensor) -> torch.Tensor:
        return network(given) if len(given) == 3 else failing(given)

    run = Compiled(network, lambda *_, **__: only_three, told.append)
    for given in (torch.ones(3, 2), torch.ones(1, 2), torch.ones(1, 2)):
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


def only_at_first(network: nn.Module, **_: Any) -> Callable[..., Any]:
    """Return what runs the network once, and fails from then on."""
    left = [network]

    def run(batch: Any) -> Any:
        return left.pop()(batch)

    return run


@pytest.mark.parametrize(
    ("compiler", "works"),
    [(as_it_is, True), (fails_when_called, False), (only_at_first, False)],
)
def test_a_first_try_says_whether_a_network_is_compiled(
    compiler: Callable[..., Any], *, works: bool
) -> None:
    """Randomness is as it was after it, and so is the model; a failure is told in one line."""
    encoder, told, before = given_encoder(), list[str](), torch.get_rng_state()
    weights = [one.clone() for one in encoder.network.parameters()]
    assert works == compiles(encoder, settings(compile=True), compiler=compiler, tell=told.append)
    assert torch.equal(before, torch.get_rng_state())
    assert all(map(torch.equal, weights, encoder.network.parameters()))
    assert works == (not told)


def test_a_first_try_raises_what_the_network_raises_by_itself() -> None:
    """A network that fails without a compiler is no matter of compiling."""
    encoder = given_encoder()

    def broken(*_: Any) -> None:
        msg = "the network is broken"
        raise ValueError(msg)

    encoder.network.register_forward_pre_hook(broken)
    with pytest.raises(ValueError, match="the network is broken"):
        compiles(encoder, settings(compile=True), compiler=as_it_is)


def test_what_was_found_out_is_not_tried_again() -> None:
    """A known result decides, and settings that do not ask for compiling stay as they are."""
    asked, plain = settings(compile=True), settings()
    assert plain == with_compiling(plain, given_encoder, compiler=failing)
    assert plain == with_compiling(asked, given_encoder, known=False, compiler=failing)
    assert asked == with_compiling(asked, given_encoder, known=True, compiler=failing)
