"""A damaged version is refused in one line that says what to do."""

import hashlib
import json
from collections.abc import Callable
from pathlib import Path

import pytest
import torch
from safetensors.torch import save as save_weights

from mainstem.errors import VersionError
from mainstem.versions import Versions
from tests.small_models import given_encoder
from tests.versions.saving import FILES, save


@pytest.mark.parametrize("name", FILES)
def test_a_damaged_file_is_refused(name: str, tmp_path: Path) -> None:
    """A changed byte, a cut file and a missing file are each refused by the name of the file."""
    versions = Versions(f"file://{tmp_path}")
    save(versions, given_encoder(), 4)
    path = tmp_path / "000004" / name
    whole = path.read_bytes()
    for damaged in (whole[:-1] + bytes([whole[-1] ^ 1]), whole[:-100], b""):
        path.write_bytes(damaged)
        with pytest.raises(
            VersionError,
            match=f"{name} of version 4 under .* is not what its manifest says; restore it",
        ):
            versions.load(4)
    path.unlink()
    with pytest.raises(VersionError, match=f"{name} of version 4 under .* is missing; restore it"):
        versions.load(4)


@pytest.mark.parametrize("content", [b"", b"{", b'{"version": 4}'])
def test_a_damaged_manifest_is_refused(content: bytes, tmp_path: Path) -> None:
    """A manifest that cannot be read is refused, with what to do."""
    versions = Versions(f"file://{tmp_path}")
    save(versions, given_encoder(), 4)
    (tmp_path / "000004" / "manifest.json").write_bytes(content)
    with pytest.raises(
        VersionError, match=r"manifest.json of version 4 under .* cannot be read .*; restore it"
    ):
        versions.load(4)


def rewritten(folder: Path, version: int, name: str, content: bytes) -> None:
    """Rewrite a file of a version and its digest in the manifest."""
    place = folder / f"{version:06d}"
    (place / name).write_bytes(content)
    manifest = json.loads((place / "manifest.json").read_text())
    manifest["files"][name] = hashlib.blake2b(content, digest_size=16).hexdigest()
    (place / "manifest.json").write_text(json.dumps(manifest))


@pytest.mark.parametrize(
    ("name", "change"),
    [
        (
            "config.json",
            lambda content: content.replace(b'"hidden_size": 16', b'"hidden_size": 32'),
        ),
        ("config.json", lambda _: b"{"),
        ("tokenizer.json", lambda _: b"{}"),
        ("weights.safetensors", lambda _: save_weights({"other": torch.ones(1)})),
        ("weights.safetensors", lambda content: content[:-4]),
    ],
)
def test_files_that_do_not_belong_together_are_refused(
    name: str, change: Callable[[bytes], bytes], tmp_path: Path
) -> None:
    """Files that the manifest confirms but that do not fit together are refused in one line."""
    versions = Versions(f"file://{tmp_path}")
    save(versions, given_encoder(), 4)
    rewritten(tmp_path, 4, name, change((tmp_path / "000004" / name).read_bytes()))
    with pytest.raises(
        VersionError, match=r"version 4 under .* cannot be put together \(.*\); restore it"
    ) as caught:
        versions.load(4)
    assert 1 == len(str(caught.value).splitlines())


def test_a_version_of_another_kind_is_refused(tmp_path: Path) -> None:
    """A manifest that names another kind of model, or an unknown kind, is refused."""
    versions = Versions(f"file://{tmp_path}")
    save(versions, given_encoder(), 4)
    path = tmp_path / "000004" / "manifest.json"
    for kind in ("scratch", "of another time"):
        path.write_text(path.read_text().replace('"kind":"pretrained"', f'"kind":"{kind}"'))
        with pytest.raises(VersionError, match=r"version 4 under .* cannot be put together"):
            versions.load(4)
        path.write_text(path.read_text().replace(f'"kind":"{kind}"', '"kind":"pretrained"'))


@pytest.mark.parametrize("odd", [float("nan"), float("inf")])
def test_a_version_whose_weights_are_no_numbers_is_refused(odd: float, tmp_path: Path) -> None:
    """Weights that are NaN or infinite are refused by name."""
    versions, encoder = Versions(f"file://{tmp_path}"), given_encoder()
    encoder.network.model.classifier.bias.data[1] = odd
    save(versions, encoder, 4)
    with pytest.raises(
        VersionError,
        match=r"weights 'model.classifier.bias' of version 4 under .* are not all finite",
    ):
        versions.load(4)
