"""A repeated event id makes no sample and takes no position."""

import json
from pathlib import Path
from typing import Any

import pytest

from mainstem.embedded.asked import Asked
from mainstem.opening import open_loop
from mainstem.settings import Join, Model, Responses, Run, Settings, Standing
from tests.loop.test_known_log import Quiet

DAY = 86_400_000
SETTINGS = Settings(
    run=Run(checkpoint_every=10),
    join=Join(dedupe_horizon=DAY),
    standing=Standing(judge_every=5),
    model=Model(vocabulary=200, max_tokens=8),
    # All texts have one length and are scored one by one, so a response is the same in any batch.
    responses=Responses(score_batch=1),
)
# Lines that use the event id of an earlier line, which came a day or more before.
AGAIN = {13: 2, 27: 2, 31: 20, 39: 38}
WORDS = ["red", "white", "green", "hottie", "holder", "lantern", "cups", "bunting"]


def line(number: int, event_id: int, word: str) -> bytes:
    """Return a labelled text that comes two days after the previous one."""
    event = {
        "type": "labelled",
        "event_id": f"e{event_id}",
        "event_timestamp": 1_300_000_000_000 + 2 * number * DAY,
    }
    event |= {
        "user_id": f"u{event_id}",
        "text": f"{word} {word}",
        "label": "yes" if event_id % 3 else "no",
    }
    return json.dumps(event).encode() + b"\n"


def log(*, repeated: bool) -> bytes:
    """Return forty texts; those with a repeated id have other words."""
    words = [(number, AGAIN.get(number, number)) for number in range(40)]
    return b"".join(
        line(number, event_id, WORDS[(number if repeated else event_id) % 8])
        for number, event_id in words
        if repeated or number == event_id
    )


def come_of(path: Path, home: Path, **more: Any) -> dict[str, list[tuple[Any, ...]]]:
    """Return the positions, responses and judgements of a replay."""
    with open_loop(
        str(path), home, SETTINGS, Quiet(), Asked(learn=False, **more), environment={}
    ) as loop:
        loop.run()
        assert 36 == loop.samples
        ask = loop.store.rows
        return {
            "positions": ask(
                "SELECT partition, offset, sample_id, label_version FROM samples FINAL ORDER BY ALL"
            ),
            "responses": ask(
                "SELECT partition, offset, sample_id, version FROM responses FINAL ORDER BY ALL"
            ),
            "judgements": ask(
                "SELECT partition, judgement, core + edge FROM judgements FINAL ORDER BY ALL"
            ),
        }


def test_what_an_event_id_brings_again_takes_no_position(tmp_path: Path) -> None:
    """A log with repeated ids has the positions, visits and judgements of a log without them."""
    found = {}
    for repeated in (False, True):
        path = tmp_path / f"log-{repeated}"
        path.write_bytes(log(repeated=repeated))
        found[repeated] = come_of(path, tmp_path / f"home-{repeated}")
    assert found[False] == found[True]
    assert list(range(36)) == [position for _, position, *_ in found[True]["positions"]]


def test_a_replay_that_goes_on_knows_what_it_accepted(tmp_path: Path) -> None:
    """A resumed replay still gives no position to repeated ids."""

    class Stopping(Quiet):
        def block_done(self, _: Any, line: int) -> None:
            if line >= 20:
                raise KeyboardInterrupt

    path = tmp_path / "log"
    path.write_bytes(log(repeated=True))
    whole = come_of(path, tmp_path / "whole")
    with (
        pytest.raises(KeyboardInterrupt),
        open_loop(
            str(path), tmp_path / "home", SETTINGS, Stopping(), Asked(learn=False), environment={}
        ) as loop,
    ):
        loop.run()
    assert whole == come_of(path, tmp_path / "home")
