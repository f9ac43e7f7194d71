"""Tiny models of all sorts, and the norm of each sample alone by autograd."""

from collections.abc import Callable, Iterator

import torch
import torch.nn.functional as F
from torch import Tensor, nn
from torch.nn.utils import parametrizations, prune

Middle = Callable[[nn.Module, Tensor], Tensor]
# as many samples as tokens, so that layers that read tokens first see the same shapes
IDS = torch.randint(0, 9, (5, 5), generator=torch.Generator().manual_seed(1))
LABELS = torch.tensor([0, 1, 1, 0, 1])


class Net(nn.Module):
    """Words, a layer used in some way, and a head."""

    def __init__(self, layer: nn.Module, middle: Middle) -> None:
        super().__init__()
        self.words, self.layer = nn.Embedding(9, 4), layer
        self.head, self.middle = nn.Linear(4, 2), middle

    def forward(self, ids: Tensor) -> Tensor:
        return self.head(self.middle(self.layer, self.words(ids)))


class Tokens(nn.Module):
    """A model with parameters of its own: a first token, and positions."""

    def __init__(self) -> None:
        super().__init__()
        self.words, self.head = nn.Embedding(9, 4), nn.Linear(4, 2)
        self.first = nn.Parameter(torch.randn(1, 1, 4))
        self.places = nn.Parameter(torch.randn(1, 6, 4))

    def forward(self, ids: Tensor) -> Tensor:
        read = torch.cat([self.first.expand(len(ids), -1, -1), self.words(ids)], 1) + self.places
        return self.head(read.tanh().mean(1))


class Scaled(nn.Embedding):
    """An embedding whose output is scaled."""

    def forward(self, ids: Tensor) -> Tensor:
        return super().forward(ids) * 3


class MeanTaken(nn.Module):
    """A layer norm that is made to look like an RMSNorm."""

    def __init__(self) -> None:
        super().__init__()
        self.weight, self.eps = nn.Parameter(torch.ones(4)), 1e-6

    def forward(self, read: Tensor) -> Tensor:
        return self.weight * F.layer_norm(read, (4,), eps=self.eps)


class MeanTakenRMSNorm(MeanTaken):
    """A layer norm whose class is named RMSNorm."""


class GatedRMSNorm(MeanTaken):
    """An RMSNorm that reads two tensors."""

    def forward(self, read: Tensor, gate: Tensor) -> Tensor:
        return self.weight * F.rms_norm(read * gate.sigmoid(), (4,), eps=self.eps)


class LateEpsilonRMSNorm(MeanTaken):
    """An RMSNorm whose epsilon is added to the root."""

    def forward(self, read: Tensor) -> Tensor:
        return self.weight * read / (read.square().mean(-1, keepdim=True).sqrt() + 1e-3)


class OnePlusRMSNorm(MeanTaken):
    """An RMSNorm like Gemma's, whose scale is 1 + weight."""

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
    "by keyword": lambda: Net(
        nn.Linear(4, 4), lambda layer, read: layer(input=read).tanh().mean(1)
    ),
    "a hook that changes what is given": lambda: Net(hooked(), mean),
    "a scale that is one more": lambda: Net(OnePlusRMSNorm(), mean),
    "two times the same": lambda: Net(
        nn.Linear(4, 4), lambda layer, read: layer(layer(read).tanh()).mean(1)
    ),
    "sparse words": lambda: nn.Sequential(
        nn.Embedding(9, 4, sparse=True), nn.Flatten(), nn.Linear(20, 2)
    ),
}


RIGHT_AS_ADVISED: dict[str, Callable[[], nn.Module]] = {
    "LSTM": lambda: Net(nn.LSTM(4, 4, batch_first=True), lambda layer, read: layer(read)[0][:, -1]),
    "LSTM, time first": lambda: Net(
        nn.LSTM(4, 4), lambda layer, read: layer(read.transpose(0, 1))[0][-1]
    ),
    "GRU, both ways": lambda: Net(
        nn.GRU(4, 2, batch_first=True, bidirectional=True),
        lambda layer, read: layer(read)[0].mean(1),
    ),
    "attention": lambda: Net(
        nn.MultiheadAttention(4, 2, batch_first=True), lambda layer, x: layer(x, x, x)[0].mean(1)
    ),
    "torch's encoder": lambda: Net(nn.TransformerEncoderLayer(4, 2, 8, batch_first=True), mean),
    "a model's own parameters": Tokens,
    "positions": lambda: Net(
        nn.Embedding(9, 4), lambda layer, x: (x + layer(torch.arange(x.shape[1]))).tanh().mean(1)
    ),
    "time first": lambda: Net(nn.Linear(4, 4), time_first),
    "sorted samples": lambda: Net(nn.Linear(4, 4), in_order),
    "rows of all samples": lambda: Net(
        nn.Linear(4, 4), lambda layer, x: layer(x.reshape(-1, 4)).view(len(x), -1, 4).tanh().mean(1)
    ),
    "a weight without its layer": lambda: Net(
        nn.Linear(4, 4), lambda layer, x: F.linear(x, layer.weight, layer.bias).tanh().mean(1)
    ),
    "two inputs": lambda: Net(nn.Bilinear(4, 4, 4), lambda layer, x: layer(x, x).mean(1)),
    "convolution": lambda: Net(
        nn.Conv1d(4, 4, 1), lambda layer, x: layer(x.transpose(1, 2)).tanh().mean(2)
    ),
    "batch norm at rest": lambda: Net(
        nn.BatchNorm1d(4), lambda layer, x: layer(x.transpose(1, 2)).tanh().mean(2)
    ),
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
    "pruned norm": lambda: Net(
        prune.random_unstructured(nn.LayerNorm(4), "weight", amount=0.5), mean
    ),
    "RMSNorm by name": lambda: Net(MeanTakenRMSNorm(), mean),
    "RMSNorm with a late epsilon": lambda: Net(LateEpsilonRMSNorm(), mean),
    "RMSNorm with a gate": lambda: Net(
        GatedRMSNorm(), lambda layer, x: layer(x, x.roll(1, -1)).mean(1)
    ),
}


def made(make: Callable[[], nn.Module]) -> nn.Module:
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(0)
        return make().eval()


def alone(model: nn.Module, ids: Tensor = IDS) -> list[float]:
    """Compute each sample's norm by autograd, in a pass of its own."""

    def norms() -> Iterator[float]:
        for one, label in zip(ids, LABELS, strict=False):
            loss = F.cross_entropy(model(one.unsqueeze(0)), label.view(1))
            found = torch.autograd.grad(loss, list(model.parameters()))
            yield sum(part.to_dense().square().sum() for part in found).sqrt().item()

    return list(norms())
