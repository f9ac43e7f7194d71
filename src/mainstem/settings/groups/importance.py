"""Which estimators of importance run, beside the acting one."""

from typing import Annotated, Final

from mainstem.errors import SettingError
from mainstem.settings.fields import Group, Means

__all__ = ["SHADOWS", "Importance"]

SHADOWS: Final = (
    *("response_norm", "norm_of_mean", "squared_norm", "normalised_norm"),
    *("leverage", "information_gain"),
    *("el2n", "loss", "excess_loss"),
    *("confidence", "margin", "weighted_entropy", "entropy", "least_confidence"),
    *("likelihood_ratio", "aum", "forgetting", "mean_confidence", "variability"),
    *("tracin", "alignment"),
    *("similarity", "density", "similarity_of_representation", "density_of_representation"),
    "random",
)
"""Names of all estimators; the first is the acting one."""


class Importance(Group, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Which estimators of importance run, beside the acting one."""

    shadow: Annotated[
        str,
        Means(
            "Names estimators that see the same visits and decide nothing, for `mainstem shadow`;"
            " if empty, there are none. Each costs at most 10 bytes more for each sample. It can be"
            " changed at any time.",
            affects="nothing",
            form="names of estimators with commas between, like `el2n,aum`",
        ),
    ] = ""

    def __post_init__(self) -> None:
        super().__post_init__()
        names = self.shadow_names
        unknown = [name for name in names if name not in SHADOWS]
        if unknown or len(set(names)) < len(names):
            msg = (
                f"importance.shadow are different names from {', '.join(SHADOWS)} with commas "
                f"between, like 'el2n,aum'; got {self.shadow!r}"
            )
            raise SettingError(msg)

    @property
    def shadow_names(self) -> tuple[str, ...]:
        """The names in `shadow`, one by one.

        Example:
            >>> Importance(shadow="el2n, aum").shadow_names, Importance().shadow_names
            (('el2n', 'aum'), ())
        """
        return tuple(one.strip() for one in self.shadow.split(",")) if self.shadow.strip() else ()
