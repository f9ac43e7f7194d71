"""The section about costs: what each version cost so far, by kind of pass."""

from typing import Final

from mainstem.answers.page.facts import Facts
from mainstem.answers.page.layout import note, section
from mainstem.answers.page.markup import Markup, table
from mainstem.store.costs import FEATURES, RESCORE, SCORE, KeptCost

__all__ = ["costs"]

_HOW: Final = (
    "Each pass of a sample through a model counts, once however often a crash repeated it. A "
    "forward-equivalent is the work of a plain pass, forward and backward, over one token. "
    "Training counts for the version that it made, promoted or not, and scoring for the version "
    "that scored. The rest is evaluation, the scale of the norms and the trusted gradient. "
    "Features are no pass: their seconds count for the version that was in use when samples came."
)


def costs(facts: Facts) -> Markup:
    """A table of versions, with the share of each kind of pass in what they cost."""
    title = "What versions cost"
    if not facts.costs:
        return section("costs", title, note("No pass has been counted."))
    versions = sorted({one.version for one in facts.costs})
    rows = [
        _row(str(version), [one for one in facts.costs if one.version == version])
        for version in versions
    ]
    header = ("version", "samples", "tokens", "forward-equivalents", "scoring", "scoring again")
    shown = table(
        "What all passes for a version read, and the forward-equivalents of each kind",
        (*header, "training", "the rest", "seconds", "of them features"),
        [*rows, _row("all", facts.costs)],
    )
    return section("costs", title, shown, note(_HOW))


def _row(name: str, those: list[KeptCost]) -> tuple[str, ...]:
    by: dict[str, float] = {}
    for one in those:
        by[one.kind] = by.get(one.kind, 0.0) + one.forward_equivalents
    chosen = (SCORE, RESCORE, "train")
    kinds = [by.get(kind, 0.0) for kind in chosen]
    rest = sum(count for kind, count in by.items() if kind not in chosen)
    features = sum(one.seconds for one in those if one.kind == FEATURES)
    return (
        name,
        f"{sum(one.samples for one in those if one.kind != FEATURES):,}",
        f"{sum(one.tokens for one in those):,}",
        *(f"{count:,.0f}" for count in (sum(by.values()), *kinds, rest)),
        f"{sum(one.seconds for one in those):,.1f}",
        f"{features:,.1f}",
    )
