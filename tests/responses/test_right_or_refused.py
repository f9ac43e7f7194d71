"""Models of all sorts: responses are autograd's, or a layer is named, and what the message advises is right."""

import ast
from collections.abc import Callable, Iterator

import pytest
import torch
import torch.nn.functional as F
from torch import Tensor, nn
from torch.nn.utils import parametrizations, prune

from mainstem.errors import BatchError, ModelError
from mainstem.responses import Probe, binary_cross_entropy, cross_entropy, squared_error
from mainstem.responses.isolation import factors, verdicts
from tests.responses.families import bert

pytestmark = pytest.mark.filterwarnings("ignore")  # torch's own, of old weight norms

Middle = Callable[[nn.Module, Tensor], Tensor]
IDS, LABELS = torch.randint(0, 9, (5, 5), generator=torch.Generator().manual_seed(1)), torch.tensor([0, 1, 1, 0, 1])
"""As many samples as tokens: what reads tokens first sees the same shapes."""


class Net(nn.Module):
    """Words, something between, and a head."""

    def __init__(self, layer: nn.Module, middle: Middle) -> None:
        super().__init__()
        self.words, self.layer, self.head, self.middle = nn.Embedding(9, 4), layer, nn.Linear(4, 2), middle

    def forward(self, ids: Tensor) -> Tensor:
        return self.head(self.middle(self.layer, self.words(ids)))


class Tokens(nn.Module):
    """A first token and places as parameters of the model's own."""

    def __init__(self) -> None:
        super().__init__()
        self.words, self.head = nn.Embedding(9, 4), nn.Linear(4, 2)
        self.first, self.places = nn.Parameter(torch.randn(1, 1, 4)), nn.Parameter(torch.randn(1, 6, 4))

    def forward(self, ids: Tensor) -> Tensor:
        read = torch.cat([self.first.expand(len(ids), -1, -1), self.words(ids)], 1) + self.places
        return self.head(read.tanh().mean(1))


class Scaled(nn.Embedding):
    """Words that are multiplied."""

    def forward(self, ids: Tensor) -> Tensor:
        return super().forward(ids) * 3


class MeanTaken(nn.Module):
    """A layer norm that is called RMSNorm."""

    def __init__(self) -> None:
        super().__init__()
        self.weight, self.eps = nn.Parameter(torch.ones(4)), 1e-6

    def forward(self, read: Tensor) -> Tensor:
        return self.weight * F.layer_norm(read, (4,), eps=self.eps)


class MeanTakenRMSNorm(MeanTaken):
    """By its name."""


class GatedRMSNorm(MeanTaken):
    """It reads two tensors."""

    def forward(self, read: Tensor, gate: Tensor) -> Tensor:
        return self.weight * F.rms_norm(read * gate.sigmoid(), (4,), eps=self.eps)


class LateEpsilonRMSNorm(MeanTaken):
    """Its epsilon is added to the root."""

    def forward(self, read: Tensor) -> Tensor:
        return self.weight * read / (read.square().mean(-1, keepdim=True).sqrt() + 1e-3)


class OnePlusRMSNorm(MeanTaken):
    """As Gemma's."""

    def forward(self, read: Tensor) -> Tensor:
        return (1 + self.weight) * F.rms_norm(read, (4,), eps=self.eps)


def patched() -> nn.Module:
    layer = nn.Linear(4, 4)
    own = layer.forward
    layer.forward = lambda read: own(read) * 2
    return layer


def hooked() -> nn.Module:
    layer = nn.Linear(4, 4)
    layer.register_forward_hook(lambda _, __, output: output * 3)
    return layer


def mean(layer: nn.Module, read: Tensor) -> Tensor:
    return layer(read).tanh().mean(1)


def in_order(layer: nn.Module, read: Tensor) -> Tensor:
    order = read.sum((1, 2)).argsort()
    return layer(read[order]).tanh().mean(1)[order.argsort()]


def time_first(layer: nn.Module, read: Tensor) -> Tensor:
    return layer(read.transpose(0, 1)).tanh().mean(0)


RIGHT: dict[str, Callable[[], nn.Module]] = {
    "by keyword": lambda: Net(nn.Linear(4, 4), lambda layer, read: layer(input=read).tanh().mean(1)),
    "a hook that changes what is given": lambda: Net(hooked(), mean),
    "a scale that is one more": lambda: Net(OnePlusRMSNorm(), mean),
    "two times the same": lambda: Net(nn.Linear(4, 4), lambda layer, read: layer(layer(read).tanh()).mean(1)),
    "sparse words": lambda: nn.Sequential(nn.Embedding(9, 4, sparse=True), nn.Flatten(), nn.Linear(20, 2)),
}
RIGHT_AS_ADVISED: dict[str, Callable[[], nn.Module]] = {
    "LSTM": lambda: Net(nn.LSTM(4, 4, batch_first=True), lambda layer, read: layer(read)[0][:, -1]),
    "LSTM, time first": lambda: Net(nn.LSTM(4, 4), lambda layer, read: layer(read.transpose(0, 1))[0][-1]),
    "GRU, both ways": lambda: Net(
        nn.GRU(4, 2, batch_first=True, bidirectional=True), lambda layer, read: layer(read)[0].mean(1)
    ),
    "attention": lambda: Net(nn.MultiheadAttention(4, 2, batch_first=True), lambda layer, x: layer(x, x, x)[0].mean(1)),
    "torch's encoder": lambda: Net(nn.TransformerEncoderLayer(4, 2, 8, batch_first=True), mean),
    "a model's own parameters": Tokens,
    "positions": lambda: Net(nn.Embedding(9, 4), lambda layer, x: (x + layer(torch.arange(x.shape[1]))).tanh().mean(1)),
    "time first": lambda: Net(nn.Linear(4, 4), time_first),
    "sorted samples": lambda: Net(nn.Linear(4, 4), in_order),
    "rows of all samples": lambda: Net(
        nn.Linear(4, 4), lambda layer, x: layer(x.reshape(-1, 4)).view(len(x), -1, 4).tanh().mean(1)
    ),
    "a weight without its layer": lambda: Net(
        nn.Linear(4, 4), lambda layer, x: F.linear(x, layer.weight, layer.bias).tanh().mean(1)
    ),
    "two inputs": lambda: Net(nn.Bilinear(4, 4, 4), lambda layer, x: layer(x, x).mean(1)),
    "convolution": lambda: Net(nn.Conv1d(4, 4, 1), lambda layer, x: layer(x.transpose(1, 2)).tanh().mean(2)),
    "batch norm at rest": lambda: Net(nn.BatchNorm1d(4), lambda layer, x: layer(x.transpose(1, 2)).tanh().mean(2)),
    "bag of words": lambda: nn.Sequential(nn.EmbeddingBag(9, 4), nn.Linear(4, 2)),
    "scaled words": lambda: nn.Sequential(Scaled(9, 4), nn.Flatten(), nn.Linear(20, 2)),
    "replaced forward": lambda: Net(patched(), mean),
    "spectral norm": lambda: Net(parametrizations.spectral_norm(nn.Linear(4, 4)), mean),
    "spectral norm, old": lambda: Net(nn.utils.spectral_norm(nn.Linear(4, 4)), mean),
    "weight norm": lambda: Net(parametrizations.weight_norm(nn.Linear(4, 4)), mean),
    "weight norm, old": lambda: Net(nn.utils.weight_norm(nn.Linear(4, 4)), mean),
    "spectral norm of words": lambda: nn.Sequential(
        nn.utils.spectral_norm(nn.Embedding(9, 4)), nn.Flatten(), nn.Linear(20, 2)
    ),
    "pruned": lambda: Net(prune.l1_unstructured(nn.Linear(4, 4), "weight", amount=0.5), mean),
    "pruned norm": lambda: Net(prune.random_unstructured(nn.LayerNorm(4), "weight", amount=0.5), mean),
    "RMSNorm by name": lambda: Net(MeanTakenRMSNorm(), mean),
    "RMSNorm with a late epsilon": lambda: Net(LateEpsilonRMSNorm(), mean),
    "RMSNorm with a gate": lambda: Net(GatedRMSNorm(), lambda layer, x: layer(x, x.roll(1, -1)).mean(1)),
}


def made(make: Callable[[], nn.Module]) -> nn.Module:
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(0)
        return make().eval()


def alone(model: nn.Module, ids: Tensor = IDS) -> list[float]:
    """Each sample's norm by autograd, from a pass of its own."""

    def norms() -> Iterator[float]:
        for one, label in zip(ids, LABELS, strict=False):
            loss = F.cross_entropy(model(one.unsqueeze(0)), label.view(1))
            found = torch.autograd.grad(loss, list(model.parameters()))
            yield sum(part.to_dense().square().sum() for part in found).sqrt().item()

    return list(norms())


def assert_right(model: nn.Module, probe: Probe) -> None:
    for ids in (IDS, IDS[:3]):
        found = probe.responses(lambda ids=ids: model(ids), LABELS[: len(ids)])
        assert pytest.approx(alone(model, ids), rel=1e-4) == found.norm.tolist()
    probe.check(batches=[(lambda: model(IDS), LABELS), (lambda: model(IDS[:3]), LABELS[:3])])
    assert all(one.grad is None and one.requires_grad for one in model.parameters())


@pytest.mark.parametrize("make", RIGHT.values(), ids=RIGHT)
def test_a_model_is_right(make: Callable[[], nn.Module]) -> None:
    """Norms are those of each sample alone, and nothing of the pass is left."""
    model = made(make)
    assert_right(model, Probe(model))


@pytest.mark.parametrize("make", RIGHT_AS_ADVISED.values(), ids=RIGHT_AS_ADVISED)
def test_a_model_is_refused_by_name_and_right_as_advised(make: Callable[[], nn.Module]) -> None:
    """Where a layer has no formula, or reads something else than samples, it is named; with `per_sample` it is right."""
    model, advice = made(make), list[str]()
    for _ in range(3):
        try:
            probe = Probe(model, per_sample=advice)
            probe.responses(lambda: model(IDS), LABELS)
        except ModelError as error:
            before, advice = advice, ast.literal_eval(str(error).partition("per_sample=")[2])
            assert before != advice
        else:
            break
    assert advice
    assert_right(model, probe)


@pytest.mark.parametrize("kind", ["PromptTuningConfig", "PromptEncoderConfig"])
def test_a_tuned_prompt_is_refused_by_name_and_right_as_advised(kind: str) -> None:
    """One prompt is repeated for each sample, so that its gradient is the batch's until autograd forms each."""
    import peft

    sizes = {"encoder_hidden_size": 8} if kind == "PromptEncoderConfig" else {}
    config = getattr(peft, kind)(task_type="SEQ_CLS", num_virtual_tokens=3, **sizes)
    tuned = peft.get_peft_model(bert().model, config).eval()
    with pytest.raises(ModelError, match="one prompt, which is repeated for each sample") as refused:
        Probe(tuned)
    probe = Probe(tuned, per_sample=ast.literal_eval(str(refused.value).partition("per_sample=")[2]))
    mask, trained = torch.ones_like(IDS), [one for one in tuned.parameters() if one.requires_grad]
    norms = []
    for one, label in zip(IDS, LABELS, strict=True):
        loss = F.cross_entropy(tuned(one.unsqueeze(0), attention_mask=mask[:1]).logits, label.view(1))
        found = torch.autograd.grad(loss, trained, allow_unused=True)
        norms.append(sum(part.square().sum() for part in found if part is not None).sqrt().item())
    found = probe.responses(lambda: tuned(IDS, attention_mask=mask).logits, LABELS)
    assert pytest.approx(norms, rel=1e-4) == found.norm.tolist()


@pytest.mark.parametrize("make", [RIGHT_AS_ADVISED["LSTM"], RIGHT_AS_ADVISED["convolution"]], ids=["LSTM", "convolution"])
def test_a_training_step_with_formed_gradients(make: Callable[[], nn.Module]) -> None:
    """The step's gradient is the mean's, whatever is formed beside it, and norms, dots and sketches are of each sample."""
    model = made(make)
    ones = {name: torch.ones_like(one) for name, one in model.named_parameters()}
    probe = Probe(model, per_sample=["layer"], directions=[ones], sketch=64)
    found, at_rest = probe.training_step(lambda: model(IDS), LABELS), probe.responses(lambda: model(IDS), LABELS)
    assert pytest.approx(alone(model), rel=1e-4) == found.norm.tolist()
    assert torch.allclose(found.dots, at_rest.dots, rtol=1e-3, atol=1e-5)
    assert torch.allclose(found.sketch, at_rest.sketch, rtol=1e-3, atol=1e-4)
    filled = {name: one.grad.clone() for name, one in model.named_parameters()}
    model.zero_grad()
    cross_entropy(model(IDS), LABELS).mean().backward()
    assert all(torch.allclose(filled[name], one.grad, atol=1e-6) for name, one in model.named_parameters())


REFUSED: dict[str, tuple[Callable[[], nn.Module], str]] = {
    "batch norm without statistics": (
        lambda: Net(nn.BatchNorm1d(4, track_running_stats=False), lambda n, x: n(x.transpose(1, 2)).mean(2)),
        "layer, a BatchNorm1d, normalises each sample by the whole batch",
    ),
    "words by frequency": (
        lambda: nn.Sequential(nn.Embedding(9, 4, scale_grad_by_freq=True), nn.Flatten(), nn.Linear(20, 2)),
        "divides by how often an id is in the whole batch",
    ),
    "no shape yet": (lambda: nn.Sequential(nn.Embedding(9, 4), nn.Flatten(), nn.LazyLinear(2)), "run the model once before"),
    "no numbers": (lambda: nn.Linear(4, 2, device="meta"), "is on the device `meta`"),
    "complex": (lambda: nn.Linear(4, 2, dtype=torch.complex64), "is complex"),
}


@pytest.mark.parametrize(("make", "message"), REFUSED.values(), ids=REFUSED)
def test_what_has_no_responses_is_refused(make: Callable[[], nn.Module], message: str) -> None:
    """What no choice of layers mends is said in one line."""
    model = made(make)
    with pytest.raises(ModelError, match=message):
        Probe(model, per_sample=["*"] if isinstance(model, Net) else ()).responses(lambda: model(IDS), LABELS)


def test_a_batch_norm_that_trains_is_refused_in_a_step() -> None:
    """In train mode a sample has no gradient of its own there."""
    model = made(RIGHT_AS_ADVISED["batch norm at rest"]).train()
    with pytest.raises(BatchError, match="put it in eval mode"):
        Probe(model, per_sample=["layer"]).training_step(lambda: model(IDS), LABELS)


def test_a_loss_that_compares_samples_is_refused() -> None:
    """A loss with the other samples in it reaches their rows."""
    model = nn.Linear(4, 2)

    def against_the_mean(logits: Tensor, labels: Tensor) -> Tensor:
        return cross_entropy(logits - logits.mean(0), labels)

    with pytest.raises(BatchError, match="a sample's loss reaches rows of others"):
        Probe(model).responses(lambda: model(torch.randn(5, 4)), LABELS, loss=against_the_mean)


def test_a_gradient_taken_within_the_model_is_refused() -> None:
    """What it passes through would be counted twice."""
    model = nn.Linear(4, 2)

    def run() -> Tensor:
        read = torch.randn(5, 4).requires_grad_()
        return torch.autograd.grad(model(read).tanh().sum(), read, create_graph=True)[0]

    with pytest.raises(ModelError, match="was taken while the model ran"):
        Probe(model).responses(run, LABELS)


def test_a_layer_that_is_run_with_other_numbers_is_refused_and_right_as_advised() -> None:
    """Weights put in by functional_call are computed from its own, and their gradients are not its own."""
    model = nn.Sequential(nn.Embedding(9, 4), nn.Linear(4, 2))

    def output(ids: Tensor) -> Tensor:
        weight = {"weight": model[1].weight * 2}
        return torch.func.functional_call(model[1], weight, (model[0](ids).tanh().mean(1),))

    with pytest.raises(BatchError, match=r"1, a Linear, was run with numbers in the place of .*per_sample=\['1'\]"):
        Probe(model).responses(lambda: output(IDS), LABELS)
    parameters = list(model.parameters())
    losses = F.cross_entropy(output(IDS), LABELS, reduction="none")
    true = [
        torch.cat([one.flatten() for one in torch.autograd.grad(loss, parameters, retain_graph=True)]).norm()
        for loss in losses
    ]
    found = Probe(model, per_sample=["1"]).responses(lambda: output(IDS), LABELS)
    assert pytest.approx([float(one) for one in true], rel=1e-4) == found.norm.tolist()


def test_samples_without_tokens_have_a_gradient_of_biases() -> None:
    """A text of no token is no error."""
    model = nn.Sequential(nn.Linear(4, 4), nn.Linear(4, 2))
    found = Probe(model).responses(lambda: model[1](model[0](torch.zeros(5, 0, 4)).sum(1)), LABELS)
    assert (found.norm > 0).all()


def test_an_epsilon_that_is_not_given_is_that_of_the_layers_type() -> None:
    """In double precision it is far smaller, which shows in small rows."""
    model, rows = nn.Sequential(nn.RMSNorm(4), nn.Linear(4, 2)).double(), torch.randn(5, 4).double() * 1e-5
    parameters = list(model.parameters())
    losses = F.cross_entropy(model(rows), LABELS, reduction="none")
    true = [
        torch.cat([one.flatten() for one in torch.autograd.grad(loss, parameters, retain_graph=True)]).norm()
        for loss in losses
    ]
    found = Probe(model).responses(lambda: model(rows), LABELS)
    assert pytest.approx([float(one) for one in true], rel=1e-4) == found.norm.tolist()


def test_losses_that_are_cut_off_are_refused() -> None:
    """Norms of 0 would look like samples that have nothing to teach."""
    model = nn.Linear(4, 2)
    with pytest.raises(ModelError, match="cut off"):
        Probe(model).responses(lambda: model(torch.ones(5, 4)).detach(), LABELS)


@pytest.mark.parametrize("samples", [2, 9, 10, 81, 100])
def test_two_samples_that_change_places_show(samples: int) -> None:
    """Whichever two rows are exchanged, some pass tells."""
    by, norms = factors(samples), torch.rand(samples) + 0.5
    right = [[norms * factor] for factor in by]
    assert [True] == verdicts(right, by)
    for other in range(1, samples):
        order = torch.arange(samples)
        order[[0, other]] = order[[other, 0]]
        assert [False] == verdicts([[norms * factor[order]] for factor in by], by)


def test_a_check_of_one_batch_needs_a_size_that_is_no_other_dimension() -> None:
    """Where the batch could be another dimension, a check proves nothing; batches of unlike size do."""
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
    """Cross-entropy over one class is always 0; the binary loss has norms and margins."""
    model, read, labels = nn.Linear(4, 1), torch.randn(3, 4), torch.tensor([0, 1, 0])
    with pytest.raises(ValueError, match=r"needs two logits or more of each sample.*binary_cross_entropy"):
        Probe(model).responses(lambda: model(read), labels)
    found = Probe(model).responses(lambda: model(read), labels, loss=binary_cross_entropy)
    two = F.pad(model(read).detach(), (1, 0))  # the same as logits (0, z)
    assert pytest.approx(cross_entropy(two, labels).tolist()) == found.loss.tolist()
    assert pytest.approx((two[:, 1] * torch.tensor([-1, 1, -1])).tolist()) == found.margin.tolist()
    pull = two[:, 1].sigmoid() - labels
    assert pytest.approx((pull.abs() * (read.square().sum(1) + 1).sqrt()).tolist()) == found.norm.tolist()


def test_a_target_for_each_output() -> None:
    """One target against three outputs would be broadcast."""
    with pytest.raises(ValueError, match=r"got shapes \(2, 3\) and \(2,\)"):
        squared_error(torch.ones(2, 3), torch.ones(2))
