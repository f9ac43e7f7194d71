"""The section about the features that count: what the ranking loses without them."""

from collections.abc import Sequence
from typing import Final

from mainstem.answers.ablation import Without
from mainstem.answers.page.charts import Bar, Chart, bars
from mainstem.answers.page.facts import Facts
from mainstem.answers.page.layout import auc_told, figure, note, section
from mainstem.answers.page.markup import Markup, element, table

__all__ = ["counting"]

_MOST: Final = 15  # features in the table


def counting(facts: Facts) -> Markup:
    """How much AUC the newest version loses without each group of features, and each feature."""
    title, found = "Features that count", facts.counting
    if isinstance(found, str):
        return section("features", title, note(found))
    how = note(
        f"Version {found.version} ranks {found.samples:,} samples that it has not learnt from with "
        f"an AUC of {auc_told(found.auc)}, and without any feature, by words alone, with "
        f"{auc_told(found.none.auc)}. Below, some features at a time are set to 0, their mean. "
        "Features that say the same can stand in for each other, so drops do not add up."
    )
    caption = f"AUC that version {found.version} loses without a group of features"
    drawn = [Bar(one.name, "model", one.drop, _told(one)) for one in found.groups]
    said = ", ".join(f"{one.name} {_told(one)}" for one in found.groups)
    chart = bars(Chart("features-chart", caption, f"From most to least: {said}."), drawn)
    rows = [(one.name, _told(one), auc_told(one.auc), _names(one)) for one in found.groups]
    shown = figure(chart, caption, ("group", "loses", "AUC left", "features"), rows)
    return section("features", title, how, shown, _single(found.features))


def _single(features: Sequence[Without]) -> Markup:
    rows = [(element("code", one.name), _told(one)) for one in features[:_MOST]]
    shown = table("The single features that lose most", ("feature", "loses"), rows)
    return element("details", element("summary", "Single features"), shown)


def _told(one: Without) -> str:
    sign = "-" if round(one.drop, 3) < 0 else ""
    return sign + auc_told(abs(one.drop))


def _names(one: Without) -> Markup:
    return element("span", ", ".join(one.features), class_="prose")
