"""What a machine decides is decided once for a home, and another machine repeats it."""

import pytest

from mainstem.errors import HomeError, SettingError
from mainstem.models.choices import for_an_answer, settled_on
from mainstem.process.machine import Machine
from mainstem.settings import Settings

PLAIN, OLD_GPU, GPU = Machine(2), Machine(4, has_gpu=True), Machine(8, True, True)


def pair(settings: Settings) -> tuple[str, str]:
    """The device and the precision of settings."""
    return settings.model.device, settings.responses.precision


@pytest.mark.parametrize(
    ("machine", "decided"),
    [
        (PLAIN, ("cpu", "float32")),
        (OLD_GPU, ("cuda", "float32")),
        (GPU, ("cuda", "bfloat16")),
    ],
)
def test_a_new_home_takes_what_the_machine_has(machine: Machine, decided: tuple[str, str]) -> None:
    """A GPU computes if there is one, and scores in bfloat16 if it can."""
    assert decided == pair(settled_on(Settings(), {}, machine, 2))


def test_a_home_goes_on_as_it_was_made() -> None:
    """A home of a CPU stays one on a GPU, and `auto` is what the home records."""
    made_with = settled_on(Settings(), {}, PLAIN, 2).flat()
    assert ("cpu", "float32") == pair(settled_on(Settings(), made_with, GPU, 2))


def test_a_home_of_a_gpu_is_refused_without_one() -> None:
    """The error says what is missing; a precision that the GPU has not by itself is kept."""
    made_with = settled_on(Settings(), {}, GPU, 2).flat()
    with pytest.raises(HomeError, match=r"model.device=cuda, and torch sees no GPU.*--from-start"):
        settled_on(Settings(), made_with, PLAIN, 2)
    assert ("cuda", "bfloat16") == pair(settled_on(Settings(), made_with, OLD_GPU, 2))


def test_a_gpu_that_is_not_there_is_refused() -> None:
    """The error says what to set instead."""
    with pytest.raises(SettingError, match="set MAINSTEM_MODEL__DEVICE=cpu"):
        settled_on(Settings.of({"model.device": "cuda"}), {}, PLAIN, 2)


def test_a_home_that_begins_again_repeats_what_it_was_made_with() -> None:
    """It does so with one line, if the machine alone would take something else."""
    made_with, said = settled_on(Settings(), {}, PLAIN, 2).flat() | {"threads": 2}, list[str]()
    again = settled_on(Settings(), made_with, GPU, 2, begins_again=True, say=said.append)
    assert ("cpu", "float32") == pair(again)
    assert 1 == len(said)
    assert "as the home did before" in said[0]


def test_a_home_that_begins_again_without_its_gpu_says_so() -> None:
    """It takes what the machine has, and one line names both."""
    made_with, said = settled_on(Settings(), {}, GPU, 2).flat() | {"threads": 2}, list[str]()
    again = settled_on(Settings(), made_with, PLAIN, 2, begins_again=True, say=said.append)
    assert ("cpu", "float32") == pair(again)
    assert ["the home was made on a GPU", "it begins again on the CPU"] == [
        part[: len(start)]
        for part, start in zip(
            said[0].split("; "),
            ("the home was made on a GPU", "it begins again on the CPU"),
            strict=True,
        )
    ]


def test_a_home_that_begins_again_scores_no_slower_than_its_gpu_can() -> None:
    """A bfloat16 that nobody asked for is not repeated on a GPU that has none."""
    made_with, said = settled_on(Settings(), {}, GPU, 2).flat() | {"threads": 2}, list[str]()
    again = settled_on(Settings(), made_with, OLD_GPU, 2, begins_again=True, say=said.append)
    assert ("cuda", "float32") == pair(again)
    assert 1 == len(said)


def test_what_a_user_asks_for_wins_when_a_home_begins_again() -> None:
    """Another device is taken, with the precision of that device."""
    made_with = settled_on(Settings(), {}, GPU, 2).flat()
    asked = Settings.of({"model.device": "cpu"})
    assert ("cpu", "float32") == pair(settled_on(asked, made_with, GPU, 2, begins_again=True))


def test_an_answer_about_a_home_of_a_gpu_needs_none() -> None:
    """What nothing keeps is computed with what there is."""
    made_with = settled_on(Settings(), {}, GPU, 2)
    assert ("cpu", "float32") == pair(for_an_answer(made_with, PLAIN))
    assert made_with == for_an_answer(made_with, GPU)
