"""A tiny model of each sequence classifier of transformers, by the kind of its configuration."""

from typing import Any, Final

import torch
import transformers as hf
from torch import Tensor, nn
from transformers import CONFIG_MAPPING
from transformers.models.auto.modeling_auto import MODEL_FOR_SEQUENCE_CLASSIFICATION_MAPPING_NAMES

KINDS: Final[dict[str, str]] = dict(MODEL_FOR_SEQUENCE_CLASSIFICATION_MAPPING_NAMES)
# a model with more parameters is not tiny
MOST: Final = 3_000_000

_SIZES: Final[dict[str, tuple[str, ...]]] = {
    "16": (
        "hidden_size",
        "d_model",
        "n_embd",
        "dim",
        "emb_dim",
        "word_embed_proj_dim",
        "embedding_size",
    ),
    "2": (
        *(
            "num_hidden_layers",
            "num_layers",
            "n_layer",
            "n_layers",
            "encoder_layers",
            "decoder_layers",
        ),
        *(
            "num_decoder_layers",
            "num_attention_heads",
            "n_head",
            "n_heads",
            "num_heads",
            "encoder_attention_heads",
        ),
        *(
            "decoder_attention_heads",
            "num_key_value_heads",
            "num_experts_per_tok",
            "eos_token_id",
            "num_labels",
        ),
    ),
    "32": (
        *(
            "intermediate_size",
            "d_ff",
            "d_inner",
            "n_inner",
            "ffn_dim",
            "encoder_ffn_dim",
            "decoder_ffn_dim",
        ),
        *("hidden_dim", "moe_intermediate_size"),
    ),
    "64": ("max_position_embeddings", "n_positions", "n_ctx", "max_seq_len"),
    "8": ("head_dim", "d_kv"),
    "4": ("num_experts", "num_local_experts", "n_routed_experts"),
    "99": ("vocab_size",),
    "0": ("pad_token_id",),
    "1": ("bos_token_id",),
}
_MORE: Final[dict[str, dict[str, Any]]] = {
    "axk1": {
        "qk_rope_head_dim": 8,
        "qk_nope_head_dim": 8,
        "v_head_dim": 8,
        "qk_head_dim": 16,
        "head_dim": 8,
    },
    "deberta": {"relative_attention": True, "pos_att_type": ["c2p", "p2c"]},
    "deberta-v2": {
        "relative_attention": True,
        "pos_att_type": ["c2p", "p2c"],
        "share_att_key": True,
        "position_buckets": 4,
    },
    "deepseek_v3": {
        "qk_rope_head_dim": 8,
        "qk_nope_head_dim": 8,
        "v_head_dim": 8,
        "n_group": 1,
        "topk_group": 1,
    },
    "funnel": {"block_sizes": [1, 1], "d_head": 8, "n_head": 2},
    "gpt_neo": {"attention_types": [[["global", "local"], 1]], "num_layers": 2},
    "gptj": {"rotary_dim": 4},
    "layoutlmv3": {"coordinate_size": 2, "shape_size": 4, "visual_embed": False},
    "lilt": {"channel_shrink_ratio": 2, "hidden_size": 24},
    "longformer": {"attention_window": 4},
    "luke": {"entity_vocab_size": 9, "entity_emb_size": 8},
    # like the model of 350M, whose embeddings are projected
    "opt": {"word_embed_proj_dim": 8},
    "perceiver": {
        "d_latents": 16,
        "num_latents": 4,
        "num_blocks": 1,
        "num_self_attends_per_block": 1,
    },
    "qwen3_5_text": {"layer_types": ["linear_attention", "full_attention"]},
    "qwen3_next": {"layer_types": ["linear_attention", "full_attention"]},
    "reformer": {
        "axial_pos_embds_dim": [8, 8],
        "axial_pos_shape": [2, 4],
        "attn_layers": ["local", "lsh"],
        "attention_head_size": 8,
        "feed_forward_size": 32,
        "local_attn_chunk_length": 4,
        "lsh_attn_chunk_length": 4,
        "num_buckets": 2,
        "hash_seed": 0,
    },
    "roc_bert": {
        "pronunciation_vocab_size": 9,
        "shape_vocab_size": 9,
        "pronunciation_embed_dim": 8,
        "shape_embed_dim": 8,
    },
    "t5": {"decoder_start_token_id": 0},
    "xmod": {"default_language": "en_XX", "languages": ["en_XX"]},
}
# sizes that follow from others in these kinds
_NOT_OURS: Final[dict[str, tuple[str, ...]]] = {
    "axk1": ("head_dim",),
    "deepseek_v3": ("head_dim",),
    "falcon": ("head_dim",),
    "funnel": ("num_hidden_layers", "hidden_size"),
    "mistral4": ("head_dim",),
    "reformer": ("num_hidden_layers",),
    "zamba": ("num_hidden_layers",),
    "zamba2": ("num_hidden_layers",),
}


def tiny(kind: str) -> nn.Module:
    """Make the model of a kind, with random weights, in eval mode.

    Raises:
        Exception: the error of a class that cannot be made so small.
    """
    base = CONFIG_MAPPING[kind]()
    sizes = {
        name: int(size)
        for size, names in _SIZES.items()
        for name in names
        if name not in _NOT_OURS.get(kind, ())
        and (kind != "xlnet" or name != "max_position_embeddings")
        and hasattr(base, name)
    }
    config = CONFIG_MAPPING[kind](**(sizes | _MORE.get(kind, {})))
    made = getattr(hf, KINDS[kind])
    with torch.device("meta"):
        numbers = sum(one.numel() for one in made(config).parameters())
    if numbers > MOST:
        msg = f"{numbers} parameters"
        raise ValueError(msg)
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(0)
        model: nn.Module = made(config).eval()
    return model


def ids_of(samples: int, tokens: int) -> Tensor:
    """Draw token ids that end with the end of the text."""
    ids = torch.randint(5, 90, (samples, tokens), generator=torch.Generator().manual_seed(samples))
    ids[:, -1] = 2
    return ids
