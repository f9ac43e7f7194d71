"""Settings of how samples are scored, and for how long."""

from typing import Annotated, Final

from mainstem.errors import SettingError
from mainstem.settings.durations import DAY
from mainstem.settings.fields import Group, Means, duration

__all__ = ["Responses"]

_SHORTEST_SKETCH: Final = 32


class Responses(Group, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """How samples are scored, and for how long."""

    score_batch: Annotated[
        int,
        Means(
            meaning="samples of full length in one pass of scoring; of shorter ones more go together",
            low=1,
        ),
    ] = 64
    precision: Annotated[
        str,
        Means(
            meaning="of a scoring pass: `float32`, `bfloat16`, `float16`; `auto`: bfloat16 on a GPU that has it",
            choices=("auto", "float32", "bfloat16", "float16"),
        ),
    ] = "auto"
    sketch: Annotated[
        int,
        Means(
            meaning="floats in a sketch of a response, an even number from 32; 0: none is kept",
            low=0,
            high=1024,
        ),
    ] = 64
    response_layers: Annotated[
        str,
        Means(meaning="layers that responses are taken over, by name or pattern, with commas between"),
    ] = "*"
    rescore_budget: Annotated[int, Means(meaning="newest samples scored again by each new version", low=0)] = 6000
    horizon: Annotated[int, duration("older samples leave the columns; their standing stays in the history", "results")] = (
        90 * DAY
    )

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
