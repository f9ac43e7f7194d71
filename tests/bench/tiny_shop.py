"""A tiny shop whose truth is known, and the empty histories and homes that its replays need."""

import contextlib
import tempfile
from collections.abc import Iterator
from pathlib import Path

from mainstem.bench.cost.streams import CostStream
from mainstem.bootstrap import open_store, open_versions
from mainstem.settings.urls import url_of
from mainstem.store import Store
from mainstem.versions import Versions

STREAM = CostStream(
    name="tiny shop",
    shop={"plain": True, "turned_over": 0.2},
    events=1800,
    settings={
        "learning.round_every": 150,
        "learning.held_out": 40,
        "standing.judge_every": 100,
        "model.device": "cpu",
    },
)


@contextlib.contextmanager
def history() -> Iterator[Store]:
    """Open an empty history."""
    with tempfile.TemporaryDirectory() as folder:
        url = url_of("chdb", Path(folder, "history"))
        with open_store(url) as store:
            yield store


@contextlib.contextmanager
def home(folder: Path) -> Iterator[tuple[Store, Versions]]:
    """Open an empty history and an empty place for versions."""
    with open_store(url_of("chdb", folder / "history")) as store:
        yield store, open_versions(url_of("file", folder / "versions"))
