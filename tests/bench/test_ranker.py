"""The bench of rankings: versions, counting and models of scikit-learn on the same pairs."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from io import BytesIO
from pathlib import Path
from tempfile import TemporaryDirectory

import numpy as np
import pytest
from msgspec.structs import replace as with_fields
from sklearn.metrics import roc_auc_score

from mainstem.behaviour import FEATURE_NAMES
from mainstem.bench.ranker import bench_log
from mainstem.bench.ranker_baselines import bm25, counted_rankings, fitted_rankings
from mainstem.bench.ranker_log import Part, RankerLog, joined, shoppers_of
from mainstem.bench.ranker_options import OPTIONS, bench_options
from mainstem.bench.ranker_shop import shop_log
from mainstem.errors import LogError
from mainstem.events import decode
from mainstem.settings import Settings
from mainstem.settings.urls import url_of
from mainstem.simulate import Shop, simulate
from mainstem.store import Store

SMALL = Settings.of({"learning.epochs": 1, "learning.held_out": 100, "model.vocabulary": 300})


@contextmanager
def opened() -> Iterator[Store]:
    """An empty history that does not outlive its use."""
    with TemporaryDirectory() as folder, Store(url_of("chdb", Path(folder, "history"))) as store:
        yield store


@pytest.fixture(scope="module")
def log() -> RankerLog:
    """A small simulated shop with searches, joined."""
    return shop_log(1500, 3, SMALL, opened)[0]


def with_column(part: Part, name: str, values: np.ndarray) -> Part:
    """A part whose samples have another value of one feature."""
    column = FEATURE_NAMES.index(name)
    placed = [
        one._replace(features=(*one.features[:column], value, *one.features[column + 1 :]))
        for one, value in zip(part.placed, values.tolist(), strict=True)
    ]
    return Part(part.samples, placed)


def test_a_log_is_split_in_time(log: RankerLog) -> None:
    """Every sample of the last part is later than the samples before it, and has all features."""
    newest = max(one.event_time for one in log.train.samples)
    assert newest < min(one.event_time for one in log.test.samples)
    for part in (log.train, log.test):
        assert (len(part.samples), len(FEATURE_NAMES)) == part.features.shape
        assert [one.sample_id for one in part.samples] == [one.sample_id for one in part.placed]
    assert log.lists is log.test


def test_purchases_are_ranked_against_fifty_drawn_items() -> None:
    """Without impressions each list holds one purchase and 50 items that were drawn beside it."""
    lines = [
        b'{"type":"item","event_id":"i%d","event_timestamp":1,"item_id":"%d","title":"cup %d"}'
        % (item, item, item)
        for item in range(80)
    ]
    lines += [
        b'{"type":"purchase","event_id":"p%d","event_timestamp":%d,"user_id":"u","item_id":"%d"}'
        % (number, 60_000_000 + number * 600_000, number % 80)
        for number in range(60)
    ]
    lists = joined("bought", lines, SMALL, opened, lists=5).lists
    sizes = np.bincount(lists.questions)
    assert set(sizes) == {51}
    assert 1 <= len(sizes) <= 12
    assert list(np.bincount(lists.questions, lists.labels)) == [1] * len(sizes)


def test_a_log_without_both_labels_is_refused() -> None:
    """A part that holds one label only cannot be ranked, and the message says which log it is."""
    with pytest.raises(LogError, match="log 'none' has 0 samples"):
        joined("none", [b'{"type":"tick","event_timestamp":5}'], SMALL, opened)


def test_a_share_of_the_shoppers_keeps_each_whole() -> None:
    """Of a log a share of the shoppers is kept with all their events, and all items are."""
    made = BytesIO()
    simulate(Shop(users=200, items=20, days=3, plain=True), made)
    lines = made.getvalue().splitlines()
    kept = [decode(raw) for raw in shoppers_of(lines, 0.1)]
    users = [getattr(decode(raw), "user_id", None) for raw in lines]
    chosen = {getattr(one, "user_id", None) for one in kept}
    assert 5 <= len(chosen) <= 40
    assert len(kept) == sum(user in chosen for user in users)


def test_bm25_prefers_rare_words_and_short_texts(log: RankerLog) -> None:
    """A rare word of the query counts more than a common one, and a long text less."""
    ranking = bm25(["red cup", "red mug", "red pot", "red lid of a big old pot"])
    part = Part(log.test.samples[:1], [])

    def score(query: str, text: str) -> float:
        fields = {"query": query, "item_text": text}
        one = part.samples[0]
        return float(ranking(Part([with_fields(one, **fields)], []))[0])

    assert score("red cup", "red cup") > score("red cup", "red mug") > 0
    assert score("pot", "red pot") > score("pot", "red lid of a big old pot")
    assert score("", "red cup") == score("tea", "red cup") == 0


def test_trees_and_regression_find_what_a_feature_tells(log: RankerLog) -> None:
    """Both are fitted on the training part alone, and rank its last part by a telling feature."""
    telling = [
        with_column(
            part, "price", part.labels + np.random.default_rng(1).normal(size=len(part.labels))
        )
        for part in (log.train, log.test)
    ]
    told = replace(log, train=telling[0], test=telling[1])
    for ranking in fitted_rankings(told, quick=True).values():
        assert roc_auc_score(told.test.labels, ranking(told.test)) > 0.7


def test_every_ranking_is_measured_on_the_same_samples(log: RankerLog) -> None:
    """The bench has a row for each ranking, agrees with scikit-learn, and compares with trees."""
    found = bench_log(log, [1, 2], quick=True)
    rows = {row["name"]: row for row in found["rows"]}
    assert list(rows) == [
        *("popularity", "overlap", "co_occurrence", "bm25", "logistic", "trees", "mainstem")
    ]
    assert len(log.test.samples) == found["samples"]
    for name, ranking in counted_rankings(log).items():
        expected = roc_auc_score(log.test.labels, ranking(log.test))
        assert rows[name]["auc"] == pytest.approx(expected)
        assert rows[name]["log_loss"] is None
    trees, between = rows["trees"], found["against"]["trees"]
    assert between["mean"] == pytest.approx(rows["mainstem"]["auc"] - trees["auc"])
    assert between["low"] < between["mean"] < between["high"]
    for measure in ("auc", "ndcg10", "mrr", "ece"):
        assert all(0 <= rows[name][measure] <= 1 for name in ("mainstem", "trees"))


def test_an_option_is_held_against_the_same_training_without_it(log: RankerLog) -> None:
    """An option that changes nothing makes no difference, and one that does has an interval."""
    options = {"nothing": {"learning.accumulate": 1}, "smooth": {"learning.label_smoothing": 0.5}}
    found = bench_options(log, [1], options=options)
    nothing, smooth = found["options"]["nothing"], found["options"]["smooth"]
    assert [0.0, 0.0, 0.0] == [nothing[name] for name in ("mean", "low", "high")]
    assert pytest.approx(smooth["auc"] - found["auc"]) == smooth["mean"]
    assert smooth["low"] <= smooth["mean"] <= smooth["high"]
    assert smooth["low"] < smooth["high"]


def test_every_option_of_training_is_measured() -> None:
    """All settings that a training has as options are among those of the bench."""
    known = {name for settings in OPTIONS.values() for name in settings}
    named = ("adversarial", "label_smoothing", "r_drop", "accumulate", "train_precision", "compile")
    assert known >= {f"learning.{name}" for name in (*named, "averaged")}
