"""Adversarial training: words move to where the loss is higher, by lengths computed by hand."""

from functools import partial

import pytest
import torch
import torch.nn.functional as F
from torch import Tensor, nn

from mainstem.errors import ModelError, SettingError
from mainstem.join import examples_of
from mainstem.learning.training.adversarial import Adversary, word_embedding
from mainstem.learning.training.batch_loss import BatchLoss
from mainstem.models import ActiveVersion, CrossEncoder
from mainstem.settings import Learning, Settings
from tests.learning.stepping import PLACES, SAMPLES, gradient_of, settings, still
from tests.small_models import given_encoder, scratch_encoder

IDS = torch.tensor([[1, 2, 0], [3, 3, 3]])
LABELS = torch.tensor([1, 0])


class Tiny(nn.Module):
    """A model whose logits are linear in the sum of its embedded words."""

    def __init__(self) -> None:
        super().__init__()
        with torch.random.fork_rng(devices=[]):
            torch.manual_seed(0)
            self.words, self.head = nn.Embedding(4, 2), nn.Linear(2, 2)

    def get_input_embeddings(self) -> nn.Module:
        return self.words

    def forward(self, ids: Tensor) -> Tensor:
        return self.head(self.words(ids).sum(1))


def moved(network: nn.Module, **learning: object) -> Tensor:
    """Return by how much each word of the batch is moved."""
    adversary = Adversary(network, Learning(**learning))
    with adversary.watching() as words:

        def loss() -> Tensor:
            return F.cross_entropy(network(IDS), LABELS)

        loss().backward()
        adversary.move(words, loss)
    return words.moved.detach()


def by_hand(network: Tiny, epsilon: float) -> Tensor:
    """Return e |s| g / |g| with g = sum_c (p_c - y_c) w_c at each of a sample's three words."""
    embedded = network.words.weight[IDS].detach()
    pull = network(IDS).softmax(1) - F.one_hot(LABELS, 2)
    each = (pull @ network.head.weight).detach()  # (B, D)
    found = []
    for words, gradient in zip(embedded, each, strict=True):
        length = sum(float(x) ** 2 for x in words.flatten()) ** 0.5
        across = (3 * sum(float(x) ** 2 for x in gradient)) ** 0.5
        found.append((epsilon * length * gradient / across).expand(3, 2))
    return torch.stack(found)


@pytest.mark.parametrize(
    "learning",
    [
        {"adversarial": "fgm"},
        {"adversarial": "pgd", "adversarial_steps": 1},
        # the gradient of a linear model does not turn, so every step goes the same way
        {"adversarial": "pgd", "adversarial_steps": 4},
    ],
)
def test_words_move_along_the_gradient_as_far_as_they_may(learning: dict[str, object]) -> None:
    """On a linear model the way is that computed by hand."""
    network = Tiny()
    expected = by_hand(network, 0.3)
    torch.testing.assert_close(moved(network, adversarial_epsilon=0.3, **learning), expected)


def test_pgd_stays_within_the_ball_and_finds_a_loss_at_least_as_high() -> None:
    """No sample moves further than e |s|; more steps find no lower loss than one, on a BERT."""
    encoder = still(given_encoder())
    given = settings()
    read = ActiveVersion(encoder, given).read(examples_of(SAMPLES))
    loss_of = BatchLoss(read, given.objectives)
    batch, network = read.batch(PLACES, examined=True), encoder.network.eval()
    found = {}
    for steps in (1, 8):
        kind = Learning(adversarial="pgd", adversarial_steps=steps, adversarial_epsilon=0.5)
        adversary = Adversary(network, kind)
        with adversary.watching() as words:
            loss = partial(lambda: loss_of(network(batch), PLACES))
            (plain := loss()).backward()
            adversary.move(words, loss)
            found[steps] = loss().item()
        lengths, most = (one.flatten(1).norm(dim=1) for one in (words.moved, words.embedded))
        assert (lengths <= 0.5 * most * (1 + 1e-5)).all()
        assert (lengths > 0).all()
    assert found[8] >= found[1] > plain.item()


def test_a_step_adds_the_gradients_of_the_samples_as_they_are_and_moved() -> None:
    """They are those of the model of Hugging Face, which takes embedded words by itself."""
    encoder = still(given_encoder())
    _, plain = gradient_of(encoder)
    loss, both = gradient_of(encoder, adversarial="fgm", adversarial_epsilon=0.2)
    read = ActiveVersion(encoder, settings()).read(examples_of(SAMPLES))
    batch, model = read.batch(PLACES), encoder.network.train().model
    weights = torch.tensor([one.weight for one in SAMPLES])

    def loss_at(embedded: Tensor) -> Tensor:
        logits = model(
            inputs_embeds=embedded,
            attention_mask=batch.mask,
            token_type_ids=batch.segments,
            position_ids=batch.positions,
        ).logits
        labels = torch.tensor([one.label for one in SAMPLES])
        return (F.cross_entropy(logits, labels, reduction="none") * weights).mean()

    words = model.get_input_embeddings()(batch.ids)
    at = words.detach().requires_grad_()
    (gradient,) = torch.autograd.grad(true := loss_at(at), at)
    length, across = (one.flatten(1).norm(dim=1).view(-1, 1, 1) for one in (at, gradient))
    encoder.network.zero_grad()
    loss_at(words + (0.2 * length * gradient / across).detach()).backward()
    assert pytest.approx(true.item(), rel=1e-5) == loss
    for name, parameter in encoder.network.named_parameters():
        torch.testing.assert_close(
            both[name], plain[name] + parameter.grad, rtol=1e-3, atol=1e-6, msg=name
        )


@pytest.mark.parametrize("make", [given_encoder, scratch_encoder])
@pytest.mark.parametrize("kind", ["fgm", "pgd"])
def test_the_embedding_is_left_exactly_as_it_was(make: object, kind: str) -> None:
    """After a step the layer has its weights to the last bit, and embeds as before."""
    encoder: CrossEncoder = still(make())
    network, given = encoder.network.train(), settings(adversarial=kind)
    layer, ids = word_embedding(network), torch.arange(9)
    weights, embedded = layer.weight.detach().clone(), layer(ids).detach()
    read = ActiveVersion(encoder, given).read(examples_of(SAMPLES))
    loss_of, adversary = BatchLoss(read, given.objectives), Adversary(network, given.learning)
    batch = read.batch(PLACES, examined=True)
    with adversary.watching() as words:
        loss = partial(lambda: loss_of(network(batch), PLACES))
        loss().backward()
        adversary.move(words, loss)
        loss().backward()
        assert words.moved.any()
    assert torch.equal(weights, layer.weight)
    assert torch.equal(embedded, layer(ids))


def test_frozen_words_move_too() -> None:
    """An embedding that does not learn, as below an adapter, is moved all the same."""
    network = Tiny()
    expected = by_hand(network, 0.3)
    network.words.weight.requires_grad_(False)
    found = moved(network, adversarial="fgm", adversarial_epsilon=0.3)
    torch.testing.assert_close(found, expected)


def test_a_sample_of_weight_0_stays_where_it_is() -> None:
    """It has no gradient, so no direction; nothing becomes NaN."""
    network = Tiny()
    adversary = Adversary(network, Learning(adversarial="fgm"))
    with adversary.watching() as words:
        each = F.cross_entropy(network(IDS), LABELS, reduction="none")
        (each * torch.tensor([1.0, 0.0])).mean().backward()
        adversary.move(words, each.sum)
    assert [True, False] == [bool(one.any()) for one in words.moved]


def test_a_network_without_words_is_refused() -> None:
    """The error names what is missing, and the setting."""
    with pytest.raises(ModelError, match=r"get_input_embeddings.*MAINSTEM_LEARNING__ADVERSARIAL"):
        Adversary(nn.Linear(2, 2), Learning(adversarial="fgm"))


def test_it_is_off_by_default_and_not_compiled() -> None:
    """A compiled network would ignore that its words are moved."""
    assert "none" == Settings().learning.adversarial
    with pytest.raises(SettingError, match="exclude each other"):
        Learning(adversarial="pgd", compile=True)
