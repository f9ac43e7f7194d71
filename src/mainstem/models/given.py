"""A model that somebody gives, taken in as it is or refused: nothing of it is bent without a word.

It is loaded in float32, whatever it was saved in. Only its head may be missing or be of other classes; then it is drawn from
the seed, and that is said. What else is missing, does not fit or is not a number ends in one line that says what to do.
"""

import logging
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from itertools import islice
from pathlib import Path
from typing import Any, Final

import torch

from mainstem.errors import ModelError
from mainstem.models.encoder import CrossEncoder, PretrainedReader
from mainstem.models.given_checks import (
    check_classes,
    check_config,
    check_folder,
    check_tokenizer,
    few_tokens,
    named_classes,
    unknown_share,
)
from mainstem.models.tokenizer import encode_pairs, pad
from mainstem.process.quiet import quietly

__all__ = ["check_words", "load_pretrained"]

_LOG = logging.getLogger("mainstem.model")
_HEAD: Final = (
    "classifier.",
    "bert.pooler.",
)  # what may be missing; the pooler goes with the head it was trained for
_BODY: Final = (
    "bert.",
    "embeddings.",
    "encoder.",
)  # where nothing may be left over: the config has fewer layers then
_BUFFERS: Final = ("position_ids", "token_type_ids")
_TEXTS: Final = 2000  # that words are looked up in
_MOST_UNKNOWN, _SOME_UNKNOWN = (
    0.9,
    0.1,
)  # of the words; of more than the first, nearly all texts read alike


def load_pretrained(
    name: str, max_tokens: int, seed: int, classes: Sequence[str] = ("no", "yes")
) -> CrossEncoder:
    """A BERT by its Hugging Face name or local path; a head that is missing, or of other classes, is drawn from the seed.

    Args:
        name: of it.
        max_tokens: that it has to read.
        seed: of the head.
        classes: what its logits will mean, in order.

    Raises:
        ModelError: if it cannot be had or read, is no BERT of two segments and `max_tokens` positions, lacks weights or
            has others than its config says, has weights that are not finite or only as a pickle, or has no fast
            tokenizer that fits.
    """
    from transformers import AutoConfig, AutoModelForSequenceClassification, AutoTokenizer

    place = str(Path(name).expanduser()) if name.startswith("~") else name
    with _one_line(name), quietly(), torch.random.fork_rng(devices=[]):
        check_folder(Path(place), name)
        own = AutoConfig.from_pretrained(place, trust_remote_code=False)
        check_config(own, name, max_tokens)
        config = AutoConfig.from_pretrained(place, num_labels=len(classes), trust_remote_code=False)
        config.problem_type = None  # the loss is ours
        tokenizer = AutoTokenizer.from_pretrained(place, trust_remote_code=False)
        torch.manual_seed(seed)
        model, loaded = AutoModelForSequenceClassification.from_pretrained(
            place,
            config=config,
            dtype=torch.float32,
            ignore_mismatched_sizes=True,
            use_safetensors=True,
            trust_remote_code=False,
            output_loading_info=True,
        )
        config.dtype = torch.float32
        check_tokenizer(tokenizer, model.config, name)
        drawn = _check_weights(model, loaded, own, name)
        if "classifier.weight" not in drawn:
            check_classes(own, classes, name)
        encoder = CrossEncoder(PretrainedReader(model), tokenizer.backend_tokenizer)
        _check_answer(encoder, name)
    for line in [
        *_remarks(own, loaded, drawn, classes),
        *few_tokens(encoder.tokenizer, own.vocab_size),
    ]:
        _LOG.warning("model %r %s", name, line)
    return encoder


def check_words(encoder: CrossEncoder, texts: Iterable[str], name: str) -> None:
    """See whether a given model knows the words of some texts: a tokenizer may be whole, and of another language.

    Raises:
        ModelError: if nearly all of them are unknown to it; some are only told.
    """
    unknown = unknown_share(encoder.tokenizer, islice((text for text in texts if text), _TEXTS))
    if unknown > _MOST_UNKNOWN:
        msg = (
            f"the tokenizer of model {name!r} does not know {unknown:.0%} of the words of this log; give a model of its "
            "language, with the tokenizer it was trained with, or leave --model out"
        )
        raise ModelError(msg)
    if unknown > _SOME_UNKNOWN:
        _LOG.warning(
            "model %r has a tokenizer that does not know %.0f %% of the words of this log",
            name,
            100 * unknown,
        )


@contextmanager
def _one_line(name: str) -> Iterator[None]:
    try:
        yield
    except ModelError:
        raise
    except (
        Exception
    ) as error:  # a damaged file makes the libraries raise anything: SafetensorError, KeyError, ...
        where = "is not a model folder" if _is_path(name) else "cannot be had"
        first_line = next(iter(str(error).splitlines()), "") or type(error).__name__
        msg = (
            f"model {name!r} {where} ({first_line}); without a network give the path of a folder with "
            "config.json, weights and tokenizer.json as --model, or leave --model out"
        )
        raise ModelError(msg) from error


def _is_path(name: str) -> bool:
    """Whether a model's name is meant as a path; on the hub it is `name` or `owner/name`."""
    return Path(name).exists() or name.startswith((".", "~", "/")) or name.count("/") > 1


def _check_weights(model: Any, loaded: Mapping[str, Any], own: Any, name: str) -> list[str]:
    """The weights that were not in the checkpoint, all of them of the head."""
    others = {key: (tuple(there), tuple(here)) for key, there, here in loaded["mismatched_keys"]}
    drawn = sorted({*loaded["missing_keys"], *others})
    if body := [key for key in drawn if not key.startswith(_HEAD)]:
        shapes = (
            f", saved as {others[body[0]][0]} and {others[body[0]][1]} by its config"
            if body[0] in others
            else ""
        )
        msg = (
            f"model {name!r} lacks {len(body)} of {len(model.state_dict())} weights, like {body[0]!r}{shapes}; only a head "
            "may be missing: give a folder whose config.json and weights belong together"
        )
        raise ModelError(msg)
    left = [
        key
        for key in loaded["unexpected_keys"]
        if key.startswith(_BODY) and not key.endswith(_BUFFERS)
    ]
    if left:
        msg = (
            f"model {name!r} holds {len(left)} weights that its config has no place for, like {min(left)!r}: it would not "
            "be the model that was saved; give a folder whose config.json and weights belong together"
        )
        raise ModelError(msg)
    made_for = ", ".join(own.architectures or ())
    if (
        "classifier.weight" not in drawn
        and made_for
        and "ForSequenceClassification" not in made_for
    ):
        msg = f"the classifier of model {name!r} is of {made_for}, not of a sequence; give a BertForSequenceClassification"
        raise ModelError(msg)
    for key, weight in model.named_parameters():
        if not torch.isfinite(weight).all():
            msg = f"the weights {key!r} of model {name!r} are not all finite (NaN or infinite); give one that was not damaged"
            raise ModelError(msg)
    return drawn


@torch.no_grad()
def _check_answer(encoder: CrossEncoder, name: str) -> None:
    """Read one pair of texts: what breaks on any text breaks here."""
    batch = pad(
        encode_pairs(encoder.tokenizer, [("a b", "c"), ("", "\N{SNOWMAN} d")], 16),
        encoder.padding_id,
    )
    logits = encoder.network.eval()(batch)
    if not torch.isfinite(logits).all():
        msg = f"model {name!r} answers with numbers that are not finite ({logits[0].tolist()}); its weights are damaged"
        raise ModelError(msg)


def _remarks(
    own: Any, loaded: Mapping[str, Any], drawn: Sequence[str], classes: Sequence[str]
) -> Iterator[str]:
    """What somebody should know of a model that was taken in, each in one line."""
    rows = next(
        (there[0] for key, there, _ in loaded["mismatched_keys"] if key == "classifier.weight"), 0
    )
    if "classifier.weight" in drawn:
        why = (
            f"answers with {rows} logit{'s' * (rows > 1)}, and here are {len(classes)} classes"
            if rows
            else "has no head"
        )
        yield f"{why}: a new head is drawn from the seed, and knows nothing before the first round"
    elif drawn:
        yield f"has a head without {', '.join(drawn)}: they are drawn from the seed"
    elif (named := named_classes(own, len(classes))) and named != [
        one.casefold() for one in classes
    ]:
        yield f"calls its classes {', '.join(named)}: they are taken for {', '.join(classes)}, in this order"
    if own.problem_type not in {None, "single_label_classification"}:
        yield f"was made for {own.problem_type}; here it is trained to choose one of {len(classes)} classes"
    if extra := sorted(key for key in loaded["unexpected_keys"] if not key.endswith(_BUFFERS)):
        yield f"holds {len(extra)} weights that are not used, like {extra[0]!r}"
