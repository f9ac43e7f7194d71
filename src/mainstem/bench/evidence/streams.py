"""The streams on which evidence is measured: what makes their labels wrong, and how long they take.

The seed of a stream is the seed of its shop, or of the order of its texts, and of its version.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import Any, Final

__all__ = ["CLASSES", "QUICK", "STREAMS", "TEXTS", "Stream"]

TEXTS: Final = "noisy_agnews_10k"
"""Name of the set of labelled texts, which is also the name of its folder."""
CLASSES: Final = "world,sports,business,science"
_NONE: Final[Mapping[str, Any]] = MappingProxyType({})


@dataclass(frozen=True, kw_only=True)
class Stream:
    """A stream of samples with a known truth.

    Attributes:
        name: name of the stream in tables.
        made_of: `shop`, a simulated shop; `excerpt`, the shipped excerpt; or `texts`, labelled
            texts of a set in a folder that the user names.
        shop: parameters of the shop, apart from its seed.
        events: about how many lines the log of a shop has.
        wrong: share of the labels that are turned over in the excerpt, or replaced by another class
            in the texts; None leaves the texts the labels that people gave them.
        noisy_label: the label with nearly all errors, in a one-sided stream.
        roles: rows of the table that the stream counts for: `one-sided`, `human`, `plain` or
            `nothing`.
        settings: settings of the replay that differ from those of the other streams.
        prepare_seconds: about how long it takes to make one home, on two cores.
        measure_seconds: about how long it takes to measure one home.
    """

    name: str
    made_of: str = "shop"
    shop: Mapping[str, Any] = field(default_factory=lambda: _NONE)
    events: int = 12_000
    wrong: float | None = None
    noisy_label: int | None = None
    roles: frozenset[str] = frozenset()
    settings: Mapping[str, Any] = field(default_factory=lambda: _NONE)
    prepare_seconds: float = 250.0
    measure_seconds: float = 25.0

    @property
    def folder(self) -> str:
        """The name as part of a file name.

        Example:
            >>> Stream(name="plain shop, .2").folder
            'plain-shop-2'
        """
        letters = "".join(one if one.isalnum() else " " for one in self.name.lower())
        return "-".join(letters.split())


_YES: Final = MappingProxyType({"plain": True, "fitting": 0.1, "wrong_yes": 0.66})
_NO: Final = MappingProxyType({"plain": True, "fitting": 0.8, "wrong_no": 0.66})
_WORDS: Final = MappingProxyType({"objectives.classes": CLASSES})

STREAMS: Final = (
    Stream(
        name="plain shop, a fifth turned over",
        shop=MappingProxyType({"plain": True, "turned_over": 0.2}),
        events=20_000,
        roles=frozenset({"plain"}),
        prepare_seconds=450,
        measure_seconds=60,
    ),
    Stream(
        name="two thirds of the yes wrong",
        shop=_YES,
        events=8000,  # few clicks, so that there are more samples to a line
        noisy_label=1,
        roles=frozenset({"one-sided"}),
    ),
    Stream(
        name="two thirds of the no wrong",
        shop=_NO,
        noisy_label=0,
        roles=frozenset({"one-sided"}),
    ),
    Stream(
        name="one category wrong",
        shop=MappingProxyType({"plain": True, "tracking_bug": 10_000}),
    ),
    Stream(name="habits"),
    Stream(
        name="excerpt, a fifth turned over",
        made_of="excerpt",
        wrong=0.2,
        prepare_seconds=600,
        measure_seconds=60,
    ),
    Stream(
        name=f"{TEXTS}, human",
        made_of="texts",
        roles=frozenset({"human"}),
        settings=_WORDS,
        prepare_seconds=300,
        measure_seconds=60,
    ),
    Stream(
        name=f"{TEXTS}, flipped",
        made_of="texts",
        wrong=0.2,
        settings=_WORDS,
        prepare_seconds=300,
        measure_seconds=35,
    ),
    Stream(
        name="nothing wrong",
        shop=MappingProxyType({"plain": True}),
        roles=frozenset({"nothing"}),
    ),
)
_FAST: Final = MappingProxyType(
    {"learning.epochs": 1, "learning.round_every": 1000, "learning.held_out": 200}
)
QUICK: Final = (
    Stream(
        name="small plain shop, a fifth turned over",
        shop=MappingProxyType({"plain": True, "turned_over": 0.2}),
        events=3000,
        settings=_FAST,
        prepare_seconds=20,
        measure_seconds=10,
    ),
    Stream(
        name="small shop, half of the yes wrong",
        shop=MappingProxyType({"plain": True, "fitting": 0.2, "wrong_yes": 0.5}),
        events=3000,
        noisy_label=1,
        roles=frozenset({"one-sided"}),
        settings=_FAST,
        prepare_seconds=20,
        measure_seconds=10,
    ),
)
"""The two small streams of `--quick`."""
