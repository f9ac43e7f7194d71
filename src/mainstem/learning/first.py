"""The first version: made here, with a vocabulary of the texts there are, or taken from a given model."""

from collections.abc import Callable, Iterable, Mapping

from torch import Tensor

from mainstem.models import (
    ActiveVersion,
    CrossEncoder,
    check_words,
    initial_encoder,
    load_pretrained,
    train_tokenizer,
)
from mainstem.settings import Settings
from mainstem.store import Store
from mainstem.store.versions import KeptVersion, has_version, write_version
from mainstem.versions import Manifest, Versions

__all__ = ["first_encoder", "keep_row", "make_first_version"]

Measure = Callable[[CrossEncoder], float | None]
Point = Callable[[CrossEncoder], Mapping[str, Tensor]]


def first_encoder(texts: Iterable[str], settings: Settings) -> CrossEncoder:
    """The given model, its responses checked once; or a small one with fresh weights and a vocabulary of `texts`.

    Raises:
        ModelError: if the given one cannot be taken in, or does not know the words of `texts`.
    """
    if settings.model.model:
        encoder = load_pretrained(
            settings.model.model,
            settings.model.max_tokens,
            settings.run.seed,
            settings.objectives.class_names,
        )
        check_words(encoder, texts, settings.model.model)
        ActiveVersion(encoder, settings).check()
        return encoder
    tokenizer = train_tokenizer(set(texts), settings.model.vocabulary)
    return initial_encoder(
        tokenizer,
        settings.model.max_tokens,
        settings.run.seed,
        len(settings.objectives.class_names),
    )


def make_first_version(
    versions: Versions,
    store: Store,
    texts: Callable[[], Iterable[str]],
    settings: Settings,
    *,
    scale: Measure = lambda encoder: None,  # noqa: ARG005
    direction: Point = lambda encoder: {},  # noqa: ARG005
    generation: int = 0,
    made: CrossEncoder | None = None,
) -> None:
    """Version 0 and its row; each is made where it is missing, so a kill between the two is mended.

    Args:
        versions, store: where they are kept.
        texts: gives the texts of a vocabulary; asked only where a version is made.
        settings: model, vocabulary, tokens, seed.
        scale: measures the canaries' mean norm at it; None where none is known yet.
        direction: measures the trusted gradient at it; empty likewise.
        generation: of the learner.
        made: the model, where it has been made already.
    """
    if not versions.numbers():
        encoder = made or first_encoder(texts(), settings)
        versions.save(
            encoder,
            version=0,
            parent=None,
            event_time=0,
            reason="the first version",
            scale=scale(encoder),
            generation=generation,
            direction=direction(encoder),
        )
    keep_row(versions.manifest(0), store, settings.model.model or "made here")


def keep_row(manifest: Manifest, store: Store, model: str) -> None:
    """The row of a version that exists, where a kill came before it was written.

    Args:
        manifest: of the version.
        store: the history.
        model: what it was made from.
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
