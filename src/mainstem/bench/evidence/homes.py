"""The homes that evidence is measured on: one for each stream and seed, made once.

A home has no trusted samples of its own; which samples are trusted is revealed when it is measured.
A home counts once its mark is written, so a preparation that was interrupted goes on with the next.
"""

import shutil
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from statistics import median
from typing import TYPE_CHECKING, Any, Final, TypeAlias

import msgspec

from mainstem.bench.evidence.logs import plant_of, write_log
from mainstem.bench.evidence.streams import Stream
from mainstem.bench.evidence.texts import has_texts
from mainstem.bench.evidence.truths import write_truths
from mainstem.bench.planting import Plant
from mainstem.bench.ranker import Told
from mainstem.disk import write_whole
from mainstem.join import Sample
from mainstem.settings import Settings
from mainstem.settings.durations import DAY

if TYPE_CHECKING:
    from uuid import UUID

__all__ = ["Cell", "Homes", "MakeHome", "Turning"]

_MARK: Final = "done.json"
_VERSION: Final = 1  # rises when homes are made in another way, so that old ones are made again
_EVERY: Final[dict[str, Any]] = {
    "join.partitions": 1,  # so that all samples are judged together
    "responses.representations": True,
    "responses.representations_ttl": 3650 * DAY,
    "responses.rescore_budget": 100_000,  # so that one version has read every sample
    "responses.sketch": 0,  # nothing here needs sketches
    "standing.evidence": "margin",  # neighbours at every judgement would cost time for nothing
}


class Turning:
    """Turns labels over on their way into a home, and remembers what they were.

    Args:
        plant: decides which labels are turned; those of all parts of the stream are.

    Attributes:
        truth: label that each sample had before, by sample id.
    """

    def __init__(self, plant: Plant) -> None:
        self._plant = plant
        self.truth: dict[UUID, int] = {}

    @property
    def name(self) -> str:
        """What the home records, because its results depend on it."""
        return self._plant.name

    def relabel(self, sample: Sample, part: str) -> Sample:  # noqa: ARG002 - the shape of `Relabel`
        """Turn over the label of a sample, if it is planted."""
        self.truth[sample.sample_id] = sample.label
        return self._plant.relabel(sample, "stream")


MakeHome: TypeAlias = Callable[[Path, Path, Settings, Turning | None], None]
"""Replays a log into a home: path of the log, folder of the home, settings, what turns labels."""


@dataclass(frozen=True)
class Cell:
    """A stream and a seed."""

    stream: Stream
    seed: int

    @property
    def name(self) -> str:
        """The cell in words."""
        return f"{self.stream.name}, seed {self.seed}"


@dataclass(frozen=True)
class Homes:
    """The homes of a bench.

    Attributes:
        folder: folder that holds them.
        cells: streams and seeds that are wanted.
        data: folder of the sets; None if there is none.
        base: settings that every home is made with, unless its stream says otherwise.
    """

    folder: Path
    cells: Sequence[Cell]
    data: Path | None
    base: Settings

    def path(self, cell: Cell) -> Path:
        """The folder of a cell, which holds the log, the truth, the mark and the home."""
        return self.folder / f"{cell.stream.folder}-{cell.seed}"

    def settings(self, cell: Cell) -> Settings:
        """The settings that the home of a cell is made with."""
        return self.base.but({**_EVERY, **cell.stream.settings, "run.seed": cell.seed})

    def is_there(self, cell: Cell) -> bool:
        """Whether the home of a cell is made."""
        return self._mark(cell).get("version") == _VERSION

    def can_be_made(self, cell: Cell) -> bool:
        """Whether the cell has what it is made of."""
        return cell.stream.made_of != "texts" or has_texts(self.data)

    @property
    def missing(self) -> list[Cell]:
        """The cells whose homes can be made and are not."""
        return [one for one in self.cells if self.can_be_made(one) and not self.is_there(one)]

    def seconds(self, cells: Sequence[Cell]) -> float:
        """About how long it takes to make the homes of some cells, by the pace of those made."""
        paces = [
            float(self._mark(one)["seconds"]) / one.stream.prepare_seconds
            for one in self.cells
            if self.is_there(one)
        ]
        pace = median(paces) if paces else 1.0
        return pace * sum(one.stream.prepare_seconds for one in cells)

    def prepare(self, make: MakeHome, told: Told) -> None:
        """Make the homes that are missing.

        Args:
            make: replays a log into a home.
            told: receives a line of progress before each home.
        """
        missing = self.missing
        for place, cell in enumerate(missing):
            left = self.seconds(missing[place:]) / 60
            told(f"home {place + 1} of {len(missing)}: {cell.name}; about {left:.0f} minutes left")
            self._make(cell, make)

    def _make(self, cell: Cell, make: MakeHome) -> None:
        path, began = self.path(cell), time.monotonic()
        shutil.rmtree(path, ignore_errors=True)
        path.mkdir(parents=True)
        truth, plant = path / "truth", plant_of(cell.stream, cell.seed)
        log = write_log(cell.stream, cell.seed, path, truth, self.data)
        turning = Turning(plant) if plant else None
        make(log, path / "home", self.settings(cell), turning)
        if turning:
            write_truths(truth, turning.truth.items())
        mark = {"version": _VERSION, "seconds": round(time.monotonic() - began, 1)}
        write_whole(path / _MARK, msgspec.json.encode(mark))

    def _mark(self, cell: Cell) -> dict[str, Any]:
        path = self.path(cell) / _MARK
        if not path.is_file():
            return {}
        mark: dict[str, Any] = msgspec.json.decode(path.read_bytes())
        return mark
