"""Models of all sorts: responses are autograd's, or a layer is refused with advice that works."""

import ast
from collections.abc import Callable

import pytest
import torch
import torch.nn.functional as F
from torch import Tensor, nn

from mainstem.errors import ModelError
from mainstem.objectives.losses import cross_entropy
from mainstem.responses import Probe
from tests.responses.families import bert
from tests.responses.oddities import IDS, LABELS, RIGHT, RIGHT_AS_ADVISED, alone, made

# torch warns of old weight norms
pytestmark = pytest.mark.filterwarnings("ignore")


def assert_right(model: nn.Module, probe: Probe) -> None:
    for ids in (IDS, IDS[:3]):
        found = probe.responses(lambda ids=ids: model(ids), LABELS[: len(ids)])
        assert pytest.approx(alone(model, ids), rel=1e-4) == found.norm.tolist()
    probe.check(batches=[(lambda: model(IDS), LABELS), (lambda: model(IDS[:3]), LABELS[:3])])
    assert all(one.grad is None and one.requires_grad for one in model.parameters())


@pytest.mark.parametrize("make", RIGHT.values(), ids=RIGHT)
def test_a_model_is_right(make: Callable[[], nn.Module]) -> None:
    """Norms are those of each sample alone, and the pass leaves nothing behind."""
    model = made(make)
    assert_right(model, Probe(model))


@pytest.mark.parametrize("make", RIGHT_AS_ADVISED.values(), ids=RIGHT_AS_ADVISED)
def test_a_model_is_refused_by_name_and_right_as_advised(make: Callable[[], nn.Module]) -> None:
    """A layer without a formula or without a row per sample is named; `per_sample` is right."""
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
    """One prompt serves all samples, so it is refused by name, and right once autograd forms it."""
    import peft

    sizes = {"encoder_hidden_size": 8} if kind == "PromptEncoderConfig" else {}
    config = getattr(peft, kind)(task_type="SEQ_CLS", num_virtual_tokens=3, **sizes)
    tuned = peft.get_peft_model(bert().model, config).eval()
    with pytest.raises(
        ModelError, match="one prompt, which is repeated for each sample"
    ) as refused:
        Probe(tuned)
    probe = Probe(
        tuned, per_sample=ast.literal_eval(str(refused.value).partition("per_sample=")[2])
    )
    mask, trained = torch.ones_like(IDS), [one for one in tuned.parameters() if one.requires_grad]
    norms = []
    for one, label in zip(IDS, LABELS, strict=True):
        loss = F.cross_entropy(
            tuned(one.unsqueeze(0), attention_mask=mask[:1]).logits, label.view(1)
        )
        found = torch.autograd.grad(loss, trained, allow_unused=True)
        norms.append(sum(part.square().sum() for part in found if part is not None).sqrt().item())
    found = probe.responses(lambda: tuned(IDS, attention_mask=mask).logits, LABELS)
    assert pytest.approx(norms, rel=1e-4) == found.norm.tolist()


@pytest.mark.parametrize(
    "make", [RIGHT_AS_ADVISED["LSTM"], RIGHT_AS_ADVISED["convolution"]], ids=["LSTM", "convolution"]
)
def test_a_training_step_with_formed_gradients(make: Callable[[], nn.Module]) -> None:
    """A step with `per_sample` has the mean gradient and each sample's norm, dots and sketch."""
    model = made(make)
    ones = {name: torch.ones_like(one) for name, one in model.named_parameters()}
    probe = Probe(model, per_sample=["layer"], directions=[ones], sketch=64)
    found = probe.training_step(lambda: model(IDS), LABELS)
    at_rest = probe.responses(lambda: model(IDS), LABELS)
    assert pytest.approx(alone(model), rel=1e-4) == found.norm.tolist()
    assert torch.allclose(found.dots, at_rest.dots, rtol=1e-3, atol=1e-5)
    assert torch.allclose(found.sketch, at_rest.sketch, rtol=1e-3, atol=1e-4)
    filled = {name: one.grad.clone() for name, one in model.named_parameters()}
    model.zero_grad()
    cross_entropy(model(IDS), LABELS).mean().backward()
    assert all(
        torch.allclose(filled[name], one.grad, atol=1e-6) for name, one in model.named_parameters()
    )


def test_samples_without_tokens_have_a_gradient_of_biases() -> None:
    """A text without tokens has the gradient of the biases alone."""
    model = nn.Sequential(nn.Linear(4, 4), nn.Linear(4, 2))
    found = Probe(model).responses(lambda: model[1](model[0](torch.zeros(5, 0, 4)).sum(1)), LABELS)
    assert (found.norm > 0).all()


def test_an_epsilon_that_is_not_given_is_that_of_the_layers_type() -> None:
    """The default epsilon of a float64 layer is far smaller, which shows in small rows."""
    model = nn.Sequential(nn.RMSNorm(4), nn.Linear(4, 2)).double()
    rows = torch.randn(5, 4).double() * 1e-5
    parameters = list(model.parameters())
    losses = F.cross_entropy(model(rows), LABELS, reduction="none")
    true = [
        torch.cat(
            [one.flatten() for one in torch.autograd.grad(loss, parameters, retain_graph=True)]
        ).norm()
        for loss in losses
    ]
    found = Probe(model).responses(lambda: model(rows), LABELS)
    assert pytest.approx([float(one) for one in true], rel=1e-4) == found.norm.tolist()


def test_a_weight_that_is_used_outside_of_its_layer_too_is_right_as_advised() -> None:
    """The check finds the outside use, and the `per_sample` it advises is right."""
    model = nn.Sequential(nn.Linear(4, 4), nn.Linear(4, 2))
    rows = [torch.randn(5, 4), torch.randn(3, 4)]

    def output(read: Tensor) -> Tensor:
        return model[1](model[0](read).tanh() @ model[0].weight)

    batches = [(lambda read=read: output(read), LABELS[: len(read)]) for read in rows]
    with pytest.raises(ModelError, match=r"per_sample=\['0'\]"):
        Probe(model).check(batches=batches)
    Probe(model, per_sample=["0"]).check(batches=batches)
