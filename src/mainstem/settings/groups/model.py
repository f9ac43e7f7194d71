"""Settings of which model, on which machine, over how much text."""

from typing import Annotated

from mainstem.settings.fields import Group, Means

__all__ = ["Model"]


class Model(Group, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Which model, on which machine, over how much text."""

    model: Annotated[
        str,
        Means(
            meaning="Hugging Face name or local path of a BERT cross-encoder; empty: made here, from the log",
        ),
    ] = ""
    device: Annotated[str, Means(meaning="`cpu`, `cuda` or `auto`", choices=("auto", "cpu", "cuda"), affects="nothing")] = (
        "auto"
    )
    max_tokens: Annotated[int, Means(meaning="tokens of a text pair; the longer side is cut first", low=8, high=8192)] = 64
    vocabulary: Annotated[int, Means(meaning="word pieces of the vocabulary made here", low=200)] = 8000
