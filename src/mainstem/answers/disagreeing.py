"""Which estimators put a sample elsewhere than the acting one does."""

from collections.abc import Callable
from typing import Any, Final, TypeAlias

from mainstem.estimators import ACTING, ESTIMATORS
from mainstem.store.estimates import HAS_ESTIMATES, PLACES, Place

__all__ = ["APART", "estimators_of"]

Row: TypeAlias = dict[str, Any]
APART: Final = 0.5
"""How far apart two places are that disagree: one of them says high where the other says low."""


def estimators_of(sample_id: str, ask: Callable[..., Any]) -> list[Row]:
    """Tell where each estimator that runs in shadow puts a sample, the acting one first.

    Places are compared and not figures, which have other units. What says that a label is sound is
    expected to disagree with what says that a sample is worth learning from: the samples that move
    a model most are often those with a wrong label.

    Args:
        sample_id: id of a sample that the history holds.
        ask: asks the history, as in `answers.explain`.

    Returns:
        A row for each estimator with a figure of the sample, the farthest from the acting one
        first: `estimator`; `says`, what a high figure says (`worth`, `sound`, `nothing`); `value`;
        `samples` that it has a figure of; `place` among those, 0 the lowest and 1 the highest;
        `apart`, its place less the acting one's; `disagrees`, whether that is at least `APART`
        either way. Empty where none runs in shadow.
    """
    [has] = ask(HAS_ESTIMATES)
    if not (has and has[0].views):
        return []
    found: list[Place]
    [found] = ask(PLACES, sample=sample_id)
    acting = next((one.place for one in found if one.estimator == ACTING), None)
    rows = [_row(one, acting) for one in found if one.estimator in ESTIMATORS]
    if len(rows) == 1:  # the acting one alone, from a time when others ran
        return []
    return sorted(rows, key=lambda one: (one["estimator"] != ACTING, -abs(one["apart"] or 0)))


def _row(one: Place, acting: float | None) -> Row:
    known = one.place is not None and acting is not None
    apart = one.place - acting if known else None  # type: ignore[operator]
    return {
        **one._asdict(),
        "says": ESTIMATORS[one.estimator].says,
        "apart": apart,
        "disagrees": apart is not None and abs(apart) >= APART,
    }
