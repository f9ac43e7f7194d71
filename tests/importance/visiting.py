"""Visits made by hand from ids and facts about each sample."""

from collections.abc import Mapping, Sequence
from typing import Any
from uuid import UUID

import numpy as np

from mainstem.importance import Visits
from mainstem.join import Facts


def visits(*, ids: Sequence[UUID], facts: Sequence[Mapping[str, int]], **more: Any) -> Visits:
    """Make visits of samples; `more` has their responses, their version and its scale."""
    columns = Facts(*[np.array([fact[name] for fact in facts], np.int64) for name in Facts._fields])
    return Visits(keys=[sample_id.bytes for sample_id in ids], facts=columns, **more)
