"""Takes in a model that a user gives, unchanged, or refuses it.

The model is loaded in float32, whatever it was saved in. Only its head may be missing or have
other classes; then a new head is drawn from the seed, and a warning says so. A head of one logit is
kept where there are two classes: it becomes that of the second. Other weights that are missing, do
not fit or are not finite end in one line that says what to do.
"""

import logging
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from itertools import islice
from pathlib import Path
from typing import Any, Final

import torch

from mainstem.errors import ModelError
from mainstem.models.encoder import CrossEncoder, PairReader, PretrainedReader
from mainstem.models.families import answer_layer, body_of, family_of
from mainstem.models.given_checks import (
    check_classes,
    check_config,
    check_folder,
    named_classes,
)
from mainstem.models.given_head import widened
from mainstem.models.given_tokenizer import (
    check_tokenizer,
    few_tokens,
    paired,
    unknown_share,
)
from mainstem.models.tokenizer import encode_pairs, pad
from mainstem.process.quiet import quietly

__all__ = ["check_words", "load_pretrained"]

_LOG = logging.getLogger("mainstem.model")
# the pooler goes with the head that it was trained for
_POOLER: Final = "pooler."
_BUFFERS: Final = ("position_ids", "token_type_ids", "attn.bias", "masked_bias", "inv_freq")
_TEXTS: Final = 2000  # texts whose words are looked up
# shares of unknown words: above the first nearly all texts read alike, above the second we warn
_MOST_UNKNOWN, _SOME_UNKNOWN = 0.9, 0.1


def load_pretrained(
    name: str,
    max_tokens: int,
    seed: int,
    classes: Sequence[str] = ("no", "yes"),
    *,
    features: Sequence[str] = (),
    examined: Sequence[int] = (),
    is_answer: bool = True,
) -> CrossEncoder:
    """Load a model by its Hugging Face name or local path.

    A head that has other classes is drawn from the seed; a behaviour part beside it starts at zero.
    A head of one logit z becomes one of the logits 0 and z, where an answer has two classes.
    A model without a head gets that of a model from scratch, which compares the two texts: a head
    on the first token would have to learn that first. An examination tower starts at zero.

    Args:
        name: Hugging Face name or path of the model.
        max_tokens: the most tokens that the model must read.
        seed: seed of a new head.
        classes: names of the classes that the logits stand for, in order.
        features: names of the features that the model reads, in order; empty for words alone.
        examined: numbers of the logits that an examination tower is added to; empty for none.
        is_answer: whether the classes are those of one answer; else each is an objective's own.

    Raises:
        ModelError: if the model cannot be fetched or read; is of a family without a sequence
            classifier, or has fewer than `max_tokens` positions; lacks weights or has other weights
            than its config says; has weights that are not finite, or only as a pickle; or has no
            fast tokenizer that fits.
    """
    from transformers import AutoConfig, AutoModelForSequenceClassification, AutoTokenizer

    place = str(Path(name).expanduser()) if name.startswith("~") else name
    with _one_line(name), quietly(), torch.random.fork_rng(devices=[]):
        check_folder(Path(place), name)
        own = AutoConfig.from_pretrained(place, trust_remote_code=False)
        check_config(own, name, max_tokens)
        is_kept = is_answer and own.num_labels == 1 and len(classes) == 2
        logits = 1 if is_kept else len(classes)
        config = AutoConfig.from_pretrained(place, num_labels=logits, trust_remote_code=False)
        config.problem_type = None  # the loss is ours
        if getattr(config, "use_cache", False):
            config.use_cache = False  # nothing is generated
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
        told = paired(tokenizer, model.config, name)
        drawn = _check_weights(model, loaded, own, name)
        answer = f"{answer_layer(model)}.weight"
        if answer not in drawn and logits > 1:
            check_classes(own, classes, name)
        if logits < len(classes):
            widened(model, len(classes), seed, is_kept=answer not in drawn)
        network = _reader(model, loaded, features, examined)
        encoder = CrossEncoder(network, tokenizer.backend_tokenizer)
        _check_answer(encoder, name)
    for line in [
        *told,
        *_remarks(own, loaded, drawn, answer, classes),
        *few_tokens(encoder.tokenizer, own.vocab_size),
    ]:
        _LOG.warning("model %r %s", name, line)
    return encoder


def check_words(encoder: CrossEncoder, texts: Iterable[str], name: str) -> None:
    """Check that a given model knows the words of some texts.

    A tokenizer may be complete and still be made for another language. If some words are unknown
    there is a warning.

    Args:
        encoder: the given model.
        texts: texts of the log; the first ones are looked at.
        name: name of the model, for messages.

    Raises:
        ModelError: if nearly all words are unknown.
    """
    unknown = unknown_share(encoder.tokenizer, islice((text for text in texts if text), _TEXTS))
    if unknown > _MOST_UNKNOWN:
        msg = (
            f"the tokenizer of model {name!r} does not know {unknown:.0%} of the words of this "
            "log; give a model of its language, with the tokenizer it was trained with, "
            "or leave --model out"
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
    # a damaged file makes the libraries raise anything: SafetensorError, KeyError, ...
    except Exception as error:
        where = "is not a model folder" if _is_path(name) else "cannot be had"
        first_line = next(iter(str(error).splitlines()), "") or type(error).__name__
        msg = (
            f"model {name!r} {where} ({first_line}); without a network give the path of a folder "
            "with config.json, weights and tokenizer.json as --model, or leave --model out"
        )
        raise ModelError(msg) from error


def _is_path(name: str) -> bool:
    """Whether the name of a model is a path; on the hub it is `name` or `owner/name`."""
    return Path(name).exists() or name.startswith((".", "~", "/")) or name.count("/") > 1


def _reader(
    model: Any, loaded: Mapping[str, Any], features: Sequence[str], examined: Sequence[int]
) -> PairReader | PretrainedReader:
    if f"{answer_layer(model)}.weight" not in loaded["missing_keys"]:
        return PretrainedReader(model, features, examined)
    body: Any = body_of(model)
    body.pooler = None
    return PairReader(model.config, features, examined, given=body)


def _check_weights(model: Any, loaded: Mapping[str, Any], own: Any, name: str) -> list[str]:
    """The names of the weights that the checkpoint lacks; all of them belong to the head."""
    others = {key: (tuple(there), tuple(here)) for key, there, here in loaded["mismatched_keys"]}
    drawn = sorted({*loaded["missing_keys"], *others})
    inside, answer = f"{model.base_model_prefix}.", f"{answer_layer(model)}.weight"
    in_body = [key for key in drawn if key.startswith(inside)]
    if body := [key for key in in_body if not key.startswith(inside + _POOLER)]:
        shapes = ""
        if body[0] in others:
            saved, expected = others[body[0]]
            shapes = f", saved as {saved} and {expected} by its config"
        msg = (
            f"model {name!r} lacks {len(body)} of {len(model.state_dict())} weights, "
            f"like {body[0]!r}{shapes}; only a head may be missing: "
            "give a folder whose config.json and weights belong together"
        )
        raise ModelError(msg)
    # what the model must have a place for; else its config has too few layers
    parts = tuple(f"{one}." for one, _ in body_of(model).named_children() if f"{one}." != _POOLER)
    left = [
        key
        for key in loaded["unexpected_keys"]
        if key.removeprefix(inside).startswith(parts) and not key.endswith(_BUFFERS)
    ]
    if left:
        msg = (
            f"model {name!r} holds {len(left)} weights that its config has no place for, "
            f"like {min(left)!r}: it would not be the model that was saved; "
            "give a folder whose config.json and weights belong together"
        )
        raise ModelError(msg)
    made_for = ", ".join(own.architectures or ())
    has_other_head = made_for and "ForSequenceClassification" not in made_for
    if answer not in drawn and has_other_head:
        msg = (
            f"the classifier of model {name!r} is of {made_for}, not of a sequence; "
            f"give a {type(model).__name__}"
        )
        raise ModelError(msg)
    for key, weight in model.named_parameters():
        if not torch.isfinite(weight).all():
            msg = (
                f"the weights {key!r} of model {name!r} are not all finite (NaN or infinite); "
                "give a model that is not damaged"
            )
            raise ModelError(msg)
    return drawn


@torch.no_grad()
def _check_answer(encoder: CrossEncoder, name: str) -> None:
    """Run the model on two pairs of texts, so that a model that breaks on any text breaks here."""
    pairs = [("a b", "c"), ("", "\N{SNOWMAN} d")]
    batch = pad(encode_pairs(encoder.tokenizer, pairs, 16), encoder.padding_id)
    logits = encoder.network.eval()(batch)
    if not torch.isfinite(logits).all():
        msg = (
            f"model {name!r} answers with numbers that are not finite ({logits[0].tolist()}); "
            "its weights are damaged: give another copy"
        )
        raise ModelError(msg)


def _remarks(
    own: Any, loaded: Mapping[str, Any], drawn: Sequence[str], answer: str, classes: Sequence[str]
) -> Iterator[str]:
    """What a user should know about a model that was taken in, each in one line."""
    shapes = {key: saved for key, saved, _ in loaded["mismatched_keys"]}
    rows = shapes.get(answer, (0,))[0]
    named, ours = named_classes(own, len(classes)), [one.casefold() for one in classes]
    if not family_of(own).is_listed:
        yield (
            f"is of the family {own.model_type!r}, which the tests do not hold against autograd; "
            "its responses are checked now"
        )
    if answer in drawn:
        of_rows = (
            f"answers with {rows} logit{'s' * (rows > 1)}, and here are {len(classes)} classes"
        )
        why = of_rows if rows else "has no head"
        yield f"{why}: a new head is drawn from the seed, and knows nothing before the first round"
    elif drawn:
        yield f"has a head without {', '.join(drawn)}: they are drawn from the seed"
    elif own.num_labels == 1 and len(classes) == 2:
        yield f"answers with 1 logit: it becomes that of {classes[1]}, beside 0 for {classes[0]}"
    elif named and named != ours:
        yield (
            f"calls its classes {', '.join(named)}: "
            f"they are taken for {', '.join(classes)}, in this order"
        )
    is_one = own.num_labels == 1 and own.problem_type == "regression"
    if own.problem_type not in {None, "single_label_classification"} and not is_one:
        yield (
            f"was made for {own.problem_type}; "
            f"here it is trained to choose one of {len(classes)} classes"
        )
    if extra := sorted(key for key in loaded["unexpected_keys"] if not key.endswith(_BUFFERS)):
        yield f"holds {len(extra)} weights that are not used, like {extra[0]!r}"
