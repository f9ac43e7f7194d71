"""How samples are scored, and for how long they are kept at hand."""

from typing import Annotated, Final

from mainstem.errors import SettingError
from mainstem.settings.durations import DAY
from mainstem.settings.fields import Group, Means, duration

__all__ = ["Responses"]

_SHORTEST_SKETCH: Final = 32


class Responses(Group, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """How samples are scored, and for how long they are kept at hand."""

    score_batch: Annotated[
        int,
        Means(
            "A higher number scores more samples of full length in one pass, or of shorter ones yet more, in more memory.",
            low=1,
        ),
    ] = 64
    precision: Annotated[
        str,
        Means(
            "It says in which numbers a pass of scoring computes; `auto` takes bfloat16 on a GPU that has it, else float32.",
            choices=("auto", "float32", "bfloat16", "float16"),
        ),
    ] = "auto"
    sketch: Annotated[
        int,
        Means(
            "A higher number keeps a longer sketch of each response; it is even and at least 32, or 0 for none.",
            low=0,
            high=1024,
        ),
    ] = 64
    response_layers: Annotated[
        str,
        Means(
            "It names the layers that responses are taken over; fewer layers cost less and say less.",
            form="names or patterns with commas between",
        ),
    ] = "*"
    rescore_budget: Annotated[
        int,
        Means(
            "A higher number lets each new version score more of the newest samples again.", low=0
        ),
    ] = 6000
    horizon: Annotated[
        int,
        duration(
            "A longer horizon goes on judging older samples; those that are older yet keep their last standing."
        ),
    ] = 90 * DAY

    def __post_init__(self) -> None:
        super().__post_init__()
        if 0 < self.sketch < _SHORTEST_SKETCH or self.sketch % 2:
            msg = f"responses.sketch is 0 or an even number from {_SHORTEST_SKETCH} to 1024; got {self.sketch!r}"
            raise SettingError(msg)
        if not all(self.layer_patterns):
            msg = (
                "responses.response_layers are names or patterns with commas between, like 'head'; "
                f"got {self.response_layers!r}"
            )
            raise SettingError(msg)

    @property
    def layer_patterns(self) -> tuple[str, ...]:
        """What `response_layers` names.

        Example:
            >>> Responses(response_layers="head.*, bert.encoder.layer.1.*").layer_patterns
            ('head.*', 'bert.encoder.layer.1.*')
        """
        return tuple(pattern.strip() for pattern in self.response_layers.split(","))
