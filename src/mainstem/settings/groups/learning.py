"""When a round starts, what it draws, how it trains and what promotes a version."""

from typing import Annotated

from mainstem.errors import SettingError
from mainstem.settings.durations import DAY
from mainstem.settings.fields import Group, Means, duration, share, switch

__all__ = ["Learning"]


class Learning(Group, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """When a round starts, what it draws, how it trains and what promotes a version."""

    round_every: Annotated[
        int,
        Means(
            "A higher number starts rounds less often: one after this many new samples that may"
            " be trained on.",
            low=1,
        ),
    ] = 3000
    draw: Annotated[
        int, Means("A higher number lets a round train on more samples, and take longer.", low=1)
    ] = 12000
    draw_new: Annotated[
        float,
        share(
            "A larger share lets a round train on more of the samples that came since the current"
            " version was made, once that version beats counting; before, a draw takes all it can"
            " get."
        ),
    ] = 1.0
    draw_old: Annotated[
        float,
        share(
            "A larger share lets a round train on more of the samples that were there before the"
            " current version, once that version beats counting."
        ),
    ] = 0.5
    choose: Annotated[
        str,
        Means(
            "Says from when on a draw is such a share: `learnt` waits until a version beats"
            " counting, `always` does not.",
            choices=("learnt", "always"),
        ),
    ] = "learnt"
    evidence_weight: Annotated[
        float,
        share(
            "A larger share (an exponent) lets a sample count less in the loss the less its label"
            " is likely to be right; 0 lets all drawn samples count alike."
        ),
    ] = 1.0
    weigh: Annotated[
        str,
        Means(
            "Says when draws and the loss heed importance and evidence: `measured` only while"
            " confirmed gate samples show that wrong labels are on the harder samples, and where"
            " too few are confirmed to show it; `always` at all times.",
            choices=("measured", "always"),
        ),
    ] = "measured"
    inclusion_weight: Annotated[
        float,
        share(
            "A larger share (an exponent) lets a sample count more in the loss the less likely it"
            " was to be drawn; 1 makes the loss that of a uniform draw in the mean."
        ),
    ] = 0.0
    core_minimum: Annotated[
        int,
        Means(
            "A higher number keeps draws uniform for longer: importance counts once core holds"
            " this many samples.",
            low=1,
        ),
    ] = 500
    uniform_share: Annotated[
        float, share("A larger share draws more of the samples uniformly, and fewer by importance.")
    ] = 0.5
    edge_floor: Annotated[float, share("A larger share reserves more of each draw for edge.")] = 0.3
    slice_floor: Annotated[
        int,
        Means(
            "A higher number draws more samples of each rare category and query bucket: about so"
            " many of each, or all that there are.",
            low=0,
        ),
    ] = 20
    outdated_beyond: Annotated[
        float,
        share(
            "A larger share calls fewer samples outdated: those of whose words, and of the words"
            " that their item has now, more than this share is not in both."
        ),
    ] = 0.5
    outdated_half_life: Annotated[
        int,
        duration(
            "A longer time lets outdated samples count for longer: each such time since their item"
            " got other words halves how readily a sample is drawn; 0 lets them count in full."
        ),
    ] = 30 * DAY
    gone_after: Annotated[
        int,
        duration(
            "A longer time goes on drawing samples of an item that is neither described nor asked"
            " about any more; beyond it they rest, and 0 lets none rest."
        ),
    ] = 0
    spent_again: Annotated[
        float,
        share(
            "A larger share fills more of each draw with `spent` samples, and scores more of them"
            " again, in case they have something to teach again."
        ),
    ] = 0.02
    epochs: Annotated[
        int, Means("A higher number lets a round pass over its draw more often.", low=1)
    ] = 3
    adaptive_epochs: Annotated[
        bool,
        switch(
            "Lets a round plan one pass more than the last round found useful; else each round"
            " plans `learning.epochs`."
        ),
    ] = True
    epoch_share: Annotated[
        float,
        share(
            "A smaller share lets each pass take only so much of the draw, chosen at random anew"
            " each time."
        ),
    ] = 1.0
    patience: Annotated[
        int,
        Means(
            "A higher number lets a round go on through more passes that do not lower the"
            " held-out loss.",
            low=1,
        ),
    ] = 1
    train_batch: Annotated[
        int,
        Means(
            "A higher number puts more samples into each training step, so that a round takes"
            " fewer steps.",
            low=1,
        ),
    ] = 64
    accumulate: Annotated[
        int,
        Means(
            "A higher number reads the samples of each training step in so many pieces, one after"
            " the other, which takes less memory and adds up to the same gradient.",
            low=1,
        ),
    ] = 1
    learning_rate: Annotated[
        float,
        Means(
            "A higher rate makes AdamW take longer steps; 0 means 1e-3 for the model made here,"
            " 5e-5 for a given one.",
            low=0,
        ),
    ] = 0.0
    warm_up: Annotated[
        float,
        share(
            "A larger share spends more of a round's steps on raising the learning rate before"
            " it falls."
        ),
    ] = 0.1
    weight_decay: Annotated[
        float,
        Means("A higher decay makes AdamW pull the weights towards zero more strongly.", low=0),
    ] = 0.01
    averaged: Annotated[
        float,
        Means(
            "A higher number averages the weights of a version over more of its last steps: .99"
            " over some hundred; 0 takes the weights of the last step.",
            low=0,
            high=0.9999,
        ),
    ] = 0.99
    label_smoothing: Annotated[
        float,
        Means(
            "A larger share moves the targets that training learns from further towards all"
            " answers alike; losses of an order, responses and evaluation keep the plain targets.",
            low=0,
            high=0.9,
        ),
    ] = 0.0
    r_drop: Annotated[
        float,
        Means(
            "A larger factor punishes it more if two passes over a batch, whose dropout differs,"
            " answer differently; above 0 a step costs twice as much, and 0 makes one pass.",
            low=0,
        ),
    ] = 0.0
    adversarial: Annotated[
        str,
        Means(
            "Chooses whether a step also learns from its samples with their embedded words moved to"
            " where the loss is higher: `fgm` moves them once and doubles the cost, `pgd` moves"
            " them `adversarial_steps` times, each at the cost of another pass.",
            choices=("none", "fgm", "pgd"),
        ),
    ] = "none"
    adversarial_epsilon: Annotated[
        float,
        share(
            "A larger share lets the embedded words of a sample be moved further, as a share of"
            " their own length."
        ),
    ] = 0.05
    adversarial_steps: Annotated[
        int,
        Means("A higher number lets `pgd` look longer for where the loss is highest.", low=1),
    ] = 3
    train_precision: Annotated[
        str,
        Means(
            "Chooses the numbers that training computes in; `float16` needs a GPU. Weights and"
            " losses stay in float32.",
            choices=("float32", "bfloat16", "float16"),
        ),
    ] = "float32"
    compile: Annotated[
        bool,
        switch(
            "Lets torch compile the network for training, which can make long rounds faster; where"
            " a first try fails, training does without, and a home keeps to that."
        ),
    ] = False
    held_out: Annotated[
        int,
        Means(
            "A higher number keeps more of the newest samples out of the draw and measures the"
            " round on them.",
            low=0,
        ),
    ] = 1000
    gate_margin: Annotated[
        float,
        Means(
            "A larger margin lets the gate promote a version whose AUC is further below its"
            " parent's.",
            low=0,
        ),
    ] = 0.002
    gate_minimum: Annotated[
        int,
        Means(
            "A higher number requires more gate samples before they, not the held-out ones,"
            " decide on a version.",
            low=2,
        ),
    ] = 100
    later_share: Annotated[
        float,
        share(
            "A larger share keeps more of the end of a log out of training, to compare versions"
            " on it."
        ),
    ] = 0.2

    def __post_init__(self) -> None:
        super().__post_init__()
        if self.compile and self.adversarial != "none":
            msg = (
                "learning.compile and learning.adversarial exclude each other, because a compiled "
                "network does not let its words be moved; set one of them to its default"
            )
            raise SettingError(msg)
