"""When a round starts, what it draws, how it trains and what promotes a version."""

from typing import Annotated

from mainstem.settings.fields import Group, Means, share

__all__ = ["Learning"]


class Learning(Group, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """When a round starts, what it draws, how it trains and what promotes a version."""

    round_every: Annotated[
        int, Means("A higher number lets more samples come between two rounds.", low=1)
    ] = 3000
    draw: Annotated[
        int, Means("A higher number lets a round draw more samples, and take longer.", low=1)
    ] = 12000
    core_minimum: Annotated[
        int,
        Means("A higher number makes rounds draw uniformly until core has as many samples.", low=1),
    ] = 500
    uniform_share: Annotated[
        float, share("A larger share of a draw from core and edge ignores importance.")
    ] = 0.5
    edge_floor: Annotated[float, share("A larger share of a draw comes from edge at least.")] = 0.3
    epochs: Annotated[
        int, Means("A higher number lets a round pass over its draw more often.", low=1)
    ] = 3
    patience: Annotated[
        int,
        Means(
            "A higher number lets more passes go by without a better held-out loss before a round stops.",
            low=1,
        ),
    ] = 1
    train_batch: Annotated[
        int,
        Means(
            "A higher number puts more samples into one step of training, and takes fewer steps.",
            low=1,
        ),
    ] = 64
    learning_rate: Annotated[
        float,
        Means(
            "A higher rate makes the steps of AdamW longer; 0 is 5e-4 for the model made here and 2e-5 for a given one.",
            low=0,
        ),
    ] = 0.0
    warm_up: Annotated[
        float, share("A larger share of a round's steps raises the learning rate before it falls.")
    ] = 0.1
    weight_decay: Annotated[
        float, Means("A higher decay lets AdamW pull weights harder to zero.", low=0)
    ] = 0.01
    held_out: Annotated[
        int,
        Means(
            "A higher number keeps more of the newest samples out of a draw, to measure the round on them.",
            low=0,
        ),
    ] = 1000
    gate_margin: Annotated[
        float, Means("A larger margin lets a new version lose more AUC against its parent.", low=0)
    ] = 0.002
    gate_minimum: Annotated[
        int,
        Means(
            "A higher number asks for more gate samples before they decide instead of the held-out ones.",
            low=2,
        ),
    ] = 100
    later_share: Annotated[
        float,
        share(
            "A larger share of a log, its last in time, is never trained on, and compares versions."
        ),
    ] = 0.2
