"""Versions on disk or behind any fsspec URL. A version exists when its manifest, written last, is there.

    VERSIONS/000003/weights.safetensors  config.json  tokenizer.json  manifest.json

Nothing unpickles: weights are safetensors, the rest is JSON. Files are checked against the manifest when they are read.
"""

import hashlib
from typing import Any, Final

import fsspec
import msgspec
import torch
from msgspec import Struct
from safetensors.torch import load as load_weights
from safetensors.torch import save as save_weights
from tokenizers import Tokenizer

from mainstem.errors import VersionError
from mainstem.versions.encoder import CrossEncoder, PairReader, PretrainedReader

__all__ = ["Manifest", "Versions"]

_MANIFEST: Final = "manifest.json"


class Manifest(Struct, frozen=True, kw_only=True):
    """What a version is.

    Attributes:
        version, parent: numbers; the first version has no parent.
        kind: `scratch` (made here) or `pretrained`.
        event_time: how far event time had come when it was made, in milliseconds.
        reason: why it was promoted.
        files: BLAKE2b of each file.
    """

    version: int
    parent: int | None
    kind: str
    event_time: int
    reason: str
    files: dict[str, str]


class Versions:
    """The versions under one URL (`file:///folder`, `s3://bucket/folder`, ...).

    Raises:
        VersionError: from `load`, if a version is not there or not whole.
    """

    def __init__(self, url: str) -> None:
        self.url = url
        self._files, self._root = fsspec.url_to_fs(url)

    def save(self, encoder: CrossEncoder, *, version: int, parent: int | None, event_time: int, reason: str) -> Manifest:
        """Write a version, its manifest last; one of the same number is replaced, and does not exist meanwhile."""
        folder = f"{self._root}/{version:06d}"
        self._files.makedirs(folder, exist_ok=True)
        if self._files.exists(f"{folder}/{_MANIFEST}"):
            self._files.rm_file(f"{folder}/{_MANIFEST}")
        contents = _contents(encoder)
        for name, content in contents.items():
            self._files.pipe_file(f"{folder}/{name}", content)
        manifest = Manifest(
            version=version,
            parent=parent,
            kind="scratch" if encoder.from_scratch else "pretrained",
            event_time=event_time,
            reason=reason,
            files={name: _digest(content) for name, content in contents.items()},
        )
        self._files.pipe_file(f"{folder}/{_MANIFEST}.half", msgspec.json.encode(manifest))
        self._files.mv(f"{folder}/{_MANIFEST}.half", f"{folder}/{_MANIFEST}")
        return manifest

    def load(self, version: int) -> CrossEncoder:
        """Read a version whole."""
        manifest = self.manifest(version)
        contents = {name: self._read(version, name, digest) for name, digest in manifest.files.items()}
        config = msgspec.json.decode(contents["config.json"])
        network = _network(manifest.kind, config)
        network.load_state_dict(load_weights(contents["weights.safetensors"]))
        return CrossEncoder(network, Tokenizer.from_buffer(contents["tokenizer.json"]))

    def manifest(self, version: int) -> Manifest:
        """The manifest of a version."""
        path = f"{self._root}/{version:06d}/{_MANIFEST}"
        try:
            return msgspec.json.decode(self._files.cat_file(path), type=Manifest)
        except FileNotFoundError as error:
            msg = f"version {version} does not exist under {self.url}; `mainstem versions` lists those that do"
            raise VersionError(msg) from error
        except msgspec.DecodeError as error:
            msg = f"{_MANIFEST} of version {version} under {self.url} cannot be read ({error}); restore it from a copy"
            raise VersionError(msg) from error

    def numbers(self) -> list[int]:
        """The versions that exist, oldest first."""
        if not self._files.exists(self._root):
            return []
        found = self._files.find(self._root, maxdepth=2)  # subtle: a glob would read a [ in the folder's own name
        places = [str(path).rsplit("/", 2)[-2:] for path in found]
        return sorted(int(folder) for folder, name in places if name == _MANIFEST and folder.isdecimal())

    def forget_after(self, version: int) -> None:
        """Remove the versions with a higher number, each manifest first: they come from work that is done again."""
        for number in self.numbers():
            if number > version:
                self._files.rm_file(f"{self._root}/{number:06d}/{_MANIFEST}")
                self._files.rm(f"{self._root}/{number:06d}", recursive=True)

    def _read(self, version: int, name: str, digest: str) -> bytes:
        try:
            content: bytes = self._files.cat_file(f"{self._root}/{version:06d}/{name}")
        except FileNotFoundError as error:
            msg = f"{name} of version {version} under {self.url} is missing; restore it from a copy"
            raise VersionError(msg) from error
        if _digest(content) != digest:
            msg = f"{name} of version {version} under {self.url} is not what its manifest says; restore it from a copy"
            raise VersionError(msg)
        return content


def _contents(encoder: CrossEncoder) -> dict[str, bytes]:
    weights = {name: tensor.detach().cpu().contiguous() for name, tensor in encoder.network.state_dict().items()}
    return {
        "weights.safetensors": save_weights(weights),
        "config.json": encoder.network.config.to_json_string(use_diff=False).encode(),
        "tokenizer.json": encoder.tokenizer.to_str().encode(),
    }


def _network(kind: str, config: dict[str, Any]) -> PairReader | PretrainedReader:
    from transformers import AutoModelForSequenceClassification, BertConfig  # noqa: PLC0415 - seconds to import

    with torch.random.fork_rng(devices=[]):
        if kind == "scratch":
            return PairReader(BertConfig.from_dict(config))
        return PretrainedReader(AutoModelForSequenceClassification.from_config(BertConfig.from_dict(config)))


def _digest(content: bytes) -> str:
    return hashlib.blake2b(content, digest_size=16).hexdigest()
