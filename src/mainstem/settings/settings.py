"""One frozen `Settings`, read from the environment once. `mainstem settings` prints every one with its meaning.

Setting `name` is read from `MAINSTEM_NAME`. Durations are written `90s`, `10m`, `1h`, `30d` and held in milliseconds.
"""

import math
import re
from collections.abc import Mapping
from dataclasses import dataclass, field, fields
from typing import Any, Final, Self

from mainstem.errors import SettingError
from mainstem.settings.addresses import NAMES

__all__ = ["PREFIX", "Settings", "parse_duration"]

PREFIX: Final = "MAINSTEM_"
_UNITS: Final = {"ms": 1, "s": 1000, "m": 60_000, "h": 3_600_000, "d": 86_400_000}
_MOST_CLASSES: Final = 127
_SHORTEST_SKETCH: Final = 32
_OF_TESTS: Final = "MAINSTEM_TEST_"  # which servers the test suite uses
_MINUTE, _HOUR, _DAY = _UNITS["m"], _UNITS["h"], _UNITS["d"]


def parse_duration(text: str) -> int:
    """Milliseconds of a duration.

    Example:
        >>> parse_duration("10m"), parse_duration("250ms")
        (600000, 250)
    """
    found = re.fullmatch(r"(\d{1,12}(?:\.\d{1,9})?)\s*(ms|s|m|h|d)", text.strip())
    if not found:
        msg = f"a duration is a number and one of {sorted(_UNITS)}, like '90s' or '30d'; got {text!r}"
        raise SettingError(msg)
    return round(float(found[1]) * _UNITS[found[2]])


def _setting(default: Any, help: str, *, low: float | None = None, high: float | None = None, **more: Any) -> Any:  # noqa: A002
    return field(default=default, metadata={"help": help, "low": low, "high": high, **more})


def _share(default: float, help: str) -> Any:  # noqa: A002
    return _setting(default, help, low=0, high=1)


def _duration(default: int, help: str) -> Any:  # noqa: A002
    return _setting(default, help, low=0, duration=True)


@dataclass(frozen=True, kw_only=True)
class Settings:
    """Everything that can be set. Groups follow the way of the data."""

    seed: int = _setting(0, "every draw, slice and initial weight comes from it", low=0)

    questions: str = _setting(
        "auto",
        "what asks: `shown` (impressions and views), `purchases` (logs without those), `auto` looks at the log",
        choices=("auto", "shown", "purchases"),
    )
    classes: str = _setting(
        "", "classes of labelled texts, by name, with commas between; the order numbers them; empty: `no,yes`"
    )
    label_window: int = _duration(_HOUR, "outcomes this long after a question make its first label")
    grace: int = _duration(10 * _MINUTE, "how far events may come out of order")
    revision_window: int = _duration(30 * _DAY, "outcomes this long after a question revise its label")
    dedupe_horizon: int = _duration(_DAY, "an event id is remembered for this long, in event time")
    history_length: int = _setting(5, "items of the shopper's recent history in a text", low=0, high=100)
    history_window: int = _duration(90 * _DAY, "what the shopper did longer ago is not in a text")
    negatives: int = _setting(1, "negatives drawn for each purchase where purchases are the questions", low=0, high=100)
    partitions: int = _setting(1, "partitions of events and of samples", low=1, high=4096)

    direction_share: float = _share(0.02, "slice of the stream that gives the trusted gradient; never trained on")
    canary_share: float = _share(0.04, "slice of the stream that verdicts are held against; treated like the rest")
    gate_share: float = _share(0.04, "slice of the stream that judges versions; never trained on")

    model: str = _setting("", "Hugging Face name or local path of a BERT cross-encoder; empty: made here, from the log")
    device: str = _setting("auto", "`cpu`, `cuda` or `auto`", choices=("auto", "cpu", "cuda"))
    max_tokens: int = _setting(64, "tokens of a text pair; the longer side is cut first", low=8, high=8192)
    vocabulary: int = _setting(8000, "word pieces of the vocabulary made here", low=200)

    score_batch: int = _setting(64, "samples of full length in one pass of scoring; of shorter ones more go together", low=1)
    precision: str = _setting(
        "auto",
        "of a pass of scoring: `float32`, `bfloat16`, `float16`; `auto`: bfloat16 on a GPU that has it, else float32",
        choices=("auto", "float32", "bfloat16", "float16"),
    )
    sketch: int = _setting(64, "floats in a sketch of a response, an even number from 32; 0: none is kept", low=0, high=1024)
    response_layers: str = _setting("*", "layers that responses are taken over, by name or pattern, with commas between")
    rescore_budget: int = _setting(6000, "newest samples scored again by each new version", low=0)
    horizon: int = _duration(90 * _DAY, "older samples leave the columns; their standing stays in the history")

    judge_every: int = _setting(2000, "samples of a partition between two judgements", low=1)
    false_discovery_rate: float = _share(0.1, "q of Benjamini-Hochberg, for `contradictory`")
    canary_minimum: int = _setting(200, "canaries that a stratum needs for a verdict", low=1)
    doubt: float = _share(0.1, "below this p-value a sample is not sound enough for core")
    core_quantile: float = _share(0.5, "core lies above this quantile of importance")
    spent_level: float = _setting(0.05, "spent lies below this importance (1 is the canaries' mean)", low=0)
    confidence: float = _setting(1.0, "standard errors that importance must lie above or below by", low=0)
    core_visits: int = _setting(2, "visits before a sample can be core or spent", low=1)

    round_every: int = _setting(3000, "samples between two rounds", low=1)
    draw: int = _setting(12000, "samples drawn in a round, at most", low=1)
    core_minimum: int = _setting(500, "below this many core samples a round draws uniformly", low=1)
    uniform_share: float = _share(0.5, "share of a draw from core and edge that ignores importance")
    edge_floor: float = _share(0.3, "share of a draw that comes from edge at least")
    epochs: int = _setting(3, "passes over a draw, at most", low=1)
    patience: int = _setting(1, "passes without a better held-out loss before a round stops", low=1)
    train_batch: int = _setting(64, "samples in one step of training", low=1)
    learning_rate: float = _setting(0.0, "of AdamW; 0: 5e-4 for the model made here, 2e-5 for a given one", low=0)
    warm_up: float = _share(0.1, "share of a round's steps in which the learning rate rises")
    weight_decay: float = _setting(0.01, "of AdamW", low=0)
    held_out: int = _setting(1000, "newest samples that a round does not draw but is measured on", low=0)
    gate_margin: float = _setting(0.002, "AUC that a new version may lose against its parent", low=0)
    gate_minimum: int = _setting(100, "gate samples below which the held-out ones decide", low=2)
    later_share: float = _share(0.2, "last share of a log, in time, that is never trained on, to compare versions")

    checkpoint_every: int = _setting(1000, "lines between two checkpoints of a replay", low=1)
    snapshot_every: int = _setting(5000, "offsets of a partition between two snapshots of a joiner", low=1)

    def __post_init__(self) -> None:
        for setting in fields(self):
            _check(setting.name, getattr(self, setting.name), setting.metadata)
        if self.direction_share + self.canary_share + self.gate_share > 1:
            msg = "direction_share, canary_share and gate_share are slices of one stream; their sum must not exceed 1"
            raise SettingError(msg)
        names = self.class_names
        if not 2 <= len(set(names)) == len(names) <= _MOST_CLASSES or "" in names:
            msg = (
                f"classes are 2 to {_MOST_CLASSES} different names with commas between, like 'no,yes'; got {self.classes!r}"
            )
            raise SettingError(msg)
        if 0 < self.sketch < _SHORTEST_SKETCH or self.sketch % 2:
            msg = f"sketch is 0 or an even number from {_SHORTEST_SKETCH} to 1024; got {self.sketch!r}"
            raise SettingError(msg)
        if not all(self.layer_patterns):
            msg = f"response_layers are names or patterns with commas between, like 'head'; got {self.response_layers!r}"
            raise SettingError(msg)
        if self.dedupe_horizon < self.grace:
            msg = "dedupe_horizon must be at least grace: an event may come again while its first copy still waits"
            raise SettingError(msg)
        if self.horizon < self.revision_window + self.label_window:
            msg = "horizon must be at least revision_window and label_window together: a sample that left cannot be revised"
            raise SettingError(msg)

    @property
    def class_names(self) -> tuple[str, ...]:
        """The classes in the order of their numbers.

        Example:
            >>> Settings(classes="sports, business").class_names
            ('sports', 'business')
        """
        return tuple(name.strip() for name in (self.classes or "no,yes").split(","))

    @property
    def layer_patterns(self) -> tuple[str, ...]:
        """What `response_layers` names.

        Example:
            >>> Settings(response_layers="head.*, bert.encoder.layer.1.*").layer_patterns
            ('head.*', 'bert.encoder.layer.1.*')
        """
        return tuple(pattern.strip() for pattern in self.response_layers.split(","))

    @property
    def answers_yes_or_no(self) -> bool:
        """Whether a label is no or yes."""
        return len(self.class_names) == 2

    @classmethod
    def from_environment(cls, environment: Mapping[str, str], **given: Any) -> Self:
        """Defaults, overridden by the environment, overridden by what is given (None counts as not given).

        Raises:
            SettingError: if a value cannot be read, or a `MAINSTEM_` variable names no setting.

        Example:
            >>> Settings.from_environment({"MAINSTEM_GRACE": "5m"}, partitions=4).grace
            300000
        """
        known = {PREFIX + setting.name.upper(): setting for setting in fields(cls)}
        values: dict[str, Any] = {}
        for name, text in environment.items():
            if not name.startswith(PREFIX) or name in NAMES or name.startswith(_OF_TESTS):
                continue
            if name not in known:
                msg = f"{name} is no setting; `mainstem settings` lists them"
                raise SettingError(msg)
            values[known[name].name] = _parse(name, text, known[name])
        return cls(**values | {name: value for name, value in given.items() if value is not None})


def _parse(name: str, text: str, setting: Any) -> Any:
    if setting.metadata.get("duration"):
        try:
            return parse_duration(text)
        except SettingError as error:
            msg = f"{name}: {error}"
            raise SettingError(msg) from error
    kind = type(setting.default)
    try:
        return kind(text)
    except ValueError as error:
        msg = f"{name} should be of type {kind.__name__}; got {text!r}"
        raise SettingError(msg) from error


def _check(name: str, value: Any, metadata: Mapping[str, Any]) -> None:
    low, high, choices = metadata["low"], metadata["high"], metadata.get("choices")
    if choices and value not in choices:
        msg = f"{name} is one of {', '.join(choices)}; got {value!r}"
        raise SettingError(msg)
    if isinstance(value, float) and math.isinf(value):
        msg = f"{name} must be finite; got {value!r}"
        raise SettingError(msg)
    # subtle: NaN compares false with everything, so it must fail the comparison that is asked for
    if (low is not None and not value >= low) or (high is not None and not value <= high):
        bounds = f"at least {low}" if high is None else f"from {low} to {high}"
        msg = f"{name} must be {bounds}; got {value!r}"
        raise SettingError(msg)
