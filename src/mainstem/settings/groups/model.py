"""Which model learns, on which machine, and how much of a text it reads."""

from typing import Annotated

from mainstem.settings.fields import Group, Means, switch

__all__ = ["Model"]


class Model(Group, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Which model learns, on which machine, and how much of a text it reads."""

    model: Annotated[
        str,
        Means(
            "Names a sequence classifier or an encoder on Hugging Face or in a folder; if empty, a"
            " model is made from the log.",
            form="a name or a folder",
        ),
    ] = ""
    device: Annotated[
        str,
        Means(
            "Chooses where the model computes; `auto` takes a GPU if there is one.",
            affects="nothing",
            choices=("auto", "cpu", "cuda"),
        ),
    ] = "auto"
    max_tokens: Annotated[
        int,
        Means(
            "A higher number reads more of a text pair, at more time and memory; the longer text"
            " is cut first.",
            low=8,
            high=8192,
        ),
    ] = 64
    vocabulary: Annotated[
        int,
        Means("A higher number gives the vocabulary that is made here more word pieces.", low=200),
    ] = 8000
    behaviour: Annotated[
        bool,
        switch(
            "If true, a first version reads behaviour features beside the words; a version keeps"
            " the features that it was made with."
        ),
    ] = True
    examination: Annotated[
        bool,
        switch(
            "If true, a first version learns how much more often the items at each position are"
            " answered, and leaves that out when it ranks."
        ),
    ] = True
