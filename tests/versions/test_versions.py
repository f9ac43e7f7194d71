"""Versions on disk: a saved version is read back, and half a version is never read."""

import json
import pickle
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import torch

from mainstem.bench.tiny_families import save_tiny
from mainstem.errors import VersionError
from mainstem.models import CrossEncoder, load_pretrained
from mainstem.settings.urls import url_of
from mainstem.versions import Versions
from tests.small_models import given_encoder, scratch_encoder
from tests.versions.saving import FILES, kills, logits, save

NEW = {"family", "parity"}
"""What manifests have had since models of any family can be given."""


@pytest.mark.parametrize("make", [scratch_encoder, given_encoder])
def test_what_is_saved_is_read_back(url: str, make: Callable[..., CrossEncoder]) -> None:
    """A saved version gives the very same logits, and loading leaves torch's random state alone."""
    encoder = make(seed=3)
    save(Versions(url), encoder, 5)
    state = torch.get_rng_state()
    again = Versions(url).load(5)
    assert torch.equal(logits(encoder), logits(again))
    assert (encoder.from_scratch, encoder.padding_id) == (again.from_scratch, again.padding_id)
    assert torch.equal(state, torch.get_rng_state())


@pytest.mark.parametrize("make", [scratch_encoder, given_encoder])
@pytest.mark.parametrize("dtype", [torch.float16, torch.bfloat16, torch.float64])
def test_a_version_is_computed_in_float32(
    make: Callable[..., CrossEncoder], dtype: torch.dtype, tmp_path: Path
) -> None:
    """A version is loaded as float32, in whatever type its weights and its config were written."""
    versions, encoder = Versions(f"file://{tmp_path}"), make()
    encoder.network.to(dtype)
    encoder.network.config.dtype = dtype
    save(versions, encoder, 1)
    again = versions.load(1)
    assert {torch.float32} == {one.dtype for one in again.network.parameters()}
    pairs = zip(encoder.network.parameters(), again.network.parameters(), strict=True)
    assert all(torch.equal(saved.float(), read) for saved, read in pairs)


def test_a_manifest_says_what_a_version_is(url: str) -> None:
    """The manifest has number, parent, kind, event time, reason and the digest of each file."""
    saved = Versions(url).save(
        given_encoder(), version=2, parent=1, event_time=1234, reason="AUC .70 -> .71"
    )
    kept = Versions(url).manifest(2)
    assert saved == kept
    assert (2, 1, "pretrained", 1234, "AUC .70 -> .71") == (
        kept.version,
        kept.parent,
        kept.kind,
        kept.event_time,
        kept.reason,
    )
    assert set(FILES) == set(kept.files)


def test_versions_are_listed_oldest_first(url: str) -> None:
    """Versions are listed in the order of their numbers, and an empty place has none."""
    assert [] == Versions(url).numbers()
    for version in (10, 0, 9):
        save(Versions(url), given_encoder(), version)
    assert [0, 9, 10] == Versions(url).numbers()


@pytest.mark.parametrize("name", ["a b", "a[1]", "a*", "杯", "a%20b"])
def test_a_folder_may_have_any_name(name: str, tmp_path: Path) -> None:
    """Versions are found in folders with spaces, brackets and Chinese in their names."""
    url = url_of("file", tmp_path / name)
    save(Versions(url), given_encoder(), 0)
    assert [0] == Versions(url).numbers()


def test_a_version_of_one_family_is_no_parent_of_another(tmp_path: Path) -> None:
    """A model cannot have been trained from one of another family, and nothing is written."""
    versions = Versions(f"file://{tmp_path}/versions")
    save(versions, given_encoder(), 1)
    folder = save_tiny(tmp_path / "model", "distilbert")
    other = load_pretrained(str(folder), max_tokens=64, seed=0)
    told = r"version 2 is of the family 'distilbert', and its parent, version 1 .*, is of 'bert'"
    with pytest.raises(VersionError, match=told):
        save(versions, other, 2)
    assert [1] == versions.numbers()


def test_a_manifest_from_before_there_were_families_is_a_bert(tmp_path: Path) -> None:
    """A version that names no family loads and is the parent of a BERT."""
    versions = Versions(f"file://{tmp_path}")
    save(versions, given_encoder(), 1)
    path = tmp_path / "000001" / "manifest.json"
    known = json.loads(path.read_text())
    path.write_text(json.dumps({name: known[name] for name in known if name not in NEW}))
    assert ("bert", None) == (versions.manifest(1).family, versions.load(1).parity)
    save(versions, given_encoder(seed=1), 2)
    assert [1, 2] == versions.numbers()


def test_other_folders_are_no_versions(tmp_path: Path) -> None:
    """A foreign folder with a manifest beside the versions is not listed."""
    url = f"file://{tmp_path}"
    save(Versions(url), given_encoder(), 0)
    (tmp_path / "notes").mkdir()
    (tmp_path / "notes" / "manifest.json").write_text("{}")
    assert [0] == Versions(url).numbers()


def test_a_version_exists_only_when_its_manifest_does(url: str) -> None:
    """A kill at any step leaves no version, and the next save makes a whole one."""
    encoder, steps = given_encoder(), 0
    for versions in kills(url, encoder, 1):
        steps += 1
        assert [] == versions.numbers()
        with pytest.raises(
            VersionError, match=r"version 1 does not exist under .*`mainstem versions` lists"
        ):
            versions.load(1)
    assert len(["makedirs", *FILES, "manifest.json"]) == steps
    assert [1] == Versions(url).numbers()
    assert torch.equal(logits(encoder), logits(Versions(url).load(1)))


def test_a_version_that_is_replaced_is_the_old_or_the_new_one(url: str) -> None:
    """A kill at any step of a replacement leaves the old version whole or none, never a mixture."""
    old, new = given_encoder(seed=1), given_encoder(seed=2)
    save(Versions(url), old, 1)
    for versions in kills(url, new, 1):
        if versions.numbers():
            assert torch.equal(logits(old), logits(versions.load(1)))
            continue
        with pytest.raises(VersionError):
            versions.load(1)
    assert torch.equal(logits(new), logits(Versions(url).load(1)))


@pytest.mark.parametrize("make", [scratch_encoder, given_encoder])
def test_nothing_unpickles(
    make: Callable[..., CrossEncoder], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Saving and loading never use pickle, which could run foreign code."""

    def refuse(*_: Any, **__: Any) -> None:
        msg = "something was unpickled"
        raise AssertionError(msg)

    for module, name in (
        (pickle, "load"),
        (pickle, "loads"),
        (pickle, "Unpickler"),
        (torch, "load"),
    ):
        monkeypatch.setattr(module, name, refuse)
    versions = Versions(f"file://{tmp_path}")
    save(versions, make(), 1)
    versions.load(1)
    assert {*FILES, "manifest.json"} == {path.name for path in (tmp_path / "000001").iterdir()}
