"""The section about slices: all measures of the newest version, on parts of the samples."""

from mainstem.answers.page.facts import Facts
from mainstem.answers.page.layout import auc_told, note, section
from mainstem.answers.page.markup import Markup, log_text, table

__all__ = ["slices"]


def slices(facts: Facts) -> Markup:
    """Measures of the newest version on gate, held-out and last samples, and on their slices."""
    title = "The newest version by slice"
    newest = max((one.version for one in facts.versions if one.promoted), default=None)
    rows = [
        (
            log_text(one.slice),
            f"{one.samples:,}",
            auc_told(one.auc),
            auc_told(one.popularity),
            auc_told(one.logistic),
            auc_told(one.log_loss),
            auc_told(one.calibration_error),
            auc_told(one.ndcg_10),
            auc_told(one.mrr),
        )
        for one in facts.measured
        if one.version == newest
    ]
    if not rows:
        return section("slices", title, note("No version has been measured yet."))
    header = ("slice", "samples", "AUC", "popularity", "logistic", "log-loss")
    caption = f"Version {newest}, with the AUC of popularity and of logistic regression beside it"
    shown = table(caption, (*header, "calibration error", "NDCG@10", "MRR"), rows)
    how = note(
        "A slice is a part of the samples: queries by frequency, new items, new shoppers, "
        "categories. NDCG and MRR are means over questions with both labels."
    )
    return section("slices", title, shown, how)
