"""Which model learns, on which machine, and how much of a text it reads."""

from typing import Annotated

from mainstem.settings.fields import Group, Means

__all__ = ["Model"]


class Model(Group, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Which model learns, on which machine, and how much of a text it reads."""

    model: Annotated[
        str,
        Means(
            "It is the Hugging Face name or the folder of a BERT cross-encoder; empty, one is made here from the log.",
            form="a name or a folder",
        ),
    ] = ""
    device: Annotated[
        str,
        Means(
            "It says where the model works; `auto` takes a GPU where there is one.",
            affects="nothing",
            choices=("auto", "cpu", "cuda"),
        ),
    ] = "auto"
    max_tokens: Annotated[
        int,
        Means(
            "A higher number reads more of a text pair, whose longer side is cut first, and costs time and memory.",
            low=8,
            high=8192,
        ),
    ] = 64
    vocabulary: Annotated[
        int, Means("A higher number gives the vocabulary made here more word pieces.", low=200)
    ] = 8000
