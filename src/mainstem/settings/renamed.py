"""Names that settings had before there were groups; homes and snapshots from then record them."""

from collections.abc import Mapping
from typing import Any, Final

__all__ = ["renamed"]

_WITHOUT_GROUPS: Final = {
    "run": ("seed", "checkpoint_every", "snapshot_every"),
    "join": (
        "questions",
        "label_window",
        "grace",
        "revision_window",
        "dedupe_horizon",
        "history_length",
        "history_window",
        "negatives",
        "partitions",
    ),
    "objectives": ("classes",),
    "trusted": ("direction_share", "canary_share", "gate_share"),
    "model": ("model", "device", "max_tokens", "vocabulary"),
    "responses": (
        "score_batch",
        "precision",
        "sketch",
        "response_layers",
        "rescore_budget",
        "horizon",
    ),
    "standing": (
        "judge_every",
        "false_discovery_rate",
        "canary_minimum",
        "doubt",
        "core_quantile",
        "spent_level",
        "confidence",
        "core_visits",
    ),
    "learning": (
        "round_every",
        "draw",
        "core_minimum",
        "uniform_share",
        "edge_floor",
        "epochs",
        "patience",
        "train_batch",
        "learning_rate",
        "warm_up",
        "weight_decay",
        "held_out",
        "gate_margin",
        "gate_minimum",
        "later_share",
    ),
}
_NEW: Final = {
    name: f"{group}.{name}" for group, names in _WITHOUT_GROUPS.items() for name in names
}


def renamed(kept: Mapping[str, Any]) -> dict[str, Any]:
    """Put each recorded setting under the name that it has now; other facts keep their names.

    Args:
        kept: settings and other facts by name, as a home or a snapshot recorded them.

    Example:
        >>> renamed({"grace": 5, "join.negatives": 1, "threads": 2})
        {'join.grace': 5, 'join.negatives': 1, 'threads': 2}
    """
    return {_NEW.get(name, name): value for name, value in kept.items()}
