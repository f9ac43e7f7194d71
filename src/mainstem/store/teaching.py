"""Queries for the samples that teach the same as a sample, `{sample:UUID}`, or the opposite.

Dots of sketches estimate dots of gradients. Sketches of one version are compared, because those of
different versions are gradients at different weights.
"""

from typing import Final, NamedTuple

from mainstem.store.named import Query

__all__ = [
    "NEAREST",
    "NEIGHBOURS",
    "SKETCH",
    "VISITS_SKETCHED",
    "Near",
    "Neighbour",
    "Sketch",
    "Sketched",
]


class Sketch(NamedTuple):
    """The newest sketch of a sample."""

    label_version: int
    version: int
    sketch: list[float]


class Sketched(NamedTuple):
    """How many visits of a sample there are, and how many of them are of kind `full`."""

    visits: int
    full: int


class Near(NamedTuple):
    """A sample at one end of all that were compared.

    Attributes:
        end: `same` or `opposite`.
        sample_id: id of the sample.
        cosine: cosine of its sketch with the given one.
        compared: how many samples were compared.
    """

    end: str
    sample_id: str
    cosine: float
    compared: int


class Neighbour(NamedTuple):
    """What must be told of a sample; `label` is the one that the version scored it with."""

    sample_id: str
    label: int
    source: str
    context_text: str
    item_text: str
    standing: str
    reason: str


SKETCH: Final = Query(
    Sketch,
    """
    SELECT label_version, version, sketch FROM sketches
    WHERE sample_id = {sample:UUID} AND notEmpty(sketch)
    ORDER BY label_version DESC, version DESC LIMIT 1""",
)
"""The newest sketch of the sample at its newest label version; no row if there is none."""
# subtle: the history of a server that has not been migrated may lack the column
VISITS_SKETCHED: Final = Query(
    Sketched,
    """
    SELECT count() AS visits, countIf(its_kind = 'full') AS full FROM (
        SELECT [COLUMNS('^kind$'), 'full'][1] AS its_kind FROM responses FINAL
        WHERE sample_id = {sample:UUID})""",
)
# A sample is one row here, whichever parts the engine has not merged yet: a sketch that was written
# twice has one cosine. Only cosines are held for all samples, and only `most` leave at each end.
# subtle: a condition does not keep the engine from computing what it leaves out, so a sketch of
# another length is first brought to the length of the given one
_COSINES: Final = """
    SELECT sample_id, argMax(each, label_version) AS cosine, count() OVER () AS compared FROM (
        SELECT sample_id, label_version,
               arraySum((one, other) -> one * other,
                        arrayResize(sketch, length({sketch:Array(Float32)})),
                        {sketch:Array(Float32)})
               / sqrt(arraySum(one -> one * one, sketch))
               / sqrt(arraySum(one -> one * one, {sketch:Array(Float32)})) AS each
        FROM sketches
        WHERE version = {version:UInt32} AND sample_id != {sample:UUID}
          AND length(sketch) = length({sketch:Array(Float32)}))
    WHERE isFinite(each) GROUP BY sample_id"""
NEAREST: Final = Query(
    Near,
    f"""
    SELECT 'same' AS end, toString(sample_id) AS id, cosine, compared FROM ({_COSINES})
    WHERE cosine > 0 ORDER BY cosine DESC, sample_id LIMIT {{most:UInt32}}
    UNION ALL
    SELECT 'opposite' AS end, toString(sample_id) AS id, cosine, compared FROM ({_COSINES})
    WHERE cosine < 0 ORDER BY cosine, sample_id LIMIT {{most:UInt32}}""",
)
"""The samples with the largest and with the smallest cosine to `sketch`, at most `most` each."""
NEIGHBOURS: Final = Query(
    Neighbour,
    """
    SELECT toString(s.sample_id) AS id, r.label AS label, source, context_text, item_text,
           standing, reason
    FROM (
        SELECT sample_id, source, context_text, item_text FROM samples FINAL
        WHERE sample_id IN {ids:Array(UUID)}
        ORDER BY sample_id, label_version DESC LIMIT 1 BY sample_id) AS s
    LEFT JOIN (
        SELECT sample_id, argMax(label, label_version) AS label FROM responses
        WHERE sample_id IN {ids:Array(UUID)} AND version = {version:UInt32}
        GROUP BY sample_id) AS r ON s.sample_id = r.sample_id
    LEFT JOIN (
        SELECT sample_id, standing, reason FROM standings FINAL
        WHERE sample_id IN {ids:Array(UUID)}) AS t ON s.sample_id = t.sample_id""",
)
"""What must be told of the samples `ids`, of which `version` scored each; in no order."""
