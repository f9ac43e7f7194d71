"""Models, losses and checks that allow no responses of single samples are refused in one line."""

from collections.abc import Callable

import pytest
import torch
import torch.nn.functional as F
from torch import Tensor, nn

from mainstem.errors import BatchError, ModelError
from mainstem.objectives.losses import binary_cross_entropy, cross_entropy, squared_error
from mainstem.responses import Probe
from mainstem.responses.isolation import factors, verdicts
from tests.responses.oddities import IDS, LABELS, RIGHT, RIGHT_AS_ADVISED, Net, made

REFUSED: dict[str, tuple[Callable[[], nn.Module], str]] = {
    "batch norm without statistics": (
        lambda: Net(
            nn.BatchNorm1d(4, track_running_stats=False), lambda n, x: n(x.transpose(1, 2)).mean(2)
        ),
        "layer, a BatchNorm1d, normalises each sample by the whole batch",
    ),
    "words by frequency": (
        lambda: nn.Sequential(
            nn.Embedding(9, 4, scale_grad_by_freq=True), nn.Flatten(), nn.Linear(20, 2)
        ),
        "divides by how often an id is in the whole batch",
    ),
    "no shape yet": (
        lambda: nn.Sequential(nn.Embedding(9, 4), nn.Flatten(), nn.LazyLinear(2)),
        "run the model once before",
    ),
    "no numbers": (lambda: nn.Linear(4, 2, device="meta"), "is on the device `meta`"),
    "complex": (lambda: nn.Linear(4, 2, dtype=torch.complex64), "is complex"),
}


@pytest.mark.parametrize(("make", "message"), REFUSED.values(), ids=REFUSED)
def test_what_has_no_responses_is_refused(make: Callable[[], nn.Module], message: str) -> None:
    """What no choice of layers can repair is refused in one line."""
    model = made(make)
    with pytest.raises(ModelError, match=message):
        Probe(model, per_sample=["*"] if isinstance(model, Net) else ()).responses(
            lambda: model(IDS), LABELS
        )


def test_a_batch_norm_that_trains_is_refused_in_a_step() -> None:
    """A batch norm in train mode is refused, since a sample has no gradient of its own."""
    model = made(RIGHT_AS_ADVISED["batch norm at rest"]).train()
    with pytest.raises(BatchError, match="put it in eval mode"):
        Probe(model, per_sample=["layer"]).training_step(lambda: model(IDS), LABELS)


def test_a_loss_that_compares_samples_is_refused() -> None:
    """A loss that depends on other samples is refused."""
    model = nn.Linear(4, 2)

    def against_the_mean(logits: Tensor, labels: Tensor) -> Tensor:
        return cross_entropy(logits - logits.mean(0), labels)

    with pytest.raises(BatchError, match="a sample's loss reaches rows of others"):
        Probe(model).responses(lambda: model(torch.randn(5, 4)), LABELS, loss=against_the_mean)


def test_losses_that_are_cut_off_are_refused() -> None:
    """Losses without a gradient are refused, since norms of 0 would look like spent samples."""
    model = nn.Linear(4, 2)
    with pytest.raises(ModelError, match="cut off"):
        Probe(model).responses(lambda: model(torch.ones(5, 4)).detach(), LABELS)


@pytest.mark.parametrize("samples", [2, 9, 10, 81, 100])
def test_two_samples_that_change_places_show(samples: int) -> None:
    """Whichever two rows are exchanged, some pass of the check shows it."""
    by, norms = factors(samples), torch.rand(samples) + 0.5
    right = [[norms * factor] for factor in by]
    assert [True] == verdicts(right, by)
    for other in range(1, samples):
        order = torch.arange(samples)
        order[[0, other]] = order[[other, 0]]
        assert [False] == verdicts([[norms * factor[order]] for factor in by], by)


def test_a_check_of_one_batch_needs_a_size_that_is_no_other_dimension() -> None:
    """A batch whose size equals another dimension proves nothing; batches of two sizes do."""
    model = made(RIGHT["by keyword"])
    probe = Probe(model)
    with pytest.raises(ValueError, match="a batch of 5 cannot show which dimension is the batch"):
        probe.check(lambda: model(IDS), LABELS)
    with pytest.raises(ValueError, match="unlike numbers of samples; got 2 of 5"):
        probe.check(batches=[(lambda: model(IDS), LABELS)] * 2)
    with pytest.raises(ValueError, match="a check needs a batch"):
        probe.check()
    probe.check(lambda: model(IDS[:3]), LABELS[:3])


def test_one_logit_needs_a_binary_loss() -> None:
    """Cross-entropy of one logit is refused, and the binary loss gives norms and margins."""
    model, read, labels = nn.Linear(4, 1), torch.randn(3, 4), torch.tensor([0, 1, 0])
    with pytest.raises(
        ValueError, match=r"needs two logits or more of each sample.*binary_cross_entropy"
    ):
        Probe(model).responses(lambda: model(read), labels)
    found = Probe(model).responses(lambda: model(read), labels, loss=binary_cross_entropy)
    # the same as logits (0, z)
    two = F.pad(model(read).detach(), (1, 0))
    assert pytest.approx(cross_entropy(two, labels).tolist()) == found.loss.tolist()
    assert pytest.approx((two[:, 1] * torch.tensor([-1, 1, -1])).tolist()) == found.margin.tolist()
    pull = two[:, 1].sigmoid() - labels
    assert (
        pytest.approx((pull.abs() * (read.square().sum(1) + 1).sqrt()).tolist())
        == found.norm.tolist()
    )


def test_a_target_for_each_output() -> None:
    """One target for three outputs is refused, since it would be broadcast."""
    with pytest.raises(ValueError, match=r"got shapes \(2, 3\) and \(2,\)"):
        squared_error(torch.ones(2, 3), torch.ones(2))


def test_a_gradient_taken_within_the_model_is_refused() -> None:
    """It is refused, since the layers it passes through would be counted twice."""
    model = nn.Linear(4, 2)

    def run() -> Tensor:
        read = torch.randn(5, 4).requires_grad_()
        return torch.autograd.grad(model(read).tanh().sum(), read, create_graph=True)[0]

    with pytest.raises(ModelError, match="was taken while the model ran"):
        Probe(model).responses(run, LABELS)


def test_a_layer_that_is_run_with_other_numbers_is_refused_and_right_as_advised() -> None:
    """A layer run by functional_call with other weights is refused, and right with `per_sample`."""
    model = nn.Sequential(nn.Embedding(9, 4), nn.Linear(4, 2))

    def output(ids: Tensor) -> Tensor:
        weight = {"weight": model[1].weight * 2}
        return torch.func.functional_call(model[1], weight, (model[0](ids).tanh().mean(1),))

    with pytest.raises(
        BatchError, match=r"1, a Linear, was run with numbers in the place of .*per_sample=\['1'\]"
    ):
        Probe(model).responses(lambda: output(IDS), LABELS)
    parameters = list(model.parameters())
    losses = F.cross_entropy(output(IDS), LABELS, reduction="none")
    true = [
        torch.cat(
            [one.flatten() for one in torch.autograd.grad(loss, parameters, retain_graph=True)]
        ).norm()
        for loss in losses
    ]
    found = Probe(model, per_sample=["1"]).responses(lambda: output(IDS), LABELS)
    assert pytest.approx([float(one) for one in true], rel=1e-4) == found.norm.tolist()
