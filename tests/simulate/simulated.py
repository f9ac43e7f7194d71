"""Helpers for tests of the simulated shop: shops, and the labels that the join gives them."""

from dataclasses import dataclass
from functools import lru_cache
from io import BytesIO
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from mainstem.events import Event, Item, Refusal, decode
from mainstem.events.survey import survey
from mainstem.join import Catalogue, Joiner, Sample, imbalance
from mainstem.settings import Join, Settings
from mainstem.simulate import (
    Shop,
    Simulated,
    TruthOfEvent,
    TruthOfQuestion,
    TruthOfShop,
    read_truth,
    simulate,
)

DAY = 86_400_000
GRACE = 600_000
ACCIDENTS = {
    "misclicks": 0.1,
    "bots": 0.1,
    "tracking_bug": 2,
    "turned_over": 0.05,
    "duplicated": 0.1,
    "late": 0.1,
    "disordered": 0.2,
    "malformed": 0.05,
}
OPPOSITE = {"unseen", "misclick", "bot", "tracking bug", "turned over"}
CAUSES = {"", "lost"} | OPPOSITE


@dataclass(frozen=True)
class Made:
    """A simulated shop: its lines, its truth, and the summary of the simulation."""

    lines: list[bytes]
    questions: dict[str, TruthOfQuestion]
    accidents: list[TruthOfEvent]
    head: TruthOfShop
    said: Simulated

    def events(self) -> list[Event | Refusal]:
        """Decode the lines."""
        return [decode(line) for line in self.lines]

    def readable(self, *kinds: type) -> list[Any]:
        """Return the events of these kinds."""
        return [event for event in self.events() if isinstance(event, kinds)]


@lru_cache(maxsize=4)
def _made(shop: Shop, events: int | None) -> Made:
    log, truth = BytesIO(), BytesIO()
    said = simulate(shop, log, truth, events=events)
    with TemporaryDirectory() as folder:
        path = Path(folder) / "truth.jsonl"
        path.write_bytes(truth.getvalue())
        head, *told = read_truth(path)
    questions = {one.question: one for one in told if isinstance(one, TruthOfQuestion)}
    accidents = [one for one in told if isinstance(one, TruthOfEvent)]
    return Made(log.getvalue().splitlines(), questions, accidents, head, said)


def make(events: int | None = None, **given: Any) -> Made:
    """Simulate a small shop, and keep the latest four."""
    return _made(Shop(**{"users": 60, "items": 120, "days": 12, "sessions": 1, **given}), events)


def labels_of(made: Made) -> dict[Any, int]:
    """Return the last label of each sample by mainstem's join with default settings."""
    settings = Settings(join=Join(questions="shown"))
    catalogue = Catalogue()
    surveyed = survey(made.lines)
    for item in surveyed.items:
        catalogue.add(item)
    joiner = Joiner(0, settings, catalogue, b"secret")
    outputs: list[Any] = []
    for event in made.events():
        if not isinstance(event, Item):
            outputs += joiner.step(joiner.next_offset, event)
    outputs += joiner.closed(
        surveyed.newest + settings.join.label_window + settings.join.grace + 1
    )[1]
    samples = sorted(
        (one for one in outputs if isinstance(one, Sample)), key=lambda sample: sample.label_version
    )
    assert 0 == imbalance(joiner.ledger_row())
    return {sample.sample_id: sample.label for sample in samples}
