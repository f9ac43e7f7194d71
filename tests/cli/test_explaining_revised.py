"""`mainstem explain` of a revised sample, on chDB and on a server, and ids that name several."""

from pathlib import Path
from typing import Any
from uuid import UUID

import pytest

from mainstem.answers.explain import story_of
from mainstem.settings import Responses, Settings, Standing
from mainstem.store import Store
from tests.cli.asking import asker
from tests.conftest import SMALL, Run

THERE = Settings.from_environment(SMALL)
DAY = 86_400_000


@pytest.fixture(params=["chdb", "clickhouse"])
def url(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    """The URL of an empty store, chDB and ClickHouse."""
    if request.param == "chdb":
        return f"chdb://{tmp_path / 'history'}"
    return request.getfixturevalue("store_url")


def write(store: Store, table: str, *rows: dict[str, Any]) -> None:
    """Write each row twice, which must not change any answer."""
    for _ in range(2):
        store.write(table, {name: [row[name] for row in rows] for name in rows[0]})


def write_a_revised_sample(store: Store) -> None:
    """Write sample 1, bought and returned, and canaries 10 to 15.

    A judgement at offset 50 by version 1 sees some of the canaries only.
    """
    of_sample = {
        "question_id": UUID(int=7),
        "partition": 0,
        "event_time": DAY,
        "user": "p",
        "source": "purchase",
        "weight": 1.0,
    }
    texts = {
        "query": "cup\x1b[31m",
        "history": ["a"],
        "item_id": "i",
        "category": "",
        "brand": "",
        "price_band": "",
    }
    texts |= {
        "context_text": "红色" * 80,
        "item_text": "red cup",
        "digest": "0" * 32,
        "sampling_probability": 1.0,
    }
    first = {
        "sample_id": UUID(int=1),
        "label_version": 0,
        "offset": 1,
        "outcomes": [],
        "label": 1,
        **of_sample,
        **texts,
    }
    write(
        store,
        "samples",
        first,
        {**first, "label_version": 1, "offset": 40, "outcomes": ["return"], "label": 0},
    )
    visit = {"partition": 0, "event_time": DAY, "norm": 4.0, "scale": 2.0, "loss": 0.5}
    visits = [
        (1, 0, 0, 1, 1, "stream", 3.0),
        (1, 0, 1, 1, 1, "stream", 1.0),
        (1, 1, 1, 40, 0, "stream", -2.0),
    ]
    # canary 10 is revised to label 0 before the judgement
    visits += [(10, 0, 0, 2, 1, "canary", 0.0), (10, 1, 1, 3, 0, "canary", 0.0)]
    # canary 12 is scored by a later version only
    visits += [(11, 0, 1, 4, 0, "canary", 0.0), (12, 0, 2, 5, 0, "canary", 0.0)]
    # canary 13 is at the judgement's own offset
    visits += [(13, 0, 1, 50, 0, "canary", 0.0), (14, 0, 1, 6, 1, "canary", 0.0)]
    names = ("sample_id", "label_version", "version", "offset", "label", "part", "margin")
    rows = [dict(zip(names, (UUID(int=one[0]), *one[1:]), strict=True)) for one in visits]
    # canary 15 is older than the horizon
    left = {**rows[-1], "sample_id": UUID(int=15), "event_time": 0}
    write(store, "responses", *[{**visit, **row} for row in rows], {**visit, **left})
    judged = {
        "partition": 0,
        "judgement": 50,
        "version": 1,
        "event_time": DAY + THERE.responses.horizon,
    }
    counts = {
        "core": 0,
        "edge": 1,
        "contradictory": 0,
        "spent": 0,
        "canaries": 3,
        "core_level": 1.5,
        "verdict": "given",
    }
    write(store, "judgements", {**judged, **counts})
    move = {
        "sample_id": UUID(int=1),
        "label_version": 1,
        "before": "",
        "standing": "edge",
        "reason": "doubtful",
    }
    write(
        store,
        "moves",
        {
            **judged,
            **move,
            "p_value": 2 / 3,
            "evidence": 0.5,
            "importance": 2.0,
            "margin": -2.0,
            "visits": 1,
        },
    )


def test_a_revised_sample_on_each_engine(url: str, mainstem: Run) -> None:
    """Revisions, means and the canaries of a judgement are the same on chDB and on a server."""
    with Store(url) as store:
        write_a_revised_sample(store)
        story = story_of(
            str(UUID(int=1)), Settings(standing=Standing(canary_minimum=2)), asker(store)
        )
        # the judgement was made with other settings than these
        for other in (
            Settings(standing=Standing(canary_minimum=3)),
            Settings(standing=Standing(canary_minimum=2), responses=Responses(horizon=124 * DAY)),
        ):
            assert (None, None) == stratum(story_of(str(UUID(int=1)), other, asker(store)))
    assert [(0, 1, {"answer": 1.0}, []), (1, 0, {"answer": 0.0}, ["return"])] == [
        tuple(label.values()) for label in story["labels"]
    ]
    assert [(3.0, 2.0), (2.0, 2.0), (-2.0, 2.0)] == [
        (one["running_margin"], one["importance"]) for one in story["visits"]
    ]
    assert ("label", 2) == stratum(story)
    [verdict] = story["verdicts"]
    assert (1, 2, 3) == (
        verdict["at_least_as_doubtful"],
        verdict["canaries_of_label"],
        verdict["canaries"],
    )
    environment = {"MAINSTEM_STANDING__CANARY_MINIMUM": "2"}
    told = mainstem("explain", "--store", url, UUID(int=1), env=environment).stdout
    assert "label 0  revised by return; it was 1 (label version 1)" in told
    assert "50 % of 2 (label 0)" in told
    assert "\x1b" not in told


def stratum(story: dict[str, Any]) -> tuple[Any, Any]:
    """Return the kind and the number of canaries that the only verdict compares with."""
    [verdict] = story["verdicts"]
    return verdict["stratum"], verdict["stratum_canaries"]


def test_a_beginning_of_several_samples_asks_for_more(tmp_path: Path, mainstem: Run) -> None:
    """The error for an ambiguous first part of an id names both samples."""
    url = f"chdb://{tmp_path / 'history'}"
    with Store(url) as store:
        for number in (1, 2):
            store.write("samples", {"sample_id": [UUID(int=number)]})
    done = mainstem("explain", "00000000", "--store", url)
    assert (1, "") == (done.returncode, done.stdout)
    assert str(UUID(int=1)) in done.stderr
    assert str(UUID(int=2)) in done.stderr
