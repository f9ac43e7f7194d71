"""Text pairs to token ids: WordPiece, trained on the log's own words where no model is given."""

from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Final

import torch
from tokenizers import (
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
        return Batch(
            *(
                on_device(tensor, device)
                for tensor in (self.ids, self.segments, self.mask, self.positions)
            )
        )


def on_device(tensor: Tensor, device: torch.device) -> Tensor:
    """A tensor of the CPU on a device; a GPU fetches it by itself, out of pinned memory, and nobody waits."""
    return (
        tensor.pin_memory().to(device, non_blocking=True)
        if device.type == "cuda"
        else tensor.to(device)
    )


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
    tokenizer = _tokenizer(models.WordPiece(unk_token="[UNK]"))  # noqa: S106 - a token, not a password
    words = _words(tokenizer, sorted(set(texts)))
    letters: Counter[str] = Counter()
    for word, count in words.items():
        letters.update(dict.fromkeys(word, count))
    alphabet = sorted(sorted(letters, key=lambda letter: (-letters[letter], letter))[: size // 4])
    # subtle: the trainer numbers the letters inside words in the order of a randomly seeded hash map, and breaks ties
    # by number; naming them first makes the vocabulary the same in every process
    inside = [f"##{letter}" for letter in alphabet]
    trainer = trainers.WordPieceTrainer(
        vocab_size=size,
        special_tokens=[*SPECIAL, *inside],
        initial_alphabet=alphabet,
        show_progress=False,
    )
    known = set(alphabet)
    tokenizer.train_from_iterator(
        (
            " ".join([word] * count)
            for word, count in sorted(words.items())
            if known.issuperset(word)
        ),
        trainer,
    )
    vocabulary = tokenizer.get_vocab()
    return _tokenizer(models.WordPiece(vocabulary, unk_token="[UNK]"))  # noqa: S106


def _words(tokenizer: Tokenizer, texts: Iterable[str]) -> Counter[str]:
    normalize, split = tokenizer.normalizer.normalize_str, tokenizer.pre_tokenizer.pre_tokenize_str
    return Counter(word for text in texts for word, _ in split(normalize(text)))


def _tokenizer(model: models.WordPiece) -> Tokenizer:
    tokenizer = Tokenizer(model)
    tokenizer.normalizer = normalizers.BertNormalizer(lowercase=True, handle_chinese_chars=True)
    tokenizer.pre_tokenizer = pre_tokenizers.BertPreTokenizer()
    tokenizer.decoder = decoders.WordPiece()
    tokenizer.add_special_tokens(list(SPECIAL))
    separator, first = (
        SPECIAL.index(token) for token in ("[SEP]", "[CLS]")
    )  # special tokens come first, in order
    tokenizer.post_processor = processors.BertProcessing(("[SEP]", separator), ("[CLS]", first))
    return tokenizer


def encode_pairs(
    tokenizer: Tokenizer, pairs: Sequence[tuple[str, str]], max_tokens: int
) -> list[tuple[list[int], list[int]]]:
    """Token ids and segments of each pair, the longer side cut first."""
    tokenizer.no_padding()
    tokenizer.encode_special_tokens = True  # a "[SEP]" in a title is text, not a separator
    tokenizer.enable_truncation(max_tokens, strategy="longest_first")
    return [
        (encoding.ids, encoding.type_ids) for encoding in tokenizer.encode_batch_fast(list(pairs))
    ]


def pad(encoded: Sequence[tuple[list[int], list[int]]], padding_id: int) -> Batch:
    """One batch of B pairs, padded to the longest.

    Example:
        >>> pad([([2, 5, 3], [0, 0, 1]), ([2, 3], [0, 1])], 0).ids
        tensor([[2, 5, 3],
                [2, 3, 0]])
    """
    width = max(len(ids) for ids, _ in encoded)
    rows, count = torch.full((len(encoded), width), padding_id), len(encoded)
    segments, mask = (
        torch.zeros(count, width, dtype=torch.int64),
        torch.zeros(count, width, dtype=torch.int64),
    )
    for row, (ids, types) in enumerate(encoded):
        rows[row, : len(ids)] = torch.tensor(ids)
        segments[row, : len(ids)] = torch.tensor(types)
        mask[row, : len(ids)] = 1
    positions = torch.arange(width).repeat(count, 1)
    return Batch(rows, segments, mask, positions)
