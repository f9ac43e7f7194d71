"""What a machine decides for a home: the device, and the numbers that a scoring pass computes in.

Both change the last digits of every figure. So a home records what was decided when it was made,
and `auto` means this from then on: a replay on another machine repeats it, or is refused.
"""

from collections.abc import Callable, Mapping
from typing import Any

from mainstem.errors import HomeError, SettingError
from mainstem.process.machine import Machine
from mainstem.settings import Settings
from mainstem.settings.comparing import AUTO

__all__ = ["check_machine", "chosen", "for_an_answer", "repeatable", "settled_on", "told"]


def settled_on(
    settings: Settings,
    kept: Mapping[str, Any],
    machine: Machine,
    threads: int,
    *,
    begins_again: bool = False,
    say: Callable[[str], None] = lambda text: None,  # noqa: ARG005
) -> Settings:
    """Settings without `auto` for a replay into a home, and a line where they surprise.

    Args:
        settings: settings that a user gave.
        kept: what the home records, by name; empty where it records nothing yet.
        machine: the machine that computes.
        threads: number of threads that torch uses.
        begins_again: whether the home begins again. It then repeats what it records, as far as the
            user asks for nothing else and the machine can.
        say: receives the line, if there is one.

    Raises:
        HomeError: if the home goes on and was made with what this machine lacks.
        SettingError: if the settings ask for what this machine lacks.
    """
    made_with = repeatable(kept, machine) if begins_again else kept
    found = chosen(settings, made_with, machine)
    check_machine(found, {} if begins_again else kept, machine)
    if begins_again and kept:
        before, now = chosen(Settings(), kept, machine), chosen(Settings(), {}, machine)
        threads_before = kept.get("threads", threads)
        if _scores(before) != _scores(found) or threads_before != threads:
            say(
                f"the home was made {_scores(before)} with {_count(threads_before)}; it begins "
                f"again {_scores(found)} with {_count(threads)}"
            )
        elif _scores(now) != _scores(found) or threads != machine.cores:
            say(
                f"it computes {_scores(found)} with {_count(threads)}, as the home did before; "
                "MAINSTEM_MODEL__DEVICE, MAINSTEM_RESPONSES__PRECISION and OMP_NUM_THREADS ask for "
                f"others (this machine alone would take {now.model.device}, "
                f"{now.responses.precision} and {machine.cores})"
            )
    return found


def _scores(settings: Settings) -> str:
    """What the machine decides of some settings, in words."""
    return f"{_where(settings)}, scoring in {settings.responses.precision}"


def _where(settings: Settings) -> str:
    return "on a GPU" if settings.model.device == "cuda" else "on the CPU"


def _count(threads: int) -> str:
    return f"{threads} thread{'s' * (threads > 1)}"


def chosen(settings: Settings, made_with: Mapping[str, Any], machine: Machine) -> Settings:
    """Put what a home was made with, or else what the machine decides, in place of `auto`.

    Args:
        settings: settings that a user gave; a value other than `auto` stays as it is.
        made_with: what the home records, by name; empty where it records nothing yet.
        machine: the machine that computes.

    Example:
        >>> found = chosen(Settings(), {}, Machine(2, has_gpu=True, has_bfloat16=True))
        >>> found.model.device, found.responses.precision
        ('cuda', 'bfloat16')
        >>> again = chosen(Settings(), found.flat(), Machine(8))
        >>> again.model.device, again.responses.precision
        ('cuda', 'bfloat16')
    """
    device, precision = settings.model.device, settings.responses.precision
    before = made_with.get("model.device", AUTO)
    if device == AUTO:
        device = before
    if device == AUTO:
        device = "cuda" if machine.has_gpu else "cpu"
    # subtle: a precision was decided for a device, and says nothing about another one
    if precision == AUTO and before in (AUTO, device):
        precision = made_with.get("responses.precision", AUTO)
    if precision == AUTO:
        with_bfloat16 = device == "cuda" and machine.has_bfloat16
        precision = "bfloat16" if with_bfloat16 else "float32"
    return settings.but({"model.device": device, "responses.precision": precision})


def check_machine(settings: Settings, made_with: Mapping[str, Any], machine: Machine) -> None:
    """Refuse settings that the machine cannot compute with.

    A precision is not refused here: where a GPU has no bfloat16, torch computes it more slowly.

    Args:
        settings: settings without `auto`, as `chosen` gives them.
        made_with: what the home records, by name; empty where it records nothing yet.
        machine: the machine that computes.

    Raises:
        HomeError: if the home was made on a GPU, and this machine has none.
        SettingError: if the settings ask for a GPU, and this machine has none.
    """
    if not _lacks_gpu(settings, machine):
        return
    if made_with.get("model.device") == "cuda":
        msg = (
            "the home was made with model.device=cuda, and torch sees no GPU here, so that its "
            "figures cannot be repeated; go on where it was made, or --from-start begins again "
            "with what this machine has"
        )
        raise HomeError(msg)
    msg = "model.device is cuda, and torch sees no GPU here; set MAINSTEM_MODEL__DEVICE=cpu"
    raise SettingError(msg)


def _lacks_gpu(settings: Settings, machine: Machine) -> bool:
    return settings.model.device == "cuda" and not machine.has_gpu


def repeatable(made_with: Mapping[str, Any], machine: Machine) -> Mapping[str, Any]:
    """What a home that begins again repeats of its record: all if the machine can, else nothing.

    Args:
        made_with: what the home recorded before, by name.
        machine: the machine that computes.
    """
    settings = chosen(Settings(), made_with, machine)
    on_gpu, precision = settings.model.device == "cuda", settings.responses.precision
    is_slow = on_gpu and precision == "bfloat16" and not machine.has_bfloat16
    return {} if _lacks_gpu(settings, machine) or is_slow else made_with


def for_an_answer(settings: Settings, machine: Machine) -> Settings:
    """Settings for figures that nothing keeps: what the machine lacks is chosen anew.

    Args:
        settings: the settings that a home was made with.
        machine: the machine that computes.

    Example:
        >>> made_with = Settings.of({"model.device": "cuda"})
        >>> for_an_answer(made_with, Machine(2)).model.device
        'cpu'
    """
    if not _lacks_gpu(settings, machine):
        return settings
    free = {"model.device": AUTO, "responses.precision": AUTO}
    return chosen(settings.but(free), {}, machine)


def told(settings: Settings) -> str:
    """Say where and in which numbers a replay computes.

    Args:
        settings: settings without `auto`, as `chosen` gives them.

    Example:
        >>> told(chosen(Settings(), {}, Machine(2)))
        'on the CPU, in float32'
        >>> told(Settings.of({"model.device": "cuda", "responses.precision": "bfloat16"}))
        'on a GPU, scoring in bfloat16 and training in float32'
    """
    scores, trains = settings.responses.precision, settings.learning.train_precision
    numbers = (
        f"in {scores}" if scores == trains else f"scoring in {scores} and training in {trains}"
    )
    compiled = ", with a compiled network in training" if settings.learning.compile else ""
    return f"{_where(settings)}, {numbers}{compiled}"
