"""Active versions on the device against float32 on the CPU, and when memory is short."""

import copy
from random import Random

import numpy as np
import torch
from transformers import BertConfig, BertForSequenceClassification

from mainstem.models import (
    ActiveVersion,
    CrossEncoder,
    alignments_of,
    initial_encoder,
    train_tokenizer,
)
from mainstem.models.device import precision_of
from mainstem.models.encoder import PretrainedReader
from mainstem.objectives import Examples
from mainstem.settings import Model, Responses, Settings
from tests.gpu.plan import Plan
from tests.gpu.responses import distance
from tests.small_models import shake

WORDS = (
    "red",
    "white",
    "blue",
    "hanging",
    "heart",
    "woolly",
    "hottie",
    "cups",
    "set",
    "of",
    "6",
    "holder",
    "杯子",
    "水壶",
)
TOKENS = 48
NAMES = ("bought", "age", "price")


def pairs_of(count: int) -> tuple[list[tuple[str, str]], list[int]]:
    """Make text pairs of very different lengths, and labels."""
    random = Random(0)
    texts = [
        [" ".join(random.choices(WORDS, k=random.randint(0, 24))) for _ in range(2)]
        for _ in range(count)
    ]
    return [(context, item) for context, item in texts], [number % 2 for number in range(count)]


def examples_of(pairs: list[tuple[str, str]], labels: list[int]) -> Examples:
    """Make examples with features, some unknown, and with positions."""
    random = Random(1)
    features = [
        tuple(random.gauss(0, 1) for _ in NAMES) if place % 5 else () for place in range(len(pairs))
    ]
    positions = [place % 60 for place in range(len(pairs))]
    return Examples.of(pairs, labels, features=features, positions=positions)


def encoders(wide: int) -> dict[str, CrossEncoder]:
    """Make an encoder from scratch, and a given one, each with both towers."""
    tokenizer = train_tokenizer(WORDS, 200)
    made = initial_encoder(tokenizer, TOKENS, seed=0, features=NAMES, examined=(1,))
    sizes = {
        "hidden_size": wide,
        "num_hidden_layers": 4,
        "num_attention_heads": 4,
        "intermediate_size": 4 * wide,
    }
    config = BertConfig(
        vocab_size=tokenizer.get_vocab_size(), max_position_embeddings=TOKENS, **sizes
    )
    torch.manual_seed(0)
    network = PretrainedReader(BertForSequenceClassification(config), NAMES, (1,))
    given = CrossEncoder(network, tokenizer)
    for encoder in (made, given):
        shake(encoder.network)
    return {"the model made here": made, f"a given bert 4x{wide}": given}


def active(plan: Plan) -> None:
    """Compare responses in each precision, the logits, and the gradient that gives a direction."""
    examples = examples_of(*pairs_of(plan.sizes.pairs))
    base = Settings(
        model=Model(device="cpu", max_tokens=TOKENS),
        responses=Responses(precision="float32", score_batch=32),
    )
    for name, encoder in encoders(plan.sizes.wide).items():
        plain = ActiveVersion(copied(encoder), base)
        direction = plain.gradient(examples)
        pointed = ActiveVersion(copied(encoder), base, direction=direction, sketch=64)
        true, true_logits = pointed.responses(examples), plain.logits(examples)
        for precision in ("auto", "float32", "bfloat16", "float16"):
            settings = base.but({"model.device": plan.device, "responses.precision": precision})
            there = ActiveVersion(copied(encoder), settings, direction=direction, sketch=64)
            found = there.responses(examples)
            taken = str(precision_of(settings)).removeprefix("torch.")
            errors = {
                "norm": _largest(found.norm / true.norm - 1),
                "loss": _largest((found.loss - true.loss) / true.loss.mean()),
                "alignment": _largest(alignments_of(found) - alignments_of(true)),
            }
            off = np.linalg.norm(found.sketch - true.sketch, axis=1) / np.linalg.norm(
                true.sketch, axis=1
            )
            if encoder.from_scratch and taken != "float32":
                # its head reads |a - b|: where rounding turns the sign of a - b, the gradient turns
                # with it, on any device
                errors["sketch of the median sample"] = float(np.median(off))
                plan.tell(f"  the sketch furthest off: {off.max():.1e}")
            else:
                errors["sketch"] = _largest(off)
            if precision == "float32":
                errors["logits"] = _largest(
                    (there.logits(examples) - true_logits) / np.abs(true_logits).max()
                )
                errors["gradient"] = distance(there.gradient(examples), direction)
            plan.check(f"responses of {name}, {precision}", taken, errors)


def little_memory(plan: Plan) -> None:
    """Check that a pass that does not fit into memory is made in halves, with the same results."""
    if plan.device != "cuda":
        plan.tell("  of a GPU only")
        return
    pairs, labels = pairs_of(4 * plan.sizes.pairs)
    encoder = encoders(plan.sizes.wide)[f"a given bert 4x{plan.sizes.wide}"]
    settings = Settings(
        model=Model(device="cuda", max_tokens=TOKENS),
        responses=Responses(precision="float32", score_batch=len(pairs)),
    )
    there = ActiveVersion(encoder, settings, sketch=64)
    there.responses(pairs[:8], labels[:8])
    torch.cuda.empty_cache()
    torch.cuda.reset_peak_memory_stats()
    before = torch.cuda.memory_reserved()
    true = there.responses(pairs, labels)
    needed = torch.cuda.max_memory_reserved() - before
    torch.cuda.empty_cache()
    whole = torch.cuda.get_device_properties(0).total_memory
    torch.cuda.set_per_process_memory_fraction(
        (torch.cuda.memory_reserved() + 0.4 * needed) / whole
    )
    try:
        found = there.responses(pairs, labels)
    finally:
        torch.cuda.set_per_process_memory_fraction(1.0)
    halved = settings.responses.score_batch * TOKENS / there._tokens
    plan.tell(
        f"  a pass needed {needed / 2**20:.0f} MiB and was given {0.4 * needed / 2**20:.0f}: "
        f"{halved:.1f} times smaller"
    )
    plan.check(
        "active in little memory",
        "float32",
        {
            "norm": _largest(found.norm / true.norm - 1),
            "passes as large as before": float(halved <= 1),
        },
    )


def copied(encoder: CrossEncoder) -> CrossEncoder:
    """Copy an encoder, because an active version moves its encoder to its device."""
    return CrossEncoder(copy.deepcopy(encoder.network).cpu(), encoder.tokenizer)


def _largest(errors: np.ndarray) -> float:
    return float(np.abs(errors).max())
