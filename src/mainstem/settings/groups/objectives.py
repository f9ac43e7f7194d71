"""What the model learns from a sample."""

from typing import Annotated, Final

from mainstem.errors import SettingError
from mainstem.settings.fields import Group, Means

__all__ = ["Objectives"]

_MOST_CLASSES: Final = 127


class Objectives(Group, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What the model learns from a sample."""

    classes: Annotated[
        str,
        Means(
            "Names the classes of labelled texts, in the order of their numbers; if empty, they"
            " are `no,yes`.",
            affects="join",
            form="2 to 127 names with commas between",
        ),
    ] = ""

    def __post_init__(self) -> None:
        super().__post_init__()
        names = self.class_names
        if not 2 <= len(set(names)) == len(names) <= _MOST_CLASSES or "" in names:
            msg = (
                f"objectives.classes are 2 to {_MOST_CLASSES} different names with commas between, "
                f"like 'no,yes'; got {self.classes!r}"
            )
            raise SettingError(msg)

    @property
    def class_names(self) -> tuple[str, ...]:
        """Names of the classes; the place of a name is the number of its class.

        Example:
            >>> Objectives(classes="sports, business").class_names
            ('sports', 'business')
        """
        return tuple(name.strip() for name in (self.classes or "no,yes").split(","))

    @property
    def answers_yes_or_no(self) -> bool:
        """Whether there are two classes, so that a label is no (0) or yes (1)."""
        return len(self.class_names) == 2
