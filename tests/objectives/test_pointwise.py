"""The loss of several objectives, and the logits that belong to each."""

import numpy as np
import pytest
import torch
import torch.nn.functional as F

from mainstem.errors import SettingError
from mainstem.objectives.layout import Layout
from mainstem.objectives.losses import margins
from mainstem.objectives.pointwise import Pointwise
from mainstem.settings import Objectives


def loss_of(**settings: str) -> Pointwise:
    """Return the loss of some objectives."""
    return Pointwise(Layout.of(Objectives(**settings)))


def test_the_default_has_a_logit_for_each_class() -> None:
    """A single answer keeps two logits, or one for each class, and the plain cross-entropy."""
    plain = Layout.of(Objectives())
    assert (2, True) == (plain.width, plain.is_plain)
    assert 5 == Layout.of(Objectives(classes="a,b,c,d,e")).width
    assert not Layout.of(Objectives(alphas="2")).is_plain


@pytest.mark.parametrize(
    ("settings", "widths"),
    [
        ({"names": "click"}, [1]),
        ({"names": "answer,click"}, [1, 1]),
        ({"names": "click,answer,relevance", "classes": "a,b,c"}, [1, 3, 1]),
    ],
)
def test_another_objective_has_one_logit_and_classes_one_each(
    settings: dict[str, str], widths: list[int]
) -> None:
    """Yes or no and a grade have one logit, more than two classes one each, side by side."""
    layout = Layout.of(Objectives(**settings))
    assert widths == [part.width for part in layout.parts]
    assert np.cumsum([0, *widths])[:-1].tolist() == [part.first for part in layout.parts]


def test_the_objective_that_ranks_gives_the_logits_of_no_and_yes() -> None:
    """One logit is the log-odds of yes; classes keep their own logits."""
    logits = np.array([[1.0, 2.0, 3.0, 4.0]])
    classes = Layout.of(Objectives(names="click,answer", classes="a,b,c", rank_by="answer"))
    assert [[2.0, 3.0, 4.0]] == classes.ranked(logits).tolist()
    first = Layout.of(Objectives(names="click,answer", classes="a,b,c"))
    assert [[0.0, 1.0]] == first.ranked(logits).tolist()
    assert [[1.0, 2.0]] == Layout.of(Objectives()).ranked(logits[:, :2]).tolist()


def test_the_losses_of_all_objectives_are_added_with_their_alphas() -> None:
    """Yes or no and grades cost a binary cross-entropy, classes PyTorch's cross-entropy."""
    loss = loss_of(names="click,answer,relevance", classes="a,b,c", alphas="1,0.5,2")
    logits = torch.randn(3, 5, generator=torch.Generator().manual_seed(0))
    targets = torch.tensor([[1.0, 2.0, 0.25], [0.0, 0.0, 1.0], [1.0, 1.0, 0.0]])
    expected = (
        F.binary_cross_entropy_with_logits(logits[:, 0], targets[:, 0], reduction="none")
        + 0.5 * F.cross_entropy(logits[:, 1:4], targets[:, 1].long(), reduction="none")
        + 2 * F.binary_cross_entropy_with_logits(logits[:, 4], targets[:, 2], reduction="none")
    )
    assert torch.allclose(expected, loss(logits, targets))


def test_an_unknown_target_costs_nothing_and_teaches_nothing() -> None:
    """The gradient of a logit whose target is unknown is 0."""
    loss = loss_of(names="click,answer,relevance", classes="a,b,c")
    logits = torch.ones(2, 5, requires_grad=True)
    loss(logits, torch.tensor([[1.0, -1.0, -1.0], [-1.0, 2.0, 0.5]])).sum().backward()
    assert logits.grad is not None
    known = [[True, False, False, False, False], [False, True, True, True, True]]
    assert known == (logits.grad != 0).tolist()


def test_a_margin_is_that_of_the_first_known_target() -> None:
    """A margin belongs to the objective that gives the label, and is 0 where none does."""
    loss = loss_of(names="click,relevance")
    logits = torch.tensor([[2.0, -3.0], [2.0, -3.0], [2.0, -3.0], [2.0, -3.0]])
    targets = torch.tensor([[0.0, 1.0], [-1.0, 0.7], [-1.0, 0.2], [-1.0, -1.0]])
    assert [-2.0, -3.0, 3.0, 0.0] == loss.margins(logits, targets).tolist()
    classes = loss_of(names="answer", classes="a,b,c", alphas="2")
    rows, labels = torch.tensor([[1.0, 4.0, 2.0]]), torch.tensor([2])
    assert torch.equal(margins(rows, labels), classes.margins(rows, labels.float().unsqueeze(1)))


def test_shapes_that_do_not_fit_are_refused() -> None:
    """Logits of another layout are an error that names both shapes."""
    with pytest.raises(ValueError, match=r"\(1, 2\) and \(1, 2\); got \(1, 3\) and \(1, 2\)"):
        loss_of(names="click,cart")(torch.zeros(1, 3), torch.zeros(1, 2))


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"names": "click,click"}, "objectives.names are different names"),
        ({"names": "view"}, "got 'view'"),
        ({"names": "click", "rank_by": "purchase"}, "rank_by is one of click; got 'purchase'"),
        ({"names": "click,cart", "alphas": "1"}, "alphas are 2 numbers above 0"),
        ({"alphas": "0"}, "got '0'"),
        ({"alphas": "nan"}, "got 'nan'"),
        ({"alphas": "much"}, "got 'much'"),
    ],
)
def test_settings_that_make_no_objectives_are_refused(
    settings: dict[str, str], message: str
) -> None:
    """A wrong name, a wrong number of alphas and an alpha that is no factor are refused."""
    with pytest.raises(SettingError, match=message):
        Objectives(**settings)
