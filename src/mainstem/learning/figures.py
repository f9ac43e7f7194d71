"""The figures of a round by name: those that the history keeps of it, for tools that show them."""

from mainstem.learning.keeping import row_of
from mainstem.learning.rounds import Round
from mainstem.scoring.costs import kept_costs
from mainstem.store.costs import ROUND_KINDS

__all__ = ["figures_of"]

_SHOWN = (
    "steps",
    "epochs",
    "drawn",
    "drawn_core",
    "drawn_edge",
    "auc_before",
    "auc_after",
    "log_loss_before",
    "log_loss_after",
    "promoted",
    "harder",
    "weighed",
)
_COSTS = ("samples", "tokens", "forward_equivalents", "seconds")


def figures_of(done: Round) -> dict[str, float]:
    """The figures of a round; what has no value is left out.

    Args:
        done: the round.

    Returns:
        Columns of its row in table `rounds`, by their names; and its costs, as
        `costs/train/seconds` for column `seconds` of kind `train` in table `costs`.
    """
    row = row_of(done)._asdict()
    found = {name: float(row[name]) for name in _SHOWN if row[name] is not None}
    for cost in kept_costs(done.version, done.costs, ROUND_KINDS):
        of_kind = cost._asdict()
        found |= {f"costs/{cost.kind}/{name}": float(of_kind[name]) for name in _COSTS}
    return found
