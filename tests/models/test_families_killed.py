"""A round that is killed at any moment and begun again gives the same version, in every family.

Families differ in how they are put together again: from which token they read, which tables they
hold, and whether a version holds all weights. The history is not part of this; its steps are killed
in `tests/trainer/test_learning_program.py`.
"""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from mainstem.bench.families import MODES, learnable, tiny_settings
from mainstem.bench.tiny_families import TINY, save_tiny
from mainstem.learning.first import first_encoder
from mainstem.learning.training import fine_tuning
from mainstem.learning.training.fine_tuning import fine_tune
from mainstem.models import ActiveVersion
from mainstem.settings import Settings
from mainstem.versions import Manifest, Versions, bases, versions
from tests.small_models import one_thread
from tests.trainer.fakes import Kill, Killed

__all__ = ["one_thread"]

SAMPLES, HELD_OUT = learnable(24), learnable(32)[24:]
TEXTS = [text for one in SAMPLES for text in (one.context_text, one.item_text)]
# one epoch of three steps
QUICK = {"learning.epochs": 1}
STEPS = 3


@pytest.fixture
def kill(monkeypatch: pytest.MonkeyPatch) -> Kill:
    """Kill the round before one of its training steps, or before one of its files is written."""
    made = Kill()

    def around(action: Callable[..., Any]) -> Callable[..., Any]:
        return lambda *given: made.around(lambda: action(*given))

    monkeypatch.setattr(fine_tuning, "train_step", around(fine_tuning.train_step))
    monkeypatch.setattr(versions, "put_whole", around(versions.put_whole))
    monkeypatch.setattr(bases, "put_whole", around(bases.put_whole))
    return made


def begun(folder: Path, family: str, mode: str) -> Settings:
    """Make version 0 in a folder, of a tiny model of a family that lies beside it."""
    given = folder.parent / "given"
    if not given.exists():
        save_tiny(given, family, texts=TEXTS)
    settings = tiny_settings(given).but({**MODES[mode], **QUICK})
    encoder = first_encoder(TEXTS, settings)
    Versions(f"file://{folder}").save(encoder, version=0, parent=None, event_time=0, reason="first")
    return settings


def run(folder: Path, settings: Settings) -> Manifest:
    """Run round 1 from what lies on disk, as a learner does that was just started."""
    place = Versions(f"file://{folder}")
    child = fine_tune(place.load(0), SAMPLES, HELD_OUT, settings, seed=3).encoder
    pairs = [(one.context_text, one.item_text) for one in HELD_OUT]
    direction = ActiveVersion(child, settings).gradient(pairs, [one.label for one in HELD_OUT])
    known: dict[str, Any] = {"event_time": 1, "reason": "better", "direction": direction}
    return place.save(child, version=1, parent=0, **known)


@pytest.mark.parametrize(
    ("family", "mode"), [*((family, "full") for family in TINY), ("qwen2", "lora")]
)
def test_a_round_killed_at_any_moment_gives_the_same_version(
    family: str, mode: str, kill: Kill, tmp_path: Path
) -> None:
    """After a kill at a step or between files there is no version 1, and then the same one."""
    folder = tmp_path / "versions"
    settings, place = begun(folder, family, mode), Versions(f"file://{folder}")
    undisturbed = run(folder, settings)
    ends = STEPS + len(undisturbed.files)
    # after two steps and after the first file; and before the first one and before the manifest
    more = (STEPS, ends) if family == "qwen2" else ()
    for moment in (STEPS - 1, STEPS + 1, *more):
        place.forget_after(0)
        kill.left = moment
        with pytest.raises(Killed):
            run(folder, settings)
        assert [0] == place.numbers(), moment
        assert undisturbed == run(folder, settings), moment
    kill.left = ends + 1
    assert undisturbed == run(folder, settings)
    assert 0 == kill.left


def test_a_first_version_killed_beside_its_base_is_made_again_the_same(
    kill: Kill, tmp_path: Path
) -> None:
    """A kill before or after the base of an adapter is written changes nothing of version 0."""
    begun(tmp_path / "whole", "qwen2", "lora")
    undisturbed = Versions(f"file://{tmp_path}/whole").manifest(0)
    base = len(undisturbed.files)
    for moment in (base, base + 1):
        folder = tmp_path / str(moment)
        kill.left = moment
        with pytest.raises(Killed):
            begun(folder, "qwen2", "lora")
        place = Versions(f"file://{folder}")
        assert [] == place.numbers(), moment
        begun(folder, "qwen2", "lora")
        assert undisturbed == place.manifest(0), moment
        place.load(0)
