"""Checks the tokenizer of a given model, and mends pairs that nothing separates."""

from collections.abc import Iterable
from typing import Any, Final

from tokenizers import Tokenizer
from tokenizers.processors import TemplateProcessing

from mainstem.errors import ModelError
from mainstem.models.families import family_of

__all__ = ["check_tokenizer", "few_tokens", "paired", "unknown_share"]

_FULL: Final = 0.9  # share of a model's rows that its tokenizer should use


def check_tokenizer(tokenizer: Any, config: Any, name: str) -> None:
    """Refuse a tokenizer that does not fit the model.

    Args:
        tokenizer: tokenizer of the model.
        config: config of the model.
        name: name of the model, for messages.

    Raises:
        ModelError: if the folder has no tokenizer, or it is slow, has more tokens than the model
            has rows, pads with another token, does not mark the two sides of a pair where the
            family needs that, or puts no token before it where the head reads the first.
    """
    if not tokenizer.is_fast:
        msg = f"model {name!r} has no fast tokenizer; save one as tokenizer.json beside it"
        raise ModelError(msg)
    fast, rows = tokenizer.backend_tokenizer, config.vocab_size
    vocabulary = fast.get_vocab(with_added_tokens=True)
    if len(vocabulary.keys() - set(tokenizer.all_special_tokens)) < 1:
        msg = (
            f"model {name!r} has no tokenizer in its folder, and every word would be unknown; "
            "put its tokenizer.json (or vocab.txt) beside config.json"
        )
        raise ModelError(msg)
    if (last := max(vocabulary.values())) >= rows:
        token = next(word for word, place in vocabulary.items() if place == last)
        msg = (
            f"the tokenizer of model {name!r} numbers its tokens up to {last} ({token!r}), "
            f"and the model has {rows} rows; give the tokenizer it was trained with, "
            "or resize_token_embeddings() and save it again"
        )
        raise ModelError(msg)
    own, theirs = config.pad_token_id, tokenizer.pad_token_id
    if own is not None and theirs is not None and own != theirs:
        msg = (
            f"the tokenizer of model {name!r} pads with token {theirs} ({tokenizer.pad_token!r}), "
            f"and its config with {own}; set pad_token_id in config.json to the tokenizer's"
        )
        raise ModelError(msg)
    _check_pair(fast, config, name)


def _check_pair(fast: Tokenizer, config: Any, name: str) -> None:
    fast.no_padding()
    fast.no_truncation()
    pair, family = fast.encode("a b", "c d"), family_of(config)
    if family.is_listed and not family.from_left and not pair.special_tokens_mask[0]:
        msg = (
            f"the tokenizer of model {name!r} puts no token before a pair, and the head reads the "
            "first; save it with the post-processor of its family (for a BERT [CLS] A [SEP] B "
            "[SEP])"
        )
        raise ModelError(msg)
    segments = set(pair.type_ids)
    if family.segments and segments != {0, 1}:
        msg = (
            f"the tokenizer of model {name!r} marks the two sides of a pair with segments "
            f"{sorted(segments)} instead of 0 and 1; give the tokenizer of a BERT"
        )
        raise ModelError(msg)


def paired(tokenizer: Any, config: Any, name: str) -> list[str]:
    """Let pairs be padded and told apart; a remark on each thing that had to be done for that.

    Args:
        tokenizer, config: tokenizer and config of the model, changed in place.
        name: name of the model, for messages.

    Raises:
        ModelError: if there is no token to do it with.
    """
    told = []
    if (token := _separated(tokenizer, name)) is not None:
        told.append(
            f"has a tokenizer that puts nothing between the two texts of a pair: {token!r} goes "
            "between them"
        )
    if family_of(config).from_left and config.pad_token_id is None:
        padding = tokenizer.pad_token_id
        config.pad_token_id = tokenizer.eos_token_id if padding is None else padding
        if config.pad_token_id is None:
            msg = (
                f"model {name!r} has no padding token and no end-of-text token, and its head reads "
                "the last token that is not padding; set pad_token_id in config.json"
            )
            raise ModelError(msg)
        if padding is None:
            told.append(f"has no padding token: {tokenizer.eos_token!r} pads")
    return told


def _separated(tokenizer: Any, name: str) -> str | None:
    """Put the end-of-text token between the two texts of a pair if a tokenizer puts nothing there.

    The result is the token; None if the tokenizer stays as it is.
    """
    fast = tokenizer.backend_tokenizer
    fast.no_padding()
    fast.no_truncation()
    if any(fast.encode("a b", "c d").special_tokens_mask[1:]):
        return None
    token = tokenizer.eos_token or tokenizer.sep_token
    if token is None:
        msg = (
            f"the tokenizer of model {name!r} puts nothing between the two texts of a pair, and "
            "has no end-of-text token to put there; set eos_token in tokenizer_config.json"
        )
        raise ModelError(msg)
    begin = fast.encode("").tokens
    known = [(one, fast.token_to_id(one)) for one in dict.fromkeys([*begin, token])]
    before = " ".join([*begin, "$A"])
    fast.post_processor = TemplateProcessing(
        single=before, pair=f"{before} {token} $B:1", special_tokens=known
    )
    return str(token)


def few_tokens(tokenizer: Tokenizer, rows: int) -> list[str]:
    """A remark, in a list, if a tokenizer leaves many rows of the model unused; else an empty list.

    A vocabulary that is padded to a round number leaves a few.
    """
    tokens = tokenizer.get_vocab_size()
    unlike = (
        f"has {rows:,} rows, and its tokenizer {tokens:,} tokens: "
        "is it the one that the model was trained with?"
    )
    return [unlike] if tokens < _FULL * rows else []


def unknown_share(tokenizer: Tokenizer, texts: Iterable[str]) -> float:
    """Share of the words of some texts that a tokenizer does not know, in [0, 1].

    Example:
        >>> from mainstem.models import train_tokenizer
        >>> unknown_share(train_tokenizer(["red cup"], 100), ["red cup", "red \N{SNOWMAN} cup"])
        0.2
    """
    tokenizer.no_truncation()
    unknown = tokenizer.token_to_id(getattr(tokenizer.model, "unk_token", None) or "")
    words = lost = 0
    for found in tokenizer.encode_batch(list(texts), add_special_tokens=False):
        words += len(set(found.word_ids))
        lost += found.ids.count(unknown)
    return lost / max(words, 1)
