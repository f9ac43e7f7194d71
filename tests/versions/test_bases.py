"""The base of an adapter: kept once, checked, copied with a version, never deleted in use."""

from pathlib import Path

import pytest
import torch

from mainstem.bench.tiny_families import save_tiny
from mainstem.errors import VersionError
from mainstem.models import CrossEncoder, load_pretrained
from mainstem.models.adapter import Adapter
from mainstem.models.adapting import adapt
from mainstem.versions import Versions
from tests.versions.saving import FILES, kills, logits, save

LORA = Adapter(kind="lora", rank=2, alpha=4)


def adapted(folder: Path, seed: int = 0, adapter: Adapter = LORA) -> CrossEncoder:
    """A tiny model with an adapter whose trained weights depend on a seed."""
    place = folder / "model"
    if not place.exists():
        save_tiny(place, "bert")
    encoder = load_pretrained(str(place), max_tokens=64, seed=0)
    adapt(encoder.network, adapter)
    with torch.random.fork_rng(devices=[]), torch.no_grad():
        torch.manual_seed(seed)
        for one in encoder.network.parameters():
            if one.requires_grad:
                one.add_(torch.randn_like(one), alpha=0.1)
    return encoder


def bases(folder: Path) -> list[Path]:
    """The files of bases below a folder of versions."""
    return sorted((folder / "versions" / "base").iterdir())


def test_versions_share_one_base(tmp_path: Path) -> None:
    """Three versions hold their adapters alone, and their base lies once, under its digest."""
    versions = Versions(f"file://{tmp_path}/versions")
    for version in (1, 2, 3):
        save(versions, adapted(tmp_path, version), version)
    [base] = bases(tmp_path)
    assert {base.name} == {versions.manifest(version).base for version in versions.numbers()}
    small = tmp_path / "versions" / "000001" / "weights.safetensors"
    assert small.stat().st_size < base.stat().st_size / 4
    assert {*FILES, "manifest.json"} == {one.name for one in small.parent.iterdir()}


def test_a_version_with_a_base_is_read_back_from_any_place(url: str, tmp_path: Path) -> None:
    """In a folder and in memory alike a saved version answers as before, and so does its copy."""
    encoder = adapted(tmp_path, 3)
    save(Versions(url), encoder, 5)
    assert torch.equal(logits(encoder), logits(Versions(url).load(5)))
    copy = Versions(f"file://{tmp_path}/versions")
    copy.take_over(Versions(url), 5)
    assert torch.equal(logits(encoder), logits(copy.load(5)))
    assert [Versions(url).manifest(5).base] == [one.name for one in bases(tmp_path)]


def test_a_base_that_is_not_its_digest_is_refused(tmp_path: Path) -> None:
    """A base that was changed or is missing is named, and the version is not loaded."""
    versions = Versions(f"file://{tmp_path}/versions")
    save(versions, adapted(tmp_path), 1)
    [base] = bases(tmp_path)
    kept = base.read_bytes()
    base.write_bytes(kept[:-1] + bytes([kept[-1] ^ 1]))
    told = rf"base/{base.name} of version 1 under .* is not what its name says; restore"
    with pytest.raises(VersionError, match=told):
        versions.load(1)
    base.unlink()
    with pytest.raises(VersionError, match=rf"base/{base.name} of version 1 .* is missing"):
        versions.load(1)


def test_forgetting_versions_keeps_the_base_of_the_others(tmp_path: Path) -> None:
    """Versions that are done again go, and those before them load as before."""
    versions = Versions(f"file://{tmp_path}/versions")
    encoder = adapted(tmp_path, 1)
    save(versions, encoder, 1)
    save(versions, adapted(tmp_path, 2), 2)
    versions.forget_after(1)
    assert [1] == versions.numbers()
    assert torch.equal(logits(encoder), logits(versions.load(1)))


def test_a_killed_save_leaves_no_version_without_its_base(url: str, tmp_path: Path) -> None:
    """A kill at any step leaves no version, and the next save makes a whole one."""
    encoder = adapted(tmp_path, 1)
    for versions in kills(url, encoder, 1):
        assert [] == versions.numbers()
    assert torch.equal(logits(encoder), logits(Versions(url).load(1)))


@pytest.mark.parametrize("adapter", [Adapter(kind="head"), Adapter(kind="blocks", blocks=1)])
def test_a_head_or_blocks_share_a_base_too(adapter: Adapter, tmp_path: Path) -> None:
    """A version of a head or of blocks holds what is trained alone, and is read back."""
    versions = Versions(f"file://{tmp_path}/versions")
    encoders = {version: adapted(tmp_path, version, adapter) for version in (1, 2)}
    for version, encoder in encoders.items():
        save(versions, encoder, version)
    assert 1 == len(bases(tmp_path))
    for version, encoder in encoders.items():
        assert torch.equal(logits(encoder), logits(versions.load(version)))
