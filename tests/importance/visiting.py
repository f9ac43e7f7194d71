"""Visits made by hand from ids and facts about each sample."""

from collections.abc import Mapping, Sequence
from typing import Any
from uuid import UUID

import numpy as np

from mainstem.importance import STREAM, Rows, Visits
from mainstem.join import Facts


def fact(**more: int) -> dict[str, int]:
    """Return the facts about a sample."""
    return {
        "label_version": 0,
        "partition": 0,
        "offset": 0,
        "event_time": 0,
        "label": 1,
        "part": STREAM,
        **more,
    }


def visits(*, ids: Sequence[UUID], facts: Sequence[Mapping[str, int]], **more: Any) -> Visits:
    """Make visits of samples; `more` has their responses, their version and its scale.

    The label of a sample is its only target where its facts have no `answer_code`.
    """
    whole = [{"answer_code": one["label"], **one} for one in facts]
    columns = Facts(*[np.array([one[name] for one in whole], np.int64) for name in Facts._fields])
    return Visits(keys=[sample_id.bytes for sample_id in ids], facts=columns, **more)


def visit(
    columns: Rows,
    version: int,
    *scored: tuple[int, dict[str, int], float, float],
    scale: float = 1.0,
) -> None:
    """Score samples, given as (number, fact, norm, margin), in one batch; loss is 2 - margin."""
    numbers, facts, norms, margins = zip(*scored, strict=True)
    ids = [UUID(int=number) for number in numbers]
    responses = {"norm": norms, "margin": margins, "loss": [2 - margin for margin in margins]}
    columns.visit(visits(version=version, scale=scale, ids=ids, facts=facts, **responses))
