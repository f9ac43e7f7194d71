"""Tables of relative positions that are read once for each sample, instead of once for a batch.

MPNet and DeBERTa look their table up without a batch and repeat what they find. Then no gradient
of one sample can be seen at the table. Here each sample reads its own rows, so that the formulas of
embeddings and linear layers hold. The answers are the same. Of a table of DeBERTa only the rows are
read that the tokens of a batch can need, because each sample multiplies its own.
"""

from functools import cache
from typing import Any

import torch
from torch import Tensor, nn

__all__ = ["with_rows_of_samples"]


def with_rows_of_samples(model: nn.Module) -> None:
    """Let the encoders of MPNet and DeBERTa-v2 inside a model read their tables for each sample.

    Args:
        model: any model, changed in place; a model of another family stays as it is.
    """
    kinds = {type(one).__name__ for one in model.modules()}
    if kinds.isdisjoint({"MPNetEncoder", "DebertaV2Encoder"}):
        return
    ours = _made_for("MPNetEncoder" if "MPNetEncoder" in kinds else "DebertaV2Encoder")
    for one in model.modules():
        if (kind := ours.get(type(one).__name__)) is not None:
            one.__class__ = kind


def _made_for(name: str) -> dict[str, type[nn.Module]]:
    """Our classes of the family that has a class of this name, by the names of theirs."""
    return _mpnet() if name == "MPNetEncoder" else _deberta()


def _reduced(one: nn.Module, _: object) -> tuple[Any, ...]:
    """How a module of ours is pickled, whose class no module holds: by the name of theirs."""
    return _empty, (type(one).__mro__[1].__name__,), one.__dict__


def _empty(name: str) -> nn.Module:
    """A module of ours without anything in it yet, instead of one whose class has this name."""
    kind = _made_for(name)[name]
    made: nn.Module = kind.__new__(kind)
    return made


@cache
def _mpnet() -> dict[str, type[nn.Module]]:
    from transformers.models.mpnet.modeling_mpnet import MPNetEncoder  # seconds to import

    class RowsOfSamplesMPNetEncoder(MPNetEncoder):  # type: ignore[misc]
        """An encoder whose table gives (B, T, T, heads)."""

        reads_samples = True
        __reduce_ex__ = _reduced

        def compute_position_bias(
            self, x: Tensor, _: Tensor | None = None, num_buckets: int = 32
        ) -> Tensor:
            """What is added to the products of queries and keys, shape (B, heads, T, T)."""
            places = torch.arange(x.size(1), device=x.device)
            bucket = self.relative_position_bucket(places - places[:, None], num_buckets)
            biases: Tensor = self.relative_attention_bias(bucket.repeat(len(x), 1, 1))
            return biases.permute(0, 3, 1, 2).contiguous()

    return {"MPNetEncoder": RowsOfSamplesMPNetEncoder}


@cache
def _deberta() -> dict[str, type[nn.Module]]:
    from transformers.models.deberta_v2 import modeling_deberta_v2 as theirs  # seconds to import

    class RowsOfSamplesDebertaV2Encoder(theirs.DebertaV2Encoder):  # type: ignore[misc]
        """An encoder whose table gives (B, R, D), R rows around the one of distance 0."""

        __reduce_ex__ = _reduced

        def forward(self, hidden_states: Tensor, *given: Any, **more: Any) -> Any:
            """As of the encoder of transformers."""
            self.read_by = hidden_states.shape[:2]
            return super().forward(hidden_states, *given, **more)

        def get_rel_embedding(self) -> Tensor | None:
            """The rows that T tokens can need, for each sample."""
            if not self.relative_attention:
                return None
            samples, tokens = self.read_by
            table = self.rel_embeddings
            first, end = _needed(table.num_embeddings // 2, tokens)
            ids = torch.arange(first, end, device=table.weight.device).repeat(samples, 1)
            rows: Tensor = table(ids)
            return self.LayerNorm(rows) if "layer_norm" in self.norm_rel_ebd else rows

    class RowsOfSamplesAttention(theirs.DisentangledSelfAttention):  # type: ignore[misc]
        """Attention whose products with relative positions have a batch."""

        __reduce_ex__ = _reduced

        def disentangled_attention_bias(
            self,
            query_layer: Tensor,
            key_layer: Tensor,
            relative_pos: Tensor,
            rel_embeddings: Tensor,
            scale_factor: int,
        ) -> Tensor | int:
            """What relative positions add to the scores, shape (B heads, T, T).

            Args:
                query_layer, key_layer: queries and keys, shape (B heads, T, D / heads).
                relative_pos: bucket of the distance of each two tokens, shape (1, T, T).
                rel_embeddings: rows of the table, shape (B, R, D).
                scale_factor: number of kinds of products that are added up.
            """
            span, heads, tokens = self.pos_ebd_size, self.num_attention_heads, query_layer.size(1)
            first, _ = _needed(span, tokens)
            root = (query_layer.size(-1) * scale_factor) ** 0.5
            shared = self.share_att_key
            distance = relative_pos.view(-1, tokens, tokens).to(query_layer.device).long()
            score: Tensor | int = 0
            if "c2p" in self.pos_att_type:
                project = self.key_proj if shared else self.pos_key_proj
                keys = self.transpose_for_scores(project(rel_embeddings), heads)
                at = (distance + span).clamp(0, 2 * span - 1) - first
                products = torch.bmm(query_layer, keys.transpose(1, 2))  # (B heads, T, R)
                score = score + products.gather(2, at.expand(len(products), -1, -1)) / root
            if "p2c" in self.pos_att_type:
                project = self.query_proj if shared else self.pos_query_proj
                queries = self.transpose_for_scores(project(rel_embeddings), heads)
                at = (span - distance).clamp(0, 2 * span - 1) - first
                products = torch.bmm(key_layer, queries.transpose(1, 2))
                found = products.gather(2, at.expand(len(products), -1, -1))
                score = score + found.transpose(1, 2) / root
            return score

    return {
        "DebertaV2Encoder": RowsOfSamplesDebertaV2Encoder,
        "DisentangledSelfAttention": RowsOfSamplesAttention,
    }


def _needed(span: int, tokens: int) -> tuple[int, int]:
    """The first row that T tokens can need, and the one after the last.

    Example:
        >>> _needed(256, 64), _needed(4, 64)
        ((193, 320), (0, 8))
    """
    far = min(tokens - 1, span)
    return span - far, min(span + far + 1, 2 * span)
