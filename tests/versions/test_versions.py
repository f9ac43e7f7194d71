"""Versions on disk: what is saved is read back, and half a version is never read."""

import hashlib
import json
import pickle
from collections.abc import Callable, Iterator
from itertools import permutations
from pathlib import Path
from typing import Any
from uuid import uuid4

import pytest
import torch
from safetensors.torch import save as save_weights

from mainstem.errors import VersionError
from mainstem.versions import CrossEncoder, Versions
from mainstem.versions.tokenizer import encode_pairs, pad
from tests.models import PAIRS, given_encoder, scratch_encoder
from tests.versions.failing import FailingFiles

FILES = ("weights.safetensors", "config.json", "tokenizer.json")


@pytest.fixture(params=["file", "memory"])
def url(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    """An empty place of each kind."""
    return {"file": f"file://{tmp_path / 'versions'}", "memory": f"memory://{uuid4()}"}[request.param]


def save(versions: Versions, encoder: CrossEncoder, version: int) -> None:
    versions.save(encoder, version=version, parent=version - 1 or None, event_time=7, reason="better")


def logits(encoder: CrossEncoder) -> torch.Tensor:
    batch = pad(encode_pairs(encoder.tokenizer, PAIRS, 64), encoder.padding_id)
    with torch.no_grad():
        return encoder.network.eval()(batch)


def direction_of(encoder: CrossEncoder) -> dict[str, torch.Tensor]:
    return {name: torch.full_like(one.detach(), 0.5) for name, one in encoder.network.named_parameters()}


def kills(url: str, encoder: CrossEncoder, version: int) -> Iterator[Versions]:
    """The place after a save that was killed at its first change, at its second, ... until one goes through."""
    for at in range(100):
        versions = Versions(url)
        versions._files = FailingFiles(versions._files, at)
        try:
            save(versions, encoder, version)
        except KeyboardInterrupt:
            yield Versions(url)
        else:
            return


@pytest.mark.parametrize("make", [scratch_encoder, given_encoder])
def test_what_is_saved_is_read_back(url: str, make: Callable[..., CrossEncoder]) -> None:
    """A version of either kind gives the very same logits when it is read again, and torch's own state is left alone."""
    encoder = make(seed=3)
    save(Versions(url), encoder, 5)
    state = torch.get_rng_state()
    again = Versions(url).load(5)
    assert torch.equal(logits(encoder), logits(again))
    assert (encoder.from_scratch, encoder.padding_id) == (again.from_scratch, again.padding_id)
    assert torch.equal(state, torch.get_rng_state())


def test_a_manifest_says_what_a_version_is(url: str) -> None:
    """Number, parent, kind, event time and reason are kept beside the digest of each file."""
    saved = Versions(url).save(given_encoder(), version=2, parent=1, event_time=1234, reason="AUC .70 -> .71")
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
    """Numbers come in their order, whatever order they were written in; an empty place has none."""
    assert [] == Versions(url).numbers()
    for version in (10, 0, 9):
        save(Versions(url), given_encoder(), version)
    assert [0, 9, 10] == Versions(url).numbers()


@pytest.mark.parametrize("name", ["a b", "a[1]", "a*", "杯", "a%20b"])
def test_a_folder_may_have_any_name(name: str, tmp_path: Path) -> None:
    """Versions are found in folders with spaces, brackets and Chinese in their names."""
    url = f"file://{tmp_path / name}"
    save(Versions(url), given_encoder(), 0)
    assert [0] == Versions(url).numbers()


def test_other_folders_are_no_versions(tmp_path: Path) -> None:
    """A stranger's folder with a manifest beside the versions is not counted as one."""
    url = f"file://{tmp_path}"
    save(Versions(url), given_encoder(), 0)
    (tmp_path / "notes").mkdir()
    (tmp_path / "notes" / "manifest.json").write_text("{}")
    assert [0] == Versions(url).numbers()


def test_a_version_exists_only_when_its_manifest_does(url: str) -> None:
    """A kill at any step leaves no version, and saving again after it makes a whole one."""
    encoder, steps = given_encoder(), 0
    for versions in kills(url, encoder, 1):
        steps += 1
        assert [] == versions.numbers()
        with pytest.raises(VersionError, match=r"version 1 does not exist under .*`mainstem versions` lists"):
            versions.load(1)
    assert len(["makedirs", *FILES, "manifest.json.half", "mv"]) == steps
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


@pytest.mark.parametrize("name", FILES)
def test_a_damaged_file_is_refused(name: str, tmp_path: Path) -> None:
    """One changed byte, a cut file and a missing file are each told by name, with what to do."""
    versions = Versions(f"file://{tmp_path}")
    save(versions, given_encoder(), 4)
    path = tmp_path / "000004" / name
    whole = path.read_bytes()
    for damaged in (whole[:-1] + bytes([whole[-1] ^ 1]), whole[:-100], b""):
        path.write_bytes(damaged)
        with pytest.raises(VersionError, match=f"{name} of version 4 under .* is not what its manifest says; restore it"):
            versions.load(4)
    path.unlink()
    with pytest.raises(VersionError, match=f"{name} of version 4 under .* is missing; restore it"):
        versions.load(4)


@pytest.mark.parametrize("content", [b"", b"{", b'{"version": 4}'])
def test_a_damaged_manifest_is_refused(content: bytes, tmp_path: Path) -> None:
    """A manifest that cannot be read is told, with what to do."""
    versions = Versions(f"file://{tmp_path}")
    save(versions, given_encoder(), 4)
    (tmp_path / "000004" / "manifest.json").write_bytes(content)
    with pytest.raises(VersionError, match=r"manifest.json of version 4 under .* cannot be read .*; restore it"):
        versions.load(4)


@pytest.mark.parametrize("make", [scratch_encoder, given_encoder])
def test_nothing_unpickles(make: Callable[..., CrossEncoder], tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Saving and loading go without pickle, which could run a stranger's code, and no file is one."""

    def refuse(*_: Any, **__: Any) -> None:
        msg = "something was unpickled"
        raise AssertionError(msg)

    for module, name in ((pickle, "load"), (pickle, "loads"), (pickle, "Unpickler"), (torch, "load")):
        monkeypatch.setattr(module, name, refuse)
    versions = Versions(f"file://{tmp_path}")
    save(versions, make(), 1)
    versions.load(1)
    assert {*FILES, "manifest.json"} == {path.name for path in (tmp_path / "000001").iterdir()}


GENERATIONS = {3: 1, 7: 2, 12: 3}  # generation of a learner, and the seed of what it made


@pytest.mark.parametrize("order", list(permutations(GENERATIONS)))
def test_of_two_learners_the_later_generation_wins(url: str, order: tuple[int, ...]) -> None:
    """Whatever order they were written in, the version is that of the latest generation, manifest and weights."""
    for generation in order:
        encoder = given_encoder(seed=GENERATIONS[generation])
        Versions(url).save(encoder, version=2, parent=1, event_time=generation, reason="better", generation=generation)
    versions = Versions(url)
    assert ([2], 12, 12) == (versions.numbers(), versions.manifest(2).generation, versions.manifest(2).event_time)
    assert torch.equal(logits(given_encoder(seed=3)), logits(versions.load(2)))


def test_a_lower_generation_that_writes_later_is_not_seen(url: str) -> None:
    """A learner that was paused and overtaken saves to a folder of its own; none of what the later one wrote changes."""
    versions = Versions(url)
    saved = versions.save(given_encoder(seed=1), version=2, parent=1, event_time=5, reason="later", generation=9)
    for generation in (8, 0):  # 0: of an embedded loop
        versions.save(given_encoder(seed=2), version=2, parent=1, event_time=6, reason="paused", generation=generation)
        assert saved == versions.manifest(2)
        assert torch.equal(logits(given_encoder(seed=1)), logits(versions.load(2)))


def test_a_later_generation_without_a_manifest_is_not_seen(tmp_path: Path) -> None:
    """A learner that died before its manifest leaves the version of the one before it."""
    versions = Versions(f"file://{tmp_path}")
    saved = versions.save(given_encoder(seed=1), version=2, parent=1, event_time=5, reason="whole", generation=1)
    versions.save(given_encoder(seed=2), version=2, parent=1, event_time=6, reason="half", generation=2)
    (tmp_path / "000002-000002" / "manifest.json").unlink()
    assert saved == versions.manifest(2)
    assert torch.equal(logits(given_encoder(seed=1)), logits(versions.load(2)))


def test_a_number_is_listed_once_whatever_generations_it_has(url: str) -> None:
    """Numbers are those of versions, not of folders."""
    versions = Versions(url)
    for version, generation in ((1, 4), (0, 2), (1, 2), (0, 0)):
        versions.save(given_encoder(), version=version, parent=None, event_time=0, reason="", generation=generation)
    assert [0, 1] == versions.numbers()


def test_forgetting_removes_every_generation(url: str) -> None:
    """Of a version that is forgotten no generation is left to come back; the others stay whole."""
    versions = Versions(url)
    for version in range(4):
        for generation in (0, 2, 5):
            versions.save(given_encoder(), version=version, parent=None, event_time=0, reason="", generation=generation)
    versions.forget_after(1)
    again = Versions(url)
    assert [0, 1] == again.numbers()
    assert [5, 5] == [again.manifest(version).generation for version in (0, 1)]
    again.load(1)
    for version in (2, 3):
        with pytest.raises(VersionError, match=f"version {version} does not exist"):
            again.manifest(version)


def test_scale_and_generation_are_in_the_manifest(url: str) -> None:
    """They are read back as they were saved; without them a manifest says none, and generation 0."""
    versions = Versions(url)
    versions.save(given_encoder(), version=1, parent=0, event_time=0, reason="", scale=0.1 + 0.2, generation=3)
    versions.save(given_encoder(), version=2, parent=0, event_time=0, reason="")
    assert (0.1 + 0.2, 3) == (versions.manifest(1).scale, versions.manifest(1).generation)
    assert (None, 0) == (versions.manifest(2).scale, versions.manifest(2).generation)


def test_a_direction_is_read_back_with_its_version(url: str) -> None:
    """What is saved as the trusted gradient is given back by parameter; a version without one, or an empty one, has none."""
    versions, encoder = Versions(url), given_encoder()
    direction = direction_of(encoder)
    versions.save(encoder, version=1, parent=0, event_time=0, reason="", direction=direction)
    versions.save(encoder, version=2, parent=1, event_time=0, reason="", direction={})
    save(versions, encoder, 3)
    found = Versions(url).direction(1)
    assert found is not None
    assert direction.keys() == found.keys()
    assert all(torch.equal(direction[name], found[name]) for name in direction)
    assert {*FILES, "direction.safetensors"} == set(versions.manifest(1).files)
    assert [None, None] == [versions.direction(version) for version in (2, 3)]
    assert torch.equal(logits(encoder), logits(versions.load(1)))


def test_a_version_that_is_replaced_without_its_direction_has_none(url: str) -> None:
    """The file that the earlier one left is not taken for the later one's."""
    versions, encoder = Versions(url), given_encoder()
    versions.save(encoder, version=1, parent=0, event_time=0, reason="", direction=direction_of(encoder))
    save(versions, encoder, 1)
    assert versions.direction(1) is None


def test_a_damaged_direction_is_refused_and_the_version_is_not(tmp_path: Path) -> None:
    """A direction that is not what the manifest says is told; the weights can be read without it."""
    versions, encoder = Versions(f"file://{tmp_path}"), given_encoder()
    versions.save(encoder, version=4, parent=3, event_time=0, reason="", direction=direction_of(encoder))
    path = tmp_path / "000004" / "direction.safetensors"
    path.write_bytes(path.read_bytes()[:-1])
    with pytest.raises(VersionError, match=r"direction.safetensors of version 4 under .* is not what its manifest says"):
        versions.direction(4)
    assert torch.equal(logits(encoder), logits(versions.load(4)))


def test_a_version_with_a_direction_exists_only_when_its_manifest_does(url: str) -> None:
    """A kill while the direction is written leaves no version."""
    encoder = given_encoder()
    for at in range(6):
        versions = Versions(url)
        versions._files = FailingFiles(versions._files, at)
        with pytest.raises(KeyboardInterrupt):
            versions.save(encoder, version=1, parent=0, event_time=0, reason="", direction=direction_of(encoder))
        assert [] == Versions(url).numbers()


def rewritten(folder: Path, version: int, name: str, content: bytes) -> None:
    """Somebody writes a file of a version anew, and its digest too."""
    place = folder / f"{version:06d}"
    (place / name).write_bytes(content)
    manifest = json.loads((place / "manifest.json").read_text())
    manifest["files"][name] = hashlib.blake2b(content, digest_size=16).hexdigest()
    (place / "manifest.json").write_text(json.dumps(manifest))


@pytest.mark.parametrize("make", [scratch_encoder, given_encoder])
@pytest.mark.parametrize("dtype", [torch.float16, torch.bfloat16, torch.float64])
def test_a_version_is_computed_in_float32(make: Callable[..., CrossEncoder], dtype: torch.dtype, tmp_path: Path) -> None:
    """Whatever its weights and its config were written in, as versions of before may have been."""
    versions, encoder = Versions(f"file://{tmp_path}"), make()
    encoder.network.to(dtype)
    encoder.network.config.dtype = dtype
    save(versions, encoder, 1)
    again = versions.load(1)
    assert {torch.float32} == {one.dtype for one in again.network.parameters()}
    pairs = zip(encoder.network.parameters(), again.network.parameters(), strict=True)
    assert all(torch.equal(saved.float(), read) for saved, read in pairs)


@pytest.mark.parametrize(
    ("name", "change"),
    [
        ("config.json", lambda content: content.replace(b'"hidden_size": 16', b'"hidden_size": 32')),
        ("config.json", lambda _: b"{"),
        ("tokenizer.json", lambda _: b"{}"),
        ("weights.safetensors", lambda _: save_weights({"other": torch.ones(1)})),
        ("weights.safetensors", lambda content: content[:-4]),
    ],
)
def test_files_that_do_not_belong_together_are_refused(name: str, change: Callable[[bytes], bytes], tmp_path: Path) -> None:
    """A version whose manifest is right and whose files do not fit is told in one line, as any that is damaged."""
    versions = Versions(f"file://{tmp_path}")
    save(versions, given_encoder(), 4)
    rewritten(tmp_path, 4, name, change((tmp_path / "000004" / name).read_bytes()))
    with pytest.raises(VersionError, match=r"version 4 under .* cannot be put together \(.*\); restore it") as caught:
        versions.load(4)
    assert 1 == len(str(caught.value).splitlines())


def test_a_version_of_another_kind_is_refused(tmp_path: Path) -> None:
    """A manifest that takes a given model for one that was made here, or for something unknown, opens nothing."""
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
    """It would score nothing; which weights they are is told."""
    versions, encoder = Versions(f"file://{tmp_path}"), given_encoder()
    encoder.network.model.classifier.bias.data[1] = odd
    save(versions, encoder, 4)
    with pytest.raises(VersionError, match=r"weights 'model.classifier.bias' of version 4 under .* are not all finite"):
        versions.load(4)
