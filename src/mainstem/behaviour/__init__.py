"""Counts of what shoppers did, by closed hours of event time, and features made of them."""

from mainstem.behaviour.counts import HOUR, KINDS, Count, Hour, hour_of, query_key

__all__ = ["HOUR", "KINDS", "Count", "Hour", "hour_of", "query_key"]
