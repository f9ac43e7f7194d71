"""How samples are scored, and how long they keep being judged."""

from typing import Annotated, Final

from mainstem.errors import SettingError
from mainstem.kinds import Kind
from mainstem.settings.durations import DAY
from mainstem.settings.fields import Group, Means, duration, switch

__all__ = ["Responses"]

_SHORTEST_SKETCH: Final = 32


class Responses(Group, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """How samples are scored, and how long they keep being judged."""

    score_batch: Annotated[
        int,
        Means(
            "A higher number scores more samples in one pass, in more memory; short samples"
            " count for less than one.",
            low=1,
        ),
    ] = 64
    precision: Annotated[
        str,
        Means(
            "Chooses the numbers that a scoring pass computes in; `auto` takes bfloat16 on a GPU"
            " that has it, and float32 elsewhere, and in a home what the home was made with.",
            choices=("auto", "float32", "bfloat16", "float16"),
        ),
    ] = "auto"
    sketch: Annotated[
        int,
        Means(
            "A higher number keeps a longer sketch of each response; 0 keeps none, else it is"
            " even and at least 32.",
            low=0,
            high=1024,
        ),
    ] = 64
    response_layers: Annotated[
        str,
        Means(
            "Names the layers that responses are taken over; fewer layers cost less and tell less.",
            form="names or patterns with commas between",
        ),
    ] = "*"
    first_visit: Annotated[
        str,
        Means(
            "Chooses what is computed when a sample comes: `full`, the exact norm with alignment"
            " and sketch; `last`, the norm over the last block and the head; `forward`, the norm"
            " over the head, with no backward pass through the blocks. Cheaper norms tell less.",
            choices=tuple(Kind),
        ),
    ] = Kind.FORWARD.value
    next_visit: Annotated[
        str,
        Means(
            "Chooses what is computed when a new version scores a sample of the stream again, as"
            " `first_visit` does for its first visit, and for all visits of trusted samples.",
            choices=tuple(Kind),
        ),
    ] = Kind.FULL.value
    representations: Annotated[
        bool,
        switch(
            "Keeps what the head of the model read of each scored sample, so that evidence can"
            " compare a sample with its neighbours; about 1 KiB more for each visit.",
        ),
    ] = False
    representations_ttl: Annotated[
        int,
        Means(
            "A longer time keeps representations longer after they were written, by the clock of"
            " the history.",
            low=0,
            is_duration=True,
        ),
    ] = 30 * DAY
    rescore_budget: Annotated[
        int,
        Means(
            "A higher number makes each new version score more samples again, besides the trusted"
            " ones.",
            low=0,
        ),
    ] = 500
    rescore: Annotated[
        str,
        Means(
            "Chooses which samples a new version scores again, as many as `rescore_budget` allows:"
            " the `newest`, or the most `changeable`, whose standing another visit is most likely"
            " to change.",
            choices=("newest", "changeable"),
        ),
    ] = "changeable"
    horizon: Annotated[
        int,
        duration(
            "A longer horizon goes on judging older samples; a sample beyond it keeps its last"
            " standing."
        ),
    ] = 90 * DAY

    def __post_init__(self) -> None:
        super().__post_init__()
        if 0 < self.sketch < _SHORTEST_SKETCH or self.sketch % 2:
            msg = (
                f"responses.sketch is 0 or an even number from {_SHORTEST_SKETCH} to 1024; "
                f"got {self.sketch!r}"
            )
            raise SettingError(msg)
        if not all(self.layer_patterns):
            msg = (
                "responses.response_layers are names or patterns with commas between, like 'head'; "
                f"got {self.response_layers!r}"
            )
            raise SettingError(msg)

    @property
    def kinds(self) -> tuple[Kind, ...]:
        """The kinds of visit that the settings ask for, `full` among them.

        Example:
            >>> [str(kind) for kind in Responses(first_visit="forward").kinds]
            ['full', 'forward']
        """
        asked = {Kind.FULL, Kind(self.first_visit), Kind(self.next_visit)}
        return tuple(kind for kind in Kind if kind in asked)

    @property
    def layer_patterns(self) -> tuple[str, ...]:
        """The names and patterns in `response_layers`, one by one.

        Example:
            >>> Responses(response_layers="head.*, bert.encoder.layer.1.*").layer_patterns
            ('head.*', 'bert.encoder.layer.1.*')
        """
        return tuple(pattern.strip() for pattern in self.response_layers.split(","))
