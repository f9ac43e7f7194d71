"""Lines of a story about what a sample teaches, who says so, and the item whose text it has."""

from collections.abc import Iterator, Sequence
from typing import Any, Final

from mainstem.printable import number_of

__all__ = ["disagreeing", "nearest", "of_item_now", "taught"]

_NEAREST: Final = 2  # samples that teach the same, and as many that teach the opposite
_ENDS: Final = {"same": "the same", "opposite": "the opposite"}


def taught(teaching: dict[str, Any]) -> Iterator[str]:
    """What was compared for the samples that teach the same or the opposite, or why nothing was."""
    if teaching["why"]:
        yield f"teaches        nothing to compare: {teaching['why']}"
        return
    error, floats = _short(teaching["standard_error"]), teaching["floats"]
    others = number_of(teaching["compared"], "other sample")
    yield f"teaches        cosines of sketches by version {teaching['version']} with {others}"
    if teaching["compared"]:
        chance = _short(teaching["largest_by_chance"])
        yield (
            f"               {floats} floats have a standard error of {error} near 0; "
            f"chance gives about one of {chance}"
        )


def disagreeing(estimators: Sequence[dict[str, Any]]) -> Iterator[str]:
    """Where the acting estimator puts the sample, and those in shadow that put it elsewhere."""
    if not estimators:
        return
    acting, *others = estimators
    those = [one for one in others if one["disagrees"]]
    say = "; ".join(f"{_place(one)}, high says {one['says']}" for one in those[:_NEAREST])
    more = f"; {len(those) - _NEAREST} more" if len(those) > _NEAREST else ""
    say = f"{say}{more} disagree" if len(those) > 1 else f"{say} disagrees"
    yield f"estimators     {_place(acting)}; {say if those else 'none in shadow disagrees'}"


def _place(one: dict[str, Any]) -> str:
    place = "alone" if one["place"] is None else f"above {100 * one['place']:.0f} %"
    return f"{one['estimator']} {place}"


def nearest(teaching: dict[str, Any]) -> list[dict[str, Any]]:
    """Rows of the samples that teach the same and the opposite, the nearest of each."""
    return [
        {
            **row,
            "teaches": words,
            "sample": row["sample_id"][:8],
            "standing": row["standing"] or "-",
            "texts": " / ".join(one for one in (row["item_text"], row["context_text"]) if one),
        }
        for end, words in _ENDS.items()
        for row in teaching[end][:_NEAREST]
    ]


def of_item_now(now: dict[str, Any] | None) -> Iterator[str]:
    """What the catalogue says of the text by now, where that is not the same."""
    if now and now["gone"]:
        yield f"gone           not seen for {now['unseen']:.1f} days, so no round draws it"
    if not now or not now["changed"]:
        return
    share, when = f"{100 * now['changed']:.0f} %", str(now["since"])[:19]
    counts = f", so it counts {_short(now['counts'])} in a draw" if now["outdated"] else ""
    yield f"item now       {now['text_now']}"
    outdated = "outdated" if now["outdated"] else "changed"
    yield f"{outdated:14} by {share} of the words since {when}, {now['days']:.1f} days ago{counts}"


def _short(value: float) -> str:
    return f"{value:.3g}"
