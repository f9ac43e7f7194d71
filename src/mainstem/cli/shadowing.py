"""`mainstem shadow`: estimators that run in shadow, beside the acting one."""

import sys
from typing import Annotated, Final

import typer

from mainstem.asking import answers
from mainstem.cli.history import DEFAULT_HOME, HomeOption, StoreOption
from mainstem.cli.notes import explain_words
from mainstem.printable import in_json

__all__ = ["shadow"]

_COLUMNS: Final = (
    *("estimator", "says", "samples", "spearman", "would_be_core", "overlap"),
    *("would_draw", "drawn_overlap", "bytes", "visits", "extra_passes", "reads", "needs"),
)
_WORDS: Final = (
    "says: what a high figure means: the sample is worth learning from, or its label is sound",
    "spearman: rank correlation with the acting estimator",
    "would_be_core: as many as core has, the highest that are not noise; overlap: core's share",
    "would_draw: as many as the last round drew, the highest; drawn_overlap: the share it drew",
    "bytes: more memory for each sample; visits: those that hold what it reads",
)


def shadow(
    home: HomeOption = DEFAULT_HOME,
    store: StoreOption = None,
    *,
    as_json: Annotated[bool, typer.Option("--json", help="Print one JSON object.")] = False,
) -> None:
    """Compare the estimators that run in shadow with the acting one.

    Set MAINSTEM_IMPORTANCE__SHADOW, like el2n,aum, to let some run. They decide
    nothing. It shows how they rank, what each would call core, what each would
    have drawn in the last round, and what each costs.
    """
    from mainstem.answers.shadows import QUESTIONS, compared  # numpy is slow to import

    found = compared([rows for _, rows in answers(home, store, QUESTIONS)])
    if as_json:
        print(in_json(found.told()))
    elif found.estimators:
        from mainstem.cli.tables import show  # rich is slow to import

        show(_COLUMNS, [[getattr(one, name) for name in _COLUMNS] for one in found.estimators])
        explain_words(*_WORDS)
    if not found.estimators:
        how = "set MAINSTEM_IMPORTANCE__SHADOW, like el2n,aum, and replay on to the next judgement"
        print(f"no estimator has run in shadow here: {how}", file=sys.stderr)
