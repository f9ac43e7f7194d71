"""When the judge judges, and how it decides."""

from typing import Annotated

from mainstem.settings.fields import Group, Means, share

__all__ = ["Standing"]


class Standing(Group, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """When the judge judges, and how it decides."""

    judge_every: Annotated[
        int,
        Means(
            "A higher number judges a partition less often: after this many new samples of it, or"
            " after a sixteenth of its samples or more where evidence weighs all of them.",
            low=1,
        ),
    ] = 2000
    false_discovery_rate: Annotated[
        float,
        share(
            "A higher rate (the q of Benjamini-Hochberg) calls more samples `contradictory`,"
            " more of them wrongly."
        ),
    ] = 0.1
    canary_minimum: Annotated[
        int,
        Means(
            "A higher number requires more canaries before any sample is called `contradictory`,"
            " and more confirmed samples before evidence is learnt.",
            low=1,
        ),
    ] = 200
    doubt: Annotated[
        float,
        share(
            "A higher value makes core and `spent` stricter: a sample needs at least this"
            " p-value to be in either."
        ),
    ] = 0.1
    core_quantile: Annotated[
        float,
        share(
            "A higher quantile makes core smaller: it holds only samples whose importance lies"
            " above that of this share of the sound ones."
        ),
    ] = 0.5
    spent_level: Annotated[
        float,
        Means(
            "A higher level calls more samples `spent`: those of lower importance (1 is the"
            " canaries' mean).",
            low=0,
        ),
    ] = 0.05
    confidence: Annotated[
        float,
        Means(
            "A higher number keeps more samples in edge: importance must clear a level by this many"
            " standard errors.",
            low=0,
        ),
    ] = 0.25
    evidence: Annotated[
        str,
        Means(
            "Decides which labels to doubt: `learnt` lets confirmed samples teach it, where a"
            " partition has enough of them; `margin` compares margins alone.",
            choices=("learnt", "margin"),
        ),
    ] = "learnt"
    divisions: Annotated[
        int,
        Means(
            "A higher number makes learnt evidence depend less on chance, and a judgement slower:"
            " it learns that many times over.",
            low=1,
            high=50,
        ),
    ] = 3
    least_right: Annotated[
        float,
        share(
            "A higher value makes core and `spent` stricter where evidence is learnt: the label of"
            " a sample must be right with at least this probability."
        ),
    ] = 0.9
    assumed_sound: Annotated[
        float,
        share(
            "A higher share makes core and `spent` larger where no evidence is learnt: only this"
            " share of the samples, the least doubtful ones, can be in either."
        ),
    ] = 0.5
    core_visits: Annotated[
        int,
        Means("A higher number requires more visits before a sample can be core.", low=1),
    ] = 1
    spent_visits: Annotated[
        int,
        Means("A higher number requires more visits before a sample can be spent.", low=1),
    ] = 2
