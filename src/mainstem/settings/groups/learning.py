"""Settings of when a round starts, what it draws, how it trains and what promotes a version."""

from typing import Annotated

from mainstem.settings.fields import Group, Means, share

__all__ = ["Learning"]


class Learning(Group, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """When a round starts, what it draws, how it trains and what promotes a version."""

    round_every: Annotated[int, Means(meaning="samples between two rounds", low=1)] = 3000
    draw: Annotated[int, Means(meaning="samples drawn in a round, at most", low=1)] = 12000
    core_minimum: Annotated[int, Means(meaning="below this many core samples a round draws uniformly", low=1)] = 500
    uniform_share: Annotated[float, share("share of a draw from core and edge that ignores importance")] = 0.5
    edge_floor: Annotated[float, share("share of a draw that comes from edge at least")] = 0.3
    epochs: Annotated[int, Means(meaning="passes over a draw, at most", low=1)] = 3
    patience: Annotated[int, Means(meaning="passes without a better held-out loss before a round stops", low=1)] = 1
    train_batch: Annotated[int, Means(meaning="samples in one step of training", low=1)] = 64
    learning_rate: Annotated[
        float, Means(meaning="of AdamW; 0: 5e-4 for the model made here, 2e-5 for a given one", low=0)
    ] = 0.0
    warm_up: Annotated[float, share("share of a round's steps in which the learning rate rises")] = 0.1
    weight_decay: Annotated[float, Means(meaning="of AdamW", low=0)] = 0.01
    held_out: Annotated[int, Means(meaning="newest samples that a round does not draw but is measured on", low=0)] = 1000
    gate_margin: Annotated[float, Means(meaning="AUC that a new version may lose against its parent", low=0)] = 0.002
    gate_minimum: Annotated[int, Means(meaning="gate samples below which the held-out ones decide", low=2)] = 100
    later_share: Annotated[float, share("last share of a log, in time, that is never trained on, to compare versions")] = 0.2
