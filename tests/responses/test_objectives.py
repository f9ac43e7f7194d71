"""Losses beside the cross-entropy of two classes: regression, tokens, several objectives."""

import pytest
import torch
import torch.nn.functional as F
import transformers as hf
from torch import Tensor, nn

from mainstem.objectives.losses import cross_entropy, squared_error, token_cross_entropy, weighted
from mainstem.responses import Probe
from tests.responses.families import BERT, made, texts_of
from tests.responses.truth import CLOSE, assert_agree, directions_of, gradients

PADDED = torch.nn.utils.rnn.pad_sequence(texts_of(), batch_first=True)
MASK = torch.nn.utils.rnn.pad_sequence(
    [torch.ones_like(one) for one in texts_of()], batch_first=True
)
PRICES = torch.tensor([1.0, -2.0, 0.5, 3.0])
CLICKS = torch.tensor([1, 0, 0, 1])


class TwoHeads(nn.Module):
    """A model that predicts a click and a price."""

    def __init__(self) -> None:
        super().__init__()
        self.bert = made("BertModel", hf.BertConfig(**BERT))
        self.click, self.price = nn.Linear(16, 2), nn.Linear(16, 1)

    def forward(self, ids: Tensor, mask: Tensor) -> dict[str, Tensor]:
        read = self.bert(ids, attention_mask=mask).pooler_output
        return {"click": self.click(read), "price": self.price(read)}


def test_a_regression_head_has_autograds_responses() -> None:
    """A regression head with half the squared error has autograd's responses."""
    model = made("BertForSequenceClassification", hf.BertConfig(**BERT, num_labels=1))
    directions = directions_of(model)
    true = gradients(
        model,
        lambda exact: (
            0.5 * (exact(text.unsqueeze(0)).logits[0, 0] - price) ** 2
            for text, price in zip(texts_of(), PRICES, strict=True)
        ),
    )
    found = Probe(model, directions=directions).responses(
        lambda: model(PADDED, attention_mask=MASK).logits, PRICES, loss=squared_error
    )
    assert_agree(found, true, directions)
    # a number has no margin
    assert found.margin.isnan().all()


def test_several_objectives_have_the_gradient_of_their_sum() -> None:
    """The weighted losses of several objectives are added before anything is squared."""
    model = TwoHeads()
    directions = directions_of(model)

    def losses(exact: nn.Module) -> list[Tensor]:
        ones = torch.ones(1, 9, dtype=torch.int64)
        told = [exact(text.unsqueeze(0), ones[:, : len(text)]) for text in texts_of()]
        return [
            1.5 * F.cross_entropy(one["click"], click.unsqueeze(0))
            + 0.25 * 0.5 * (one["price"][0, 0] - price) ** 2
            for one, click, price in zip(told, CLICKS, PRICES, strict=True)
        ]

    loss = weighted({"click": (1.5, cross_entropy), "price": (0.25, squared_error)})
    found = Probe(model, directions=directions).responses(
        lambda: model(PADDED, MASK), {"click": CLICKS, "price": PRICES}, loss=loss
    )
    assert_agree(found, gradients(model, losses), directions)


def test_a_token_loss_is_the_mean_over_a_samples_own_tokens() -> None:
    """Tokens labelled -100 do not count, and a sample of such tokens has loss 0."""
    logits = torch.randn(3, 5, 7, generator=torch.Generator().manual_seed(0))
    labels = torch.tensor([[1, 2, 3, 4, 5], [6, -100, 0, -100, -100], [-100] * 5])
    expected = [
        F.cross_entropy(one, label).item()
        for one, label in zip(logits[:2], labels[:2], strict=True)
    ]
    assert pytest.approx([*expected, 0], rel=CLOSE) == token_cross_entropy(logits, labels).tolist()


def test_more_than_two_classes_take_the_margin_from_the_largest_other() -> None:
    """With five classes the margin is the label's logit less the largest of the other four."""
    model = nn.Sequential(nn.Linear(3, 4), nn.LayerNorm(4), nn.Linear(4, 5))
    rows, labels = torch.tensor([[1.0, -2.0, 0.5], [0.3, 0.2, -1.0]]), torch.tensor([4, 0])
    found, logits = Probe(model).responses(lambda: model(rows), labels), model(rows)
    others = torch.stack([logits[0, :4].max(), logits[1, 1:].max()])
    assert (
        pytest.approx((logits[[0, 1], labels] - others).tolist(), rel=CLOSE)
        == found.margin.tolist()
    )
