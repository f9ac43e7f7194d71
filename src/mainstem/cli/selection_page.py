"""The bench of selection as a page: quality against cost, wrong labels found, and the claims."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, Final

from mainstem.answers.page.layout import auc_told, figure, note, section
from mainstem.answers.page.markup import Markup, table
from mainstem.bench.cost.policies import FAMILIES, OURS
from mainstem.cli.quality_chart import chart, page
from mainstem.disk import write_whole
from mainstem.printable import as_cell

__all__ = ["claim_told", "page_of", "write_page"]

_Row = Mapping[str, Any]
_DRAWS: Final = "random draws"
_FOUND: Final = ("auroc", "ap", "precision", "recall", "f1", "coverage")


def write_page(path: Path, found: Mapping[str, Any]) -> None:
    """Write the page.

    Args:
        path: file for the page.
        found: what `bench_selection` returned.
    """
    write_whole(path, page_of(found).encode())


def page_of(found: Mapping[str, Any]) -> str:
    """The page as an HTML document that loads nothing and runs nothing.

    Args:
        found: what `bench_selection` returned, and `not_run`.
    """
    told = (
        "AUC on true labels after the last round, against what scoring and training cost, in "
        "tokens times the factor of each kind of pass. With more than two classes it is the mean "
        "AUC of each class against the rest. Means over seeds; a line through a point holds 95 % "
        "of the draws of seeds and questions."
    )
    streams: dict[str, list[_Row]] = {}
    for one in found["policies"]:
        streams.setdefault(one["stream"], []).append(one)
    parts = [_of_stream(number, *one) for number, one in enumerate(streams.items())]
    left = [note(f"{name}: not run, because {why}.") for name, why in found["not_run"].items()]
    return page("What selecting buys", told, [_claims(found["claims"]), *parts, *left])


def claim_told(claim: _Row) -> str:
    """What is said of a claim in one line."""
    if claim["why"]:
        return str(claim["why"])
    mean, low, high = (as_cell(claim[name]) for name in ("mean", "low", "high"))
    failed = [one["name"] for one in claim["measures"] if not one["holds"]]
    holds = "holds" if claim["holds"] else f"does not hold ({', '.join(failed)})"
    return (
        f"{holds}; {claim['weakest']}: {mean} ({low} to {high}), above 0 in {claim['wins']} of "
        f"{claim['seeds']} seeds"
    )


def _claims(claims: Sequence[_Row]) -> Markup:
    rows = [(one["name"], as_cell(one["reach"]), claim_told(one)) for one in claims]
    told = table("Each is told with the weakest of its measures.", ("claim", "reach", "is"), rows)
    return section("claims", "Claims", told)


def _of_stream(number: int, stream: str, rows: Sequence[_Row]) -> Markup:
    curves: dict[str, list[_Row]] = {}
    for one in sorted(rows, key=lambda row: float(row["cost"])):
        curves.setdefault(_group_of(one["family"]), []).append(one)
    name, seeds = f"stream-{number}", rows[0]["seeds"]
    drawing = chart(name, stream, curves, joined=False)
    caption = f"Quality against cost, {seeds} seed{'s' * (seeds > 1)}."
    header = ("policy", "cost", "AUC", "95 %", "worst slice")
    figures = figure(drawing, caption, header, [_quality(one) for one in rows])
    return section(name, stream, figures, _found(rows))


def _group_of(family: str) -> str:
    """What the colour of a policy says: ours, a random draw, an estimator, or something else."""
    first = family.partition(",")[0]
    if first in {OURS, FAMILIES[0]}:
        return first
    if first in FAMILIES:
        return _DRAWS
    return "estimators" if first.startswith("by ") else "others"


def _quality(row: _Row) -> tuple[str, ...]:
    interval = f"{_told(row['low'])} to {_told(row['high'])}"
    slices = auc_told(row["worst_slice"])
    return row["policy"], f"{row['cost']:,.0f}", _told(row["auc_true"]), interval, slices


def _told(value: float | None) -> str:
    return "-" if value is None else f"{value:.4f}"


def _found(rows: Sequence[_Row]) -> Markup:
    """How well each policy ranks and calls wrong labels, and how much of what is there it draws."""
    caption = (
        "How well wrong labels are ranked first (AUROC, AP), how many of those called wrong are "
        "(precision, recall, F1), and the share of categories and query buckets that rounds reach."
    )
    cells = [(str(one["policy"]), *(auc_told(one[name]) for name in _FOUND)) for one in rows]
    return table(caption, ("policy", "AUROC", "AP", *_FOUND[2:]), cells)
