"""Estimators of what matters, with one contract, chosen by name.

The acting one decides what is core and what is drawn. Any others can run in shadow beside it.
"""

from mainstem.estimators.contract import FORWARD, FULL, Estimator, State, bytes_of, settled
from mainstem.estimators.registry import ACTING, ESTIMATORS, estimator
from mainstem.estimators.shadow import Shadow
from mainstem.estimators.visit import Visit
from mainstem.estimators.weights import dynamic_weights, unbiased_weights

__all__ = [
    "ACTING",
    "ESTIMATORS",
    "FORWARD",
    "FULL",
    "Estimator",
    "Shadow",
    "State",
    "Visit",
    "bytes_of",
    "dynamic_weights",
    "estimator",
    "settled",
    "unbiased_weights",
]
