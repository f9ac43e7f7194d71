"""Text pairs to token ids: WordPiece, trained on the log's own words where no model is given."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import torch
from tokenizers import Tokenizer, decoders, models, normalizers, pre_tokenizers, processors, trainers
from torch import Tensor

__all__ = ["Batch", "encode_pairs", "pad", "train_tokenizer"]

_SPECIAL = ("[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]")


@dataclass(frozen=True)
class Batch:
    """Padded text pairs, each tensor of shape (B, T) and int64.

    `segments` is 0 for the context and 1 for the item; `mask` is 0 at padding. `positions` has B rows, not one that is
    broadcast, so that per-sample gradients of the position embedding exist.
    """

    ids: Tensor
    segments: Tensor
    mask: Tensor
    positions: Tensor

    def to(self, device: torch.device) -> "Batch":
        """The same batch on another device."""
        return Batch(*(tensor.to(device) for tensor in (self.ids, self.segments, self.mask, self.positions)))


def train_tokenizer(texts: Iterable[str], size: int) -> Tokenizer:
    """Train a lower-cased WordPiece vocabulary; Chinese characters stand alone, as in BERT.

    Args:
        texts: what the log says, in any order: the vocabulary is the same.
        size: word pieces, at most.

    Example:
        >>> tokenizer = train_tokenizer(["red cup", "red mug"], size=200)
        >>> tokenizer.encode("red cup", "red mug").tokens[:2]
        ['[CLS]', 'red']
    """
    tokenizer = Tokenizer(models.WordPiece(unk_token="[UNK]"))  # noqa: S106 - a token, not a password
    tokenizer.normalizer = normalizers.BertNormalizer(lowercase=True, handle_chinese_chars=True)
    tokenizer.pre_tokenizer = pre_tokenizers.BertPreTokenizer()
    tokenizer.decoder = decoders.WordPiece()
    trainer = trainers.WordPieceTrainer(
        vocab_size=size, special_tokens=list(_SPECIAL), show_progress=False, limit_alphabet=size // 2
    )
    tokenizer.train_from_iterator(sorted(set(texts)), trainer)
    separator, first = (_SPECIAL.index(token) for token in ("[SEP]", "[CLS]"))  # special tokens come first, in order
    tokenizer.post_processor = processors.BertProcessing(("[SEP]", separator), ("[CLS]", first))
    return tokenizer


def encode_pairs(
    tokenizer: Tokenizer, pairs: Sequence[tuple[str, str]], max_tokens: int
) -> list[tuple[list[int], list[int]]]:
    """Token ids and segments of each pair, the longer side cut first."""
    tokenizer.no_padding()
    tokenizer.enable_truncation(max_tokens, strategy="longest_first")
    return [(encoding.ids, encoding.type_ids) for encoding in tokenizer.encode_batch_fast(list(pairs))]


def pad(encoded: Sequence[tuple[list[int], list[int]]], padding_id: int) -> Batch:
    """One batch of B pairs, padded to the longest.

    Example:
        >>> pad([([2, 5, 3], [0, 0, 1]), ([2, 3], [0, 1])], 0).ids
        tensor([[2, 5, 3],
                [2, 3, 0]])
    """
    width = max(len(ids) for ids, _ in encoded)
    rows, count = torch.full((len(encoded), width), padding_id), len(encoded)
    segments, mask = torch.zeros(count, width, dtype=torch.int64), torch.zeros(count, width, dtype=torch.int64)
    for row, (ids, types) in enumerate(encoded):
        rows[row, : len(ids)] = torch.tensor(ids)
        segments[row, : len(ids)] = torch.tensor(types)
        mask[row, : len(ids)] = 1
    positions = torch.arange(width).repeat(count, 1)
    return Batch(rows, segments, mask, positions)
