"""Samples as the history returns them, for learning."""

from typing import Any
from uuid import UUID

from mainstem.join import PlacedSample

WORDS = ("red", "white", "cups", "heart", "set", "woolly")


def stored(number: int, **more: Any) -> PlacedSample:
    """Make a sample of the stream."""
    known = {
        "sample_id": UUID(int=number),
        "label_version": 0,
        "partition": 0,
        "offset": number,
        "event_time": number,
        "label": 1,
        "weight": 1.0,
        "sampling_probability": 1.0,
        "position": 0,
        "part": "stream",
        "item_id": f"item-{number}",
        "history": (),
        "context_text": "red cups",
        "item_text": "white heart",
    }
    known |= more
    return PlacedSample(**({"targets": (float(known["label"]),)} | known))


def learnable(count: int, *, start: int = 0) -> list[PlacedSample]:
    """Make samples whose label is yes where the item is a hottie, whatever else the texts say."""
    return [
        stored(
            number,
            label=number % 2,
            context_text=f"{WORDS[number % 5]} {WORDS[number % 3]}",
            item_text=f"{WORDS[number % 6]} {('holder', 'hottie')[number % 2]}",
        )
        for number in range(start, start + count)
    ]
