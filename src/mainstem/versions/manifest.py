"""The manifest: the facts of a version, and the features that its model reads."""

from collections.abc import Mapping, Sequence

from msgspec import Struct

from mainstem.errors import VersionError
from mainstem.kinds import KindScale
from mainstem.models.adapter import Adapter
from mainstem.versions.beats_counting import BeatsCounting
from mainstem.versions.calibration import Calibration

__all__ = ["Manifest", "ReadFeature", "check_features", "features_read"]


class ReadFeature(Struct, frozen=True):
    """A feature that a model reads.

    Attributes:
        name: name of the feature.
        transform: how it is computed, in words; a model that learned from other numbers under the
            same name would be wrong.
    """

    name: str
    transform: str


class Manifest(Struct, frozen=True, kw_only=True):
    """The facts of a version.

    Attributes:
        version, parent: numbers of the version and of its parent; version 0 has no parent.
        kind: `scratch` (made by mainstem), `pretrained` (given with its head) or `encoder` (given
            without a head, which mainstem made).
        family: family of its model, as Hugging Face calls it. It is `bert` where a manifest has
            none, because there were no others.
        event_time: largest event time so far when the version was made, in milliseconds.
        reason: why it was promoted.
        files: BLAKE2b digest of each file, by name.
        scale: mean response norm of the canaries under the version; norms are divided by it. None
            if no canary was known yet.
        kinds: how norms of cheaper kinds stand to its full ones, by kind; empty where none was
            measured, and then the version makes full visits only.
        generation: generation of the learner that made the version; 0 in the embedded loop.
        features: features that the model reads, in order; empty for a model that reads words
            alone, as all did before there was behaviour.
        examined: numbers of the logits that the examination tower is added to; empty without it.
        calibration: makes probabilities of its scores; None where there were no samples to fit it.
        beats_counting: whether it ranks better than counting; None where nothing can be counted.
        adapter: what is trained of its model; None if all is.
        base: digest of the weights that the adapter leaves as they are; empty without an adapter.
        parity: largest relative difference of a response norm from an ordinary backward pass, found
            when a given model was taken in; None where nothing was compared.
    """

    version: int
    parent: int | None
    kind: str
    event_time: int
    reason: str
    files: dict[str, str]
    family: str = "bert"
    scale: float | None = None
    kinds: dict[str, KindScale] = {}
    generation: int = 0
    features: list[ReadFeature] = []
    examined: list[int] = []
    calibration: Calibration | None = None
    beats_counting: BeatsCounting | None = None
    parity: float | None = None
    adapter: Adapter | None = None
    base: str = ""


def features_read(names: Sequence[str], known: Mapping[str, str]) -> list[ReadFeature]:
    """The features that a model reads, for its manifest.

    Args:
        names: names of the features, in order.
        known: transform of each feature that this release computes, by name.

    Example:
        >>> features_read(["bought"], {"seen": "log", "bought": "log(1 + purchases of 7 days)"})
        [ReadFeature(name='bought', transform='log(1 + purchases of 7 days)')]
    """
    return [ReadFeature(name, known.get(name, "")) for name in names]


def check_features(manifest: Manifest, known: Mapping[str, str], where: str) -> None:
    """Refuse a version that reads other features than this release computes.

    Args:
        manifest: manifest of the version.
        known: transform of each feature that this release computes, by name, in order.
        where: where the version is, for messages.

    Raises:
        VersionError: if a feature is unknown or computed in another way, or the order differs.
    """
    read = [one.name for one in manifest.features]
    if not read:
        return
    of_version = f"version {manifest.version} under {where}"
    if unknown := [name for name in read if name not in known]:
        msg = (
            f"{of_version} reads the feature {unknown[0]!r}, which this release does not compute; "
            "use the release that made the version, or train a new first version"
        )
        raise VersionError(msg)
    for one in manifest.features:
        if one.transform != known[one.name]:
            msg = (
                f"{of_version} learned the feature {one.name!r} as {one.transform!r}, and this "
                f"release computes {known[one.name]!r}; "
                "use the release that made the version, or train a new first version"
            )
            raise VersionError(msg)
    if read != list(known):
        place = next(
            (at for at, pair in enumerate(zip(read, known, strict=False)) if len({*pair}) > 1),
            min(len(read), len(known)),
        )
        msg = (
            f"{of_version} reads {len(read)} features and this release computes {len(known)}; "
            f"they differ from number {place + 1} on: a model would take one for another; "
            "use the release that made the version, or train a new first version"
        )
        raise VersionError(msg)
