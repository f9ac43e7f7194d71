"""Responses of each family of models on the device against those in float32 on the CPU."""

import copy
import importlib.util
from collections.abc import Callable
from dataclasses import replace

import torch
import transformers as hf
from torch import Tensor

from mainstem.responses import Probe, Responses, gradient_of
from tests.gpu.plan import LIMITS, Plan
from tests.responses.families import FAMILIES, Case, bert, classifier, next_token
from tests.responses.truth import directions_of
from tests.small_models import shake


def responses(plan: Plan) -> None:
    """Compare norms, losses, dots and sketches, and the gradients of a training step."""
    names = plan.sizes.families or tuple(FAMILIES)
    cases: dict[str, Callable[[], Case]] = {name: FAMILIES[name] for name in names} | wide(
        plan.sizes.wide
    )
    if "t5" in cases:
        cases["t5"] = t5
    if importlib.util.find_spec("peft"):
        cases["lora"] = lora
    for name, make in cases.items():
        try:
            _compare(plan, name, make())
        except Exception as error:  # noqa: BLE001 - recorded by `fail`; the other families go on
            plan.fail(f"responses of {name}", error)


def wide(size: int) -> dict[str, Callable[[], Case]]:
    """Models wide enough that a GPU picks the kernels it picks for real models.

    Each reads 16 texts of 3 to 63 tokens.
    """
    sizes = {
        "hidden_size": size,
        "num_hidden_layers": 4,
        "num_attention_heads": 4,
        "intermediate_size": 4 * size,
    }
    given = {"vocab_size": 500, "max_position_embeddings": 80, **sizes}
    lengths = tuple(3 + 4 * place for place in range(16))
    gpt2 = {
        "vocab_size": 500,
        "n_positions": 80,
        "n_embd": size,
        "n_layer": 4,
        "n_head": 4,
        "pad_token_id": 0,
    }
    return {
        f"bert 4x{size}": lambda: classifier(
            "BertForSequenceClassification", hf.BertConfig(**given), lengths
        ),
        f"minilm 4x{size}, heads of 8": lambda: classifier(
            "BertForSequenceClassification",
            hf.BertConfig(**given | {"num_attention_heads": size // 8}),
            lengths,
        ),
        f"electra 4x{size}": lambda: classifier(
            "ElectraForSequenceClassification",
            hf.ElectraConfig(**given, embedding_size=size // 2),
            lengths,
        ),
        f"gpt-2 4x{size}": lambda: next_token("GPT2LMHeadModel", hf.GPT2Config(**gpt2)),
        f"llama 4x{size}": lambda: next_token(
            "LlamaForCausalLM",
            hf.LlamaConfig(
                **given, num_key_value_heads=2, pad_token_id=0, tie_word_embeddings=True
            ),
        ),
    }


def t5() -> Case:
    """T5 with queries scaled down to T5's own initial size.

    T5 does not scale its attention: with larger queries bfloat16 alone is off by 0.03.
    """
    case = FAMILIES["t5"]()
    with torch.no_grad():
        for name, parameter in case.model.named_parameters():
            if name.endswith(".q.weight"):
                parameter.mul_(case.model.config.d_kv**-0.5)
    return case


def lora() -> Case:
    """BERT with LoRA adapters, which alone are trained."""
    import peft

    case = bert()
    settings = peft.LoraConfig(r=4, target_modules=["query", "value"], task_type="SEQ_CLS")
    model = peft.get_peft_model(case.model, settings).eval()
    shake(model)
    return replace(case, model=model)


def at(case: Case, device: str) -> Case:
    """Copy a case with its model and texts to a device."""
    texts, targets = [[one.to(device) for one in each] for each in (case.texts, case.targets)]
    return replace(case, model=copy.deepcopy(case.model).to(device), texts=texts, targets=targets)


def _compare(plan: Plan, name: str, case: Case) -> None:
    ids, mask, targets = case.batch()
    mean = gradient_of(
        case.model, [(lambda: case.answer(case.model, ids, mask, targets), targets)], case.loss
    )
    directions = [mean, *directions_of(case.model, 1)]
    lengths = torch.stack(
        [torch.stack([part.norm() for part in one.values()]).norm() for one in directions]
    )
    true = case.responses(Probe(case.model, directions=directions, sketch=64))
    step_true = case.responses(Probe(case.model), "training_step")
    filled = {name: one.grad for name, one in case.model.named_parameters() if one.grad is not None}
    for precision in LIMITS:
        there = at(case, plan.device)
        there.model.zero_grad()
        kind = getattr(torch, precision)
        with torch.autocast(plan.device, kind, enabled=kind != torch.float32):
            found = there.responses(Probe(there.model, directions=directions, sketch=64))
        errors = errors_of(found, true, lengths)
        if kind == torch.float32:
            step = there.responses(Probe(there.model), "training_step")
            errors["step's norm"] = _largest(step.norm.cpu() / step_true.norm - 1)
            gradients = {
                name: one.grad.cpu()
                for name, one in there.model.named_parameters()
                if one.grad is not None
            }
            errors["step's gradient"] = distance(gradients, filled)
        plan.check(f"responses of {name}", precision, errors)


def errors_of(
    found: Responses[Tensor], true: Responses[Tensor], lengths: Tensor
) -> dict[str, float]:
    """Return the largest error of any sample by kind.

    The error of a norm is relative to the norm, of a loss to the mean loss, of a dot to the norm
    times the length of the direction, and of a sketch, by its distance, to its length.
    """
    norm, loss, dots, sketch = (
        getattr(found, name).detach().cpu().double() for name in ("norm", "loss", "dots", "sketch")
    )
    errors = {
        "norm": _largest(norm / true.norm - 1),
        "loss": _largest((loss - true.loss) / true.loss.mean()),
        "sketch": _largest((sketch - true.sketch).norm(dim=1) / true.sketch.norm(dim=1)),
    }
    if dots.shape[1]:
        errors["dots"] = _largest((dots - true.dots) / (true.norm.unsqueeze(1) * lengths))
    return errors


def distance(one: dict[str, Tensor], other: dict[str, Tensor]) -> float:
    """Return the distance of two gradients or models, relative to the length of the second."""
    apart = torch.stack(
        [(one[name].double() - other[name].double()).norm() for name in other]
    ).norm()
    return float(apart / torch.stack([part.double().norm() for part in other.values()]).norm())


def _largest(errors: Tensor) -> float:
    return float(errors.abs().max())
