"""Text pairs to token ids; without a given model, WordPiece is trained on the log's words."""

from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Final

import torch
from tokenizers import (
    Encoding,
    Tokenizer,
    decoders,
    models,
    normalizers,
    pre_tokenizers,
    processors,
    trainers,
)
from torch import Tensor

__all__ = ["Batch", "encode_pairs", "on_device", "pad", "train_tokenizer"]

SPECIAL: Final = ("[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]")


@dataclass(frozen=True)
class Batch:
    """B padded text pairs of T tokens, with what is known beside the texts.

    The tensors of the texts have shape (B, T) and are int64.

    Attributes:
        ids: token ids.
        segments: 0 for the context, 1 for the item.
        mask: 0 at padding, 1 elsewhere.
        positions: position of each token. It has B rows instead of one that is broadcast, so that
            per-sample gradients of the position embedding exist.
        features: behaviour features, shape (B, F), float32; None means 0, their mean.
        shown_at: position at which each item was shown, from 1, shape (B,), int64; 0 where it is
            unknown. None leaves the examination tower out.
    """

    ids: Tensor
    segments: Tensor
    mask: Tensor
    positions: Tensor
    features: Tensor | None = None
    shown_at: Tensor | None = None

    def to(self, device: torch.device) -> "Batch":
        """The same batch on another device."""
        texts = (self.ids, self.segments, self.mask, self.positions)
        beside = (self.features, self.shown_at)
        return Batch(
            *(on_device(one, device) for one in texts),
            *(None if one is None else on_device(one, device) for one in beside),
        )


def on_device(tensor: Tensor, device: torch.device) -> Tensor:
    """Copy a tensor from the CPU to a device; a GPU copies from pinned memory without a wait."""
    if device.type == "cuda":
        return tensor.pin_memory().to(device, non_blocking=True)
    return tensor.to(device)


def train_tokenizer(texts: Iterable[str], size: int) -> Tokenizer:
    """Train a lower-cased WordPiece vocabulary; Chinese characters stand alone, as in BERT.

    Args:
        texts: texts of the log, in any order: the vocabulary is the same.
        size: the most word pieces in the vocabulary.

    Example:
        >>> tokenizer = train_tokenizer(["red cup", "red mug"], size=200)
        >>> tokenizer.encode("red cup", "red mug").tokens[:2]
        ['[CLS]', 'red']
    """
    untrained = models.WordPiece(unk_token="[UNK]")  # noqa: S106 - a token, not a password
    tokenizer = _tokenizer(untrained)
    words = _words(tokenizer, sorted(set(texts)))
    letters: Counter[str] = Counter()
    for word, count in words.items():
        letters.update(dict.fromkeys(word, count))
    alphabet = sorted(sorted(letters, key=lambda letter: (-letters[letter], letter))[: size // 4])
    # subtle: the trainer numbers the letters inside words in the order of a randomly seeded hash
    # map, and breaks ties by number; naming them first gives the same vocabulary in every process
    inside = [f"##{letter}" for letter in alphabet]
    trainer = trainers.WordPieceTrainer(
        vocab_size=size,
        special_tokens=[*SPECIAL, *inside],
        initial_alphabet=alphabet,
        show_progress=False,
    )
    known = set(alphabet)
    of_known = [(word, count) for word, count in sorted(words.items()) if known.issuperset(word)]
    tokenizer.train_from_iterator((" ".join([word] * count) for word, count in of_known), trainer)
    vocabulary = tokenizer.get_vocab()
    pieces = models.WordPiece(vocabulary, unk_token="[UNK]")  # noqa: S106 - a token, not a password
    return _tokenizer(pieces)


def _words(tokenizer: Tokenizer, texts: Iterable[str]) -> Counter[str]:
    normalize, split = tokenizer.normalizer.normalize_str, tokenizer.pre_tokenizer.pre_tokenize_str
    return Counter(word for text in texts for word, _ in split(normalize(text)))


def _tokenizer(model: models.WordPiece) -> Tokenizer:
    tokenizer = Tokenizer(model)
    tokenizer.normalizer = normalizers.BertNormalizer(lowercase=True, handle_chinese_chars=True)
    tokenizer.pre_tokenizer = pre_tokenizers.BertPreTokenizer()
    tokenizer.decoder = decoders.WordPiece()
    tokenizer.add_special_tokens(list(SPECIAL))
    # special tokens come first in the vocabulary, in order
    separator, first = (SPECIAL.index(token) for token in ("[SEP]", "[CLS]"))
    tokenizer.post_processor = processors.BertProcessing(("[SEP]", separator), ("[CLS]", first))
    return tokenizer


def encode_pairs(
    tokenizer: Tokenizer, pairs: Sequence[tuple[str, str]], max_tokens: int
) -> list[tuple[list[int], list[int]]]:
    """Token ids and segments of each pair, cut to `max_tokens`; the longer side is cut first.

    Segments are the tokenizer's. One that marks none gets those of a BERT: 1 from the first token
    of the second text on.
    """
    tokenizer.no_padding()
    tokenizer.encode_special_tokens = True  # a "[SEP]" in a title is text, not a separator
    tokenizer.enable_truncation(max_tokens, strategy="longest_first")
    found = tokenizer.encode_batch_fast(list(pairs))
    return [(encoding.ids, _segments(encoding)) for encoding in found]


def _segments(encoding: Encoding) -> list[int]:
    types: list[int] = encoding.type_ids
    if any(types):
        return types
    sides: list[int | None] = encoding.sequence_ids
    first = sides.index(1) if 1 in sides else len(sides)
    return [int(place >= first) for place in range(len(sides))]


def pad(encoded: Sequence[tuple[list[int], list[int]]], padding_id: int) -> Batch:
    """One batch of B pairs, padded to the longest pair.

    Example:
        >>> pad([([2, 5, 3], [0, 0, 1]), ([2, 3], [0, 1])], 0).ids
        tensor([[2, 5, 3],
                [2, 3, 0]])
    """
    width, count = max(len(ids) for ids, _ in encoded), len(encoded)
    rows = torch.full((count, width), padding_id)
    segments = torch.zeros(count, width, dtype=torch.int64)
    mask = torch.zeros_like(segments)
    for row, (ids, types) in enumerate(encoded):
        rows[row, : len(ids)] = torch.tensor(ids)
        segments[row, : len(ids)] = torch.tensor(types)
        mask[row, : len(ids)] = 1
    positions = torch.arange(width).repeat(count, 1)
    return Batch(rows, segments, mask, positions)
