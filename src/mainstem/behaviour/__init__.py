"""Counts of what shoppers did, by closed hours of event time, and features made of them."""

from mainstem.behaviour.asked import DAYS, Asked, Moment, end_of
from mainstem.behaviour.counts import HOUR, KINDS, Count, Hour, hour_of, query_key
from mainstem.behaviour.feature import Feature
from mainstem.behaviour.features import FEATURE_NAMES, FEATURES, features, text_features
from mainstem.behaviour.sums import LAST_POSITION, Counted, Sums
from mainstem.behaviour.transforms import words_in

__all__ = [
    "DAYS",
    "FEATURES",
    "FEATURE_NAMES",
    "HOUR",
    "KINDS",
    "LAST_POSITION",
    "Asked",
    "Count",
    "Counted",
    "Feature",
    "Hour",
    "Moment",
    "Sums",
    "end_of",
    "features",
    "hour_of",
    "query_key",
    "text_features",
    "words_in",
]
