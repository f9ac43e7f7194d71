"""Turn values of the library into columns of tables; times stay milliseconds for the store."""

from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING, Any, Final, NamedTuple
from uuid import UUID

import numpy as np

from mainstem.events import Item
from mainstem.join import LedgerRow, PlacedSample, Rejection, Sample, digest_of
from mainstem.kinds import Kind
from mainstem.objectives import code_of
from mainstem.store.store import Columns

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from mainstem.responses import Responses  # loads torch, which a program that only writes lacks

__all__ = [
    "columns_of",
    "columns_of_tuples",
    "item_columns",
    "kind_columns",
    "ledger_columns",
    "position_columns",
    "rejection_columns",
    "representation_columns",
    "response_columns",
    "sample_columns",
    "sketch_columns",
    "trusted_columns",
]


_OF_A_VISIT: Final = ("sample_id", "label_version", "partition", "offset", "event_time")
# seconds, 20 years: a time that is kept in 32 bits must not overflow
_LONGEST: Final = 20 * 365 * 86_400


def columns_of(rows: Sequence[dict[str, Any]]) -> Columns:
    """Turn rows into columns by name; every row has the keys of the first."""
    return {name: [row[name] for row in rows] for name in rows[0]} if rows else {}


def columns_of_tuples(rows: Sequence[NamedTuple]) -> Columns:
    """Turn named tuples of one type into columns by the names of its fields.

    Example:
        >>> class Point(NamedTuple):
        ...     x: int
        ...     y: int
        >>> columns_of_tuples([Point(1, 2), Point(3, 4)])
        {'x': (1, 3), 'y': (2, 4)}
    """
    return dict(zip(rows[0]._fields, zip(*rows, strict=True), strict=True)) if rows else {}


def sample_columns(placed: Sequence[tuple[Sample, int, int]]) -> Columns:
    """Columns of table `samples`.

    Args:
        placed: each sample with its partition and its offset in topic `samples`.
    """
    names = Sample.__struct_fields__
    columns: dict[str, list[Any]] = {
        name: [getattr(sample, name) for sample, _, _ in placed] for name in names
    }
    columns["partition"] = [partition for _, partition, _ in placed]
    columns["offset"] = [offset for _, _, offset in placed]
    columns["digest"] = [digest_of(sample) for sample, _, _ in placed]
    return columns


def position_columns(samples: Sequence[PlacedSample], offsets: Sequence[int]) -> Columns:
    """Columns of table `positions`.

    Args:
        samples: accepted samples, at their positions.
        offsets: for each sample, the offset of the record that brought it first.
    """
    return columns_of(
        [
            {
                "partition": sample.partition,
                "position": sample.offset,
                "sample_id": sample.sample_id,
                "label_version": sample.label_version,
                "event_time": sample.event_time,
                "offset": offset,
            }
            for sample, offset in zip(samples, offsets, strict=True)
        ]
    )


def item_columns(items: Iterable[Item]) -> Columns:
    """Columns of table `items`, one row for each item event."""
    return columns_of(
        [
            {
                "item_id": item.item_id,
                "event_time": item.event_timestamp,
                "event_id": item.event_id,
                "title": item.title,
                "category": item.category or "",
                "brand": item.brand or "",
                "price": item.price,
            }
            for item in items
        ]
    )


def ledger_columns(rows: Sequence[LedgerRow]) -> Columns:
    """Columns of table `ledger`, one for each count."""
    return columns_of(
        [
            {
                "topic": row.topic,
                "partition": row.partition,
                "block": row.block,
                "first_offset": row.first_offset,
                "next_offset": row.next_offset,
                **row.counts,
            }
            for row in rows
        ]
    )


def rejection_columns(rows: Sequence[Rejection]) -> Columns:
    """Columns of table `rejected`, one row for each refused event."""
    return columns_of(
        [{name: getattr(row, name) for name in Rejection.__struct_fields__} for row in rows]
    )


def trusted_columns(rows: Iterable[tuple[UUID, str, str, int | None]]) -> Columns:
    """Columns of table `trusted`.

    Args:
        rows: sample id, part, origin, and the label that somebody vouches for, or None.
    """
    return columns_of(
        [
            {
                "sample_id": sample_id,
                "part": part,
                "origin": origin,
                "label": label,
                "believed": int(origin != "assumed"),
            }
            for sample_id, part, origin, label in rows
        ]
    )


def response_columns(
    samples: Sequence[PlacedSample],
    found: "Responses[NDArray[np.float32]]",
    alignment: "NDArray[np.float32]",
    *,
    version: int,
    scale: float,
) -> Columns:
    """Columns of table `responses`, one visit of each sample.

    Args:
        samples: B samples that a version scored.
        found: their responses.
        alignment: cosine of each response with the trusted gradient, shape (B,); NaN where there is
            none.
        version: number of the version.
        scale: mean response norm of the canaries under the version.
    """
    known: list[float | None] = alignment.tolist()
    given = [sample.given for sample in samples]
    for place in np.flatnonzero(np.isnan(alignment)):
        known[place] = None
    return {
        **_of_a_visit(samples, ("label", "part"), version, scale),
        "answer_code": [code_of(sample.targets) for sample in samples],
        "norm": found.norm,
        "loss": found.loss,
        "margin": found.margin,
        "alignment": known,
        **({} if found.logits is None else {"logits": found.logits.tolist()}),
        **({"given": given} if max(given, default=-1) >= 0 else {}),
    }


def kind_columns(kind: Kind, measured: "NDArray[np.float32]") -> Columns:
    """Further columns of table `responses` for visits of a cheaper kind; none for full ones.

    Args:
        kind: kind of the visits.
        measured: norms over the layers of the kind, shape (B,).
    """
    if kind is Kind.FULL:
        return {}
    return {"kind": [str(kind)] * len(measured), "measured": measured}


def sketch_columns(
    samples: Sequence[PlacedSample], sketch: "NDArray[np.float32]", *, version: int, scale: float
) -> Columns:
    """Columns of table `sketches`, one visit of each sample; empty where there are no sketches.

    Args:
        samples: B samples that a version scored.
        sketch: their sketches, shape (B, k), where k may be 0.
        version: number of the version.
        scale: mean response norm of the canaries under the version.
    """
    if not sketch.shape[1]:
        return {}
    return {**_of_a_visit(samples, (), version, scale), "sketch": sketch.tolist()}


def representation_columns(
    samples: Sequence[PlacedSample], values: "NDArray[np.float16]", *, version: int, lifetime: int
) -> Columns:
    """Columns of table `representations`, one visit of each sample.

    Args:
        samples: B samples that a version scored.
        values: their representations, shape (B, D).
        version: number of the version.
        lifetime: milliseconds after which the history forgets them.
    """
    seconds = min(lifetime // 1000, _LONGEST)
    columns = dict(_of_a_visit(samples, (), version, 1.0))
    del columns["scale"]
    rows = [row.tobytes() for row in values.astype("<f2")]
    return {**columns, "bytes": rows, "lifetime": [seconds] * len(samples)}


def _of_a_visit(
    samples: Sequence[PlacedSample], more: Sequence[str], version: int, scale: float
) -> Columns:
    fields = columns_of_tuples(samples)
    return {
        **{name: fields[name] for name in (*_OF_A_VISIT, *more) if name in fields},
        "version": np.full(len(samples), version, np.uint32),
        "scale": np.full(len(samples), scale, np.float32),
    }
