"""The first version: a new model with a vocabulary of the log's texts, or a given model."""

from collections.abc import Callable, Iterable, Mapping, Sequence

from torch import Tensor

from mainstem.errors import ModelError
from mainstem.models import (
    ActiveVersion,
    CrossEncoder,
    check_words,
    initial_encoder,
    load_pretrained,
    train_tokenizer,
)
from mainstem.models.adapter import Adapter
from mainstem.models.adapting import adapt
from mainstem.models.features import TRANSFORMS
from mainstem.objectives.layout import Layout
from mainstem.process.stopwatch import SPENT
from mainstem.scoring.costs import kept_costs
from mainstem.scoring.kinds import kinds_of_words
from mainstem.settings import Settings
from mainstem.store import Store
from mainstem.store.costs import ROUND_KINDS, write_costs
from mainstem.store.versions import KeptVersion, has_version, write_version
from mainstem.versions import Manifest, Versions

__all__ = ["first_encoder", "keep_row", "make_first_version"]

Measure = Callable[[CrossEncoder], float | None]
Point = Callable[[CrossEncoder], Mapping[str, Tensor]]


def first_encoder(
    texts: Iterable[str],
    settings: Settings,
    features: Sequence[str] = tuple(TRANSFORMS),
    *,
    layers: int = 2,
    width: int = 128,
) -> CrossEncoder:
    """The given model, after a check of its responses; or a new model with a vocabulary of `texts`.

    Args:
        texts: texts of the log.
        settings: settings with the model, its vocabulary and tokens, the classes and the seed.
        features: names of the features that the model reads, in order, if the settings let it
            read behaviour.
        layers, width: size of a new model; a given one has its own.

    Raises:
        ModelError: if the given model cannot be taken in, does not know the words of `texts`, or
            has a layer that the responses cannot read; or an adapter is asked for without a given
            model, or has no place in it.
    """
    model, layout = settings.model, Layout.of(settings.objectives)
    # a single answer has a logit for each class, which a given model may know by name
    classes = settings.objectives.class_names if layout.is_single_answer else layout.names
    names = features if model.behaviour else ()
    examined = layout.examined if model.examination else ()
    adapter = Adapter.of(model)
    if adapter and not model.model:
        msg = (
            f"the settings ask to train {adapter} of a model that is given, and none is: "
            "give one as --model, or set MAINSTEM_MODEL__ADAPTER=none"
        )
        raise ModelError(msg)
    if model.model:
        encoder = load_pretrained(
            model.model,
            model.max_tokens,
            settings.run.seed,
            classes,
            features=names,
            examined=examined,
            is_answer=layout.is_single_answer,
        )
        check_words(encoder, texts, model.model)
        if adapter:
            adapt(encoder.network, adapter, settings.run.seed)
        encoder.parity = _parity(encoder, settings)
        return encoder
    tokenizer = train_tokenizer(set(texts), model.vocabulary)
    return initial_encoder(
        tokenizer,
        model.max_tokens,
        settings.run.seed,
        len(classes),
        features=names,
        examined=examined,
        layers=layers,
        width=width,
    )


def _parity(encoder: CrossEncoder, settings: Settings) -> float:
    """The largest relative error of the responses of a given model, which is kept with it."""
    try:
        return ActiveVersion(encoder, settings).check()
    except ModelError as error:
        msg = (
            f"the responses cannot read model {settings.model.model!r}: {error}; here layers are "
            "chosen by MAINSTEM_RESPONSES__RESPONSE_LAYERS, as patterns with commas between them"
        )
        raise ModelError(msg) from error


def make_first_version(
    versions: Versions,
    store: Store,
    texts: Callable[[], Iterable[str]],
    settings: Settings,
    *,
    scale: Measure = lambda encoder: None,  # noqa: ARG005 - measures nothing
    direction: Point = lambda encoder: {},  # noqa: ARG005 - measures nothing
    generation: int = 0,
    made: CrossEncoder | None = None,
) -> None:
    """Make version 0 and its row, each if it is missing, so that a kill between the two is mended.

    Args:
        versions: place where versions are saved.
        store: the history, which gets the row.
        texts: function that returns the texts for a vocabulary; called only if version 0 is made.
        settings: settings with the model, its vocabulary and tokens, the classes and the seed.
        scale: function that measures the mean response norm of the canaries under the model; its
            result is None if no canary is known yet.
        direction: function that measures the trusted gradient at the model; its result is empty
            if no trusted sample is known yet.
        generation: generation of the learner; 0 in the embedded loop.
        made: the model, if it is already made.
    """
    if not versions.numbers():
        encoder = made or first_encoder(texts(), settings)
        with SPENT.counting() as costs:
            measured, pointed = scale(encoder), direction(encoder)
            kinds = kinds_of_words(encoder, settings)
        write_costs(store, kept_costs(0, costs, [kind for kind in ROUND_KINDS if kind in costs]))
        versions.save(
            encoder,
            version=0,
            parent=None,
            event_time=0,
            reason="the first version",
            scale=measured,
            kinds=kinds,
            generation=generation,
            direction=pointed,
        )
    keep_row(versions.manifest(0), store, settings.model.model or "made here")


def keep_row(manifest: Manifest, store: Store, model: str) -> None:
    """Write the row of a version that is saved, if a kill kept it from being written.

    Args:
        manifest: manifest of the version.
        store: the history.
        model: name of the given model, or "made here".
    """
    if has_version(store, manifest.version):
        return
    kept = KeptVersion(
        version=manifest.version,
        parent=manifest.parent,
        event_time=manifest.event_time,
        promoted=1,
        reason=manifest.reason,
        model=model,
        digest=manifest.files["weights.safetensors"],
    )
    write_version(store, kept)
