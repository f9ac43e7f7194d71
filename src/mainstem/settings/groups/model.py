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
            "Chooses where the model computes; `auto` takes a GPU if there is one, and in a home"
            " what the home was made with.",
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
    adapter: Annotated[
        str,
        Means(
            "Chooses what is trained of a given model: `none` trains all; `lora` pairs of small"
            " matrices beside its layers (`mainstem[lora]`), `head` its head alone, `blocks` its"
            " last blocks. The rest lies once beside the versions.",
            choices=("none", "lora", "head", "blocks"),
        ),
    ] = "none"
    adapter_rank: Annotated[
        int,
        Means("A higher rank gives LoRA's pairs more weights, and versions more bytes.", low=1),
    ] = 8
    adapter_alpha: Annotated[
        int, Means("A higher number, divided by the rank, lets LoRA's pairs count more.", low=1)
    ] = 16
    adapter_modules: Annotated[
        str,
        Means(
            "Names the layers that LoRA's pairs stand beside; if empty, they are those that are"
            " usual for the family.",
            form="ends of names with commas between",
        ),
    ] = ""
    adapter_blocks: Annotated[
        int, Means("A higher number lets `blocks` train more blocks, from the last one.", low=1)
    ] = 2
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

    @property
    def adapted_modules(self) -> tuple[str, ...]:
        """The names in `adapter_modules`, one by one, in order.

        Example:
            >>> Model(adapter_modules="value, query").adapted_modules
            ('query', 'value')
        """
        named = {name.strip() for name in self.adapter_modules.split(",")}
        return tuple(sorted(named - {""}))
