"""Where the figures of rounds are shown beside the history; by default nowhere."""

from typing import Annotated

from mainstem.settings.fields import Group, Means

__all__ = ["Tracking"]


class Tracking(Group, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Where the figures of rounds are shown beside the history; by default nowhere."""

    to: Annotated[
        str,
        Means(
            "Chooses a tool that also gets the figures of each round; each needs the extra of its"
            " name.",
            affects="nothing",
            choices=("none", "tensorboard", "mlflow", "wandb"),
        ),
    ] = "none"
    where: Annotated[
        str,
        Means(
            "Names the folder that the tool writes to or, of `mlflow` and `wandb`, the address of a"
            " server; if empty, it is folder `tracking` of the home, or of the working folder"
            " beside Kafka, and nothing leaves the machine.",
            affects="nothing",
            form="a folder, or http://... or https://...",
        ),
    ] = ""
    run: Annotated[
        str,
        Means(
            "Names the experiment or project under which `mlflow` and `wandb` show the rounds.",
            affects="nothing",
            form="a name",
        ),
    ] = "mainstem"
