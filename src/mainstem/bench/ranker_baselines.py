"""Rankings without a language model, on the same pairs and the same features.

Three are single features, one matches words of query and item, and two are models of scikit-learn
that are trained on the part that a version is trained on.
"""

import math
from collections import Counter
from collections.abc import Callable, Iterable, Mapping
from importlib.util import find_spec
from itertools import product
from types import MappingProxyType
from typing import Any, Final, TypeAlias

import numpy as np
from numpy.typing import NDArray

from mainstem.behaviour import FEATURE_NAMES, words_in
from mainstem.bench.ranker_log import Part, RankerLog
from mainstem.errors import SettingError
from mainstem.learning.evaluation import auc

__all__ = [
    "Fitted",
    "Ranking",
    "bm25",
    "counted_rankings",
    "fitted_rankings",
    "has_sklearn",
    "logistic_of",
    "trees_of",
]

Ranking: TypeAlias = Callable[[Part], NDArray[np.float64]]
"""Scores of the samples of a part, shape (N,)."""
Fitted: TypeAlias = Callable[[NDArray[np.float32]], NDArray[np.float64]]
"""Log-odds of yes by features: (N, F) -> (N,)."""
_SINGLE: Final = {
    "popularity": {"purchases": "item_purchased_90", "shown": "item_clicked_90"},
    "overlap": {"purchases": "words_shared", "shown": "words_query"},
    "co_occurrence": {"purchases": "pair_cosine", "shown": "pair_cosine"},
}
"""The feature that is the ranking, by what the questions of the log are."""
_TREES: Final = tuple(
    {"learning_rate": rate, "max_leaf_nodes": leaves, "min_samples_leaf": least}
    for rate, leaves, least in product((0.05, 0.1), (15, 31), (20, 50, 100))
)
"""The 12 settings of the trees that are compared on the end of the training part."""
_SATURATION, _LENGTH = 1.2, 0.75  # k1 and b of BM25


def counted_rankings(log: RankerLog) -> dict[str, Ranking]:
    """Popularity, word overlap and co-occurrence with the history; BM25 where there are queries."""

    def by(feature: str) -> Ranking:
        column = FEATURE_NAMES.index(feature)
        return lambda part: part.features[:, column].astype(np.float64)

    questions = log.settings.join.questions
    found = {name: by(feature[questions]) for name, feature in _SINGLE.items()}
    if any(one.query for one in log.train.samples):
        texts = {one.item_id: one.item_text for one in log.train.samples}
        found["bm25"] = bm25(texts.values())
    return found


def bm25(texts: Iterable[str]) -> Ranking:
    """BM25 of the item's text for the query; 0 without a query.

    Args:
        texts: texts of the items, whose words are counted.

    Source:
        Robertson and Zaragoza, The Probabilistic Relevance Framework: BM25 and Beyond, 2009.
    """
    documents = [words_in(text.replace("|", " ")) for text in texts]
    holding = Counter(word for words in documents for word in set(words))
    mean = sum(map(len, documents)) / max(len(documents), 1) or 1.0

    def score(query: str, item: str) -> float:
        words = words_in(item.replace("|", " "))
        counts = Counter(words)
        norm = _SATURATION * (1 - _LENGTH + _LENGTH * len(words) / mean)
        return math.fsum(
            math.log(1 + (len(documents) - holding[word] + 0.5) / (holding[word] + 0.5))
            * counts[word]
            * (_SATURATION + 1)
            / (counts[word] + norm)
            for word in words_in(query)
            if counts[word]
        )

    return lambda part: np.array([score(one.query, one.item_text) for one in part.samples])


def fitted_rankings(log: RankerLog, *, quick: bool = False) -> dict[str, Ranking]:
    """Logistic regression and gradient-boosted trees on the features of the training part.

    The trees are the best of 12 settings on the end of the training part, which is as long in time
    as the last part of the log; then they are fitted again on all of it.

    Args:
        log: the log.
        quick: whether to take the usual settings of the trees instead of the best ones.

    Returns:
        Rankings by the log-odds of yes.

    Raises:
        SettingError: if scikit-learn is not installed.
    """
    if not has_sklearn():
        msg = "logistic regression and trees need scikit-learn; pip install 'mainstem[bench]'"
        raise SettingError(msg)
    features, labels = log.train.features, log.train.labels
    fitted = {
        "logistic": logistic_of(features, labels),
        "trees": trees_of(features, labels, {} if quick else _best(log)),
    }
    return {name: _of_part(one) for name, one in fitted.items()}


def has_sklearn() -> bool:
    """Whether scikit-learn is installed, which the extra `bench` brings."""
    return find_spec("sklearn") is not None


def logistic_of(features: NDArray[np.float32], labels: NDArray[np.int64]) -> Fitted:
    """Logistic regression on standardised features.

    Args:
        features: features of the samples that it is fitted on, shape (N, F).
        labels: their labels, shape (N,), of both kinds.
    """
    from sklearn.linear_model import LogisticRegression
    from sklearn.pipeline import make_pipeline
    from sklearn.preprocessing import StandardScaler

    model = make_pipeline(StandardScaler(), LogisticRegression(max_iter=1000))
    return _log_odds(model.fit(features, labels))


def trees_of(
    features: NDArray[np.float32],
    labels: NDArray[np.int64],
    settings: Mapping[str, Any] = MappingProxyType({}),
) -> Fitted:
    """Gradient-boosted trees: 150 of them, which learn at a rate of .05.

    Args:
        features, labels: as in `logistic_of`.
        settings: settings of scikit-learn's trees that replace these.
    """
    from sklearn.ensemble import HistGradientBoostingClassifier

    # early stopping would keep samples back for itself
    usual = {"learning_rate": 0.05, "max_iter": 150, "early_stopping": False, "random_state": 0}
    model = HistGradientBoostingClassifier(**(usual | dict(settings)))
    return _log_odds(model.fit(features, labels))


def _best(log: RankerLog) -> Mapping[str, Any]:
    times = [one.event_time for one in log.test.samples]
    end = min(times)
    begin = end - (max(times) - end + 1)
    before, after = log.train.between(0, begin), log.train.between(begin, end)
    if not len(set(before.labels)) == len(set(after.labels)) == 2:
        return {}
    reached = [
        auc(after.labels, trees_of(before.features, before.labels, settings)(after.features))
        for settings in _TREES
    ]
    return _TREES[int(np.argmax([one or 0.0 for one in reached]))]


def _log_odds(model: Any) -> Fitted:
    return lambda features: np.asarray(model.decision_function(features), np.float64)


def _of_part(fitted: Fitted) -> Ranking:
    return lambda part: fitted(part.features)
