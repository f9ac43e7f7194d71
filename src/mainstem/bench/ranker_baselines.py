"""Rankings without a language model, on the same pairs and the same features.

Three are single features, one matches words of query and item, and two are models of scikit-learn
that are trained on the part that a version is trained on.
"""

import math
from collections import Counter
from collections.abc import Callable, Iterable, Sequence
from itertools import product
from typing import Any, Final, TypeAlias

import numpy as np
from numpy.typing import NDArray

from mainstem.behaviour import FEATURE_NAMES
from mainstem.bench.ranker_log import Part, RankerLog
from mainstem.errors import SettingError
from mainstem.learning.evaluation import auc

__all__ = ["Ranking", "bm25", "counted_rankings", "fitted_rankings"]

Ranking: TypeAlias = Callable[[Part], NDArray[np.float64]]
"""Scores of the samples of a part, shape (N,)."""
_SINGLE: Final = {
    "popularity": {"purchases": "item_purchased_90", "shown": "item_clicked_90"},
    "overlap": {"purchases": "words_shared", "shown": "words_query"},
    "co_occurrence": {"purchases": "pair_cosine", "shown": "pair_cosine"},
}
"""The feature that is the ranking, by what the questions of the log are."""
_TREES: Final = tuple(
    {"learning_rate": rate, "max_leaf_nodes": leaves, "min_samples_leaf": least, "max_iter": 150}
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
    documents = [_words(text) for text in texts]
    holding = Counter(word for words in documents for word in set(words))
    mean = sum(map(len, documents)) / max(len(documents), 1) or 1.0

    def score(query: str, item: str) -> float:
        words = _words(item)
        counts = Counter(words)
        norm = _SATURATION * (1 - _LENGTH + _LENGTH * len(words) / mean)
        return math.fsum(
            math.log(1 + (len(documents) - holding[word] + 0.5) / (holding[word] + 0.5))
            * counts[word]
            * (_SATURATION + 1)
            / (counts[word] + norm)
            for word in _words(query)
            if counts[word]
        )

    return lambda part: np.array([score(one.query, one.item_text) for one in part.samples])


def fitted_rankings(log: RankerLog, *, quick: bool = False) -> dict[str, Ranking]:
    """Logistic regression and gradient-boosted trees on the features of the training part.

    The trees are the best of 12 settings on the end of the training part, which is as long in time
    as the last part of the log; then they are fitted again on all of it.

    Args:
        log: the log.
        quick: whether to take the first setting of the trees instead of the best one.

    Returns:
        Rankings by the log-odds of yes.

    Raises:
        SettingError: if scikit-learn is not installed.
    """
    try:  # optional: the extra `bench`
        from sklearn.ensemble import HistGradientBoostingClassifier
        from sklearn.linear_model import LogisticRegression
        from sklearn.pipeline import make_pipeline
        from sklearn.preprocessing import StandardScaler
    except ImportError as error:
        msg = "logistic regression and trees need scikit-learn; pip install 'mainstem[bench]'"
        raise SettingError(msg) from error

    def trees(part: Part, settings: dict[str, Any]) -> Any:
        # early stopping would choose its own samples
        model = HistGradientBoostingClassifier(early_stopping=False, random_state=0, **settings)
        return model.fit(part.features, part.labels)

    chosen = _TREES[0] if quick else _best(log, trees)
    linear = make_pipeline(StandardScaler(), LogisticRegression(max_iter=1000))
    linear.fit(log.train.features, log.train.labels)
    return {"logistic": _log_odds(linear), "trees": _log_odds(trees(log.train, chosen))}


def _best(log: RankerLog, trees: Callable[[Part, dict[str, Any]], Any]) -> dict[str, Any]:
    times = [one.event_time for one in log.test.samples]
    end = min(times)
    begin = end - (max(times) - end + 1)
    before, after = log.train.between(0, begin), log.train.between(begin, end)
    if not len(set(before.labels)) == len(set(after.labels)) == 2:
        return _TREES[0]
    reached = [
        auc(after.labels, _log_odds(trees(before, settings))(after)) or 0.0 for settings in _TREES
    ]
    return _TREES[int(np.argmax(reached))]


def _log_odds(model: Any) -> Ranking:
    return lambda part: np.asarray(model.decision_function(part.features), np.float64)


def _words(text: str) -> Sequence[str]:
    return text.casefold().replace("|", " ").split()
