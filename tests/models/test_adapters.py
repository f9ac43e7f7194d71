"""Adapters: what is trained, what responses are over, what a version holds, and what it refuses."""

import importlib
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
import torch

from mainstem.bench.families import MODES, learnable, parity_of, tiny_settings
from mainstem.bench.tiny_families import save_tiny
from mainstem.errors import ModelError, VersionError
from mainstem.join import examples_of
from mainstem.learning.first import first_encoder
from mainstem.learning.training.fine_tuning import fine_tune, loss_on
from mainstem.learning.training.steps import optimizer_of
from mainstem.models import ActiveVersion, CrossEncoder
from mainstem.models.adapter import Adapter
from mainstem.models.adapting import parted
from mainstem.settings import Settings
from mainstem.versions import Versions
from tests.versions.saving import logits

SAMPLES = learnable(24)
TEXTS = [text for one in SAMPLES for text in (one.context_text, one.item_text)]
ADAPTED = [name for name in MODES if name != "full"]
FAMILIES = ["bert", "llama"]


def taken_in(folder: Path, mode: str, family: str = "bert", **more: Any) -> Any:
    """Take in a tiny model in one mode, with its settings."""
    place = folder / "model"
    if not place.exists():
        save_tiny(place, family, texts=TEXTS)
    settings = tiny_settings(place).but({**MODES[mode], **more})
    return first_encoder(TEXTS, settings), settings


def save(versions: Versions, encoder: CrossEncoder, version: int) -> str:
    """Save a version, and return the digest of its weights."""
    parent = version - 1 if version else None
    saved = versions.save(encoder, version=version, parent=parent, event_time=1, reason="better")
    return saved.files["weights.safetensors"]


def loss_of(encoder: CrossEncoder, settings: Settings) -> float:
    """Mean loss on all samples."""
    active = ActiveVersion(encoder, settings)
    loss, _ = loss_on(active, active.read(examples_of(SAMPLES)))
    assert loss is not None
    return loss


@pytest.mark.parametrize("family", FAMILIES)
@pytest.mark.parametrize("mode", ADAPTED)
def test_norms_over_what_is_trained_are_autograds(mode: str, family: str, tmp_path: Path) -> None:
    """Norms are autograd's to 1e-5, before a round and after it, when LoRA's B is no longer 0."""
    encoder, settings = taken_in(tmp_path, mode, family)
    child = fine_tune(encoder, SAMPLES, [], settings, seed=1).encoder
    for one in (encoder, child):
        assert one.network.trained == ActiveVersion(one, settings).parameter_names
        assert parity_of(one, SAMPLES[:6], settings) < 1e-5


@pytest.mark.parametrize("family", FAMILIES)
@pytest.mark.parametrize("mode", ADAPTED)
def test_a_round_lowers_the_loss_and_leaves_the_base(
    mode: str, family: str, tmp_path: Path
) -> None:
    """A round trains the adapter alone: the loss falls, and each frozen weight stays as it was."""
    encoder, settings = taken_in(tmp_path, mode, family)
    before = loss_of(encoder, settings)
    child = fine_tune(encoder, SAMPLES, [], settings, seed=1).encoder
    assert loss_of(child, settings) < before
    (trained, base), (was_trained, was_base) = parted(child.network), parted(encoder.network)
    assert all(torch.equal(base[name], was_base[name]) for name in was_base)
    assert not any(torch.equal(trained[name], was_trained[name]) for name in was_trained)


@pytest.mark.parametrize("mode", ADAPTED)
def test_the_optimizer_holds_only_what_is_trained(mode: str, tmp_path: Path) -> None:
    """The optimizer has the trained parameters, and the others need no gradient."""
    encoder, settings = taken_in(tmp_path, mode)
    optimizer, _ = optimizer_of(encoder, settings, 4, beside=False)
    held = {id(one) for group in optimizer.param_groups for one in group["params"]}
    named = dict(encoder.network.named_parameters())
    assert held == {id(named[name]) for name in encoder.network.trained}
    assert encoder.network.trained == {name for name, one in named.items() if one.requires_grad}


def test_each_mode_trains_its_part(tmp_path: Path) -> None:
    """LoRA trains its pairs, `blocks` the last one and the pooler, and all train the head."""
    parts = {
        "lora": {"query", "value", "classifier"},
        "head": {"classifier"},
        "blocks": {"layer.1", "pooler", "classifier"},
    }
    for mode, expected in parts.items():
        trained = taken_in(tmp_path, mode)[0].network.trained
        found = {part for part in expected if any(f".{part}." in name for name in trained)}
        assert expected == found
        assert all(any(f".{part}." in name for part in expected) for name in trained)
        assert (mode == "lora") == any(".lora_" in name for name in trained)


@pytest.mark.parametrize("family", FAMILIES)
def test_a_model_with_new_pairs_answers_as_it_was_given(family: str, tmp_path: Path) -> None:
    """B is 0 at the start: the logits are those of the model alone, and A has no gradient yet."""
    plain, _ = taken_in(tmp_path, "full", family)
    encoder, settings = taken_in(tmp_path, "lora", family)
    torch.testing.assert_close(logits(plain), logits(encoder))
    gradient = ActiveVersion(encoder, settings).gradient(examples_of(SAMPLES))
    at_a = {name for name, one in gradient.items() if not one.any()}
    assert at_a == {name for name in gradient if ".lora_A." in name}


@pytest.mark.parametrize("family", FAMILIES)
def test_responses_may_be_over_chosen_weights_of_the_base(family: str, tmp_path: Path) -> None:
    """Chosen layers count with their frozen weights, to 1e-5, and training leaves them frozen."""
    chosen = {"responses.response_layers": {"bert": "*.layer.1.*", "llama": "*.layers.1.*"}[family]}
    encoder, settings = taken_in(tmp_path, "lora", family, **chosen)
    names = ActiveVersion(encoder, settings).parameter_names
    assert any("base_layer" in name for name in names)
    assert any("lora_B" in name for name in names)
    assert parity_of(encoder, SAMPLES[:6], settings) < 1e-5
    child = fine_tune(encoder, SAMPLES, [], settings, seed=1).encoder
    (_, base), (_, was_base) = parted(child.network), parted(encoder.network)
    assert all(torch.equal(base[name], was_base[name]) for name in was_base)


@pytest.mark.parametrize("mode", ADAPTED)
def test_a_version_that_is_loaded_again_goes_on_as_the_same(mode: str, tmp_path: Path) -> None:
    """A saved version answers the same, and the next round from it gives the same weights."""
    encoder, settings = taken_in(tmp_path, mode)
    versions = Versions(f"file://{tmp_path}/versions")
    save(versions, encoder, 0)
    again = versions.load(0)
    assert torch.equal(logits(encoder), logits(again))
    assert (encoder.adapter, encoder.network.trained) == (again.adapter, again.network.trained)
    digests = {
        save(versions, fine_tune(one, SAMPLES, [], settings, seed=3).encoder, number)
        for number, one in ((1, encoder), (2, again))
    }
    assert 1 == len(digests)


def test_a_version_loads_in_a_fresh_process(tmp_path: Path) -> None:
    """Another process, without the folder of the model, reads the trained weights and the base."""
    encoder, settings = taken_in(tmp_path, "lora")
    child = fine_tune(encoder, SAMPLES, [], settings, seed=3).encoder
    url = f"file://{tmp_path}/versions"
    save(Versions(url), child, 1)
    for path in (tmp_path / "model").iterdir():
        path.unlink()
    code = (
        "from mainstem.versions import Versions\n"
        "from tests.versions.saving import logits\n"
        f"print(logits(Versions({url!r}).load(1)).tolist())"
    )
    told = subprocess.run([sys.executable, "-c", code], check=True, capture_output=True, text=True)
    found = torch.tensor([[float(one) for one in row.split(",")] for row in rows_of(told.stdout)])
    torch.testing.assert_close(logits(child), found)


def rows_of(printed: str) -> list[str]:
    """The rows of a printed list of lists."""
    return printed.strip().removeprefix("[[").removesuffix("]]").split("], [")


def test_settings_of_another_adapter_do_not_train_on(tmp_path: Path) -> None:
    """A round is refused whose settings ask for something else than the version was made with."""
    encoder, settings = taken_in(tmp_path, "lora")
    told = (
        r"ask to train the head alone, and the version was made to train LoRA of rank 4 and alpha "
        r"16 at query, value; set MAINSTEM_MODEL__ADAPTER"
    )
    with pytest.raises(ModelError, match=told):
        fine_tune(encoder, SAMPLES, [], settings.but(MODES["head"]), seed=1)
    with pytest.raises(ModelError, match="ask to train all weights, and"):
        fine_tune(encoder, SAMPLES, [], settings.but({"model.adapter": "none"}), seed=1)
    named = settings.but({"model.adapter_modules": "value, query", "learning.epochs": 1})
    assert fine_tune(encoder, SAMPLES, [], named, seed=1).steps


def test_a_version_of_another_adapter_is_no_parent(tmp_path: Path) -> None:
    """Nothing is written of a version whose parent has another adapter."""
    versions = Versions(f"file://{tmp_path}/versions")
    save(versions, taken_in(tmp_path, "head")[0], 0)
    for mode, words in (("lora", "LoRA of rank 4"), ("full", "all weights")):
        told = rf"version 1 trains {words}.*, and its parent, version 0 .*, the head alone"
        with pytest.raises(VersionError, match=told):
            save(versions, taken_in(tmp_path, mode)[0], 1)
    assert [0] == versions.numbers()


@pytest.mark.parametrize(
    ("asked", "told"),
    [
        ({"adapter": "lora", "adapter_modules": "q_lin"}, "no place at q_lin in a model of .*bert"),
        ({"adapter": "blocks", "adapter_blocks": 3}, "not 3 blocks .*ADAPTER_BLOCKS lower"),
        ({"adapter": "lora", "model": ""}, "train LoRA of rank 8 .* given, and none is.*--model"),
    ],
)
def test_an_adapter_without_a_place_is_refused(
    asked: dict[str, Any], told: str, tmp_path: Path
) -> None:
    """Unknown layers, too many blocks, and a model that is made here, are refused with a remedy."""
    settings = tiny_settings(save_tiny(tmp_path / "model", "bert", texts=TEXTS))
    with pytest.raises(ModelError, match=told):
        first_encoder(TEXTS, settings.but({f"model.{name}": one for name, one in asked.items()}))


def test_without_peft_lora_says_what_to_install(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The extra is named, and `head` and `blocks` need none."""
    assert importlib.util.find_spec("peft")
    monkeypatch.setitem(sys.modules, "peft", None)
    for mode in ("head", "blocks"):
        assert taken_in(tmp_path, mode)[0].adapter
    with pytest.raises(ModelError, match=r"pip install 'mainstem\[lora\]'"):
        taken_in(tmp_path, "lora")


def test_an_adapter_is_told_in_words() -> None:
    """What is trained can be read in a message."""
    told = [str(Adapter(kind="blocks", blocks=2)), str(Adapter(kind="head"))]
    assert ["the last 2 blocks", "the head alone"] == told
