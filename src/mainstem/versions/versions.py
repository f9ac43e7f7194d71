"""Versions in a folder or behind any fsspec URL.

    VERSIONS/000003/weights.safetensors  config.json  tokenizer.json  direction.safetensors
                    manifest.json
    VERSIONS/base/DIGEST

A version exists when its manifest, which is written last, is there.

Beside Kafka the folder's name ends with the generation of the learner that made it
(`000003-000007`). If two learners both believed to be the only one, each wrote to a folder of its
own, and the version of the later one counts.

A version whose model has an adapter holds the trained weights alone; the others, which no round
changes, lie once under `base`.

Nothing is unpickled: weights are safetensors, the rest is JSON. Files are checked against the
manifest when they are read.
"""

from collections.abc import Mapping
from typing import Final

import msgspec
import torch
from safetensors.torch import load as load_weights
from tokenizers import Tokenizer
from torch import Tensor

from mainstem.disk import put_whole
from mainstem.errors import ModelError, VersionError
from mainstem.kinds import KindScale
from mainstem.models.encoder import CrossEncoder
from mainstem.models.features import TRANSFORMS
from mainstem.settings.urls import files_at
from mainstem.versions.bases import keep_base, read_base
from mainstem.versions.beats_counting import BeatsCounting
from mainstem.versions.calibration import Calibration
from mainstem.versions.contents import base_of, contents_of, digest_of, network_of, packed
from mainstem.versions.manifest import Manifest, check_features, features_read

__all__ = ["Versions"]

_MANIFEST: Final = "manifest.json"
_DIRECTION: Final = "direction.safetensors"


class Versions:
    """The versions under one URL.

    Args:
        url: URL of the folder (`file:///folder`, `s3://bucket/folder`, ...).
        known: transform of each feature that this release computes, by name, in order.

    Raises:
        VersionError: from all methods that read a version, if it is missing or damaged.
    """

    def __init__(self, url: str, known: Mapping[str, str] = TRANSFORMS) -> None:
        self.url = url
        self._known = known
        self._files, self._root = files_at(url)

    def save(
        self,
        encoder: CrossEncoder,
        *,
        version: int,
        parent: int | None,
        event_time: int,
        reason: str,
        scale: float | None = None,
        kinds: Mapping[str, KindScale] | None = None,
        generation: int = 0,
        direction: Mapping[str, Tensor] | None = None,
        calibration: Calibration | None = None,
        beats_counting: BeatsCounting | None = None,
    ) -> Manifest:
        """Write a version, with its manifest last.

        A version of the same number is replaced, and does not exist in the meantime.

        Args:
            encoder: network and tokenizer.
            version: number of the version.
            parent: number of its parent; None for the first version.
            event_time: largest event time so far, in milliseconds.
            reason: why it is promoted.
            scale: mean response norm of the canaries under the version; None if it is unknown.
            kinds: how norms of cheaper kinds stand to its full ones, by kind.
            generation: generation of the learner; 0 in the embedded loop.
            direction: trusted gradient at the version by parameter name; None or empty if there
                is none.
            calibration: makes probabilities of its scores.
            beats_counting: whether it ranks better than counting.

        Raises:
            VersionError: if the parent is of another family, or has another adapter.
        """
        if parent is not None:
            self._check_parent(encoder, version, parent)
        folder = self._new_folder(version, generation)
        self._files.makedirs(folder, exist_ok=True)
        if self._files.exists(f"{folder}/{_MANIFEST}"):
            self._files.rm_file(f"{folder}/{_MANIFEST}")
        contents = contents_of(encoder) | ({_DIRECTION: packed(direction)} if direction else {})
        for name, content in contents.items():
            put_whole(self._files, f"{folder}/{name}", content)
        base = base_of(encoder)
        manifest = Manifest(
            version=version,
            parent=parent,
            kind=encoder.kind,
            family=encoder.family,
            parity=encoder.parity,
            adapter=encoder.adapter,
            base="" if base is None else keep_base(self._files, self._root, base),
            event_time=event_time,
            reason=reason,
            files={name: digest_of(content) for name, content in contents.items()},
            scale=scale,
            kinds=dict(kinds or {}),
            generation=generation,
            calibration=calibration,
            beats_counting=beats_counting,
            features=features_read(encoder.features, self._known),
            examined=list(encoder.examined),
        )
        put_whole(self._files, f"{folder}/{_MANIFEST}", msgspec.json.encode(manifest))
        return manifest

    def _check_parent(self, encoder: CrossEncoder, version: int, parent: int) -> None:
        """Refuse a parent whose weights cannot have become those of the model."""
        if parent not in self.numbers():
            return
        of_parent = self.manifest(parent)
        family = of_parent.family
        if of_parent.adapter != encoder.adapter:
            msg = (
                f"version {version} trains {encoder.adapter or 'all weights'}, and its parent, "
                f"version {parent} under {self.url}, {of_parent.adapter or 'all weights'}: the one "
                "cannot have been trained from the other; train with the settings "
                "MAINSTEM_MODEL__ADAPTER... that the parent was made with, or start a new home"
            )
            raise VersionError(msg)
        if family != encoder.family:
            msg = (
                f"version {version} is of the family {encoder.family!r}, and its parent, version "
                f"{parent} under {self.url}, is of {family!r}: the one cannot have been trained "
                "from the other; start a new home for another model"
            )
            raise VersionError(msg)

    def take_over(self, other: "Versions", version: int) -> None:
        """Copy a whole version from another place, with its manifest last."""
        manifest = other.manifest(version)
        folder = self._new_folder(version, manifest.generation)
        self._files.makedirs(folder, exist_ok=True)
        for name, digest in manifest.files.items():
            put_whole(self._files, f"{folder}/{name}", other.content(version, name, digest))
        if manifest.base:
            keep_base(self._files, self._root, other.base(manifest))
        put_whole(self._files, f"{folder}/{_MANIFEST}", msgspec.json.encode(manifest))

    def base(self, manifest: Manifest) -> bytes:
        """The weights, as a file, that the adapter of a version leaves as they are.

        Raises:
            VersionError: if they are missing, or their digest differs.
        """
        of_version = f"version {manifest.version} under {self.url}"
        return read_base(self._files, self._root, manifest.base, of_version)

    def load(self, version: int) -> CrossEncoder:
        """Read a version without its direction, in float32, whatever it was written in.

        Raises:
            VersionError: if it is missing or damaged, or reads other features than this release
                computes.
        """
        manifest = self.manifest(version)
        check_features(manifest, self._known, self.url)
        files = {name: digest for name, digest in manifest.files.items() if name != _DIRECTION}
        contents = {name: self.content(version, name, digest) for name, digest in files.items()}
        base = self.base(manifest) if manifest.base else None
        try:
            network = network_of(manifest, msgspec.json.decode(contents["config.json"]))
            weights = load_weights(base) if base else {}
            network.load_state_dict(weights | load_weights(contents["weights.safetensors"]))
            tokenizer = Tokenizer.from_buffer(contents["tokenizer.json"])
        except ModelError:  # a missing package
            raise
        # files that do not belong together make the libraries raise anything
        except Exception as error:
            first_line = next(iter(str(error).splitlines()), "") or type(error).__name__
            msg = (
                f"version {version} under {self.url} cannot be put together ({first_line}); "
                "restore it from a copy"
            )
            raise VersionError(msg) from error
        for name, one in network.named_parameters():
            if not torch.isfinite(one).all():
                msg = (
                    f"weights {name!r} of version {version} under {self.url} are not all finite; "
                    "go back to an earlier version"
                )
                raise VersionError(msg)
        return CrossEncoder(network, tokenizer, parity=manifest.parity)

    def direction(self, version: int) -> dict[str, Tensor] | None:
        """The trusted gradient at a version by parameter name.

        None if the version was made before there were samples for it.
        """
        digest = self.manifest(version).files.get(_DIRECTION)
        return None if digest is None else load_weights(self.content(version, _DIRECTION, digest))

    def manifest(self, version: int) -> Manifest:
        """The manifest of a version."""
        path = f"{self._folder(version)}/{_MANIFEST}"
        try:
            return msgspec.json.decode(self._files.cat_file(path), type=Manifest)
        except FileNotFoundError as error:
            msg = (
                f"version {version} does not exist under {self.url}; "
                "`mainstem versions` lists those that do"
            )
            raise VersionError(msg) from error
        except msgspec.DecodeError as error:
            msg = (
                f"{_MANIFEST} of version {version} under {self.url} cannot be read ({error}); "
                "restore it from a copy"
            )
            raise VersionError(msg) from error

    def numbers(self) -> list[int]:
        """The numbers of the versions that exist, in ascending order."""
        return sorted({version for version, _ in self._found()})

    def forget_after(self, version: int) -> None:
        """Remove the versions with higher numbers, each manifest first.

        They come from work that is done again.
        """
        for number, folder in self._found():
            if number > version:
                self._files.rm_file(f"{self._root}/{folder}/{_MANIFEST}")
                self._files.rm(f"{self._root}/{folder}", recursive=True)

    def _found(self) -> list[tuple[int, str]]:
        """Number and folder of every version with a manifest, in order of number and generation."""
        # subtle: on S3 listings are cached, and another process may have written since
        self._files.invalidate_cache()
        if not self._files.exists(self._root):
            return []
        # subtle: a glob would take a [ in the folder's own name for a pattern
        found = self._files.find(self._root, maxdepth=2)
        places = [str(path).rsplit("/", 2)[-2:] for path in found]
        folders = sorted(folder for folder, name in places if name == _MANIFEST)
        known = [folder for folder in folders if folder.replace("-", "", 1).isdecimal()]
        return [(int(folder[:6]), folder) for folder in known]

    def _new_folder(self, version: int, generation: int) -> str:
        return f"{self._root}/{version:06d}" + (f"-{generation:06d}" if generation else "")

    def _folder(self, version: int) -> str:
        """The folder of a version, of its latest generation."""
        return f"{self._root}/{dict(self._found()).get(version, f'{version:06d}')}"

    def content(self, version: int, name: str, digest: str) -> bytes:
        """Read one file of a version and check it.

        Args:
            version: number of the version.
            name: name of the file.
            digest: BLAKE2b digest of the file in the manifest.

        Raises:
            VersionError: if the file is missing or its digest differs.
        """
        try:
            content: bytes = self._files.cat_file(f"{self._folder(version)}/{name}")
        except FileNotFoundError as error:
            msg = f"{name} of version {version} under {self.url} is missing; restore it from a copy"
            raise VersionError(msg) from error
        if digest_of(content) != digest:
            msg = (
                f"{name} of version {version} under {self.url} is not what its manifest says; "
                "restore it from a copy"
            )
            raise VersionError(msg)
        return content
