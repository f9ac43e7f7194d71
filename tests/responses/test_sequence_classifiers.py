"""Every sequence classifier of transformers that can be tiny is right, or refused with good advice.

The lists are kept by name, so that a family that changes sides shows.
"""

import ast

import pytest
import torch
import torch.nn.functional as F
from torch import nn

from mainstem.errors import ModelError
from mainstem.responses import Probe
from tests.responses.zoo import KINDS, ids_of, tiny

RIGHT: list[str] = """
    albert arcee bert big_bird bloom camembert ctrl data2vec-text deepseek_v3 distilbert electra
    ernie esm eurobert exaone4 flaubert fnet glm glm4 gpt-sw3 gpt2 gpt_bigcode gpt_neo gpt_neox
    gptj helium hunyuan_v1_dense jina_embeddings_v3 layoutlm layoutlmv3 lilt llama luke markuplm
    megatron-bert ministral ministral3 mistral modernbert modernbert-decoder mpt mra nomic_bert
    olmo olmo2 olmo3 openai-gpt persimmon phi phi3 qwen2 qwen3 rembert roberta
    roberta-prelayernorm roc_bert roformer seed_oss smollm3 stablelm starcoder2 tapas xlm
    xlm-roberta xlm-roberta-xl xmod yoso
""".split()  # noqa: SIM905 - easier to read
REFUSED_WITH_ADVICE = """
    axk2 bart bigbird_pegasus biogpt canine convbert deberta deberta-v2 deepseek_v2 diffllama
    doge falcon funnel gemma gemma2 gemma3_text gpt_oss hunyuan_v1_moe ibert jetmoe longformer
    mbart minicpm3 minimax mistral4 mixtral mobilebert mpnet mt5 mvp nemotron nystromformer opt
    perceiver phimoe plbart qwen2_moe qwen3_5_text qwen3_moe qwen3_next squeezebert t5 umt5 xlnet
""".split()  # noqa: SIM905 - easier to read
NOT_TINY = {
    "axk1": "its sizes hang together",
    "gemma3": "its vision tower has a size of its own",
    "jamba": "it needs as many layers as it mixes kinds of them",
    "layoutlmv2": "it needs detectron2",
    "modernvbert": "its vision tower has a size of its own",
    "qwen3_5": "its vision tower has a size of its own",
    "reformer": "it refuses to be in eval mode where gradients are wanted",
    "t5gemma": "its halves have configurations of their own",
    "t5gemma2": "its halves have configurations of their own",
    "zamba": "it has 76 layers, whose kinds hang together",
    "zamba2": "it has 54 layers, whose kinds hang together",
}
LABELS = torch.tensor([0, 1, 1])


def test_the_table_has_every_kind() -> None:
    """A kind that a new version of transformers adds has to be put into one of the lists."""
    assert sorted(KINDS) == sorted([*RIGHT, *REFUSED_WITH_ADVICE, *NOT_TINY])


def alone(model: nn.Module, ids: torch.Tensor) -> list[float]:
    """Compute each sample's norm by autograd, in a pass of its own."""
    trained = [one for one in model.parameters() if one.requires_grad]
    norms = []
    for one, label in zip(ids, LABELS, strict=True):
        loss = F.cross_entropy(model(one.unsqueeze(0)).logits, label.view(1))
        found = torch.autograd.grad(loss, trained, allow_unused=True)
        norms.append(
            sum(part.double().square().sum() for part in found if part is not None).sqrt().item()
        )
    return norms


def assert_right(model: nn.Module, probe: Probe) -> None:
    """Assert norms as autograd's, and that batches of two sizes and lengths pass the check."""
    ids, shorter = ids_of(3, 8), ids_of(2, 5)
    found = probe.responses(lambda: model(ids).logits, LABELS)
    assert pytest.approx(alone(model, ids), rel=1e-3) == found.norm.tolist()
    probe.check(
        batches=[(lambda: model(ids).logits, LABELS), (lambda: model(shorter).logits, LABELS[:2])]
    )


@pytest.mark.filterwarnings("ignore")
@pytest.mark.parametrize("kind", RIGHT)
def test_a_family_is_right(kind: str) -> None:
    """The responses of the family are autograd's without advice."""
    model = tiny(kind)
    assert_right(model, Probe(model))


@pytest.mark.filterwarnings("ignore")
@pytest.mark.parametrize("kind", REFUSED_WITH_ADVICE)
def test_a_family_is_refused_and_the_advice_is_right(kind: str) -> None:
    """A layer is named, and after one or two pieces of advice the responses are autograd's."""
    model, ids, advice = tiny(kind), ids_of(3, 8), list[str]()
    for _ in range(3):
        try:
            probe = Probe(model, per_sample=advice)
            probe.responses(lambda: model(ids).logits, LABELS)
        except ModelError as error:
            message = str(error)
            assert "choose layers=[" in message
            before, advice = advice, ast.literal_eval(message.partition("per_sample=")[2])
            assert before != advice
        else:
            break
    assert advice
    assert_right(model, probe)
